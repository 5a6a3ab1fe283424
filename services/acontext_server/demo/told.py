"""The story: two conversations are stored, observed, learned from and searched; a file is kept."""

import asyncio
import textwrap
import time
import urllib.request
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from acontext.observer import v1 as observer
from acontext.space import v1 as space
from acontext_server.demo import story
from acontext_server.demo.gateway import Gateway

LEARNING_PATIENCE_SECONDS = 60.0
RELEVANT = "Add a GitHub workflow that runs our Python tests"
IRRELEVANT = "What is the weather like in Lisbon tomorrow?"

_Answer = TypeVar("_Answer")
_TITLE_WIDTH = 48
_COLOURS = {"success": "green", "running": "yellow", "failed": "red", "pending": "dim"}


async def tell(gateway: Gateway, console: Console) -> bool:
    """Tell it all; False when something did not come out as it should."""
    space_id = await gateway.create_space()
    sessions = [
        await _observe(gateway, console, space_id, "an agent sets up CI", story.CI_SETUP),
        await _observe(gateway, console, space_id, "README's conversation", story.README),
    ]
    learned = await _learn(gateway, console, space_id, sessions)
    found = await _search(gateway, console, space_id)
    kept = await _keep(gateway, console)
    return learned and found and kept


async def _observe(
    gateway: Gateway,
    console: Console,
    space_id: str,
    title: str,
    messages: Sequence[story.ChatMessage],
) -> str:
    session_id = await gateway.create_session(space_id)
    blobs = [story.as_json(message) for message in messages]
    stored, storing = await _timed(gateway.store(session_id, blobs))
    _, observing = await _timed(gateway.flush(session_id))
    console.print(
        f"[bold]Observe[/]  {title}: {stored.kept} messages stored in {storing:.1f} s, "
        f"observed in {observing:.1f} s"
    )
    console.print(Padding(_task_table(await gateway.list_tasks(session_id)), (0, 0, 0, 2)))
    return session_id


def _lines() -> Table:
    table = Table(box=None, padding=(0, 1), show_header=False)
    table.add_column(no_wrap=True, min_width=2)
    table.add_column(no_wrap=True, min_width=11)
    table.add_column()
    return table


def _line(text: str, style: str = "") -> Text:
    """A text that is cut rather than wrapped: the story fits on a screen."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _task_table(tasks: Sequence[observer.Task]) -> Table:
    table = _lines()
    for task in tasks:
        status = f"[{_COLOURS[task.status]}]{task.status}[/]"
        table.add_row(f"{task.order}.", status, _line(task.data.task_description))
        for line in task.data.progresses:
            table.add_row("", "[dim]progress[/]", _line(line, "dim"))
        for line in task.data.user_preferences:
            table.add_row("", "[cyan]preference[/]", _line(line))
    return table


async def _learn(
    gateway: Gateway, console: Console, space_id: str, sessions: Sequence[str]
) -> bool:
    waiting = gateway.wait_until_learned(sessions, patience=LEARNING_PATIENCE_SECONDS)
    left, seconds = await _timed(waiting)
    skills = await gateway.list_skills(space_id)
    console.print(f"[bold]Learn[/]    {len(skills)} skills, in {seconds:.1f} s")
    for skill in skills:
        console.print(Padding(_skill_table(await gateway.skill(skill.id)), (0, 0, 0, 2)))
    return bool(skills) and not left


def _skill_table(answer: space.GetSkillResponse) -> Table:
    sop, newest = answer.skill.sop, answer.versions[0]
    table = _lines()
    table.add_row("", "use when", _line(sop.use_when, "bold"))
    if sop.preferences:
        table.add_row("", "[cyan]preferences[/]", _line(sop.preferences))
    for number, step in enumerate(sop.tool_sops, start=1):
        table.add_row("", f"step {number}", _line(f"{step.tool_name}: {step.action}", "green"))
    reasons = ", ".join(f"{one.kind} +{one.points}" for one in newest.difficulty.reasons)
    score = f"{newest.written_by}; {newest.difficulty.score} points: {reasons}"
    table.add_row("", "[dim]learned by[/]", _line(score, "dim"))
    return table


async def _search(gateway: Gateway, console: Console, space_id: str) -> bool:
    relevant = await gateway.search(space_id, RELEVANT)
    irrelevant = await gateway.search(space_id, IRRELEVANT)
    console.print(f"[bold]Search[/]   “{RELEVANT}”\n         → {_cited(relevant)}", highlight=False)
    console.print(f"         “{IRRELEVANT}”\n         → {_cited(irrelevant)}", highlight=False)
    return bool(relevant) and not irrelevant


def _cited(blocks: Sequence[space.CitedBlock]) -> str:
    if not blocks:
        return "[yellow]nothing relevant[/]"
    return "; ".join(f"[green]{_short(one.title)}[/] ({one.distance:.2f})" for one in blocks)


def _short(title: str) -> str:
    return textwrap.shorten(title, width=_TITLE_WIDTH, placeholder="…")


async def _keep(gateway: Gateway, console: Console) -> bool:
    url = await gateway.keep_file("/reports/ci.md", story.REPORT)
    opened = await asyncio.to_thread(_open, url)
    same = opened == story.REPORT
    verdict = "opens without a key, byte for byte" if same else "[red]does not give its bytes[/]"
    console.print(f"[bold]Keep[/]     /reports/ci.md {verdict}:")
    console.print(f"         {url}", soft_wrap=True, highlight=False)
    return same


def _open(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        content: bytes = answer.read()
        return content


async def _timed(work: Awaitable[_Answer]) -> tuple[_Answer, float]:
    began = time.perf_counter()
    answer = await work
    return answer, time.perf_counter() - began
