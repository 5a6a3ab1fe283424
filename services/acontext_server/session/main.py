"""The composition root of session."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from acontext.session import v1 as pb
from acontext_server.kit import rpc
from acontext_server.kit.auth import Keys, Signer
from acontext_server.kit.blobs import open_blobs
from acontext_server.kit.bus import open_bus
from acontext_server.kit.config import Settings
from acontext_server.kit.database import open_database
from acontext_server.kit.health import Inspection, blobs_engine
from acontext_server.kit.ids import uuid7
from acontext_server.kit.outbox import Outbox
from acontext_server.kit.paging import Cursors
from acontext_server.session.app.appending import Appender
from acontext_server.session.app.cleaning import Cleaner
from acontext_server.session.app.condensing import CondensingApp
from acontext_server.session.app.contents import Contents
from acontext_server.session.app.deleting import OTHERS, DeletingApp
from acontext_server.session.app.observing import ObservingApp
from acontext_server.session.app.projects import ProjectApp
from acontext_server.session.app.reading import ReadingApp
from acontext_server.session.app.sessions import SessionApp
from acontext_server.session.app.storing import StoringApp
from acontext_server.session.app.watching import Watchers, WatchingApp
from acontext_server.session.events import Announcer, Listener, Nudges
from acontext_server.session.peers import Disks, Spaces, Tasks, count_elsewhere
from acontext_server.session.project_service import ProjectServicer
from acontext_server.session.service import SessionServicer
from acontext_server.session.store import tables


def now() -> datetime:
    """Say what time it is."""
    return datetime.now(UTC)


def new_call_id() -> str:
    """Name a tool call that came without an id."""
    return f"call_{secrets.token_hex(4)}"


@asynccontextmanager
async def open_service(settings: Settings) -> AsyncIterator[rpc.Service]:
    """Wire the service."""
    async with AsyncExitStack() as running:
        open_ = running.enter_async_context
        database = await open_(open_database(settings.database_url, pool=settings.database_pool))
        bus = await open_(
            open_bus(
                settings.nats_url, prefix=settings.nats_prefix, replicas=settings.nats_replicas
            )
        )
        blobs = await open_(
            open_blobs(
                settings.blobs_url,
                public_url=settings.base_url,
                secret=settings.secret_for("blobs"),
            )
        )
        signer = Signer(settings.secret_for("services"))
        spaces = Spaces(await open_(rpc.open_channel(settings.space_address)), signer)
        disks = Disks(await open_(rpc.open_channel(settings.disk_address)), signer)
        tasks = Tasks(await open_(rpc.open_channel(settings.observer_address)), signer)
        cursors = Cursors(settings.secret_for("cursors"))

        outbox = Outbox("session", tables.outbox, database, bus)
        watchers = Watchers()
        nudges = Nudges(bus=bus, watchers=watchers, now=now, new_id=uuid7)
        announce = Announcer(outbox, now, uuid7, nudges).announce
        appender = Appender(database=database, appended=nudges.appended, now=now)
        cleaner = Cleaner(database=database, blobs=blobs, now=now)
        projects = ProjectApp(database, cursors, settings.secret_for("keys"), uuid7)
        sessions = SessionApp(
            database=database,
            cursors=cursors,
            announce=announce,
            space_exists=spaces.exists,
            released=cleaner.soon,
            new_id=uuid7,
        )
        deleting = DeletingApp(
            database=database,
            blobs=blobs,
            announce=announce,
            watchers=watchers,
            released=cleaner.soon,
            count_elsewhere=partial(count_elsewhere, spaces, disks),
            wait_seconds=settings.deletion_seconds,
        )
        contents = Contents(blobs)
        storing = StoringApp(
            database=database,
            contents=contents,
            appender=appender,
            now=now,
            new_id=uuid7,
            new_call_id=new_call_id,
        )
        reading = ReadingApp(database=database, contents=contents, cursors=cursors)
        observing = ObservingApp(database, cursors)
        servicer = SessionServicer(
            sessions=sessions,
            storing=storing,
            reading=reading,
            condensing=CondensingApp(
                database=database, reading=reading, list_tasks=tasks.of_session
            ),
            watching=WatchingApp(reading, watchers),
            observing=observing,
        )
        keys = Keys(projects.project_of)
        listener = Listener(bus, sessions, deleting, watchers)
        await projects.first_start(settings.root_api_key)
        yield rpc.Service(
            name="session",
            address=settings.session_address,
            keys=keys,
            servicers=[
                lambda server: pb.add_SessionServiceServicer_to_server(servicer, server),
                lambda server: pb.add_ProjectServiceServicer_to_server(
                    ProjectServicer(projects, deleting, keys), server
                ),
            ],
            inspection=Inspection(
                service="session",
                database=database,
                bus=bus,
                outbox=outbox,
                engines=[blobs_engine(settings.blobs_url, blobs)],
                unobserved_age=observing.oldest_age,
            ),
            beside=[
                appender.run,
                nudges.run,
                outbox.run,
                cleaner.run,
                listener.listen_to_space,
                *(partial(listener.collect_receipts, service) for service in OTHERS),
                listener.purge_deleted,
                listener.follow_logs,
            ],
        )


if __name__ == "__main__":
    rpc.main(open_service)
