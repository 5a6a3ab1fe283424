"""Appending to logs: what waits while one commit is in flight goes into the next one together."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from acontext_server.kit.database import Database, Raw
from acontext_server.kit.errors import Conflict, RequestIdReused, ServiceError, Unavailable
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.telemetry.traces import carried
from acontext_server.session.calls import OpenCalls
from acontext_server.session.content import Content
from acontext_server.session.domain import Grown, Log, MessageId, SessionId, SessionNotFound
from acontext_server.session.formats.stored import pack, readable
from acontext_server.session.store import blobs, messages, requests
from acontext_server.session.store.messages import LogKey, NewMessage, StoredMessage
from acontext_server.session.store.requests import Claim, RequestKey

MAX_BATCH = 256
MAX_BATCH_BYTES = 16 << 20
MAX_PAUSE_SECONDS = 0.02
"""After a commit for many callers comes a pause as long as it took, but no longer than this: a
commit costs as much as storing several messages. Who stores alone never waits."""
STREAM_SECONDS = 0.05
"""How long messages of streams alone are gathered: nobody waits for them before the stream ends."""
MAX_LANES = 4
"""How many connections may wait for locks at the same time."""


@dataclass(slots=True, eq=False)
class Chain:
    """Messages of one stream: after one that fails, none of those behind it is stored.

    Its caller waits for the last message only, so the others may wait for more to come, and none
    has an answer of its own.
    """

    stored: int = 0
    last_sequence: int = 0
    failure: BaseException | None = None
    """Why the first message that was not stored was not."""
    broken: bool = False
    _waiting: int = 0
    _waiting_bytes: int = 0
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def catch_up(self, *, messages: int, size: int) -> None:
        """Wait until at most so many messages, of so many bytes, wait; raises why one failed."""
        while (self._waiting > messages or self._waiting_bytes > size) and not self.failure:
            await self._move()
        if self.failure:
            raise self.failure

    async def settle_all(self) -> None:
        """Wait until all messages are stored or refused."""
        while self._waiting:
            await self._move()

    async def _move(self) -> None:
        self._moved.clear()
        await self._moved.wait()

    def add(self, size: int) -> None:
        """Count a message that is submitted."""
        self._waiting += 1
        self._waiting_bytes += size

    def settle(self, size: int, outcome: "Appended | BaseException") -> None:
        """Take what has become of the next message."""
        self._waiting -= 1
        self._waiting_bytes -= size
        self._moved.set()
        if isinstance(outcome, BaseException):
            self.broken = True
            self.failure = self.failure or outcome
        else:
            self.stored += 1
            self.last_sequence = outcome.message.sequence


class Draft(NamedTuple):
    """A message that is to be appended."""

    new: NewMessage
    content: Content
    request: tuple[UUID, bytes] | None = None
    """Its request id, with a digest of the request."""
    needs_blobs: int = 0
    """How many blobs were put for it."""
    answers_calls: bool = False
    """Its results have to be matched with open calls of the session."""
    chain: Chain | None = None

    @property
    def lane(self) -> "Chain | LogKey":
        """What it has to keep its order in."""
        return self.chain or self.new.key

    @property
    def request_key(self) -> RequestKey | None:
        """Its request id in its project."""
        return (self.new.key[0], self.request[0]) if self.request else None


class Appended(NamedTuple):
    """A message in its log. A repeated request has the message that was stored first."""

    message: StoredMessage
    log: Log
    repeated: bool = False


class _Waiting(NamedTuple):
    draft: Draft
    trace: str | None
    answer: asyncio.Future[Appended] | None
    """None for a message of a chain."""

    def settle(self, outcome: Appended | Exception) -> None:
        if self.draft.chain:
            self.draft.chain.settle(self.draft.new.size, outcome)
        elif self.answer is None or self.answer.done():
            return  # the caller has gone; the message stays
        elif isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)

    def cancel(self) -> None:
        if self.draft.chain:
            self.draft.chain.settle(self.draft.new.size, asyncio.CancelledError())
        elif self.answer:
            self.answer.cancel()


@dataclass(slots=True, kw_only=True)
class Appender:
    """Gathers drafts of many callers into few transactions.

    What goes to a log that another holds waits aside, in a lane of its own, so that only its own
    callers wait for that lock.
    """

    database: Database
    appended: Callable[[ProjectId, SessionId, Grown], None]
    """Called after a commit for each session whose log has grown."""
    now: Callable[[], datetime]
    _queue: list[_Waiting] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody waits for what is queued, or it is enough for a commit."""
    _aside: dict[Chain | LogKey, list[_Waiting]] = field(default_factory=dict)
    _may_wait: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_LANES))

    def submit(self, draft: Draft) -> asyncio.Future[Appended]:
        """Queue a draft; it is stored even if nobody waits for the answer any more."""
        answer: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(draft, carried(), answer))
        self._news.set()
        self._hurry.set()
        return answer

    def submit_chained(self, draft: Draft) -> None:
        """Queue a draft of a chain, which tells what becomes of it."""
        assert draft.chain is not None  # nobody else would hear of a failure
        draft.chain.add(draft.new.size)
        self._queue.append(_Waiting(draft, carried(), None))
        self._news.set()
        if len(self._queue) >= MAX_BATCH:
            self._hurry.set()

    def hurry(self) -> None:
        """Store what is queued without waiting for more: a stream has ended."""
        self._hurry.set()

    async def run(self) -> None:
        """Commit batch after batch for as long as the caller lives."""
        try:
            async with asyncio.TaskGroup() as lanes:
                while True:
                    await self._news.wait()
                    self._news.clear()
                    while self._queue:
                        await self._gather()
                        batch, began = self._take(), time.monotonic()
                        held = await self._store(batch, wait=False)
                        self._put_aside(held)
                        for lane in dict.fromkeys(one.draft.lane for one in held):
                            lanes.create_task(self._wait_aside(lane))
                        if len(batch) > 1:
                            took = time.monotonic() - began
                            await asyncio.sleep(min(took, MAX_PAUSE_SECONDS))
        finally:
            for waiting in [*self._queue, *chain.from_iterable(self._aside.values())]:
                waiting.cancel()

    async def _gather(self) -> None:
        if self._hurry.is_set():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(STREAM_SECONDS):
                await self._hurry.wait()

    def _put_aside(self, held: Iterable[_Waiting]) -> None:
        for waiting in held:
            self._aside.setdefault(waiting.draft.lane, []).append(waiting)

    async def _wait_aside(self, lane: Chain | LogKey) -> None:
        async with self._may_wait:
            while batch := self._aside[lane][:MAX_BATCH]:
                self._aside[lane] = self._aside[lane][MAX_BATCH:]
                await self._store(batch, wait=True)
            del self._aside[lane]

    def _take(self) -> list[_Waiting]:
        """Take the next batch; what belongs into a lane goes there."""
        if self._aside:
            self._put_aside([one for one in self._queue if one.draft.lane in self._aside])
            self._queue = [one for one in self._queue if one.draft.lane not in self._aside]
        size = count = 0
        for waiting in self._queue[:MAX_BATCH]:
            size += waiting.draft.new.size
            if count and size > MAX_BATCH_BYTES:
                break
            count += 1
        batch, self._queue = self._queue[:count], self._queue[count:]
        if len(self._queue) < MAX_BATCH and all(one.draft.chain for one in self._queue):
            self._hurry.clear()
        return batch

    async def _store(self, batch: Sequence[_Waiting], *, wait: bool) -> list[_Waiting]:
        """Store and settle a batch, but for what it may not wait for, which is given back."""
        try:
            outcomes = await self._commit([waiting.draft for waiting in batch], wait=wait)
        except Exception as error:
            return await self._store_apart(batch, error, wait=wait)
        self._announce(batch, outcomes)
        held = []
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if outcome is None:
                held.append(waiting)
            else:
                waiting.settle(outcome)
        return held

    async def _store_apart(
        self, batch: Sequence[_Waiting], error: Exception, *, wait: bool
    ) -> list[_Waiting]:
        if len(batch) == 1 or isinstance(error, Unavailable):
            for waiting in batch:
                waiting.settle(error)
            return []
        held: list[_Waiting] = []
        for waiting in batch:  # one of them may be the cause: each alone
            if waiting.draft.lane in {one.draft.lane for one in held}:
                held.append(waiting)
            else:
                held += await self._store([waiting], wait=wait)
        return held

    def _announce(
        self, batch: Sequence[_Waiting], outcomes: Sequence[Appended | ServiceError | None]
    ) -> None:
        ends = {
            waiting.draft.new.key: (outcome, waiting.trace)
            for waiting, outcome in zip(batch, outcomes, strict=True)
            if isinstance(outcome, Appended) and not outcome.repeated
        }
        for (project_id, session_id), (last, trace) in ends.items():
            grown = Grown(last.message.sequence, last.log.tracked, trace)
            self.appended(project_id, session_id, grown)

    async def _commit(
        self, drafts: Sequence[Draft], *, wait: bool
    ) -> list[Appended | ServiceError | None]:
        if not drafts:
            return []
        if _are_plain(drafts):
            return await self._append(drafts, wait=wait)
        async with self.database.raw() as tx, tx.transaction():
            keys = {draft.new.key for draft in drafts}
            logs = await messages.lock_logs(tx, keys, wait=wait)
            held = await _held(tx, drafts, keys - logs.keys()) if not wait else set()
            free = [draft for draft in drafts if draft.lane not in held] if held else drafts
            outcomes = await _Batch(tx, free, self.now(), logs).append()
        if not held:
            return [*outcomes]
        by_id = {draft.new.id: one for draft, one in zip(free, outcomes, strict=True)}
        return [by_id.get(draft.new.id) for draft in drafts]

    async def _append(
        self, drafts: Sequence[Draft], *, wait: bool
    ) -> list[Appended | ServiceError | None]:
        """Store what needs nothing but a place, in one statement: most batches are of this kind."""
        news = [draft.new for draft in drafts]
        async with self.database.raw() as connection:
            stored = await messages.append(connection, news, self.now(), wait=wait)
            missing = {new.key for new, one in zip(news, stored, strict=True) if one is None}
            held = await messages.existing_logs(connection, missing) if missing and not wait else ()
        return [
            Appended(*one) if one else _left_out(new.key, held)
            for new, one in zip(news, stored, strict=True)
        ]


