"""A production Acontext on this machine: servers of their own, two processes of each service.

What services and engines are told stands in `docker-compose.yml`, `.env.example` and
`deploy/nats.conf`; here only the addresses in it are put in place of those of another network.
"""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import orjson
import psutil
import psycopg
import yaml
from anyio.from_thread import BlockingPortal, start_blocking_portal
from dotenv import dotenv_values
from psycopg import sql

from acontext_server.gateway.render import objects_of, render
from acontext_server.kit.config import Settings
from acontext_server.kit.engines import (
    Command,
    Envoy,
    Folder,
    Postgres,
    Program,
    Supervisor,
    free_port,
    supervise,
)
from acontext_server.kit.engines.nats import executable
from acontext_server.serve import GIVE_MEMORY_BACK, SERVICES, serves
from tests.engines import Minio, Weaviate, find_or_skip

REPLICAS = (1, 2)
ROOT = Path(__file__).parents[2]
EAGER = {"ACONTEXT_BUFFER_IDLE_SECONDS": "0.3", "ACONTEXT_SWEEP_SECONDS": "1"}
"""So that tests do not wait for what people would not notice."""
KEY = "sk-ac-your-root-api-bearer-token"


class PostgresServer:
    """A PostgreSQL on a TCP port, for those who know the password."""

    name = "postgres"

    def __init__(self, folder: Folder, password: str) -> None:
        self._cluster = Postgres(folder)
        self._password = password
        self._home = folder.data(self.name)
        self.port = free_port()

    async def prepare(self) -> Command:
        command = await self._cluster.prepare()
        access = self._home / "pg_hba.conf"
        access.write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        listen = {"listen_addresses": "127.0.0.1", "port": str(self.port)}
        sockets = {"unix_socket_directories": str(self._home)}
        options = [f"--{name}={value}" for name, value in (listen | sockets).items()]
        argv = [*command.argv, *options]
        return Command(
            argv=argv,
            user=command.user,
            stop_signal=command.stop_signal,
            orphan_signal=signal.SIGINT,
        )

    async def is_ready(self) -> bool:
        try:
            await self._ensure_role()
        except psycopg.OperationalError:
            return False
        return True

    async def _ensure_role(self) -> None:
        place = f"host={self._home} port={self.port} user=postgres dbname=postgres"
        async with await psycopg.AsyncConnection.connect(place, autocommit=True) as server:
            found = await server.execute("select 1 from pg_roles where rolname = 'acontext'")
            if await found.fetchone():
                return
            password = sql.Literal(self._password)
            role = sql.SQL("create role acontext superuser login password {}").format(password)
            await server.execute(role)
            await server.execute("create database acontext owner acontext")


