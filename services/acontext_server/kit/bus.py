"""NATS JetStream: a stream per service, durable consumers, a stream of dead letters."""

import asyncio
import os
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

import nats
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamConfig
from nats.js.errors import BadRequestError, NotFoundError
from opentelemetry.trace import SpanKind

from acontext_server.kit.errors import Unavailable
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.misconfiguration import Misconfigured
from acontext_server.kit.telemetry.traces import TRACE_KEY, traced

log = structlog.get_logger()

Handler = Callable[[bytes], Awaitable[None]]
"""Deals with one event. Called at least once for each; an exception means once more, later."""

KEEP_SECONDS = 7 * 24 * 3600
"""How long a stream remembers; owners announce facts again until they are answered."""
DEDUPLICATE_SECONDS = 120
DELIVERIES = 10
"""Tries before an event becomes a dead letter."""
ACK_WAIT_SECONDS = 60


class Bus:
    """A connection to NATS that outlives its server's restarts."""

    def __init__(self, client: Client, prefix: str, replicas: int) -> None:
        self._client = client
        self._jetstream: JetStreamContext = client.jetstream(timeout=5)
        self._prefix = prefix
        self._replicas = replicas

    def subject(self, service: str, event: str, project_id: ProjectId, entity: object) -> str:
        """Name where an event of a service is announced."""
        return f"{self._prefix}.{service}.v1.{event}.{project_id}.{entity}"

    async def ensure_stream(self, service: str) -> None:
        """Make a service's stream, and the one of dead letters, unless they are there.

        Waits for as long as NATS is away, or a cluster has no leader yet.
        """
        while True:
            try:
                await self._ensure(self._stream(service), f"{self._prefix}.{service}.v1.>")
                await self._ensure(self._stream("dead"), f"{self._prefix}.dead.>")
            except (NatsError, TimeoutError) as error:
                log.warning("stream_waits", service=service, error=repr(error))
                await asyncio.sleep(0.2 + random.random() * 0.3)
            else:
                return

    async def publish(
        self, subject: str, payload: bytes, *, message_id: str, trace: str | None = None
    ) -> None:
        """Announce a fact; returns when the stream has it. An id repeated soon is dropped."""
        headers = {"Nats-Msg-Id": message_id} | ({TRACE_KEY: trace} if trace else {})
        await self._jetstream.publish(subject, payload, headers=headers)

    async def nudge(self, subject: str, payload: bytes, *, trace: str | None = None) -> bool:
        """Announce something that nothing depends on, and say whether the stream has it."""
        if not self._client.is_connected:
            return False
        headers = {TRACE_KEY: trace} if trace else None
        try:
            await self._jetstream.publish(subject, payload, headers=headers)
        except (NatsError, TimeoutError):
            return False
        return True

    async def bury(self, durable: str, payload: bytes, *, message_id: str) -> None:
        """Keep what could not be dealt with where a person finds it."""
        await self.publish(f"{self._prefix}.dead.{durable}", payload, message_id=message_id)

    async def purge(self, service: str, project_id: ProjectId, entity: object) -> None:
        """Remove what a stream still holds of an entity, deletions excepted."""
        subject = f"{self._prefix}.{service}.v1.*.{project_id}.{entity}"
        await self._jetstream.purge_stream(self._stream(service), subject=subject)

    async def ask_version(self) -> str:
        """Ask JetStream for a sign of life, and give the server's version.

        Raises Unavailable when none comes.
        """
        if not self._client.is_connected:
            raise Unavailable("nats")
        try:
            await self._jetstream.account_info()
        except (NatsError, TimeoutError) as error:
            raise Unavailable("nats") from error
        server = self._client.connected_server_version
        return f"{server.major}.{server.minor}.{server.patch}"

    async def dead_letters(self, service: str) -> int:
        """Count the events on which a service's consumers gave up; raises Unavailable."""
        subjects = f"{self._prefix}.dead."
        try:
            info = await self._jetstream.stream_info(self._stream("dead"), f"{subjects}>")
        except NotFoundError:
            return 0
        except (NatsError, TimeoutError) as error:
            raise Unavailable("nats") from error
        counts = info.state.subjects or {}
        return sum(counts[name] for name in counts if name.startswith(subjects + service))

    async def listen(
        self, service: str, durable: str, events: Sequence[str], handler: Handler
    ) -> None:
        """Deal with a service's events for as long as the caller lives.

        events are names such as `task_completed`, or `deleted.session_deleted`; several processes
        that name the same durable share the work.
        """
        while True:
            try:
                await self.ensure_stream(service)
                subscription = await self._subscribe(service, durable, events)
                async with asyncio.TaskGroup() as handling:
                    while True:
                        for message in await _fetch(subscription):
                            handling.create_task(self._deal(message, durable, handler))
            except* NatsError as errors:
                log.warning("bus_interrupted", durable=durable, error=repr(errors.exceptions[0]))
            except* TimeoutError:
                log.warning("bus_interrupted", durable=durable, error="timeout")
            await asyncio.sleep(0.2 + random.random() * 0.3)

    async def overhear(self, service: str, event: str, note: Callable[[bytes], None]) -> None:
        """Note a service's events as they pass, in every process, for as long as the caller lives.

        What passes while nobody listens is missed.
        """
        subscription = await self._client.subscribe(f"{self._prefix}.{service}.v1.{event}.>")
        async for message in subscription.messages:
            note(message.data)

    async def _subscribe(
        self, service: str, durable: str, events: Sequence[str]
    ) -> JetStreamContext.PullSubscription:
        subjects = [f"{self._prefix}.{service}.v1.{event}.>" for event in events]
        config = ConsumerConfig(
            durable_name=durable,
            filter_subjects=subjects,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_SECONDS,
            deliver_policy=DeliverPolicy.ALL,
            max_ack_pending=256,
        )
        stream = self._stream(service)
        await self._jetstream.add_consumer(stream, config)
        return await self._jetstream.pull_subscribe_bind(durable, stream)

    async def _deal(self, message: Msg, durable: str, handler: Handler) -> None:
        deliveries = message.metadata.num_delivered or 1
        trace = (message.headers or {}).get(TRACE_KEY)
        try:
            with traced(f"event {durable}", trace, kind=SpanKind.CONSUMER):
                await handler(message.data)
            await message.ack()
        except Exception as error:
            if deliveries < DELIVERIES:
                log.warning("event_failed", durable=durable, tries=deliveries, error=repr(error))
                await message.nak(delay=min(2.0**deliveries, 300) * random.uniform(0.5, 1))
                return
            log.exception("event_buried", durable=durable)
            sequence = message.metadata.sequence.stream
            await self.bury(durable, message.data, message_id=f"{durable}-{sequence}")
            await message.term()

    async def _ensure(self, name: str, subject: str) -> None:
        config = StreamConfig(
            name=name,
            subjects=[subject],
            max_age=KEEP_SECONDS,
            duplicate_window=DEDUPLICATE_SECONDS,
            num_replicas=self._replicas,
        )
        try:
            await self._jetstream.stream_info(name)
        except NotFoundError:
            try:
                await self._jetstream.add_stream(config)
            except BadRequestError:  # another process was faster
                await self._jetstream.stream_info(name)

    def _stream(self, service: str) -> str:
        return f"{self._prefix}_{service}".replace(".", "_")


