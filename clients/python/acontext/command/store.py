"""Storing a file of conversations."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4, uuid5

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .._sync.client import AcontextClient
from ..errors import APIError
from ..types.session import MessageFormat
from .output import Refused, as_json, connected, print_json, screen


@dataclass(slots=True)
class Mark:
    """How far a file is stored; kept beside it until it is all."""

    digest: str
    """Of the file, so that another file of its name is not taken for it."""
    run: str = field(default_factory=lambda: str(uuid4()))
    """Names the sessions to the server, so that one whose id was not noted here is found again."""
    lines: int = 0
    session_id: str | None = None
    """The session of the line that is being stored."""
    sessions: int = 0
    messages: int = 0


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--space", "space_id", help="The space that learns from the sessions.")
@click.option("--user", help="Whose sessions they are.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["openai", "anthropic", "gemini", "acontext"]),
    default="openai",
    show_default=True,
    help="The form of the messages.",
)
@click.option("--flush", is_flag=True, help="Wait for each session's tasks.")
@as_json
@connected
def store(
    client: AcontextClient,
    file: Path,
    space_id: str | None,
    user: str | None,
    form: str,
    flush: bool,
    in_json: bool,
) -> None:
    """Store conversations, one JSON object with `messages` a line, each as a session.

    When it is interrupted, the same command goes on where it was: FILE.stored says how far that is,
    and is gone when everything is stored.
    """
    content = file.read_bytes()
    lines = [one for one in enumerate(content.splitlines(), 1) if one[1].strip()]
    kept = file.with_name(file.name + ".stored")
    mark = _read_mark(kept, hashlib.sha256(content).hexdigest())
    _write_mark(kept, mark)
    with _bar() as bar:
        progress = bar.add_task(file.name, total=len(lines), completed=mark.lines)
        for number in range(mark.lines, len(lines)):
            messages = _messages(*lines[number])
            if mark.session_id is None:
                named = str(uuid5(UUID(mark.run), str(number)))
                mark.session_id = client.sessions.create(
                    space_id=space_id, user=user, request_id=named
                ).id
                _write_mark(kept, mark)
            try:
                _store(client, mark, messages, cast("MessageFormat", form))
            except APIError as refusal:
                refusal.add_note(f"line {lines[number][0]}")
                raise
            if flush:
                client.sessions.flush(mark.session_id)
            mark.lines, mark.sessions = number + 1, mark.sessions + 1
            mark.messages += len(messages)
            mark.session_id = None
            _write_mark(kept, mark)
            bar.update(progress, advance=1)
    kept.unlink(missing_ok=True)
    if in_json:
        print_json({"sessions": mark.sessions, "messages": mark.messages})
    else:
        screen(err=True).print(f"{mark.messages:,} messages in {mark.sessions:,} sessions.")


def _store(client: AcontextClient, mark: Mark, messages: list[Any], form: MessageFormat) -> None:
    """Store what the session does not have yet; the session itself says how much that is."""
    assert mark.session_id
    newest = client.sessions.get_messages(
        mark.session_id, limit=1, time_desc=True, format="acontext"
    ).items
    have = newest[0].sequence if newest else 0
    client.sessions.store_messages(mark.session_id, messages[have:], format=form)


def _messages(number: int, line: bytes) -> list[Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise Refused(f"line {number} is no JSON: {error}") from error
    messages = found.get("messages") if isinstance(found, dict) else None
    if not isinstance(messages, list):
        raise Refused(f"line {number} has no list `messages`")
    return messages


def _read_mark(kept: Path, digest: str) -> Mark:
    if not kept.exists():
        return Mark(digest)
    mark = Mark(**json.loads(kept.read_text()))
    if mark.digest != digest:
        raise Refused(f"{kept} belongs to another content of that file; remove it to begin anew")
    return mark


def _write_mark(kept: Path, mark: Mark) -> None:
    draft = kept.with_name(kept.name + ".new")
    draft.write_text(json.dumps(asdict(mark)))
    draft.replace(kept)


def _bar() -> Progress:
    console = screen(err=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


COMMANDS = (store,)
