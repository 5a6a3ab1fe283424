"""PostgreSQL behind TLS, from Debian's package: the one in the wheel is built without it."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from acontext_server.kit import migrations
from acontext_server.kit.database import open_database
from acontext_server.kit.engines import Command, free_port, supervise
from tests.engines import find_or_skip
from tests.kit.nats_cluster import certify

pytestmark = pytest.mark.engines

ACCESS = "hostssl all all 127.0.0.1/32 scram-sha-256\n"
"""Whoever comes without TLS is turned away, whatever he knows."""


class PostgresBehindTls:
    """A server with a certificate of the test's own authority."""

    name = "postgres"

    def __init__(self, home: Path) -> None:
        self._home = home
        self._user = "postgres" if os.geteuid() == 0 else None
        self._binaries = Path(find_or_skip("postgres")).parent
        self._port = free_port()

    @property
    def url(self) -> str:
        """Where clients connect who say how they do."""
        return f"postgresql://acontext:word@127.0.0.1:{self._port}/postgres"

    async def prepare(self) -> Command:
        data = await asyncio.to_thread(self._make)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self._port,
            "unix_socket_directories": "",
            "ssl": "on",
            "ssl_cert_file": self._home / "own.pem",
            "ssl_key_file": self._home / "own.key",
        }
        arguments = [f"--{name}={value}" for name, value in settings.items()]
        argv = [str(self._binaries / "postgres"), "-D", str(data), *arguments]
        return Command(argv=argv, user=self._user)

    async def is_ready(self) -> bool:
        try:
            await psycopg.AsyncConnection.connect(f"{self.url}?sslmode=disable")
        except psycopg.OperationalError as error:
            return "no encryption" in str(error)
        return False

    def _make(self) -> Path:
        certify(self._home)
        data, secret = self._home / "data", self._home / "password"
        secret.write_text("word")
        if self._user:
            for path in (self._home, *self._home.iterdir()):
                shutil.chown(path, self._user)
        options = ["--encoding=UTF8", "--no-sync", f"--pwfile={secret}", "--username=acontext"]
        initdb = [str(self._binaries / "initdb"), "-D", str(data), "--auth=scram-sha-256", *options]
        subprocess.run(initdb, user=self._user, cwd="/", check=True, capture_output=True)
        (data / "pg_hba.conf").write_text(ACCESS)
        return data


@pytest.fixture
async def server(state_folder: Path) -> AsyncIterator[PostgresBehindTls]:
    home = state_folder / "tls"
    home.mkdir(mode=0o700)
    server = PostgresBehindTls(home)
    async with supervise(state_folder / "run") as supervisor:
        await supervisor.start(server)
        yield server


async def test_a_database_behind_tls_is_migrated_and_used(
    server: PostgresBehindTls, state_folder: Path
) -> None:
    url = f"{server.url}?sslmode=verify-full&sslrootcert={state_folder}/tls/ca.pem"
    migrations.upgrade(url, "disk")
    async with open_database(url, pool=1) as database:
        async with database.raw() as connection:
            asked = await connection.execute(
                "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
            )
            assert await asked.fetchone() == (True,)
        assert (await database.ask_version()).split(".")[0].isdigit()


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("sslmode=disable", "no encryption"),
        ("sslmode=verify-full&sslrootcert=/nowhere.pem", 'file "/nowhere.pem" does not exist'),
    ],
)
async def test_who_comes_without_tls_or_trust_is_told_why(
    server: PostgresBehindTls, query: str, told: str
) -> None:
    with pytest.raises(OperationalError, match=told):
        migrations.upgrade(f"{server.url}?{query}", "disk")