def _left_out(key: LogKey, held: Collection[LogKey]) -> SessionNotFound | None:
    return None if key in held else SessionNotFound(key[1])


def _are_plain(drafts: Iterable[Draft]) -> bool:
    """Say whether no draft needs more than a place, and each stream goes to one log."""
    logs: dict[Chain, LogKey] = {}
    for draft in drafts:
        if draft.request or draft.needs_blobs or draft.answers_calls:
            return False
        chain = draft.chain
        if chain and (chain.broken or logs.setdefault(chain, draft.new.key) != draft.new.key):
            return False
    return True


async def _held(
    tx: Raw, drafts: Sequence[Draft], missing: Collection[LogKey]
) -> set[Chain | LogKey]:
    """Name the lanes of drafts whose logs were not locked although they are there."""
    held = await messages.existing_logs(tx, missing) if missing else set()
    return {draft.lane for draft in drafts if draft.new.key in held}


@dataclass(slots=True)
class _Batch:
    """One transaction's drafts, and what has become of them."""

    tx: Raw
    drafts: Sequence[Draft]
    now: datetime
    logs: dict[LogKey, Log]
    """All that there are of the drafts' logs, locked."""
    failed: dict[MessageId, ServiceError] = field(default_factory=dict)
    calls: dict[LogKey, OpenCalls] = field(default_factory=dict)

    async def append(self) -> list[Appended | ServiceError]:
        first = await self._claim()
        # One after the other: a refusal breaks its chain for those behind it, not for those before.
        placed = [
            ready
            for draft in self.drafts
            if self._is_fresh(draft, first) and (ready := await self._ready(draft))
        ]
        await self._keep_blobs(placed)
        stored = await messages.append(self.tx, [draft.new for draft in placed], self.now)
        await self._release(first)
        by_id = {one[0].id: one[0] for one in stored if one}
        return [await self._outcome(draft, first, by_id) for draft in self.drafts]

    async def _claim(self) -> dict[RequestKey, Claim]:
        claims = [
            Claim(key=draft.request_key, digest=draft.request[1], message_id=draft.new.id)
            for draft in self.drafts
            if draft.request and draft.request_key and draft.new.key in self.logs
        ]
        return await requests.claim(self.tx, claims)

    def _is_fresh(self, draft: Draft, first: dict[RequestKey, Claim]) -> bool:
        if draft.new.key not in self.logs:
            self._fail(draft, SessionNotFound(draft.new.key[1]))
            return False
        if draft.request and draft.request_key:
            claim = first[draft.request_key]
            if claim.digest != draft.request[1]:
                self._fail(draft, RequestIdReused(str(draft.request[0])))
            return claim.message_id == draft.new.id
        return True

    async def _ready(self, draft: Draft) -> Draft | None:
        if draft.chain and draft.chain.broken:
            self._fail(draft, Conflict())
            return None
        if not draft.answers_calls:
            if self.calls and draft.new.key in self.calls:
                self.calls[draft.new.key].add(draft.content)
            return draft
        try:
            return await self._answer(draft)
        except ServiceError as error:
            self._fail(draft, error)
            return None

    async def _answer(self, draft: Draft) -> Draft:
        calls = await self._open_calls(draft)
        content = calls.answer(draft.content)
        packed = pack(content)
        new = draft.new._replace(content=packed.row, size=packed.size)
        return draft._replace(content=content, new=new)

    async def _open_calls(self, draft: Draft) -> OpenCalls:
        key = draft.new.key
        if key not in self.calls:
            rows = await messages.contents_with_tools(self.tx, *key)
            self.calls[key] = OpenCalls.after(readable(rows))
            for earlier in self.drafts:
                if earlier is draft:
                    break
                if earlier.new.key == key and earlier.new.id not in self.failed:
                    self.calls[key].add(earlier.content)
        return self.calls[key]

    async def _keep_blobs(self, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            if draft.needs_blobs:
                kept = await blobs.keep(self.tx, draft.new.key[0], draft.new.id)
                if kept < draft.needs_blobs:
                    raise Conflict  # it took so long that the bytes were given up

    async def _release(self, first: dict[RequestKey, Claim]) -> None:
        # What was refused has no answer, so the same request may come again.
        refused = [claim.key for claim in first.values() if claim.message_id in self.failed]
        await requests.release(self.tx, refused)

    async def _outcome(
        self,
        draft: Draft,
        first: dict[RequestKey, Claim],
        stored: dict[MessageId, StoredMessage],
    ) -> Appended | ServiceError:
        message = stored.get(draft.new.id)
        if message is None and (error := self.failed.get(draft.new.id)):
            return error
        log = self.logs[draft.new.key]  # what has no log has failed
        if message is not None:
            return Appended(message, log)
        assert draft.request_key is not None  # only a repeated request is not stored
        answer = first[draft.request_key].message_id
        message = stored.get(answer) or await self._earlier(draft, answer)
        return Appended(message, log, repeated=True) if message else Conflict()

    async def _earlier(self, draft: Draft, answer: MessageId) -> StoredMessage | None:
        found = await messages.read_ids(self.tx, *draft.new.key, [answer])
        return found[0] if found else None

    def _fail(self, draft: Draft, error: ServiceError) -> None:
        self.failed[draft.new.id] = error
        if draft.chain:
            draft.chain.broken = True
