"""gRPC: serving our services, and calling them from each other."""

from acontext_server.kit.rpc.clients import open_channel, peer_errors, reason_of
from acontext_server.kit.rpc.identities import Identities
from acontext_server.kit.rpc.interceptor import metadata_of
from acontext_server.kit.rpc.server import Runnable, Service, main, serve

__all__ = [
    "Identities",
    "Runnable",
    "Service",
    "main",
    "metadata_of",
    "open_channel",
    "peer_errors",
    "reason_of",
    "serve",
]
