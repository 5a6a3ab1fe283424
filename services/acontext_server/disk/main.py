"""The composition root of disk. Run it with `python -m acontext_server.disk.main`."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from acontext.disk import v1 as pb
from acontext_server.disk.app import ArtifactApp, DiskApp, PublicApp, Sweep
from acontext_server.disk.events import Announcer, Listeners
from acontext_server.disk.service import DiskServicer
from acontext_server.disk.store.tables import outbox as outbox_table
from acontext_server.kit import rpc
from acontext_server.kit.auth import Keys, Signer
from acontext_server.kit.blobs import open_blobs
from acontext_server.kit.blobs.token import BlobTokens
from acontext_server.kit.bus import open_bus
from acontext_server.kit.config import Settings
from acontext_server.kit.database import open_database
from acontext_server.kit.health import Inspection, blobs_engine
from acontext_server.kit.ids import uuid7
from acontext_server.kit.outbox import Outbox
from acontext_server.kit.paging import Cursors
from acontext_server.kit.rpc import Identities, open_channel


@asynccontextmanager
async def open_service(settings: Settings) -> AsyncIterator[rpc.Service]:
    """Wire disk on the engines that the settings name."""
    async with AsyncExitStack() as running:
        database = await running.enter_async_context(
            open_database(settings.database_url, pool=settings.database_pool)
        )
        bus = await running.enter_async_context(
            open_bus(
                settings.nats_url, prefix=settings.nats_prefix, replicas=settings.nats_replicas
            )
        )
        blob_secret = settings.secret_for("blobs")
        blobs = await running.enter_async_context(
            open_blobs(settings.blobs_url, public_url=settings.base_url, secret=blob_secret)
        )
        channel = await running.enter_async_context(open_channel(settings.session_address))
        identities = Identities(channel, Signer(settings.secret_for("services")))

        outbox = Outbox("disk", outbox_table, database, bus)
        announce = Announcer(outbox, now=now, new_id=uuid7)
        sweep = Sweep(database, blobs, now=now)
        disks = DiskApp(
            database,
            blobs,
            sweep,
            identities=identities,
            cursors=Cursors(settings.secret_for("cursors")),
            announce=announce,
            now=now,
            new_id=uuid7,
        )
        artifacts = ArtifactApp(database, blobs, sweep, announce=announce, now=now, new_id=uuid7)
        public = PublicApp(blobs, BlobTokens(blob_secret), now=now)
        servicer = DiskServicer(
            disks, artifacts, public, largest_artifact=settings.max_artifact_bytes
        )
        keys = Keys(identities.resolve_key)
        listeners = Listeners(disks, bus, forget_keys=keys.forget)
        yield rpc.Service(
            name="disk",
            address=settings.disk_address,
            keys=keys,
            servicers=[lambda server: pb.add_DiskServiceServicer_to_server(servicer, server)],
            inspection=Inspection(
                service="disk",
                database=database,
                bus=bus,
                outbox=outbox,
                engines=[blobs_engine(settings.blobs_url, blobs, is_core=True)],
            ),
            beside=[outbox.run, sweep.run, listeners.follow_session, listeners.follow_disk],
        )


def now() -> datetime:
    """Tell the time, with its zone."""
    return datetime.now(UTC)


if __name__ == "__main__":
    rpc.main(open_service)