class NatsServer:
    """A NATS on a TCP port, for those who know the password."""

    name = "nats"

    def __init__(self, folder: Folder, password: str) -> None:
        self._home = folder.data(self.name)
        self._password = password
        self.port = free_port()

    async def prepare(self) -> Command:
        self._home.mkdir(parents=True, exist_ok=True)
        configuration = self._home / "nats.conf"
        text = (ROOT / "deploy/nats.conf").read_text()
        for there, here in (
            ("0.0.0.0:4222", f'"127.0.0.1:{self.port}"'),
            ("127.0.0.1:8222", f'"127.0.0.1:{free_port()}"'),
            ("/data", f'"{self._home}"'),
        ):
            assert there in text, there
            text = text.replace(there, here)
        configuration.write_text(text)
        return Command(
            argv=[executable(), "--config", str(configuration)],
            environment={"NATS_PASSWORD": self._password},
        )

    async def is_ready(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        greeting = await reader.readline()
        writer.close()
        return b'"jetstream":true' in greeting


class Replica:
    """One process of a service, started as its image starts it."""

    def __init__(self, service: str, number: int, environment: Mapping[str, str], port: int):
        self.name = f"{service}-{number}"
        self.port = port
        self._service = service
        self._environment = environment

    async def prepare(self) -> Command:
        listen = {"ACONTEXT_LISTEN_ADDRESS": f"127.0.0.1:{self.port}"}
        return Command(
            argv=[sys.executable, "-m", "acontext_server.serve", self._service],
            environment={**GIVE_MEMORY_BACK, **self._environment, **listen},
        )

    async def is_ready(self) -> bool:
        return await serves(f"127.0.0.1:{self.port}")


class Production:
    """Everything that runs, by name."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        folder = supervisor.folder
        self.folder = folder.path
        told = compose()
        self.postgres = PostgresServer(folder, told["postgres"]["POSTGRES_PASSWORD"])
        self.nats = NatsServer(folder, told["nats"]["NATS_PASSWORD"])
        self.minio = Minio(folder, told["minio"])
        self.weaviate = Weaviate(folder, told["weaviate"])
        self.ports = {name: [free_port() for _ in REPLICAS] for name in SERVICES}
        self.port = free_port()
        self.environment = self._environment(told["session"]) | EAGER
        self._programs: dict[str, Program] = {}
        self.portal: BlockingPortal | None = None
        """Where it runs, when that is another thread."""

    @property
    def address(self) -> str:
        """Where the gateway is."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """What SDKs are told."""
        return f"http://{self.address}/api/v1"

    @property
    def settings(self) -> Settings:
        """What every service is told."""
        values = {
            name.removeprefix("ACONTEXT_").lower(): value
            for name, value in self.environment.items()
            if name.startswith("ACONTEXT_")
        }
        return Settings(_env_file=None, **values)  # type: ignore[call-arg, arg-type]  # as text

    async def start_engines(self) -> None:
        """Start what keeps something, empty as it is."""
        await self._start(self.postgres, self.nats, self.minio, self.weaviate)

    async def start(self) -> None:
        """Start everything in the order of its dependencies."""
        await self.start_engines()
        setup = [sys.executable, "-m", "acontext_server.setup"]
        done = await asyncio.create_subprocess_exec(*setup, env=os.environ | self.environment)
        assert await done.wait() == 0
        await self._start(
            *(
                Replica(service, number, self.environment, port)
                for service, ports in self.ports.items()
                for number, port in zip(REPLICAS, ports, strict=True)
            )
        )
        services = {name: _places(ports) for name, ports in self.ports.items()}
        objects = objects_of(self.settings.blobs_url, self.settings.base_url)
        folder = self.folder / "envoy"
        command = render(folder, listen=self.address, services=services, objects=objects)
        await self._start(Envoy(command, host="127.0.0.1", port=self.port))

    @property
    def names(self) -> list[str]:
        """Name all that runs."""
        return list(self._programs)

    async def kill(self, name: str) -> None:
        """Kill a program with -9 and wait until it has been started again and is ready."""
        process = self.process(name)
        process.kill()
        async with asyncio.timeout(120):
            await _until(lambda: self._runs_anew(name, process))

    def process(self, name: str) -> psutil.Process:
        """Find the process of a program."""
        mark = orjson.loads(self._supervisor.folder.mark(name).read_bytes())
        return psutil.Process(mark["pid"])

    def log(self, name: str) -> str:
        """Read what a program said."""
        return self._supervisor.folder.log(name).read_text(errors="replace")

    async def _runs_anew(self, name: str, former: psutil.Process) -> bool:
        try:
            same = self.process(name).pid == former.pid
        except psutil.NoSuchProcess:
            return False
        return not same and await self._programs[name].is_ready()

    async def _start(self, *programs: Program) -> None:
        await self._supervisor.start(*programs, patience=120)
        self._programs |= {program.name: program for program in programs}

    def _environment(self, told: Mapping[str, str]) -> dict[str, str]:
        """Put this machine's addresses in place of those in the configuration."""
        here = {
            "@postgres:5432": f"@127.0.0.1:{self.postgres.port}",
            "@nats:4222": f"@127.0.0.1:{self.nats.port}",
            "@minio:9000": f"@{self.minio.address}",
            "@weaviate:8080": f"@{self.weaviate.address}",
            "grpc=50051": f"grpc={self.weaviate.grpc_port}",
            "localhost:8029": self.address,
        }
        for name, ports in self.ports.items():
            here[f"dns:///{name}:50051"] = f"ipv4:{_places(ports)}"
        environment = dict(told)
        for there, place in here.items():
            assert any(there in value for value in environment.values()), there
            environment = {key: value.replace(there, place) for key, value in environment.items()}
        return environment


def compose() -> Mapping[str, Mapping[str, str]]:
    """Say what the compose file tells each container, with the values of `.env.example`."""
    given = {key: value or "" for key, value in dotenv_values(ROOT / ".env.example").items()}
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return {
        name: {
            key: given.get(key, "") if value is None else _filled(str(value), given)
            for key, value in one.get("environment", {}).items()
            if value is not None or key in given
        }
        for name, one in services.items()
    }


def _filled(text: str, given: Mapping[str, str]) -> str:
    """Put values in place of `${NAME:-default}` and `${NAME:?message}`."""
    return re.sub(
        r"\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}",
        lambda found: given.get(found[1]) or found[2] or "",
        text,
    )


async def _until(question: Callable[[], Awaitable[bool]]) -> None:
    while True:
        if await question():
            return
        await asyncio.sleep(0.1)


def _places(ports: list[int]) -> str:
    return ",".join(f"127.0.0.1:{port}" for port in ports)


@asynccontextmanager
async def open_production(folder: Path, *, is_served: bool) -> AsyncIterator[Production]:
    """Run a production system in a folder."""
    async with supervise(folder) as supervisor:
        production = Production(supervisor)
        await (production.start() if is_served else production.start_engines())
        yield production


@contextmanager
def production_beside(folder: Path, *, is_served: bool = True) -> Iterator[Production]:
    """Run a production system, or its engines only, in a thread of its own."""
    for binary in ("minio", "weaviate-server"):
        find_or_skip(binary)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(
            open_production(folder, is_served=is_served)
        ) as production,
    ):
        production.portal = portal
        yield production
