"""Acontext in containers: docker up, down, status, logs, env."""

import json
import re
import secrets
import shutil
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import yaml

from .output import Refused, as_json, print_json

_CHECKOUT = Path(__file__).parents[4]
_COMPOSE = "docker-compose.yml"
_EXAMPLE = ".env.example"
_DATA = Path("db", "docker")
"""Beside what an embedded system keeps in db, under names of its own."""
_OWN = "`acontext up` runs everything without it."
_LINES = 12


@dataclass(frozen=True, slots=True)
class Stack:
    """The compose file, and the folder with `.env` and `config.yaml`."""

    compose: Path
    folder: Path

    @property
    def env(self) -> Path:
        """What is set for this stack."""
        return self.folder / ".env"

    @property
    def data(self) -> Path:
        """Where the engines keep what they know."""
        return self.folder / _DATA

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a compose command and keep what it says."""
        return subprocess.run(self._command(arguments), capture_output=True, text=True, check=False)

    def show(self, *arguments: str) -> int:
        """Run a compose command on this terminal."""
        return subprocess.call(self._command(arguments))

    def _command(self, arguments: Sequence[str]) -> list[str]:
        given = ["--file", str(self.compose)]
        if (volumes := self.data / _COMPOSE).exists():
            given += ["--file", str(volumes)]
        if self.env.exists():
            given += ["--env-file", str(self.env)]
        return ["docker", "compose", *given, *arguments]


def _stack(folder: Path) -> Stack:
    for home in (folder, _CHECKOUT):
        if (home / _COMPOSE).exists():
            return Stack(home / _COMPOSE, folder)
    raise Refused(f"there is no {_COMPOSE} here: run this in a checkout of Acontext. {_OWN}")


def _need_docker() -> None:
    if shutil.which("docker") is None:
        raise Refused(f"there is no `docker` on this machine: install Docker Engine. {_OWN}")
    if subprocess.run(
        ["docker", "compose", "version"], capture_output=True, check=False
    ).returncode:
        raise Refused(f"Docker is here without Compose: install its plugin, version 2. {_OWN}")
    asked = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
    if asked.returncode:
        told = _last_line(asked.stderr or asked.stdout)
        raise Refused(f"Docker does not answer ({told}): start it, then try again. {_OWN}")


_FOLDER = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    show_default="here",
    help="Where .env and config.yaml are.",
)


@click.group()
def docker() -> None:
    """Run Acontext in containers, on the engines of production."""


@docker.command("env")
@click.option("--yes", is_flag=True, help="Ask nothing; take what is proposed.")
@_FOLDER
def env(yes: bool, folder: Path) -> None:
    """Write .env: explain each value, ask for what is missing, keep what is there."""
    write_env(_stack(folder), ask=not yes)
    click.echo(f"{folder / '.env'} is written; only you can read it.")


@docker.command("up")
@click.option("--yes", is_flag=True, help="Ask nothing; take what is proposed.")
@_FOLDER
def docker_up(yes: bool, folder: Path) -> None:
    """Start the stack, wait until all of it is healthy, and print its addresses.

    What the engines know is kept in the folder db/docker.
    """
    _need_docker()
    stack = _stack(folder)
    _check_config(folder / "config.yaml")
    if not stack.env.exists():
        write_env(stack, ask=not yes)
    _keep_in_folder(stack)
    values = read_env(stack.env)
    if not _running(stack):
        _check_ports(stack, values)
    if stack.show("up", "--detach", "--wait", "--build"):
        raise Refused(_why_not_up(stack))
    port = values.get("ACONTEXT_PORT") or "8029"
    dashboard = values.get("ACONTEXT_DASHBOARD_PORT") or "3000"
    click.echo(f"  API        http://localhost:{port}/api/v1")
    click.echo(f"  dashboard  http://localhost:{dashboard}")


@docker.command("down")
@_FOLDER
def docker_down(folder: Path) -> int:
    """Stop the stack; what it keeps in db/docker stays."""
    _need_docker()
    return _stack(folder).show("down")


@docker.command("status")
@_FOLDER
@as_json
def docker_status(folder: Path, in_json: bool) -> int:
    """Say of each container how it is; ends with 1 when one is not well."""
    _need_docker()
    states = _states(_stack(folder))
    if in_json:
        print_json(states)
    for name, state in () if in_json else states.items():
        click.echo(f"{name:<20} {state}")
    return 0 if states and all(_is_well(state) for state in states.values()) else 1


@docker.command("logs")
@click.argument("service", required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on until Ctrl-C.")
@_FOLDER
def docker_logs(service: str | None, follow: bool, folder: Path) -> int:
    """Print the logs of the stack, or of one service."""
    _need_docker()
    wanted = ["logs", "--tail", "100", *(["--follow"] if follow else [])]
    return _stack(folder).show(*wanted, *([service] if service else []))


def _is_well(state: str) -> bool:
    return state in ("healthy", "running", "exited (0)")


def _states(stack: Stack) -> dict[str, str]:
    told = stack.run("ps", "--all", "--format", "json").stdout
    # Compose prints an array or an object a line, by its version.
    rows = json.loads(told) if told.startswith("[") else map(json.loads, told.splitlines())
    return {row["Service"]: _state(row) for row in rows}


def _state(row: Mapping[str, object]) -> str:
    if row.get("State") == "exited":
        return f"exited ({row.get('ExitCode')})"
    return str(row.get("Health") or row.get("State"))


def _running(stack: Stack) -> bool:
    return any(state in ("healthy", "running") for state in _states(stack).values())


def _why_not_up(stack: Stack) -> str:
    ill = {name: state for name, state in _states(stack).items() if not _is_well(state)}
    if not ill:
        return "the stack did not come up; what Docker said stands above"
    told = []
    for name, state in ill.items():
        lines = stack.run("logs", "--no-log-prefix", "--tail", str(_LINES), name).stdout
        told.append(f"{name} is {state}. The end of its log:\n{lines.rstrip()}")
    return "\n".join([*told, "`acontext docker logs NAME` shows more."])


def _keep_in_folder(stack: Stack) -> None:
    """Say in a second compose file that each volume of the engines is a folder of ours.

    Docker fills an empty one with what the image has there, its owner included.
    """
    named = stack.run("config", "--volumes").stdout.split()
    volumes = {name: _bound(stack.data / name) for name in named if name not in _PASSING}
    for name in volumes:
        (stack.data / name).mkdir(parents=True, exist_ok=True)
    if volumes:
        (stack.data / _COMPOSE).write_text(yaml.safe_dump({"volumes": volumes}))


_PASSING = ("spool",)
"""Volumes with nothing to keep."""


def _bound(folder: Path) -> Mapping[str, object]:
    options = {"type": "none", "o": "bind", "device": str(folder.resolve())}
    return {"driver": "local", "driver_opts": options}


def _check_config(file: Path) -> None:
    if not file.exists():
        return
    try:
        found = yaml.safe_load(file.read_text())
    except yaml.YAMLError as error:
        raise Refused(f"{file} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict | None):
        raise Refused(f"{file} must hold `name: value` lines")


def _check_ports(stack: Stack, values: Mapping[str, str]) -> None:
    for name, default in (("ACONTEXT_PORT", 8029), ("ACONTEXT_DASHBOARD_PORT", 3000)):
        port = int(values.get(name) or default)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                told = f"port {port} is taken by another program: set {name} in {stack.env}"
                raise Refused(f"{told}, or end that program") from None


@dataclass(frozen=True, slots=True)
class Setting:
    """A value of `.env`, as its example explains it."""

    name: str
    proposed: str
    why: str
    is_secret: bool


_LINE = re.compile(r"(?P<off>#\s?)?(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)")


def settings_of(example: Path) -> list[Setting]:
    """Read an example: the comment above a value says what it is for.

    A value that begins with `development-` is a secret: a new one is made instead.
    """
    found: list[Setting] = []
    why: list[str] = []
    for line in example.read_text().splitlines():
        match = _LINE.fullmatch(line)
        if match and not match["off"]:
            secret = match["value"].startswith("development-")
            found.append(Setting(match["name"], match["value"], " ".join(why), secret))
            why = []
        elif line.startswith("#") and not match:
            why.append(line.lstrip("# ").rstrip())
        else:
            why = []
    return found


def write_env(stack: Stack, *, ask: bool) -> None:
    """Write what is missing in `.env`, readable by its owner only."""
    example = stack.compose.parent / _EXAMPLE
    if not example.exists():
        raise Refused(f"there is no {_EXAMPLE} beside {stack.compose}")
    kept = read_env(stack.env) if stack.env.exists() else {}
    lines = stack.env.read_text().splitlines() if kept else []
    for setting in settings_of(example):
        if setting.name in kept:
            continue
        lines += [
            f"# {setting.why}" if setting.why else "#",
            f"{setting.name}={_value(setting, ask)}",
        ]
    draft = stack.env.with_name(".env.new")
    draft.touch(mode=0o600)
    draft.write_text("\n".join([*lines, ""]))
    draft.replace(stack.env)


def _value(setting: Setting, ask: bool) -> str:
    if setting.is_secret:
        return secrets.token_hex(24)  # some stand in URLs
    if not ask:
        return setting.proposed
    click.echo(f"\n{setting.why}" if setting.why else "")
    answer: str = click.prompt(setting.name, default=setting.proposed, show_default=True)
    return answer


def read_env(file: Path) -> Mapping[str, str]:
    """Read the values of an env file."""
    pairs = (line.split("=", 1) for line in file.read_text().splitlines() if _LINE.fullmatch(line))
    return {name: value.strip().strip("'\"") for name, value in pairs if not name.startswith("#")}


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no word"])[-1]


COMMANDS = (docker,)
