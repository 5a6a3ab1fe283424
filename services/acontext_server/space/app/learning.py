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
from acontext_server.space.agents import Distiller, DistillingFailed, PlacingFailed
from acontext_server.space.agents.librarian import ModelLibrarian
from acontext_server.space.app import Announce, NewId, Now
from acontext_server.space.app.index import Indexer
from acontext_server.space.app.library import Library, Near, Taught
from acontext_server.space.app.runs import keep_run
from acontext_server.space.domain.errors import SpaceNotFound, TokenBudgetUsedUp
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
from acontext_server.space.domain.shelves import (
    AlreadyKnown,
    Inserted,
    Placement,
    Superseded,
)
from acontext_server.space.domain.skills import Difficulty, Sop, Source, worth_keeping
from acontext_server.space.domain.spaces import LearningSettings
from acontext_server.space.peers import Peers
from acontext_server.space.store import learning, skills, spaces
from acontext_server.space.store.learning import Leased

log = structlog.get_logger()

LEASE_SECONDS = 60.0
POLL_SECONDS = 1.0
TRIES = 8
LONGEST_WAIT_SECONDS = 300.0
PAUSE_SECONDS = 30.0
"""How long to wait when the token budget is used up."""
MOST_STUDIED = 100
MOST_NAMED = 50
SHOWN_ALIKE = 10
WORKERS = 2


class LostLease(Exception):
    """Another worker learns here by now, or the task is gone: what we made does not count."""


