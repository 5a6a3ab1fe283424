"""Who calls: a project with its key, the operator, or another service."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from acontext_server.kit.errors import PermissionDenied, Unauthenticated
from acontext_server.kit.ids import NOBODY, ProjectId
from acontext_server.kit.telemetry.traces import TRACE_KEY, carried

PROJECT_HEADER = "x-acontext-project"
"""Carries the project for which a service acts, with an expiry and a signature."""
KEY_PREFIX = "sk-ac-"
SIGNATURE_SECONDS = 120
CACHE_SECONDS = 3.0
"""How long a resolved key is believed; a revoked one is refused at most this much later."""
CACHE_SIZE = 10_000


class CallerKind(StrEnum):
    """What a credential is."""

    PROJECT = "project"
    OPERATOR = "operator"
    SERVICE = "service"
    ANYONE = "anyone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, and for which project."""

    kind: CallerKind
    project: ProjectId | None = None

    @property
    def project_id(self) -> ProjectId:
        """The caller's project; PermissionDenied for the operator, who has none."""
        if self.project is None:
            raise PermissionDenied("this call needs a project's key")
        return self.project


_caller: ContextVar[Caller] = ContextVar("caller")


def caller() -> Caller:
    """Return who made the RPC that is being served."""
    return _caller.get()


def set_caller(who: Caller) -> None:
    """Say who makes the RPC that is being served; called by the interceptor only."""
    _caller.set(who)


class Signer:
    """Signs calls from service to service, and checks the signature."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def metadata(self, project_id: ProjectId = NOBODY) -> tuple[tuple[str, str], ...]:
        """Make the metadata of a call on behalf of a project, with the trace that it belongs to."""
        text = f"{project_id}.{int(time.time()) + SIGNATURE_SECONDS}"
        signed = (PROJECT_HEADER, f"{text}.{self._sign(text)}")
        trace = carried()
        return (signed, (TRACE_KEY, trace)) if trace else (signed,)

    def project_of(self, header: str) -> ProjectId:
        """Open a header; Unauthenticated if we did not sign it, or too long ago."""
        text, _, signature = header.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(text).encode()):
            raise Unauthenticated
        project, _, expires = text.partition(".")
        if int(expires) < time.time():
            raise Unauthenticated
        return ProjectId(UUID(project))

    def _sign(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


@dataclass(slots=True)
class Keys:
    """Resolves keys and remembers the answers, good and bad, for a moment."""

    resolve: Callable[[str], Awaitable[ProjectId | None]]
    """Asks the owner of keys whose a secret is."""
    _known: dict[bytes, tuple[float, asyncio.Future[ProjectId | None]]] = field(
        default_factory=dict
    )

    def forget(self) -> None:
        """Ask again for every key: some have changed."""
        self._known.clear()

    async def project_of(self, secret: str) -> ProjectId:
        """Say whose key it is; Unauthenticated if nobody's."""
        if not secret.startswith(KEY_PREFIX):
            raise Unauthenticated
        key = hashlib.sha256(secret.encode()).digest()
        known = self._known.get(key)
        if known is None or known[0] < time.monotonic() or _broken(known[1]):
            known = (time.monotonic() + CACHE_SECONDS, asyncio.ensure_future(self.resolve(secret)))
            if len(self._known) >= CACHE_SIZE:
                self._known.clear()
            self._known[key] = known
        answer = known[1]
        # One caller's cancellation must not end the question that others wait for.
        project_id = answer.result() if answer.done() else await asyncio.shield(answer)
        if project_id is None:
            raise Unauthenticated
        return project_id


def _broken(answer: asyncio.Future[ProjectId | None]) -> bool:
    return answer.done() and (answer.cancelled() or answer.exception() is not None)
