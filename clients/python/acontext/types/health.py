"""How an installation is, as its services see it."""

from dataclasses import dataclass, field

from .._model import Model, Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineHealth(Model):
    """How one engine answers one service."""

    name: str
    """`database`, `nats`, `blobs`, `vectors`, `embedder` or `model`."""
    adapter: str
    reachable: bool
    version: str | None = None
    latency_ms: float | None = None
    problem: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceHealth(Model):
    """How one service is, with the engines that it uses."""

    name: str
    reachable: bool
    ready: bool
    version: str
    engines: list[EngineHealth]
    migration_head: str | None = None
    migration: str | None = None
    outbox_age_seconds: float | None = None
    unobserved_age_seconds: float | None = None
    dead_letters: int | None = None
    problems: list[str]
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health(Model):
    """Whether anything is wrong, and what to do about it."""

    healthy: bool
    problems: list[str]
    services: list[ServiceHealth]
    checked_at: Timestamp
    notices: list[str] = field(default_factory=list)
    """What is no problem and may surprise, such as a used-up token budget."""