async def _fetch(subscription: JetStreamContext.PullSubscription) -> list[Msg]:
    try:
        return await subscription.fetch(64, timeout=5)
    except TimeoutError:
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsAddress:
    """What `nats://user:password@host:port,host:port?ca=FILE` says; a token is a user alone.

    `creds` names a file of credentials, `cert` and `key` those of a client's certificate.
    """

    servers: list[str]
    user: str | None = None
    password: str | None = None
    token: str | None = None
    creds: str | None = None
    tls: ssl.SSLContext | None = None

    @classmethod
    def parse(cls, url: str) -> "NatsAddress":
        """Read the URL; all servers share scheme and credentials. Raises Misconfigured."""
        scheme, _, rest = url.partition("://")
        places, _, query = rest.partition("?")
        credentials, _, hosts = places.rpartition("@")
        user, has_password, password = credentials.partition(":")
        files = _files(query)
        return cls(
            servers=[f"{scheme}://{host}" for host in hosts.split(",")],
            # The client takes what stands in a URL as it is, escapes included.
            user=unquote(user) if has_password else None,
            password=unquote(password) if has_password else None,
            token=unquote(user) if user and not has_password else None,
            creds=files.get("creds"),
            tls=_tls(files),
        )


def _files(query: str) -> dict[str, str]:
    files = {name: values[-1] for name, values in parse_qs(query).items()}
    for name, file in files.items():
        if name not in ("ca", "cert", "key", "creds"):
            raise Misconfigured(f"ACONTEXT_NATS_URL has ca, cert, key and creds, and no {name}.")
        if not os.access(file, os.R_OK):
            raise Misconfigured(f"ACONTEXT_NATS_URL: {name}={file} cannot be read.")
    return files


def _tls(files: Mapping[str, str]) -> ssl.SSLContext | None:
    if not files.keys() & {"ca", "cert"}:
        return None
    try:
        context = ssl.create_default_context(cafile=files.get("ca"))
        if "cert" in files:
            context.load_cert_chain(files["cert"], files.get("key"))
    except ssl.SSLError as error:
        raise Misconfigured(f"ACONTEXT_NATS_URL: ca, cert or key is of no use: {error}.") from error
    return context


async def connect(url: str, **options: Any) -> Client:
    """Connect to any of the servers that a URL names."""
    address = NatsAddress.parse(url)
    return await nats.connect(
        address.servers,
        user=address.user,
        password=address.password,
        token=address.token,
        user_credentials=address.creds,
        tls=address.tls,
        **options,
    )


@asynccontextmanager
async def open_bus(url: str, *, prefix: str, replicas: int = 1) -> AsyncIterator[Bus]:
    """Connect to one of the servers, and stay connected whatever happens to it."""

    async def note(error: Exception) -> None:
        log.debug("bus_error", error=repr(error))

    client = await connect(
        url,
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,
        connect_timeout=5,
        error_cb=note,
        allow_reconnect=True,
    )
    try:
        yield Bus(client, prefix, replicas)
    finally:
        with suppress(ConnectionError):  # the server may be gone before us
            await client.close()
