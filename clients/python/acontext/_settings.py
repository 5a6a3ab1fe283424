"""Where Acontext is and how patient a client is: arguments first, then the environment."""

import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module, metadata
from typing import Self
from urllib.parse import urlsplit

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message

from .errors import AcontextError, APIError, Conflict, DeadlineExceeded, TransportError, Unavailable

DEFAULT_BASE_URL = "http://localhost:8029/api/v1"
DEFAULT_TIMEOUT = 32.0
_BASE_PATHS = ("", "/api/v1")
_LARGEST_ANSWER_BYTES = 96 * 2**20
_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the gateway is."""

    base_url: str
    target: str
    secure: bool
    root_certificates: bytes | None
    user_agent: str

    @property
    def options(self) -> list[tuple[str, str | int]]:
        """Settings of a channel: our retries instead of gRPC's, and quick reconnecting."""
        return [
            ("grpc.primary_user_agent", self.user_agent),
            ("grpc.max_receive_message_length", _LARGEST_ANSWER_BYTES),
            ("grpc.enable_retries", 0),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1000),
            ("grpc.keepalive_time_ms", 60_000),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a call may take, and how often it is tried again."""

    timeout: float
    """Seconds for a call with all its retries."""
    retries: int

    def with_options(self, *, timeout: float | None, max_retries: int | None) -> Self:
        """Give one that differs in what is given."""
        return replace(
            self,
            timeout=self.timeout if timeout is None else timeout,
            retries=self.retries if max_retries is None else max_retries,
        )

    def pause(self, failure: AcontextError, *, attempt: int) -> float | None:
        """Give the seconds to wait before another attempt; None if it would not help."""
        if attempt >= self.retries or not passes_by(failure):
            return None
        asked = failure.retry_after if isinstance(failure, APIError) else None
        return max(asked or 0.0, jitter(attempt))


def passes_by(failure: AcontextError) -> bool:
    """Say whether the same call may succeed a little later."""
    if isinstance(failure, DeadlineExceeded):
        return False
    if isinstance(failure, APIError) and failure.retry_after is not None:
        return True
    return isinstance(failure, TransportError | Unavailable | Conflict)


def jitter(attempt: int) -> float:
    """Give a pause that doubles with each attempt and is never quite the same."""
    longest = min(_LONGEST_PAUSE_SECONDS, _PAUSE_SECONDS * 2 ** min(attempt, 10))
    return random.uniform(longest / 2, longest)


def key_of(api_key: str | None) -> str:
    """Give the key, from the argument or ACONTEXT_API_KEY."""
    key = (api_key or os.getenv("ACONTEXT_API_KEY") or "").strip()
    if not key:
        raise ValueError("no API key: give api_key=… or set ACONTEXT_API_KEY")
    return key


def timeout_of(timeout: float | None) -> float:
    """Give the time-out in seconds, from the argument or ACONTEXT_TIMEOUT."""
    given = os.getenv("ACONTEXT_TIMEOUT") if timeout is None else timeout
    try:
        return DEFAULT_TIMEOUT if given in (None, "") else float(given or 0)
    except ValueError:
        raise ValueError(f"ACONTEXT_TIMEOUT is seconds, not {given!r}") from None


def address_of(
    base_url: str | None, user_agent: str | None, root_certificates: bytes | None
) -> Address:
    """Read an address such as `http://localhost:8029/api/v1`; https means TLS."""
    url = (base_url or os.getenv("ACONTEXT_BASE_URL") or DEFAULT_BASE_URL).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"base_url is no http:// or https:// address: {url!r}")
    if parts.path not in _BASE_PATHS or parts.query or parts.fragment:
        raise ValueError(f"base_url ends with /api/v1 or with the port, unlike {url!r}")
    secure = parts.scheme == "https"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    agent = user_agent or os.getenv("ACONTEXT_USER_AGENT") or f"acontext-python/{version()}"
    return Address(
        base_url=url,
        target=f"dns:///{host}:{parts.port or (443 if secure else 80)}",
        secure=secure,
        root_certificates=root_certificates,
        user_agent=agent,
    )


def version() -> str:
    """Give the version of this package."""
    try:
        return metadata.version("acontext")
    except metadata.PackageNotFoundError:
        return "0.0.0"  # a checkout that was not installed


_SERVICES = (
    "acontext.health.v1.health_service_pb2",
    "acontext.session.v1.project_service_pb2",
    "acontext.session.v1.session_service_pb2",
    "acontext.disk.v1.disk_service_pb2",
    "acontext.observer.v1.task_service_pb2",
    "acontext.observer.v1.run_service_pb2",
    "acontext.space.v1.space_service_pb2",
    "acontext.space.v1.skill_service_pb2",
)


def is_repeatable(request: Message) -> bool:
    """Say whether a call may be sent again although nobody knows what became of it.

    The contract marks those; any other may be with a request id, which the services answer once.
    """
    method = _methods()[request.DESCRIPTOR.full_name]
    level = method.GetOptions().idempotency_level
    if level != MethodOptions.IDEMPOTENCY_UNKNOWN:
        return True
    return bool(getattr(request, "request_id", ""))


@cache
def _methods() -> Mapping[str, MethodDescriptor]:
    """Every RPC by the name of its request, which it shares with no other."""
    return {
        method.input_type.full_name: method
        for module in _SERVICES
        for service in import_module(module).DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
