"""The OpenAPI document: the REST dialect told from the contracts and their comments."""

from acontext_server.gateway.openapi.document import document

__all__ = ["document"]
