"""The channel of the blocking client. Written by hand, as its twin in `_async` is."""

import threading
import weakref
from time import sleep as sleep
from typing import BinaryIO

import grpc
from grpc import Channel as Channel
from grpc import StreamUnaryMultiCallable as StreamUnary
from grpc import UnaryStreamMultiCallable as UnaryStream
from grpc import UnaryUnaryMultiCallable as UnaryUnary

from .._settings import Address
from .stubs import Stubs

__all__ = ["Channel", "StreamUnary", "UnaryStream", "UnaryUnary", "sleep"]


class Line:
    """A channel that is opened by the first call and ends with the client at the latest."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.closed = False
        self._opening = threading.Lock()
        self._stubs: Stubs | None = None
        self._end: weakref.finalize[[], Line] | None = None

    @property
    def stubs(self) -> Stubs:
        """What calls are made with."""
        if self.closed:
            raise ValueError("this client is closed")
        with self._opening:
            if self._stubs is None:
                channel = self._open()
                self._stubs = Stubs(channel)
                self._end = weakref.finalize(self, channel.close)
            return self._stubs

    def close(self) -> None:
        """End every call and the channel."""
        self.closed = True
        with self._opening:
            self._stubs = None
            if self._end is not None:
                self._end()

    def _open(self) -> grpc.Channel:
        address = self.address
        if not address.secure:
            return grpc.insecure_channel(address.target, options=address.options)
        credentials = grpc.ssl_channel_credentials(address.root_certificates)
        return grpc.secure_channel(address.target, credentials, options=address.options)


def read(file: BinaryIO, size: int) -> bytes:
    """Read from a file."""
    return file.read(size)
