"""`acontext docker` on a real engine: up, status, logs, down, and what is kept in db/docker."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from acontext import AcontextClient
from acontext.command.docker import read_env
from acontext_server.kit.engines import free_port
from tests.compose.docker import Docker, NoDocker, running_docker

pytestmark = [pytest.mark.compose, pytest.mark.timeout(2400)]

ROOT = Path(__file__).parents[2]
NAME = "acontext-command"
SERVICES = {"gateway", "session", "disk", "observer", "space"}
ENGINES = {"postgres", "nats", "weaviate", "minio"}
TALK = {"role": "user", "content": "Plan a trip to Lisbon."}


class Command:
    """The command in a folder with a stack of its own."""

    def __init__(self, folder: Path, docker: Docker) -> None:
        self.folder = folder
        self.docker = docker

    def __call__(self, *arguments: str, status: int = 0) -> "subprocess.CompletedProcess[str]":
        """Run `acontext docker …`."""
        done = subprocess.run(
            [sys.executable, "-m", "acontext", "docker", *arguments],
            cwd=self.folder,
            env=self.docker.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, f"{arguments}: {done.stdout}\n{done.stderr[-4000:]}"
        return done

    @property
    def settings(self) -> Mapping[str, str]:
        """What is in .env."""
        return read_env(self.folder / ".env")

    @property
    def url(self) -> str:
        return f"http://localhost:{self.settings['ACONTEXT_PORT']}/api/v1"

    def client(self) -> AcontextClient:
        key = self.settings["ACONTEXT_ROOT_API_KEY"]
        return AcontextClient(base_url=self.url, api_key=key, timeout=60)


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    folder = tmp_path_factory.mktemp("stack")
    try:
        with running_docker() as docker:
            docker.prepare()
            write_stack(folder)
            with removed_at_the_end(docker, folder):
                yield Command(folder, docker)
    except NoDocker as missing:
        pytest.fail(f"make test-compose needs a Docker engine: {missing}")


@contextmanager
def removed_at_the_end(docker: Docker, folder: Path) -> Iterator[None]:
    try:
        yield
    finally:
        docker("compose", "--project-name", NAME, "down", "--volumes", "--timeout", "20")


def write_stack(folder: Path) -> None:
    """Put the stack of the checkout into a folder, built as build.yml says, on free ports."""
    stack = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    how = yaml.safe_load((ROOT / "tests/compose/build.yml").read_text())
    for name, service in stack["services"].items():
        if "build" in service:
            context = str((ROOT / service["build"]["context"]).resolve())
            service["build"] |= {"context": context, **how["services"][name]["build"]}
        service["volumes"] = [
            str(ROOT / one) if one.startswith("./") else one for one in service.get("volumes", [])
        ]
    stack |= {"name": NAME, "secrets": how["secrets"]}
    (folder / "docker-compose.yml").write_text(yaml.safe_dump(stack))
    example = (ROOT / ".env.example").read_text()
    port = str(free_port())
    for before, after in (("8029", port), ("3000", str(free_port()))):
        assert before in example
        example = example.replace(before, after)
    (folder / ".env.example").write_text(example)


def test_the_stack_comes_up_is_told_of_goes_down_and_keeps_what_it_knew(command: Command) -> None:
    told = command("env", "--yes").stdout
    assert "only you can read it" in told
    assert (command.folder / ".env").stat().st_mode & 0o777 == 0o600

    up = command("up", "--yes").stdout
    assert f"API        {command.url}\n" in up
    assert f"localhost:{command.settings['ACONTEXT_DASHBOARD_PORT']}\n" in up
    with command.client() as client:
        session_id = client.sessions.create().id
        client.sessions.store_message(session_id, blob=TALK)

    states = json.loads(command("status", "--json").stdout)
    assert {name: states[name] for name in SERVICES | ENGINES} == dict.fromkeys(
        SERVICES | ENGINES, "healthy"
    )
    assert states["setup"] == "exited (0)"
    assert "session" in command("logs", "session").stdout
    assert "no such service" in command("logs", "nobody", status=1).stderr

    command("down")
    command("status", status=1)
    data = command.folder / "db" / "docker"
    kept = {one.name for one in data.iterdir() if one.is_dir()}
    assert kept == ENGINES
    assert all(any((data / name).iterdir()) for name in ENGINES)

    command("up", "--yes")
    with command.client() as client:
        assert client.sessions.get_messages(session_id).items == [TALK]
