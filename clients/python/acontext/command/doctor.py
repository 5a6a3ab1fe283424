"""What is well, what is not, and what to do."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import click

from .._settings import version as own_version
from ..errors import AcontextError, APIError, PermissionDenied, TransportError, Unauthenticated
from .docker import read_env
from .local import answering
from .output import State, as_json, print_json, screen


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    well: bool
    told: str
    remedy: str = ""


@click.command()
@as_json
@click.pass_obj
def doctor(opened: State, in_json: bool) -> int:
    """Look at everything between you and an answer; ends with 1 when something is wrong."""
    findings = list(_findings(opened))
    well = all(one.well for one in findings)
    if in_json:
        shown = ("what", "well", "told", "remedy")
        print_json([{name: getattr(one, name) for name in shown} for one in findings])
    else:
        for one in findings:
            mark = "[green]ok[/]  " if one.well else "[red]BAD[/] "
            screen().print(f"{mark} {one.what}: {one.told}")
            if one.remedy:
                screen().print(f"      → {one.remedy}")
    return 0 if well else 1


def _findings(opened: State) -> Iterator[Finding]:
    yield Finding("acontext", True, f"{own_version()} on Python {sys.version.split()[0]}")
    yield _server()
    port = _port(opened.base_url)
    yield port
    if not port.well:
        return
    yield _gateway(opened.base_url)
    yield from _key_and_engines(opened)


def _server() -> Finding:
    if find_spec("acontext_server"):
        return Finding("services", True, "installed here, `acontext up` runs them")
    told = "not installed here, which is fine when Acontext runs elsewhere"
    return Finding("services", True, told)


def _port(base_url: str) -> Finding:
    parts = urlsplit(base_url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        remedy = "start it with `acontext up`, or say where it is with ACONTEXT_BASE_URL"
        return Finding("address", False, f"nobody listens on {host}:{port} ({error})", remedy)
    return Finding("address", True, f"somebody listens on {host}:{port}")


def _gateway(base_url: str) -> Finding:
    if answering(base_url):
        return Finding("gateway", True, "healthy")
    remedy = "is it Acontext that listens there? If so, see `acontext logs`"
    return Finding("gateway", False, "does not answer /health", remedy)


def _key_and_engines(opened: State) -> Iterator[Finding]:
    if not opened.api_key:
        yield Finding("key", False, "there is none", "set ACONTEXT_API_KEY")
        return
    with opened.client(timeout=15) as client:
        try:
            client.ping()
            project = client.projects.get()
            yield Finding("key", True, f"opens project {project.name!r} ({project.id})")
            asked: dict[str, Callable[[], object]] = {
                "session": client.sessions.list,
                "disk": client.disks.list,
                "observer": client.tasks.get_statistics,
                "space": client.spaces.list,
            }
            for name, ask in asked.items():
                yield _service(name, ask)
            yield from _engines(opened)
        except Unauthenticated:
            yield Finding(
                "key", False, "opens nothing", "ACONTEXT_API_KEY is another's, or revoked"
            )
        except AcontextError as error:
            yield Finding("key", False, str(error), "see `acontext logs session`")


def _engines(opened: State) -> Iterator[Finding]:
    """What only the operator may know; his key is in ACONTEXT_ADMIN_KEY, or in db/.env here."""
    key = _operators_key()
    if not key:
        told = "not asked: that takes the operator's key, ACONTEXT_ADMIN_KEY"
        yield Finding("engines", True, told)
        return
    with replace(opened, api_key=key).client(timeout=15) as client:
        try:
            health = client.health()
        except (Unauthenticated, PermissionDenied):
            yield Finding("engines", True, "not asked: the operator's key is another system's")
            return
    for service in health.services:
        for engine in service.engines:
            what = f"{service.name} → {engine.name}"
            told = f"{engine.adapter} {engine.version or ''}".rstrip()
            yield Finding(what, engine.reachable, engine.problem or told, engine.remedy or "")
    for problem in health.problems:
        yield Finding("problem", False, problem)
    for notice in health.notices:
        yield Finding("notice", True, notice)


def _operators_key() -> str | None:
    if key := os.getenv("ACONTEXT_ADMIN_KEY"):
        return key
    file = Path(os.getenv("ACONTEXT_DATA_FOLDER", "db")) / ".env"
    return read_env(file).get("ACONTEXT_ADMIN_KEY") if file.exists() else None


def _service(name: str, ask: Callable[[], object]) -> Finding:
    try:
        ask()
    except (APIError, TransportError) as error:
        return Finding(name, False, str(error), f"see `acontext logs {name}`")
    return Finding(name, True, "answers")


@click.command()
@as_json
def version(in_json: bool) -> None:
    """Print the versions of this package and, if it is here, of the services."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as version_of

    told = {"acontext": own_version(), "python": sys.version.split()[0]}
    with suppress(PackageNotFoundError):
        told["acontext-server"] = version_of("acontext-server")
    if in_json:
        print_json(told)
        return
    for name, number in told.items():
        click.echo(f"{name} {number}")


COMMANDS = (doctor, version)
