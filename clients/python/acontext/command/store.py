"""Storing a file of conversations."""

import hashlib
import json
from collections.abc import Sequence
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

    digest: str = ""
    """Of the lines that are stored, each with those before it: what follows may still be mended."""
    run: str = field(default_factory=lambda: str(uuid4()))
    """Names the sessions to the server, so that one whose id was not noted here is found again."""
    lines: int = 0
    session_id: str | None = None
    """The session of the line that is being stored."""
    begun: list[str] = field(default_factory=list)
    """Digests of that line's messages."""
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
    and is gone when everything is stored. What is not stored yet may be mended before.
    """
    lines = [one for one in enumerate(file.read_bytes().splitlines(), 1) if one[1].strip()]
    kept = file.with_name(file.name + ".stored")
    mark = _read_mark(kept, lines)
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
            have = _count(client, mark.session_id)
            digests = [_digest(json.dumps(message).encode()) for message in messages]
            if digests[:have] != mark.begun[:have]:
                raise _another(kept)
            mark.begun = digests
            _write_mark(kept, mark)
            try:
                client.sessions.store_messages(
                    mark.session_id, messages[have:], format=cast("MessageFormat", form)
                )
            except APIError as refusal:
                refusal.add_note(f"line {lines[number][0]}")
                raise
            if flush:
                client.sessions.flush(mark.session_id)
            mark.lines, mark.sessions = number + 1, mark.sessions + 1
            mark.messages += len(messages)
            mark.digest = _digest_with(mark.digest, lines[number][1])
            mark.session_id, mark.begun = None, []
            _write_mark(kept, mark)
            bar.update(progress, advance=1)
    kept.unlink(missing_ok=True)
    if in_json:
        print_json({"sessions": mark.sessions, "messages": mark.messages})
    else:
        screen(err=True).print(f"{mark.messages:,} messages in {mark.sessions:,} sessions.")


def _count(client: AcontextClient, session_id: str) -> int:
    """Ask how many messages a session has: it knows even what was not noted here."""
    newest = client.sessions.get_messages(session_id, limit=1, time_desc=True, format="acontext")
    return newest.items[0].sequence if newest.items else 0


def _messages(number: int, line: bytes) -> list[Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise Refused(f"line {number} is no JSON: {error}") from error
    messages = found.get("messages") if isinstance(found, dict) else None
    if not isinstance(messages, list):
        raise Refused(f"line {number} has no list `messages`")
    return messages


def _read_mark(kept: Path, lines: Sequence[tuple[int, bytes]]) -> Mark:
    if not kept.exists():
        return Mark()
    mark, digest = Mark(**json.loads(kept.read_text())), ""
    for _, line in lines[: mark.lines]:
        digest = _digest_with(digest, line)
    if mark.digest != digest:
        raise _another(kept)
    return mark


def _another(kept: Path) -> Refused:
    return Refused(f"{kept} belongs to another content of that file; remove it to begin anew")


def _digest_with(before: str, line: bytes) -> str:
    return _digest(before.encode() + line)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


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
