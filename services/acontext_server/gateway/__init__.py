"""The gateway: Envoy on one port, and the REST dialect that it puts on the typed contracts."""

from acontext_server.gateway.render import render

__all__ = ["render"]
