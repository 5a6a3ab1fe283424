"""What space holds, for carrying it elsewhere; vectors are carried by `space.transfer`."""

from acontext_server.kit.transfer import Holdings
from acontext_server.space.store.tables import metadata

HOLDINGS = Holdings(
    service="space",
    metadata=metadata,
    of_the_installation=frozenset({"outbox", "request", "embedding_space", "vector_intent"}),
)
