"""TCP ports on this machine: finding a free one, and saying who holds a taken one."""

import errno
import random
import socket
from itertools import cycle

import psutil

from acontext_server.kit.engines.process import StartError

_BELOW_EPHEMERAL = range(18_000, 32_000)
"""Outgoing connections take their ports above: a program that starts again finds its own free."""


class PortTaken(StartError):
    """Another program listens where we should."""

    def __init__(self, port: int, *, setting: str) -> None:
        super().__init__(
            f"Port {port} is taken by {_holder(port) or 'another program'}. "
            f"Stop it, or choose another port with {setting}, for example {setting}={port + 1}."
        )


# A port that was given is not listened on for seconds yet, so the system would call it free again.
_candidates = cycle(random.sample(_BELOW_EPHEMERAL, len(_BELOW_EPHEMERAL)))


def free_port() -> int:
    """Find a port on which nobody listens on any address, another one each time."""
    return next(port for port in _candidates if is_free(port, host=""))


def is_free(port: int, *, host: str) -> bool:
    """Tell whether a server could listen here now; privileges that are missing are an error."""
    with socket.socket() as probe:
        # As servers do: connections that are closing do not count, another listener does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise StartError(f"Cannot listen on port {port}: {error.strerror}.") from error
    return True


def refuse_taken_port(port: int, *, host: str, setting: str) -> None:
    """Raise `PortTaken` when somebody listens here; `setting` is how the user chooses another.

    To be asked before the server is started: Envoy shares a port with another Envoy in silence.
    """
    if not is_free(port, host=host):
        raise PortTaken(port, setting=setting)


def _holder(port: int) -> str | None:
    try:
        listeners = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return None  # macOS tells only root.
    for listener in listeners:
        listens = listener.status == psutil.CONN_LISTEN
        if listens and listener.laddr and listener.laddr.port == port and listener.pid:
            return _name(listener.pid)
    return None


def _name(pid: int) -> str:
    try:
        return f"{psutil.Process(pid).name()} (process {pid})"
    except psutil.Error:
        return f"process {pid}"