@dataclass(frozen=True)
class Studied:
    """What came out of an experience, and how long it took."""

    lesson: Lesson
    message_ids: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Placed:
    """Where a librarian wants a lesson, and how long that took."""

    placement: Placement
    cost: Cost
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
        librarian: ModelLibrarian | None,
        library: Library,
        indexer: Indexer,
        now: Now,
        new_id: NewId,
    ) -> None:
        self._database = database
        self._announce = announce
        self._peers = peers
        self._distiller = distiller
        self._librarian = librarian
        self._library = library
        self._indexer = indexer
        self._now = now
        self._new_id = new_id
        self._news = asyncio.Event()
        self._studied: dict[Completion, Studied] = {}
        """Lessons whose placing has to be tried again: nobody pays for them twice."""

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

    async def retry_failed(
        self, project_id: ProjectId, space_id: UUID, session_id: UUID | None
    ) -> int:
        """Let what could not be learned be tried again, and say how many tasks that is."""
        async with self._database.transaction() as tx:
            if await spaces.find_space(tx, project_id, space_id) is None:
                raise SpaceNotFound(space_id)
            count = await learning.retry_failed(tx, project_id, space_id, session_id, self._now())
        self._news.set()
        return count

    async def failures(self) -> Sequence[str]:
        """Say in which spaces tasks wait to be tried again."""
        async with self._database.transaction() as tx:
            failed = await learning.count_failed(tx, limit=MOST_NAMED)
        return [
            f"{count} tasks of project {project_id} could not be learned by space {space_id}."
            " ListRuns says why; RetryFailedLearning tries again."
            for project_id, space_id, count in failed
        ]

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
        """Deal with a task, and tell so once a search finds what was learned from it."""
        completion = leased.completion
        outcome = Outcome(leased.outcome) if leased.outcome else await self._taken_in(leased)
        await self._indexer.settle(completion.project_id, completion.space_id)
        await self._conclude(leased, outcome)

    async def _taken_in(self, leased: Leased) -> Outcome:
        completion = leased.completion
        settings = await self._settings(completion)
        experience = await self._peers.experience(completion.project_id, completion.task_id)
        if settings is None or not settings.learning or experience is None:
            return Outcome.NOTHING
        if self._distiller.spends:
            await self._peers.check_budget(completion.project_id)
        experience = replace(experience, rules=settings.difficulty_rules, wishes=settings.wishes)
        studied = self._studied.get(completion) or await self._study(completion, experience)
        kept = worth_keeping(
            studied.lesson.sop, studied.lesson.difficulty, settings.minimum_difficulty
        )
        near: Near = {}
        if kept is not None:
            await self._indexer.settle(completion.project_id, completion.space_id)
            near = await self._library.near(
                completion.project_id, completion.space_id, kept.use_when
            )
        self._remember(completion, studied)
        placed = await self._place(leased, studied, kept, near, settings) if kept else None
        outcome = await self._write(leased, studied, kept, near, settings, placed)
        self._studied.pop(completion, None)
        return outcome

    def _remember(self, completion: Completion, studied: Studied) -> None:
        while len(self._studied) >= MOST_STUDIED:
            self._studied.pop(next(iter(self._studied)))
        self._studied[completion] = studied

    async def _place(
        self,
        leased: Leased,
        studied: Studied,
        kept: Sop,
        near: Near,
        settings: LearningSettings,
    ) -> Placed | None:
        """Ask the librarian where the rules leave anything to decide, and a person does not."""
        completion, librarian = leased.completion, self._librarian
        project_id, space_id = completion.project_id, completion.space_id
        if librarian is None or settings.confirmation or leased.attempts + 1 >= TRIES:
            return None
        async with self._database.transaction() as tx:
            taught = self._taught(completion, studied, kept, run_id=None)
            if await self._library.is_certain(tx, project_id, space_id, taught, near):
                return None
            shelves = await self._library.shelves(tx, project_id, space_id)

        async def alike(query: str) -> Sequence[UUID]:
            found = await self._library.near(project_id, space_id, query)
            return sorted(found, key=lambda one: found[one])[:SHOWN_ALIKE]

        started = time.monotonic()
        placement, cost = await librarian.place(
            kept, space_id, shelves, near, alike, settings.wishes
        )
        return Placed(placement, cost, time.monotonic() - started)

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
        placed: Placed | None,
    ) -> Outcome:
        """Write block, version, provenance, intent, runs and outcome in one transaction."""
        completion, run_id = leased.completion, self._new_id()
        async with self._database.transaction() as tx:
            if not await learning.hold(tx, leased):
                raise LostLease
            outcome, events = Outcome.NOTHING, list[Event]()
            if kept is not None and not await learning.is_outdated(tx, completion):
                taught = self._taught(completion, studied, kept, run_id)
                outcome, events = await self._kept(tx, completion, taught, near, settings, placed)
            run = self._run(completion, run_id, studied, outcome)
            await keep_run(tx, self._announce, run)
            if placed is not None:
                await keep_run(tx, self._announce, self._placing_run(completion, placed))
            await learning.decide(tx, completion, outcome)
            await self._announce(tx, completion.project_id, events)
        return outcome

    async def _kept(
        self,
        tx: Tx,
        completion: Completion,
        taught: Taught,
        near: Near,
        settings: LearningSettings,
        placed: Placed | None,
    ) -> tuple[Outcome, list[Event]]:
        project_id, space_id = completion.project_id, completion.space_id
        if placed is not None:
            return await self._kept_as_placed(tx, completion, taught, placed)
        merge, block = await self._library.merged(tx, project_id, space_id, taught, near)
        asks_first = settings.confirmation or (block is not None and block.by_person)
        if asks_first and merge.verdict is not Verdict.SAME:
            proposal = replace(taught, sop=merge.sop)
            skill_id = block.id if block else None
            await self._library.propose(tx, project_id, space_id, proposal, skill_id)
            return Outcome.WAITING, []
        events = await self._library.keep(tx, project_id, space_id, taught, near)
        return Outcome.SKILL if taught.sop.steps else Outcome.PREFERENCES, events

    async def _kept_as_placed(
        self, tx: Tx, completion: Completion, taught: Taught, placed: Placed
    ) -> tuple[Outcome, list[Event]]:
        """Do what the librarian decided; what a person wrote it may only propose to change."""
        project_id, space_id = completion.project_id, completion.space_id
        decision = placed.placement.decision
        if isinstance(decision, Superseded):
            taught = replace(taught, written_by=placed.cost.engine)
            block = await self._library.skill(tx, project_id, decision.skill_id)
            if block is not None and block.by_person:
                proposal = replace(taught, sop=decision.sop)
                await self._library.propose(tx, project_id, space_id, proposal, block.id)
                return Outcome.WAITING, []
        events = await self._library.place(tx, project_id, space_id, taught, placed.placement)
        return Outcome.SKILL if taught.sop.steps else Outcome.PREFERENCES, events

    def _taught(
        self, completion: Completion, studied: Studied, kept: Sop, run_id: UUID | None
    ) -> Taught:
        source = Source(completion.task_id, completion.session_id, studied.message_ids, run_id)
        engine = studied.lesson.cost.engine or self._distiller.engine
        return Taught(kept, studied.lesson.difficulty, engine, source)

    def _placing_run(self, completion: Completion, placed: Placed) -> Run:
        run = self._run_at(completion, self._new_id(), placed.cost, role="librarian")
        summary = "; ".join(filter(None, (_decided(placed.placement), placed.cost.note)))
        return replace(run, duration_seconds=placed.seconds, summary=summary)

    def _run(self, completion: Completion, run_id: UUID, studied: Studied, outcome: Outcome) -> Run:
        cost = studied.lesson.cost
        run = self._run_at(completion, run_id, cost)
        summary = _summary(studied.lesson, outcome)
        if cost.note:
            summary = f"{summary}; {cost.note}"
        return replace(run, duration_seconds=studied.seconds, summary=summary)

    def _run_at(
        self, completion: Completion, run_id: UUID, cost: Cost, role: str = "distiller"
    ) -> Run:
        places = self._librarian is not None and role == "librarian"
        agent = self._librarian if places and self._librarian else self._distiller
        return Run(
            id=run_id,
            project_id=completion.project_id,
            role=role,
            engine=cost.engine or agent.engine,
            instruction_version=agent.version,
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
            cost=cost.price,
        )

    async def _failed(self, leased: Leased, error: Exception) -> None:
        """Try again later, and give up for good in the end."""
        if isinstance(error, TokenBudgetUsedUp):
            await self._pause(leased, error)
            return
        expected = isinstance(error, ServiceError | DistillingFailed | PlacingFailed)
        if isinstance(error, DistillingFailed | PlacingFailed):
            await self._record_failure(leased, error)
        log.warning("learning_failed", tries=leased.attempts + 1, exc_info=not expected)
        if leased.attempts + 1 >= TRIES and not await self._is_decided(leased):
            await self._conclude(leased, Outcome.FAILED)
            return
        wait = min(2.0**leased.attempts, LONGEST_WAIT_SECONDS) * random.uniform(0.5, 1)
        async with self._database.transaction() as tx:
            await learning.postpone(tx, leased, self._now() + timedelta(seconds=wait))
            await learning.release(tx, leased)

    async def _is_decided(self, leased: Leased) -> bool:
        """Say whether it is written: then only the vectors are late, and nobody gives up."""
        async with self._database.transaction() as tx:
            return await learning.is_decided(tx, leased.completion)

    async def _pause(self, leased: Leased, error: TokenBudgetUsedUp) -> None:
        """Look again later; a run says so once, however often that is."""
        completion, wait = leased.completion, PAUSE_SECONDS * random.uniform(0.9, 1)
        log.warning("learning_pauses", task_id=str(completion.task_id), reason=error.reason)
        async with self._database.transaction() as tx:
            if not await learning.was_refused(tx, completion, error.message):
                run = self._run_at(completion, self._new_id(), Cost())
                await keep_run(
                    tx, self._announce, replace(run, outcome="refused", error=error.message)
                )
            await learning.pause(tx, leased, self._now() + timedelta(seconds=wait))
            await learning.release(tx, leased)

    async def _record_failure(
        self, leased: Leased, error: DistillingFailed | PlacingFailed
    ) -> None:
        """Keep what a failed try cost; a lost lease does not make it cheaper."""
        role = "distiller" if isinstance(error, DistillingFailed) else "librarian"
        run = self._run_at(leased.completion, self._new_id(), error.cost, role)
        async with self._database.transaction() as tx:
            failed = replace(run, outcome="failed", error=str(error), summary=error.cost.note)
            await keep_run(tx, self._announce, failed)

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


def _decided(placement: Placement) -> str:
    changes = len(placement.arrangements)
    tree = f", {changes} changes of the tree" if changes else ""
    match placement.decision:
        case Inserted():
            return f"a new skill{tree}"
        case AlreadyKnown(skill_id):
            return f"skill {skill_id} says it already{tree}"
        case Superseded(skill_id, _, _, contradicts):
            how = "is contradicted" if contradicts else "is improved"
            return f"skill {skill_id} {how}{tree}"


def _summary(lesson: Lesson, outcome: Outcome) -> str:
    difficulty: Difficulty = lesson.difficulty
    reasons = ", ".join(difficulty.evidence) or "no reason"
    return f"{outcome}: {len(lesson.sop.steps)} steps, score {difficulty.score} ({reasons})"
