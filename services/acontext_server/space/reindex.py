"""Write every vector anew, for instance after ACONTEXT_EMBEDDER_URL has changed.

`python -m acontext_server.space.reindex`, then start space again.
"""

import asyncio

from acontext_server.kit.config import Settings
from acontext_server.kit.database import open_database
from acontext_server.space.app.index import Indexer
from acontext_server.space.embedder import open_embedder
from acontext_server.space.main import now
from acontext_server.space.vectors import open_vectors


async def reindex(settings: Settings) -> int:
    """Rebuild the index that the settings name, and return how many vectors it has."""
    url = settings.database_url
    async with (
        open_embedder(settings) as embedder,
        open_database(url, pool=2) as database,
        open_vectors(
            settings.vectors_url, database_url=url, embedding_space=embedder.space
        ) as vectors,
    ):
        return await Indexer(database, embedder=embedder, vectors=vectors, now=now).rebuild()


if __name__ == "__main__":
    print(f"{asyncio.run(reindex(Settings()))} vectors written")
