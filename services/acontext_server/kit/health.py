"""How a service is: whether its engines answer, its schema is migrated and its work goes on.

Looking happens when somebody asks, so nobody's question costs nothing. No answer has a credential.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import TypeVar

from acontext.health import v1 as pb
from acontext_server.kit import migrations
from acontext_server.kit.blobs import Blobs
from acontext_server.kit.bus import Bus
from acontext_server.kit.config import Settings
from acontext_server.kit.database import Database
from acontext_server.kit.errors import ServiceError
from acontext_server.kit.outbox import Outbox

ASK_SECONDS = 3.0
"""How long an engine may take to say that it is there."""
LONGEST_OUTBOX_SECONDS = 60.0
LONGEST_UNOBSERVED_SECONDS = 600.0
LONGEST_CAUSE = 200

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Something that a service stands on."""

    name: str
    adapter: str
    """What stands behind it: the scheme of its URL."""
    ask: Callable[[], Awaitable[str | None]]
    """Gives its version, if it tells; raises a ServiceError when it does not answer."""
    remedy: str
    """What to do when it does not answer."""
    is_core: bool = False
    """Without it the service answers no RPC of its own."""
    is_foreign: bool = False
    """Others run it, and the service is ready without it."""

    async def examine(self) -> pb.EngineHealth:
        """Ask it, and say what came of that."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(ASK_SECONDS):
                told = await self.ask()
        except (ServiceError, TimeoutError) as error:
            return pb.EngineHealth(
                name=self.name, adapter=self.adapter, problem=_cause(error), remedy=self.remedy
            )
        return pb.EngineHealth(
            name=self.name,
            adapter=self.adapter,
            reachable=True,
            version=told,
            latency_ms=(time.perf_counter() - began) * 1000,
        )

    async def answers(self) -> bool:
        """Ask it, and say only whether it answered."""
        return (await self.examine()).reachable


def adapter_of(url: str) -> str:
    """Name what stands behind a URL, and nothing else of it."""
    return url.partition(":")[0]


def blobs_engine(url: str, blobs: Blobs, *, is_core: bool = False) -> Engine:
    """Look at what keeps bytes."""
    return Engine(
        name="blobs",
        adapter=adapter_of(url),
        ask=blobs.ask_version,
        remedy="Start it, see that the bucket or folder is there, or mend ACONTEXT_BLOBS_URL.",
        is_core=is_core,
    )


def model_engine(settings: Settings) -> Engine:
    """Look at what chat models are behind."""
    return Engine(
        name="model",
        adapter=adapter_of(settings.model_url),
        ask=partial(ask_endpoint, settings.model_url, settings.model_key, settings),
        remedy="Look at the endpoint, or mend ACONTEXT_MODEL_URL and ACONTEXT_MODEL_KEY.",
        is_foreign=True,
    )


async def ask_endpoint(url: str, key: str, settings: Settings) -> None:
    """Ask an endpoint of models whether it is there; what is no endpoint is always there."""
    if adapter_of(url) == "openai":
        from acontext_server.kit.model.knocking import knock

        await knock(url, key, settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What there is to look at in one service."""

    service: str
    database: Database
    bus: Bus
    outbox: Outbox
    engines: Sequence[Engine] = ()
    """The others; database and NATS go without saying."""
    unobserved_age: Callable[[], Awaitable[float]] | None = None
    """Seconds for which the oldest message has waited to be observed."""
    pauses: Callable[[], Awaitable[Sequence[str]]] | None = None
    """Says what rests until somebody decides something, a sentence each."""

    async def is_ready(self) -> bool:
        """Say whether every engine of its own answers and its schema is migrated."""
        own = [engine for engine in self._engines() if not engine.is_foreign]
        return all(await asyncio.gather(*(one.answers() for one in own), self._is_migrated()))

    async def is_answering(self) -> bool:
        """Say whether it can answer RPCs, be it that some of them fail."""
        core = [engine for engine in self._engines() if engine.is_core]
        return all(await asyncio.gather(*(one.answers() for one in core), self._is_migrated()))

    async def report(self) -> pb.ServiceHealth:
        """Look at everything, at once."""
        engines, migration, outbox_age, unobserved_age, dead_letters, pauses = await asyncio.gather(
            asyncio.gather(*(engine.examine() for engine in self._engines())),
            _unless_away(self._migration()),
            _unless_away(self.outbox.oldest_age()),
            _unless_away(self.unobserved_age() if self.unobserved_age else None),
            _unless_away(self.bus.dead_letters(self.service)),
            _unless_away(self.pauses() if self.pauses else None),
        )
        foreign = {engine.name for engine in self._engines() if engine.is_foreign}
        own = all(engine.reachable for engine in engines if engine.name not in foreign)
        revisions = migrations.revisions(self.service)
        health = pb.ServiceHealth(
            name=self.service,
            reachable=True,
            ready=own and revisions.suffices(migration),
            version=version("acontext-server"),
            engines=engines,
            migration_head=revisions.head,
            migration=migration,
            outbox_age_seconds=outbox_age,
            unobserved_age_seconds=unobserved_age,
            dead_letters=dead_letters,
            notices=pauses,
        )
        health.problems.extend(_problems(health, revisions))
        return health

    def _engines(self) -> Sequence[Engine]:
        database = Engine(
            name="database",
            adapter="postgresql",
            ask=self.database.ask_version,
            remedy="Start PostgreSQL, or mend ACONTEXT_DATABASE_URL.",
            is_core=True,
        )
        nats = Engine(
            name="nats",
            adapter="nats",
            ask=self.bus.ask_version,
            remedy="Start NATS with JetStream, or mend ACONTEXT_NATS_URL.",
        )
        return [database, nats, *self.engines]

    async def _migration(self) -> str | None:
        async with self.database.transaction() as tx:
            return await migrations.revision_in(tx, self.service)

    async def _is_migrated(self) -> bool:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return migrations.revisions(self.service).suffices(await self._migration())
        except (ServiceError, TimeoutError):
            return False


