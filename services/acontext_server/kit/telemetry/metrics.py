"""Metrics, as Prometheus reads them; boards and alerts hold on to their names and labels."""

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram, start_http_server

from acontext.health import v1 as pb
from acontext_server.kit.config import Settings
from acontext_server.kit.health import Inspection

REFRESH_SECONDS = 5.0

RPC_SECONDS = Histogram(
    "acontext_rpc_seconds",
    "How long RPCs took, by service, method and canonical code.",
    ["service", "method", "code"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
RPCS_RUNNING = Gauge("acontext_rpcs_running", "RPCs that are being served.", ["service"])
RUNS = Counter("acontext_runs", "Runs that ended.", ["service", "role", "outcome"])
TOKENS = Counter("acontext_tokens", "Tokens that models took.", ["service", "role", "direction"])
SEARCHES = Counter("acontext_searches", "Searches, and whether they had an answer.", ["answered"])
UNOBSERVED_AGE = Gauge(
    "acontext_unobserved_age_seconds", "Age of the oldest message that waits to be observed."
)
OUTBOX_AGE = Gauge(
    "acontext_outbox_age_seconds", "Age of the oldest announcement no stream has.", ["service"]
)
DEAD_LETTERS = Gauge(
    "acontext_dead_letters", "Events that were given up on in seven days.", ["service"]
)
ENGINE_UP = Gauge("acontext_engine_up", "Whether an engine answers.", ["service", "engine"])

ROLES = {"observer": ("observer",), "space": ("distiller", "librarian", "searcher")}
OUTCOMES = ("success", "failed", "refused")


@contextmanager
def serving_metrics(settings: Settings) -> Iterator[None]:
    """Answer Prometheus at `ACONTEXT_METRICS_ADDRESS` until left, if it is set."""
    if not settings.metrics_address:
        yield
        return
    host, _, port = settings.metrics_address.rpartition(":")
    server, thread = start_http_server(int(port), host)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def count_run(service: str, role: str, outcome: str, *, taken: int = 0, given: int = 0) -> None:
    """Count a run that ended, with the tokens that a model took and gave for it."""
    RUNS.labels(service, role, outcome).inc()
    TOKENS.labels(service, role, "input").inc(taken)
    TOKENS.labels(service, role, "output").inc(given)


def count_search(*, answered: bool) -> None:
    """Count a search; one that finds nothing relevant has no answer."""
    SEARCHES.labels("yes" if answered else "no").inc()


def announce_counters(service: str) -> None:
    """Let counters stand at 0 from the start, so that their first step is seen as one."""
    for role in ROLES.get(service, ()):
        for outcome in OUTCOMES:
            RUNS.labels(service, role, outcome)
    if service == "space":
        SEARCHES.labels("yes")
        SEARCHES.labels("no")


async def keep_gauges(inspection: Inspection) -> None:
    """Look at a service again and again, for as long as the caller lives."""
    while True:
        _note(await inspection.report())
        await asyncio.sleep(REFRESH_SECONDS)


def _note(health: pb.ServiceHealth) -> None:
    """Show what was found; what could not be found out is shown as no number."""
    for engine in health.engines:
        ENGINE_UP.labels(health.name, engine.name).set(engine.reachable)
    OUTBOX_AGE.labels(health.name).set(
        health.outbox_age_seconds if health.HasField("outbox_age_seconds") else math.nan
    )
    DEAD_LETTERS.labels(health.name).set(
        health.dead_letters if health.HasField("dead_letters") else math.nan
    )
    if health.name == "session":
        UNOBSERVED_AGE.set(
            health.unobserved_age_seconds if health.HasField("unobserved_age_seconds") else math.nan
        )
