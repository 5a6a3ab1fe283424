"""What session holds, for carrying it elsewhere."""

from acontext_server.kit.transfer import Holdings
from acontext_server.session.store.tables import metadata

HOLDINGS = Holdings(
    service="session",
    metadata=metadata,
    blobs="select distinct project_id, sha256 from session.blob_use where expires_at is null",
    # Keys open only with the secret that they were hashed with.
    of_the_installation=frozenset({"outbox", "request", "api_key", "deletion"}),
    of_a_project={"blob_use": "expires_at is null"},
)
