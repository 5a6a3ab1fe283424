"""`python -m acontext_server.setup`: everything that has to be there before a service starts.

The schemas of all services at their newest migration, the bucket and the collection. Repeatable;
several at once wait for each other.
"""

import asyncio
import sys

from sqlalchemy.exc import DBAPIError

from acontext_server.kit import migrations
from acontext_server.kit.blobs import open_blobs
from acontext_server.kit.config import Settings
from acontext_server.kit.misconfiguration import Misconfigured, read_settings
from acontext_server.serve import SERVICES
from acontext_server.space.embedder import open_embedder
from acontext_server.space.vectors import open_vectors


def main() -> None:
    """Do it, or say which setting a person must mend."""
    try:
        settings = read_settings()
        for service in SERVICES:
            migrations.upgrade(settings.database_url, service)
    except Misconfigured as error:
        sys.exit(str(error))
    except DBAPIError as error:
        sys.exit(f"The database cannot be used: {' '.join(str(error.orig).split())}")
    asyncio.run(_make_places(settings))


async def _make_places(settings: Settings) -> None:
    secret = settings.secret_for("blobs")
    async with (
        open_blobs(settings.blobs_url, public_url=settings.base_url, secret=secret),
        open_embedder(settings) as embedder,
        open_vectors(
            settings.vectors_url,
            database_url=settings.database_url,
            embedding_space=embedder.space,
        ),
    ):
        pass


if __name__ == "__main__":
    main()
