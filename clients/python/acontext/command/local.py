"""Acontext on this machine, on embedded engines: up, status, logs, down."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import click

from .output import Refused, as_json, installing, print_json, screen

_READY = "Acontext is ready"
_START_SECONDS = 120.0
_STOP_SECONDS = 60.0
_LOG_LINES = 20

FOLDER = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=lambda: Path(os.getenv("ACONTEXT_DATA_FOLDER", "db")),
    show_default="./db",
    help="Where all state is kept; ACONTEXT_DATA_FOLDER.",
)


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of an embedded system, as the system itself keeps it."""

    path: Path

    @property
    def output(self) -> Path:
        """Where a detached system writes what it would say on a terminal."""
        return self.path / "log" / "up.log"

    def owner(self) -> int | None:
        """Give the process that runs here; None if none does."""
        lock = self.path / "lock"
        if not lock.exists():
            return None
        with lock.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read(20).strip() or 0) or None
        return None

    def programs(self) -> dict[str, bool]:
        """Say of each engine and service whether its process is there."""
        marks = sorted((self.path / "run").glob("*.pid"))
        return {mark.stem: _is_alive(mark) for mark in marks}

    def logs(self, name: str | None) -> list[Path]:
        """List the logs, or the one of this name."""
        found = sorted((self.path / "log").glob("*.log"))
        chosen = [log for log in found if name in (None, log.stem)]
        if not chosen:
            names = ", ".join(log.stem for log in found) or "none yet"
            raise Refused(f"there is no log {name or ''} in {self.path}/log; there are: {names}")
        return chosen


def _is_alive(mark: Path) -> bool:
    try:
        os.kill(json.loads(mark.read_text())["pid"], 0)
    except (OSError, ValueError, KeyError):
        return False
    return True


def environment_of_services(folder: Path) -> dict[str, str]:
    """Give what programs of the services run in, or refuse when the services are not here."""
    if find_spec("acontext_server") is None:
        raise Refused(f"that needs the services: {installing('acontext[server]')}")
    return os.environ | {"ACONTEXT_DATA_FOLDER": str(folder)}


@click.command()
@click.option("--detach", "-d", is_flag=True, help="Return when it is ready and let it run on.")
@click.option("--port", type=click.IntRange(1, 65535), help="Of the API; ACONTEXT_PORT (8029).")
@click.option(
    "--dashboard-port",
    type=click.IntRange(0, 65535),
    help="Of the dashboard, 0 for none; ACONTEXT_DASHBOARD_PORT (3000).",
)
@FOLDER
def up(detach: bool, port: int | None, dashboard_port: int | None, folder: Path) -> None:
    """Run everything on this machine, on embedded engines: no Docker, no API key."""
    environment = environment_of_services(folder)
    if port:
        environment["ACONTEXT_PORT"] = str(port)
    if dashboard_port is not None:
        environment["ACONTEXT_DASHBOARD_PORT"] = str(dashboard_port)
    command = [sys.executable, "-m", "acontext_server.all"]
    if not detach:
        os.execve(sys.executable, command, environment)  # the same Python, as a server
    _start(Home(folder), command, environment)


def _start(home: Home, command: list[str], environment: dict[str, str]) -> None:
    if owner := home.owner():
        raise Refused(
            f"Acontext already runs in {home.path} (process {owner}); see `acontext status`"
        )
    home.output.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with home.output.open("w") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_SECONDS
    with screen(err=True).status("starting …"):
        while _READY not in home.output.read_text():
            if process.poll() is not None:
                raise Refused(f"it did not start:\n{home.output.read_text().strip()}")
            if time.monotonic() > deadline:
                raise Refused(f"it is not ready after {_START_SECONDS:.0f} s; see {home.output}")
            time.sleep(0.1)
    told = home.output.read_text()
    told = told[told.index(_READY) :].replace("; Ctrl-C stops it", "; `acontext down` stops it")
    click.echo(told, nl=False)


@click.command()
@FOLDER
@as_json
@click.pass_context
def status(context: click.Context, folder: Path, in_json: bool) -> int:
    """Say what runs here; ends with 1 when it does not, or does not answer."""
    home = Home(folder)
    owner, answers = home.owner(), answering(context.obj.base_url)
    programs = home.programs() if owner else {}
    if in_json:
        url = context.obj.base_url
        print_json({"process": owner, "programs": programs, "answers": answers, "base_url": url})
    elif owner:
        click.echo(f"Acontext runs in {folder} (process {owner}).")
        for name, alive in programs.items():
            click.echo(f"  {'up  ' if alive else 'DOWN'} {name}")
    else:
        click.echo(f"Nothing runs in {folder}.")
    if not in_json:
        click.echo(f"{context.obj.base_url} {'answers' if answers else 'does not answer'}.")
    return 0 if answers else 1


def answering(base_url: str) -> bool:
    """Ask the gateway whether it is healthy."""
    parts = urlsplit(base_url)
    try:
        with urlopen(f"{parts.scheme}://{parts.netloc}/health", timeout=3) as answer:
            return bool(answer.status == 200)
    except (URLError, HTTPException, OSError, ValueError):
        return False


@click.command()
@click.argument("name", required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on until Ctrl-C.")
@FOLDER
def logs(name: str | None, follow: bool, folder: Path) -> None:
    """Print the end of each log, or of one: session, envoy, postgres, … ."""
    files = Home(folder).logs(name)
    for file in files:
        for line in deque(file.open(errors="replace"), maxlen=_LOG_LINES):
            click.echo(f"{file.stem}: {line.rstrip()}")
    if follow:
        for line in _followed(files):
            click.echo(line)


def _followed(files: list[Path]) -> Iterator[str]:
    opened = {file.stem: file.open(errors="replace") for file in files}
    for file in opened.values():
        file.seek(0, os.SEEK_END)
    while True:
        for stem, file in opened.items():
            yield from (f"{stem}: {line.rstrip()}" for line in file)
        time.sleep(0.3)


@click.command()
@FOLDER
def down(folder: Path) -> None:
    """Stop what runs here; its state stays."""
    home = Home(folder)
    owner = home.owner()
    if owner is None:
        raise Refused(f"nothing runs in {folder}")
    os.kill(owner, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while home.owner() is not None:
        if time.monotonic() > deadline:
            raise Refused(f"process {owner} does not stop; see `acontext logs`")
        time.sleep(0.1)
    click.echo(f"Stopped; the state stays in {folder}.")


COMMANDS = (up, status, logs, down)
