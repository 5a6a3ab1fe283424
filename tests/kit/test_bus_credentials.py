"""A NATS that lets in who has a file of credentials, or a certificate of its authority."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import nkeys
import pytest
from nats.errors import Error as NatsError

from acontext_server.kit.bus import NatsAddress, connect, open_bus
from acontext_server.kit.engines import Command, free_port, supervise
from acontext_server.kit.engines.nats import executable
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.misconfiguration import Misconfigured
from tests.kit.nats_cluster import certify


class Identity:
    """A key of NATS's own kind, which signs what it says of others."""

    def __init__(self, kind: int, secret: bytes) -> None:
        self.seed: bytes = nkeys.encode_seed(hashlib.sha256(secret).digest(), kind)
        self._key = nkeys.from_seed(bytearray(self.seed))
        self.name: str = self._key.public_key.decode()

    def vouch(self, other: "Identity", says: dict[str, object]) -> str:
        """Sign a token that says something of somebody."""
        claims = {"iss": self.name, "sub": other.name, "iat": 0, "nats": {"version": 2, **says}}
        claims["jti"] = hashlib.sha256(json.dumps(claims).encode()).hexdigest()
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        signed = b".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
        return (signed + b"." + _encoded(self._key.sign(signed))).decode()


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


UNLIMITED = {"subs": -1, "conn": -1, "data": -1, "payload": -1}
WITH_STREAMS = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}
CREDENTIALS = """-----BEGIN NATS USER JWT-----
{token}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
{seed}
------END USER NKEY SEED------
"""
PROJECT = ProjectId(uuid4())


class Server:
    """A NATS with a configuration of the test's own."""

    name = "nats-of-a-test"

    def __init__(self, home: Path, configuration: str) -> None:
        self.port = free_port()
        self._file = home / "nats.conf"
        own = f'listen: "127.0.0.1:{self.port}"\njetstream {{ store_dir: "{home}" }}\n'
        self._file.write_text(own + configuration)

    async def prepare(self) -> Command:
        return Command(argv=[executable(), "--config", str(self._file)])

    async def is_ready(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    async with supervise(tmp_path / "run") as supervisor:

        async def started(configuration: str) -> str:
            """Start a server and give its `host:port`."""
            server = Server(tmp_path, configuration)
            await supervisor.start(server)
            return f"127.0.0.1:{server.port}"

        yield started


async def works(url: str) -> bool:
    """Make a stream and nudge through it."""
    async with open_bus(url, prefix="test") as bus:
        await bus.ensure_stream("session")
        return await bus.nudge(bus.subject("session", "stored", PROJECT, 1), b"1")


async def is_refused(url: str) -> bool:
    async def note(_: Exception) -> None:
        """The refusal is what connect raises."""

    try:
        client = await connect(url, max_reconnect_attempts=1, error_cb=note)
    except (NatsError, OSError):
        return True
    await client.close()
    return False


async def test_a_file_of_credentials_opens_what_its_account_may_use(
    tmp_path: Path, start: Callable[[str], Awaitable[str]]
) -> None:
    operator, stranger = (Identity(nkeys.PREFIX_BYTE_OPERATOR, name) for name in (b"o", b"s"))
    system, account = (Identity(nkeys.PREFIX_BYTE_ACCOUNT, name) for name in (b"system", b"ours"))
    user = Identity(nkeys.PREFIX_BYTE_USER, b"u")
    accounts = {
        one.name: operator.vouch(one, {"type": "account", "limits": limits})
        for one, limits in ((system, UNLIMITED), (account, UNLIMITED | WITH_STREAMS))
    }
    place = await start(
        f"""
        operator: {operator.vouch(operator, {"type": "operator"})}
        system_account: {system.name}
        resolver: MEMORY
        resolver_preload: {json.dumps(accounts)}
        """
    )
    urls = {}
    for name, issuer in (("good", account), ("bad", stranger)):
        token = issuer.vouch(user, {"type": "user", "subs": -1, "data": -1, "payload": -1})
        file = tmp_path / f"{name}.creds"
        file.write_text(CREDENTIALS.format(token=token, seed=user.seed.decode()))
        urls[name] = f"nats://{place}?creds={file}"
    assert await works(urls["good"])
    assert await is_refused(urls["bad"])
    assert await is_refused(f"nats://{place}")


async def test_a_certificate_of_its_authority_is_asked_for(
    tmp_path: Path, start: Callable[[str], Awaitable[str]]
) -> None:
    certify(tmp_path)
    own = f'cert_file: "{tmp_path}/own.pem", key_file: "{tmp_path}/own.key"'
    place = await start(f'tls {{ {own}, ca_file: "{tmp_path}/ca.pem", verify: true }}')
    files = f"ca={tmp_path}/ca.pem"
    assert await works(f"tls://{place}?{files}&cert={tmp_path}/own.pem&key={tmp_path}/own.key")
    assert await is_refused(f"tls://{place}?{files}")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("creds=/nowhere/a.creds", "creds=/nowhere/a.creds cannot be read"),
        ("credentials=/a", "has ca, cert, key and creds, and no credentials"),
        (f"ca={__file__}", "is of no use"),
        (f"cert={__file__}", "is of no use"),
    ],
)
def test_what_a_url_names_in_vain_is_told_in_a_sentence(query: str, told: str) -> None:
    with pytest.raises(Misconfigured, match=told):
        NatsAddress.parse(f"tls://127.0.0.1:4222?{query}")
