"""What every command shares: the client, JSON or tables, and colours only for people."""

import functools
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .._model import Fields, Model
from .._settings import DEFAULT_BASE_URL, version
from .._sync.client import AcontextClient

_F = TypeVar("_F", bound=Callable[..., Any])
_WIDE = 200
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_FIRST_KEY = "sk-ac-your-root-api-bearer-token"
"""The key of the first project of an embedded system, which listens on loopback only."""
_COLOURS = {"success": "green", "failed": "red", "running": "yellow"}


class Refused(Exception):
    """A command cannot do what was asked; the text says why and what to do."""


def installing(package: str) -> str:
    """Say how our package is installed: with its version, since PyPI has another of the name."""
    return f"`make wheels` in a clone, then pip install '{package}=={version()}' --find-links dist"


@dataclass(frozen=True, slots=True)
class State:
    """Where Acontext is, and the key to it."""

    base_url: str
    api_key: str

    def client(self, *, timeout: float | None = None) -> AcontextClient:
        """Open a client."""
        return AcontextClient(base_url=self.base_url, api_key=self.api_key, timeout=timeout)


def state(base_url: str | None, api_key: str | None) -> State:
    """Choose address and key; on this machine the first project's key needs no telling."""
    url = base_url or os.getenv("ACONTEXT_BASE_URL") or DEFAULT_BASE_URL
    key = api_key or os.getenv("ACONTEXT_API_KEY") or ""
    if not key and urlsplit(url).hostname in _LOOPBACK:
        key = _FIRST_KEY
    return State(url, key)


def as_json(command: _F) -> _F:
    """Give a command the option --json."""
    option = click.option("--json", "in_json", is_flag=True, help="Print JSON.")
    return option(command)


def connected(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command an open client as its first argument."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        opened: State = click.get_current_context().obj
        with opened.client() as client:
            return command(client, *arguments, **options)

    return run


def screen(*, err: bool = False) -> Console:
    """Open the terminal; lines are not broken when the output goes into a pipe."""
    stream = sys.stderr if err else sys.stdout
    return Console(
        file=stream, width=None if stream.isatty() else _WIDE, highlight=False, soft_wrap=False
    )


def print_json(value: object) -> None:
    """Print a value, or one line for each item of a stream."""
    click.echo(json.dumps(_plain(value), ensure_ascii=False, indent=2))


def print_json_line(value: object) -> None:
    """Print a value on a line of its own, as soon as it is there."""
    click.echo(json.dumps(_plain(value), ensure_ascii=False))
    sys.stdout.flush()


def _plain(value: object) -> object:
    if isinstance(value, Model | Fields):
        return value.model_dump()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Print a table, or a sentence where there is nothing."""
    filled = [[_cell(value) for value in row] for row in rows]
    if not filled:
        screen(err=True).print(empty)
        return
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in filled:
        shown.add_row(*row)
    screen().print(shown)


def _cell(value: object) -> Text:
    text = "" if value is None else str(value)
    return Text(text, style=_COLOURS.get(text, ""))


def short_time(moment: str) -> str:
    """Cut a moment to the second."""
    return moment[:19].replace("T", " ")
