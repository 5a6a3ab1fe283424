"""Calling another service of ours."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from acontext_server.kit.errors import InvalidRequest, Unavailable
from acontext_server.kit.rpc.status import DETAILS_KEY

MAX_MESSAGE_BYTES = 72 * 1024 * 1024
"""An answer has at most 64 MiB, and an envelope around it."""
CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]
_SHARED_OUT: dict[str, object] = {"loadBalancingConfig": [{"round_robin": {}}]}
"""Of a peer's replicas each gets its turn, and one that is gone is passed over."""
PEER_SECONDS = 10.0
"""Time-out of a call to a peer that only reads or writes a few rows."""


@asynccontextmanager
async def open_channel(address: str) -> AsyncIterator[aio.Channel]:
    """Open a channel to a peer; it connects when first used and again whenever it breaks."""
    options = [*CHANNEL_OPTIONS, ("grpc.service_config", json.dumps(_SHARED_OUT))]
    async with aio.insecure_channel(address, options=options) as channel:
        yield channel


def reason_of(error: aio.AioRpcError) -> str | None:
    """Return the reason in a peer's ErrorInfo."""
    info = error_details_pb2.ErrorInfo()
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY:
            for detail in status_pb2.Status.FromString(value).details:
                if detail.Unpack(info):
                    return str(info.reason)
    return None


@contextmanager
def peer_errors(peer: str, *, words_of_caller: bool = False) -> Iterator[None]:
    """Raise Unavailable, with the peer's name, when it does not answer in time.

    What the peer refuses is InvalidRequest where it was given our own caller's words.
    """
    try:
        yield
    except aio.AioRpcError as error:
        if words_of_caller and error.code() is grpc.StatusCode.INVALID_ARGUMENT:
            raise InvalidRequest(error.details() or f"{peer} refuses this") from error
        if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
            raise Unavailable(peer) from error
        raise
