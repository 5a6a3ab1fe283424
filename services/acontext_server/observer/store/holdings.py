"""What observer holds, for carrying it elsewhere."""

from acontext_server.kit.transfer import Holdings
from acontext_server.observer.store.tables import Base

HOLDINGS = Holdings(
    service="observer",
    metadata=Base.metadata,
    of_the_installation=frozenset({"outbox"}),
)
