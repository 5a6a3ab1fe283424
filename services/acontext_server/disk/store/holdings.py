"""What disk holds, for carrying it elsewhere."""

from acontext_server.disk.store.tables import metadata
from acontext_server.kit.transfer import Holdings

HOLDINGS = Holdings(
    service="disk",
    metadata=metadata,
    blobs="select distinct project_id, sha256 from disk.artifact",
    of_the_installation=frozenset({"outbox", "request", "claim"}),
)
