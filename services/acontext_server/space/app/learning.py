"""Learning from completed tasks: each version of a task once, one at a time in a space."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import structlog

from acontext_server.kit.database import Database, Tx
from acontext_server.kit.errors import ServiceError
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.telemetry.traces import carried, traced
from acontext_server.space.agents import Distiller, DistillingFailed
from acontext_server.space.app import Announce, NewId, Now
from acontext_server.space.app.index import Indexer
from acontext_server.space.app.library import Library, Near, Taught
from acontext_server.space.domain.events import Event, TaskLearned
from acontext_server.space.domain.experience import (
    Call,
    Cost,
    Experience,
    Lesson,
    without_served,
)
from acontext_server.space.domain.learning import Completion, Outcome, Run
from acontext_server.space.domain.merging import Verdict
from acontext_server.space.domain.skills import Difficulty, Sop, Source, worth_keeping
from acontext_server.space.domain.spaces import LearningSettings
from acontext_server.space.peers import Peers
from acontext_server.space.store import learning, skills, spaces
from acontext_server.space.store.learning import Leased

log = structlog.get_logger()

LEASE_SECONDS = 60.0
POLL_SECONDS = 0.3
TRIES = 8
LONGEST_WAIT_SECONDS = 300.0
WORKERS = 2


class LostLease(Exception):
    """Another worker learns here by now, or the task is gone: what we made does not count."""


@dataclass(frozen=True)
class Studied:
    """What came out of an experience, and how long it took."""

    lesson: Lesson
    message_ids: tuple[str, ...]
    seconds: float


class LearningApp:
    """The verbs of learning."""

    def __init__(
        self,
        database: Database,
        *,
        announce: Announce,
        peers: Peers,
        distiller: Distiller,
        library: Library,
        indexer: Indexer,
        now: Now,
        new_id: NewId,
    ) -> None:
        self._database = database
        self._announce = announce
        self._peers = peers
        self._distiller = distiller
        self._library = library
        self._indexer = indexer
        self._now = now
        self._new_id = new_id
        self._news = asyncio.Event()

    async def task_completed(self, completion: Completion) -> None:
        """Let a task wait to be learned, or say again what came of it."""
        async with self._database.transaction() as tx:
            if await spaces.find_space(tx, completion.project_id, completion.space_id) is None:
                await self._tell(tx, completion, Outcome.NOTHING)
            elif not await learning.enqueue(tx, completion, self._now(), carried()):
                outcome = await learning.outcome_of(tx, completion)
                if outcome is not None:
                    await self._tell(tx, completion, Outcome(outcome))
        self._news.set()

    async def tasks_changed(
        self, project_id: ProjectId, session_id: UUID, task_ids: Sequence[str]
    ) -> None:
        """Keep how tasks ended in a session that was served skills."""
        async with self._database.transaction() as tx:
            if not await skills.has_exposures(tx, project_id, session_id):
                return
        ended = await self._peers.ended_tasks(project_id, task_ids)
        async with self._database.transaction() as tx:
            for task_id, status, at in ended:
                await skills.keep_outcome(
                    tx,
                    project_id,
                    session_id=session_id,
                    task_id=task_id,
                    status=status,
                    ended_at=at,
                )

    async def run(self) -> None:
        """Learn what is due for as long as the caller lives."""
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            try:
                while await self.learn_next():
                    pass
            except ServiceError as error:
                log.warning("learning_waits", error=repr(error))
            try:
                async with asyncio.timeout(POLL_SECONDS * random.uniform(0.8, 1.2)):
                    await self._news.wait()
                self._news.clear()
            except TimeoutError:
                pass

    async def learn_next(self) -> bool:
        """Learn one task that is due; False when none is."""
        now = self._now()
        async with self._database.transaction() as tx:
            until = now + timedelta(seconds=LEASE_SECONDS)
            leased = await learning.lease(tx, self._new_id(), now, until)
        if leased is None:
            return False
        completion = leased.completion
        about = {"project_id": str(completion.project_id), "task_id": str(completion.task_id)}
        try:
            with traced("learn", leased.trace, attributes=about):
                await self._try(leased)
        except LostLease:
            log.warning("lease_lost", task_id=str(leased.completion.task_id))
            async with self._database.transaction() as tx:
                await learning.release(tx, leased)
        return True

    async def _try(self, leased: Leased) -> None:
        try:
            async with self._renewing(leased):
                await self._learn(leased)
        except LostLease:
            raise
        except Exception as error:  # as in a consumer: one bad task must not stop the others
            await self._failed(leased, error)

    @asynccontextmanager
    async def _renewing(self, leased: Leased) -> AsyncIterator[None]:
        async def renew() -> None:
            while True:
                await asyncio.sleep(LEASE_SECONDS / 3)
                async with self._database.transaction() as tx:
                    until = self._now() + timedelta(seconds=LEASE_SECONDS)
                    await learning.renew(tx, leased, until)

        renewing = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewing.cancel()

    async def _learn(self, leased: Leased) -> None:
        completion = leased.completion
        settings = await self._settings(completion)
        experience = await self._peers.experience(completion.project_id, completion.task_id)
        if settings is None or not settings.learning or experience is None:
            await self._conclude(leased, Outcome.NOTHING)
            return
        experience = replace(experience, rules=settings.difficulty_rules)
        studied = await self._study(completion, experience)
        kept = worth_keeping(
            studied.lesson.sop, studied.lesson.difficulty, settings.minimum_difficulty
        )
        near: Near = {}
        if kept is not None:
            await self._indexer.settle(completion.project_id, completion.space_id)
            near = await self._library.near(
                completion.project_id, completion.space_id, kept.use_when
            )
        await self._write(leased, studied, kept, near, settings)

    async def _settings(self, completion: Completion) -> LearningSettings | None:
        project = await self._peers.settings(completion.project_id)
        async with self._database.transaction() as tx:
            space = await spaces.find_space(tx, completion.project_id, completion.space_id)
        return project.overridden(space.configs) if space else None

    async def _study(self, completion: Completion, experience: Experience) -> Studied:
        """Distil what is left without what a space had served, and refuse invented steps."""
        async with self._database.transaction() as tx:
            served = await skills.served_to(tx, completion.project_id, completion.session_id)
        own = without_served(experience, [text for sop in served for text in _texts(sop)])
        started = time.monotonic()
        lesson = await self._distiller.distil(own)
        seconds = time.monotonic() - started
        message_ids = tuple(turn.message_id for turn in experience.turns)
        return Studied(_without_inventions(lesson, own), message_ids, seconds)

    async def _write(
        self,
        leased: Leased,
        studied: Studied,
        kept: Sop | None,
        near: Near,
        settings: LearningSettings,
    ) -> None:
        """Write block, version, provenance, intent, run and outcome in one transaction."""
        completion, run_id = leased.completion, self._new_id()
        source = Source(completion.task_id, completion.session_id, studied.message_ids, run_id)
        async with self._database.transaction() as tx:
            if not await learning.hold(tx, leased):
                raise LostLease
            outcome, events = Outcome.NOTHING, list[Event]()
            if kept is not None and not await learning.is_outdated(tx, completion):
                taught = Taught(kept, studied.lesson.difficulty, self._distiller.engine, source)
                outcome, events = await self._kept(tx, completion, taught, near, settings)
            run = self._run(completion, run_id, studied, outcome)
            await learning.insert_run(tx, run)
            await learning.finish(tx, completion, outcome)
            await learning.release(tx, leased)
            told = TaskLearned(completion, outcome)
            await self._announce(tx, completion.project_id, [*events, told])

    async def _kept(
        self,
        tx: Tx,
        completion: Completion,
        taught: Taught,
        near: Near,
        settings: LearningSettings,
    ) -> tuple[Outcome, list[Event]]:
        project_id, space_id = completion.project_id, completion.space_id
        merge, block = await self._library.merged(tx, project_id, space_id, taught, near)
        asks_first = settings.confirmation or (block is not None and block.by_person)
        if asks_first and merge.verdict is not Verdict.SAME:
            proposal = replace(taught, sop=merge.sop)
            skill_id = block.id if block else None
            await self._library.propose(tx, project_id, space_id, proposal, skill_id)
            return Outcome.WAITING, []
        events = await self._library.keep(tx, project_id, space_id, taught, near)
        return Outcome.SKILL if taught.sop.steps else Outcome.PREFERENCES, events

    def _run(self, completion: Completion, run_id: UUID, studied: Studied, outcome: Outcome) -> Run:
        cost = studied.lesson.cost
        run = self._run_at(completion, run_id, cost)
        summary = _summary(studied.lesson, outcome)
        if cost.note:
            summary = f"{summary}; {cost.note}"
        return replace(run, duration_seconds=studied.seconds, summary=summary)

    def _run_at(self, completion: Completion, run_id: UUID, cost: Cost) -> Run:
        return Run(
            id=run_id,
            project_id=completion.project_id,
            role="distiller",
            engine=self._distiller.engine,
            instruction_version=self._distiller.version,
            session_id=completion.session_id,
            task_id=completion.task_id,
            space_id=completion.space_id,
            duration_seconds=0,
            outcome="success",
            error=None,
            summary="",
            created_at=self._now(),
            rounds=cost.rounds,
            tool_calls=cost.tool_calls,
            input_tokens=cost.input_tokens,
            output_tokens=cost.output_tokens,
        )

    async def _failed(self, leased: Leased, error: Exception) -> None:
        """Try again later, and give up for good in the end."""
        expected = isinstance(error, ServiceError | DistillingFailed)
        if isinstance(error, DistillingFailed):
            await self._record_failure(leased, error)
        log.warning("learning_failed", tries=leased.attempts + 1, exc_info=not expected)
        if leased.attempts + 1 >= TRIES:
            await self._conclude(leased, Outcome.NOTHING)
            return
        wait = min(2.0**leased.attempts, LONGEST_WAIT_SECONDS) * random.uniform(0.5, 1)
        async with self._database.transaction() as tx:
            await learning.postpone(tx, leased, self._now() + timedelta(seconds=wait))
            await learning.release(tx, leased)

    async def _record_failure(self, leased: Leased, error: DistillingFailed) -> None:
        """Keep what a failed try cost; a lost lease does not make it cheaper."""
        run = self._run_at(leased.completion, self._new_id(), error.cost)
        async with self._database.transaction() as tx:
            failed = replace(run, outcome="failed", error=str(error), summary=error.cost.note)
            await learning.insert_run(tx, failed)

    async def _conclude(self, leased: Leased, outcome: Outcome) -> None:
        async with self._database.transaction() as tx:
            if not await learning.hold(tx, leased):
                raise LostLease
            await learning.finish(tx, leased.completion, outcome)
            await learning.release(tx, leased)
            await self._tell(tx, leased.completion, outcome)

    async def _tell(self, tx: Tx, completion: Completion, outcome: Outcome) -> None:
        await self._announce(tx, completion.project_id, [TaskLearned(completion, outcome)])


def _without_inventions(lesson: Lesson, experience: Experience) -> Lesson:
    """Refuse steps whose tool was never called, whatever engine wrote them."""
    called = {
        part.name for turn in experience.turns for part in turn.parts if isinstance(part, Call)
    }
    steps = tuple(step for step in lesson.sop.steps if step.tool_name in called)
    return replace(lesson, sop=replace(lesson.sop, steps=steps))


def _texts(sop: Sop) -> Sequence[str]:
    return (sop.use_when, sop.preferences, *(step.action for step in sop.steps))


def _summary(lesson: Lesson, outcome: Outcome) -> str:
    difficulty: Difficulty = lesson.difficulty
    reasons = ", ".join(difficulty.evidence) or "no reason"
    return f"{outcome}: {len(lesson.sop.steps)} steps, score {difficulty.score} ({reasons})"
