"""The composition root of the observer."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from acontext.observer import v1 as pb
from acontext_server.kit import rpc
from acontext_server.kit.auth import Keys, Signer
from acontext_server.kit.bus import Bus, open_bus
from acontext_server.kit.config import Settings
from acontext_server.kit.database import Database, Tx, open_database
from acontext_server.kit.health import Inspection, model_engine
from acontext_server.kit.ids import ProjectId, uuid7
from acontext_server.kit.model import Models, open_models
from acontext_server.kit.outbox import Outbox
from acontext_server.kit.paging import Cursors
from acontext_server.observer import events
from acontext_server.observer.agents.engine import Engine, RulesEngine, Wishes
from acontext_server.observer.agents.model import ModelEngine
from acontext_server.observer.app.announcing import Announcing
from acontext_server.observer.app.budget import Budget
from acontext_server.observer.app.flushing import Flushing
from acontext_server.observer.app.following import Following
from acontext_server.observer.app.means import Means
from acontext_server.observer.app.nudging import Nudging
from acontext_server.observer.app.observing import Limits, Observing
from acontext_server.observer.app.reading import Reading
from acontext_server.observer.app.reobserving import Reobserving
from acontext_server.observer.app.working import Sweep, Workers
from acontext_server.observer.domain import Event, Failure, SessionId
from acontext_server.observer.peers import Defaults, Pace, Sessions
from acontext_server.observer.service import RunServicer, TaskServicer
from acontext_server.observer.store.tables import OUTBOX

NAME = "observer"
WORKERS = 4
RULES_BATCH = 256


def now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


@asynccontextmanager
async def open_service(settings: Settings) -> AsyncIterator[rpc.Service]:
    """Wire the observer with a model as its engine, or with the rules where there is none."""
    async with (
        open_models(settings) as models,
        open_with(settings, _engine(models, settings), _limits(models)) as service,
    ):
        yield service


def _engine(models: Models | None, settings: Settings) -> Engine:
    if models is None:
        return RulesEngine()
    return ModelEngine(models, rounds=settings.model_rounds)


def _limits(models: Models | None) -> Limits:
    # What a batch costs beside its messages is the same for many; a prompt must not grow.
    return Limits(batch=RULES_BATCH) if models is None else Limits()


@asynccontextmanager
async def open_with(
    settings: Settings, engine: Engine, limits: Limits
) -> AsyncIterator[rpc.Service]:
    """Wire the observer with an engine."""
    async with AsyncExitStack() as running:
        database = await running.enter_async_context(
            open_database(settings.database_url, pool=settings.database_pool)
        )
        bus = await running.enter_async_context(
            open_bus(
                settings.nats_url, prefix=settings.nats_prefix, replicas=settings.nats_replicas
            )
        )
        channel = await running.enter_async_context(rpc.open_channel(settings.session_address))
        signer = Signer(settings.secret_for("services"))
        sessions = Sessions(channel, signer, _defaults(settings))
        keys = Keys(rpc.Identities(channel, signer).resolve_key)
        yield _wired(settings, database, bus, keys, sessions, engine, limits)


def _defaults(settings: Settings) -> Defaults:
    idle = timedelta(seconds=settings.buffer_idle_seconds)
    wishes = Wishes(
        success_criteria=settings.success_criteria, failure_criteria=settings.failure_criteria
    )
    return Defaults(
        pace=Pace(turns=settings.buffer_turns, idle=idle, is_on=True),
        wishes=wishes,
        token_budget=settings.monthly_token_budget,
    )


def _wired(
    settings: Settings,
    database: Database,
    bus: Bus,
    keys: Keys,
    sessions: Sessions,
    engine: Engine,
    limits: Limits,
) -> rpc.Service:
    outbox = Outbox(NAME, OUTBOX, database, bus)

    async def announce(tx: Tx, facts: Sequence[Event]) -> None:
        written = [events.to_announcement(fact, now=now, new_id=uuid7) for fact in facts]
        await outbox.add(tx, written)

    async def bury(project_id: ProjectId, session_id: SessionId, failure: Failure) -> None:
        text = f"{project_id} {session_id} {failure.sequence} {failure.reason}"
        message_id = f"{session_id}-{failure.sequence}"
        await bus.bury("observer-messages", text.encode(), message_id=message_id)

    means = Means(database=database, announce=announce, now=now, new_id=uuid7)
    announcing = Announcing(means)
    budget = Budget(means, sessions, applies=engine.spends)
    observing = Observing(means, sessions, engine, budget, announcing, bury, limits)
    nudging = Nudging(means, sessions)
    following = Following(means, announcing, partial(bus.purge, NAME))
    reading = Reading(means, sessions, announcing, budget)
    flushing = Flushing(means, sessions, budget)
    reobserving = Reobserving(means, sessions, engine, budget, announcing, observing, limits)
    cursors = Cursors(settings.secret_for("cursors"))
    idle = timedelta(seconds=settings.buffer_idle_seconds)
    sweep = Sweep(means, sessions, announcing, idle=idle, every=settings.sweep_seconds)
    tasks = TaskServicer(reading, flushing, reobserving, cursors)
    runs = RunServicer(reading, budget, cursors)
    return rpc.Service(
        name=NAME,
        address=settings.observer_address,
        keys=keys,
        servicers=[
            lambda server: pb.add_TaskServiceServicer_to_server(tasks, server),
            lambda server: pb.add_RunServiceServicer_to_server(runs, server),
        ],
        inspection=Inspection(
            service=NAME,
            database=database,
            bus=bus,
            outbox=outbox,
            engines=[model_engine(settings)],
            pauses=budget.pauses,
        ),
        beside=[
            outbox.run,
            Workers(means, observing, count=WORKERS).run,
            sweep.run,
            partial(
                bus.listen, "session", "observer-nudges", events.NUDGES, events.on_nudge(nudging)
            ),
            partial(
                bus.listen,
                "session",
                "observer-facts",
                events.SESSION_FACTS,
                events.on_session_fact(following, keys.forget),
            ),
            partial(
                bus.listen,
                "space",
                "observer-lessons",
                events.SPACE_FACTS,
                events.on_space_fact(following, budget),
            ),
        ],
    )


if __name__ == "__main__":
    rpc.main(open_service)
