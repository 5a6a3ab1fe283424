"""An installation as it is carried: its engines, reached without its services."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import psycopg
from dotenv import dotenv_values

from acontext_server.all import complete
from acontext_server.disk.store.holdings import HOLDINGS as DISK
from acontext_server.kit.blobs import Blobs, open_blobs
from acontext_server.kit.config import Settings
from acontext_server.kit.database import Raw
from acontext_server.kit.engines import AlreadyRunning, Folder, Postgres, supervise
from acontext_server.kit.transfer import Holdings
from acontext_server.observer.store.holdings import HOLDINGS as OBSERVER
from acontext_server.session.store.holdings import HOLDINGS as SESSION
from acontext_server.space.store.holdings import HOLDINGS as SPACE

ALL: Sequence[Holdings] = (SESSION, DISK, OBSERVER, SPACE)


@asynccontextmanager
async def open_installation(settings: Settings) -> AsyncIterator[Settings]:
    """Give settings by which an installation can be reached.

    Without a database's URL that is an embedded one, whose PostgreSQL is started unless it runs.
    """
    if settings.database_url:
        yield settings
        return
    async with AsyncExitStack() as running:
        try:
            supervisor = await running.enter_async_context(supervise(settings.data_folder))
        except AlreadyRunning:
            folder = Folder(settings.data_folder)
            postgres = Postgres(folder)
        else:
            folder = supervisor.folder
            postgres = Postgres(folder)
            await supervisor.start(postgres)
        completed = complete(settings, folder.path)
        yield completed.model_copy(update={"database_url": postgres.url})


async def connect(settings: Settings) -> Raw:
    """Connect to the database."""
    # Without the time-outs of a service: one statement carries a whole table.
    return await psycopg.AsyncConnection.connect(settings.database_url)


@asynccontextmanager
async def open_blobs_of(settings: Settings) -> AsyncIterator[Blobs]:
    """Open the place of all bytes."""
    secret = settings.secret_for("blobs")
    async with open_blobs(settings.blobs_url, public_url=settings.base_url, secret=secret) as blobs:
        yield blobs


def fingerprint(settings: Settings) -> str:
    """Tell secrets apart without telling them."""
    return settings.secret_for("fingerprint in backups").hex()[:16]


def kept_secrets(settings: Settings) -> dict[str, str]:
    """Read the secrets that only the folder of an embedded installation has."""
    file = settings.data_folder / ".env"
    if not _is_embedded_folder(settings) or not file.exists():
        return {}
    return {name: value for name, value in dotenv_values(file).items() if value}


def _is_embedded_folder(settings: Settings) -> bool:
    return settings.blobs_url == (Folder(settings.data_folder).path / "blobs").as_uri()