def _problems(health: pb.ServiceHealth, revisions: migrations.Revisions) -> Iterator[str]:
    yield from (
        f"{engine.name} ({engine.adapter}): {engine.problem}. {engine.remedy}"
        for engine in health.engines
        if not engine.reachable
    )
    is_there = any(engine.name == "database" and engine.reachable for engine in health.engines)
    if is_there and not revisions.suffices(health.migration or None):
        yield (
            f"its schema is at {health.migration or 'no migration'} and has to be at"
            f" {revisions.head}. Run `python -m acontext_server.kit.migrations upgrade"
            f" {health.name}`."
        )
    if health.outbox_age_seconds > LONGEST_OUTBOX_SECONDS:
        yield (
            f"an announcement waits for {health.outbox_age_seconds:.0f} s. Look at NATS, and for"
            " outbox_waits in the log."
        )
    if health.unobserved_age_seconds > LONGEST_UNOBSERVED_SECONDS:
        yield (
            f"a message waits for {health.unobserved_age_seconds:.0f} s to be observed. Look at"
            " observer and at its model."
        )
    if health.dead_letters:
        yield (
            f"{health.dead_letters} events were given up on. Look for event_buried in the log, and"
            " purge the stream of dead letters once they are understood."
        )


async def _unless_away(asked: Awaitable[T] | None) -> T | None:
    """Give None when the engine that knows does not answer, which is told elsewhere."""
    if asked is None:
        return None
    try:
        async with asyncio.timeout(ASK_SECONDS):
            return await asked
    except (ServiceError, TimeoutError):
        return None


def _cause(error: ServiceError | TimeoutError) -> str:
    if isinstance(error, TimeoutError):
        return f"does not answer within {ASK_SECONDS:.0f} s"
    cause = error.__cause__
    said = " ".join(str(cause or error.message).split())
    return said[:LONGEST_CAUSE].rstrip(".")


def told_together(said: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """Put together what services say: each sentence once, with the services that say it."""
    who: dict[str, list[str]] = {}
    for name, sentences in said:
        for sentence in sentences:
            who.setdefault(sentence, []).append(name)
    return [f"{', '.join(names)}: {sentence}" for sentence, names in who.items()]
