"""Write every vector anew, for instance before ACONTEXT_EMBEDDER_URL changes for the services.

`python -m acontext_server.space.reindex` fills the embedding space of its own settings while space
goes on serving with others. Then start space with the new settings, and when nothing runs with the
old ones any more, `… reindex --retire` forgets every other embedding space.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from acontext_server.kit.config import Settings
from acontext_server.kit.database import open_database
from acontext_server.kit.misconfiguration import read_settings
from acontext_server.space.app.index import Indexer
from acontext_server.space.domain.errors import EmbeddingSpaceMismatch
from acontext_server.space.embedder import open_embedder
from acontext_server.space.main import now
from acontext_server.space.vectors import open_vectors


async def reindex(settings: Settings) -> int:
    """Rebuild the index that the settings name, and return how many vectors it has."""
    async with open_indexer(settings) as indexer:
        return await indexer.rebuild()


async def retire(settings: Settings) -> Sequence[str]:
    """Forget every embedding space that the settings do not name, and return their names."""
    async with open_indexer(settings) as indexer:
        return await indexer.retire_others()


@asynccontextmanager
async def open_indexer(settings: Settings) -> AsyncIterator[Indexer]:
    """Open what the settings name, without a service around it."""
    url = settings.database_url
    async with (
        open_embedder(settings) as embedder,
        open_database(url, pool=2) as database,
        open_vectors(
            settings.vectors_url, database_url=url, embedding_space=embedder.space
        ) as vectors,
    ):
        yield Indexer(database, embedder=embedder, vectors=vectors, now=now)


def main(arguments: Sequence[str]) -> None:
    """Run one of the commands of this module."""
    match arguments:
        case []:
            print(f"{asyncio.run(reindex(read_settings()))} vectors written")
        case ["--retire"]:
            try:
                retired = asyncio.run(retire(read_settings()))
            except EmbeddingSpaceMismatch as error:
                sys.exit(error.message)
            print(f"forgotten: {', '.join(retired) or 'nothing'}")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
