"""The user's own conversations: a file with one JSON object a line that has OpenAI `messages`."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from acontext_server.demo import story
from acontext_server.demo.gateway import Gateway, Stored

AT_ONCE = 16
LEARNING_PATIENCE_SECONDS = 120.0

_Item = TypeVar("_Item")


class UnreadableFile(Exception):
    """The file is not what the demo can read; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Run:
    """One conversation that is stored."""

    session_id: str
    stored: Stored
    query: str
    """Its first user turn."""


class Runs:
    """All conversations of a file, on their way through."""

    def __init__(self, gateway: Gateway, space_id: str) -> None:
        self._gateway = gateway
        self._space_id = space_id
        self.stored: list[Run] = []
        self.messages: Counter[str] = Counter()
        self.tasks: Counter[str] = Counter()
        self.searches: Counter[str] = Counter()

    async def store(self, messages: Sequence[story.ChatMessage]) -> None:
        """Store one conversation in a session of its own."""
        session_id = await self._gateway.create_session(self._space_id)
        blobs = [story.as_json(message) for message in messages]
        stored = await self._gateway.store(session_id, blobs)
        self.stored.append(Run(session_id, stored, story.first_user_turn(messages)))
        self.messages["stored"] += stored.kept
        self.messages["refused"] += len(stored.refused)

    async def observe(self, run: Run) -> None:
        """Have one conversation observed to its end, and count what came out."""
        await self._gateway.flush(run.session_id)
        status = await self._gateway.observed(run.session_id)
        self.messages["observed"] += status.observed
        self.messages["pending"] += status.pending + status.in_process
        self.messages["failed"] += status.failed
        self.tasks.update(task.status for task in await self._gateway.list_tasks(run.session_id))

    async def learn(self) -> int:
        """Wait for learning; give how many successful tasks it did not come to."""
        ids = [run.session_id for run in self.stored]
        return await self._gateway.wait_until_learned(ids, patience=LEARNING_PATIENCE_SECONDS)

    async def search(self, run: Run) -> None:
        """Ask for skills that fit the beginning of one conversation."""
        if not run.query.strip():
            self.searches["without a user turn"] += 1
        elif await self._gateway.search(self._space_id, run.query):
            self.searches["with skills"] += 1
        else:
            self.searches["nothing relevant"] += 1


async def run_file(gateway: Gateway, console: Console, path: Path) -> bool:
    """Store, observe, learn and search a whole file; False if anything was left undone."""
    began = time.perf_counter()
    conversations = list(read(path))
    space_id = await gateway.create_space()
    runs = Runs(gateway, space_id)
    with _progress(console) as progress:
        await _each(progress, "store", conversations, runs.store)
        await _each(progress, "observe", runs.stored, runs.observe)
        learning = progress.add_task("learn", total=None)
        unlearned = await runs.learn()
        progress.update(learning, total=1, completed=1)
        await _each(progress, "search", runs.stored, runs.search)
    skills = await gateway.list_skills(space_id)
    _report(console, path, runs, skills=len(skills), unlearned=unlearned)
    console.print(f"  [bold]{time.perf_counter() - began:.1f} s[/] in all")
    return not (runs.messages["pending"] or runs.messages["failed"] or unlearned)


def read(path: Path) -> Iterator[Sequence[story.ChatMessage]]:
    """Give the messages of each line; `UnreadableFile` names the first line without them."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror}") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _messages(line, f"{path}, line {number}")


def _messages(line: bytes, where: str) -> Sequence[story.ChatMessage]:
    try:
        run = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise UnreadableFile(f"{where}: {error}") from error
    messages = run.get("messages") if isinstance(run, dict) else None
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise UnreadableFile(f"{where}: needs `messages`, a list of OpenAI messages")
    return messages


def _progress(console: Console) -> Progress:
    columns = (TextColumn("  {task.description:8}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=console)


async def _each(
    progress: Progress,
    title: str,
    items: Sequence[_Item],
    work: Callable[[_Item], Awaitable[None]],
) -> None:
    bar = progress.add_task(title, total=len(items))
    places = asyncio.Semaphore(AT_ONCE)

    async def one(item: _Item) -> None:
        async with places:
            await work(item)
        progress.advance(bar)

    async with asyncio.TaskGroup() as group:
        for item in items:
            group.create_task(one(item))


def _report(console: Console, path: Path, runs: Runs, *, skills: int, unlearned: int) -> None:
    messages, tasks = runs.messages, runs.tasks
    by_status = ", ".join(f"{count} {status}" for status, count in sorted(tasks.items()))
    searches = ", ".join(f"{count} {answer}" for answer, count in sorted(runs.searches.items()))
    console.print(f"[bold]{path.name}[/]: {len(runs.stored)} conversations")
    console.print(
        f"  {messages['stored']} messages stored, {messages['observed']} observed, "
        f"{messages['pending']} pending, {messages['failed']} failed"
    )
    for why in _refusals(runs):
        console.print(f"  [red]{messages['refused']} messages refused[/], the first: {why}")
    console.print(f"  {tasks.total()} tasks: {by_status or 'none'}")
    console.print(f"  {skills} skills" + (f", {unlearned} tasks not learned yet" * bool(unlearned)))
    console.print(f"  {runs.searches.total()} searches: {searches}")


def _refusals(runs: Runs) -> Sequence[str]:
    return [why for run in runs.stored for why in run.stored.refused][:1]
