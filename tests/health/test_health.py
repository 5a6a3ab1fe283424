"""Health tells the truth: to probes in a word, to the operator with reasons and what to do."""

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from grpc import StatusCode, aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from acontext.health import v1 as pb
from acontext.session import v1 as session_pb
from acontext_server.kit import migrations
from acontext_server.kit.bus import open_bus
from acontext_server.kit.config import Settings
from acontext_server.kit.engines import Nats, free_port, supervise
from acontext_server.kit.ids import ProjectId, uuid7
from tests.services import ADMIN_KEY, ROOT_KEY, SERVICES, Platform

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SESSIONS = "acontext.session.v1.SessionService"
READY, LIVE = "", "live"


async def health_of(platform: Platform) -> pb.Health:
    stub = pb.HealthServiceStub(platform.channel("session"))
    return (await stub.GetHealth(pb.GetHealthRequest(), metadata=platform.operator)).health


async def probed(platform: Platform, service: str, name: str) -> Any:
    probe = health_pb2_grpc.HealthStub(platform.channel(service))
    return (await probe.Check(health_pb2.HealthCheckRequest(service=name))).status


def engine(health: pb.Health, service: str, name: str) -> pb.EngineHealth:
    (found,) = [one for one in health.services if one.name == service]
    (engine,) = [one for one in found.engines if one.name == name]
    return engine


def part(health: pb.Health, service: str) -> pb.ServiceHealth:
    (found,) = [one for one in health.services if one.name == service]
    return found


async def run_sql(settings: Settings, statement: str) -> None:
    async with await psycopg.AsyncConnection.connect(settings.database_url) as connection:
        await connection.execute(statement.encode())


async def test_a_healthy_installation_names_all_that_it_stands_on(platform: Platform) -> None:
    await platform.start(*SERVICES)
    health = await health_of(platform)
    assert (health.healthy, list(health.problems)) == (True, [])
    stands_on = {one.name: [engine.name for engine in one.engines] for one in health.services}
    assert stands_on == {
        "session": ["database", "nats", "blobs"],
        "disk": ["database", "nats", "blobs"],
        "observer": ["database", "nats", "model"],
        "space": ["database", "nats", "vectors", "embedder", "model"],
    }
    for service in health.services:
        assert service.ready
        assert service.migration == service.migration_head
        assert service.outbox_age_seconds < 60
        assert all(one.reachable and one.HasField("latency_ms") for one in service.engines)
    assert part(health, "session").HasField("unobserved_age_seconds")
    assert not part(health, "disk").HasField("unobserved_age_seconds")
    assert engine(health, "space", "database").version.startswith("18")
    assert engine(health, "space", "nats").version.startswith("2.")
    assert engine(health, "space", "vectors").adapter == "pgvector"


async def test_no_secret_is_in_the_answer(platform: Platform) -> None:
    settings = platform.settings
    port = free_port()
    settings.model_url, settings.model_key = f"openai://127.0.0.1:{port}/v1?secure=false", "sk-xyz"
    await platform.start("session", "observer")
    told = str(await health_of(platform))
    secrets = [settings.internal_secret, ADMIN_KEY, ROOT_KEY, "sk-xyz", settings.nats_url]
    assert [secret for secret in secrets if secret in told] == []


@pytest.mark.parametrize("key", [ROOT_KEY, "sk-ac-nobodys"])
async def test_only_the_operator_may_ask(platform: Platform, key: str) -> None:
    await platform.start("session")
    stub = pb.HealthServiceStub(platform.channel("session"))
    with pytest.raises(aio.AioRpcError) as refused:
        await stub.GetHealth(pb.GetHealthRequest(), metadata=(("authorization", f"Bearer {key}"),))
    expected = StatusCode.PERMISSION_DENIED if key == ROOT_KEY else StatusCode.UNAUTHENTICATED
    assert refused.value.code() is expected


async def test_a_service_that_does_not_run_is_named_with_its_setting(platform: Platform) -> None:
    await platform.start("session", "disk", "space")
    health = await health_of(platform)
    assert not health.healthy
    assert [one.name for one in health.services if not one.reachable] == ["observer"]
    (problem,) = health.problems
    assert problem.startswith(f"observer: does not answer at {platform.settings.observer_address}")
    assert "ACONTEXT_OBSERVER_ADDRESS" in problem


async def test_a_schema_that_is_behind_says_how_it_is_migrated(platform: Platform) -> None:
    await platform.start("session")
    await run_sql(platform.settings, "update session.alembic_version set version_num = '0001'")
    assert await probed(platform, "session", READY) == NOT_SERVING
    assert await probed(platform, "session", SESSIONS) == NOT_SERVING
    assert await probed(platform, "session", LIVE) == SERVING
    told = part(await health_of(platform), "session")
    assert (told.ready, told.migration) == (False, "0001")
    assert "acontext_server.kit.migrations upgrade session" in " ".join(told.problems)


async def test_a_schema_of_a_later_version_can_be_worked_with(platform: Platform) -> None:
    await platform.start("session")
    await run_sql(platform.settings, "update session.alembic_version set version_num = '9999'")
    assert await probed(platform, "session", READY) == SERVING


def test_only_what_was_migrated_far_enough_suffices() -> None:
    known = migrations.revisions("session")
    assert known.suffices(known.head)
    assert not known.suffices(None)
    assert not any(map(known.suffices, known.before))


async def test_without_its_blobs_session_is_not_ready_and_yet_answers(platform: Platform) -> None:
    await platform.start("session", "disk")
    assert await probed(platform, "session", READY) == SERVING
    shutil.rmtree(Path(platform.settings.blobs_url.removeprefix("file://")))
    assert await probed(platform, "session", READY) == NOT_SERVING
    assert await probed(platform, "session", SESSIONS) == SERVING
    assert await probed(platform, "disk", "acontext.disk.v1.DiskService") == NOT_SERVING
    health = await health_of(platform)
    assert not engine(health, "session", "blobs").reachable
    together = [one for one in health.problems if one.startswith("session, disk: blobs (file)")]
    assert len(together) == 1
    assert "ACONTEXT_BLOBS_URL" in together[0]


async def test_readiness_follows_nats_as_it_goes_and_comes_back(
    platform: Platform, state_folder: Path
) -> None:
    folder = state_folder / "nats"
    async with supervise(folder) as first:
        nats = Nats(first.folder)
        platform.settings.nats_url = nats.url
        await first.start(nats)
        await platform.start("session")
        assert await probed(platform, "session", READY) == SERVING
    assert await probed(platform, "session", READY) == NOT_SERVING
    assert await probed(platform, "session", SESSIONS) == SERVING
    health = await health_of(platform)
    assert engine(health, "session", "nats").remedy
    assert nats.url.split("//")[1].split("@")[0] not in str(health)
    async with supervise(folder) as second:
        await second.start(nats)
        await eventually_ready(platform, "session")
        await platform.stop("session")


async def eventually_ready(platform: Platform, service: str) -> None:
    end = time.monotonic() + 15
    while await probed(platform, service, READY) != SERVING:
        assert time.monotonic() < end
        await asyncio.sleep(0.1)


async def test_an_endpoint_that_is_away_is_told_and_leaves_the_service_ready(
    platform: Platform,
) -> None:
    url = f"openai://127.0.0.1:{free_port()}/v1?secure=false"
    platform.settings.model_url = url
    await platform.start("session", "observer")
    assert await probed(platform, "observer", READY) == SERVING
    health = await health_of(platform)
    model = engine(health, "observer", "model")
    assert (model.adapter, model.reachable, part(health, "observer").ready) == (
        "openai",
        False,
        True,
    )
    assert "ACONTEXT_MODEL_URL" in model.remedy


async def test_what_was_given_up_on_is_counted_for_whom_it_was(platform: Platform) -> None:
    await platform.start("session", "disk")
    settings = platform.settings
    async with open_bus(settings.nats_url, prefix=settings.nats_prefix) as bus:
        await bus.ensure_stream("disk")
        await bus.bury("disk_deletions", b"poison", message_id="1")
    health = await health_of(platform)
    assert part(health, "disk").dead_letters == 1
    assert part(health, "session").dead_letters == 0
    assert any(one.startswith("disk: 1 events were given up on") for one in health.problems)


async def waiting_message(platform: Platform) -> ProjectId:
    """Make a project in which a message has waited for 20 minutes."""
    project_id = ProjectId(uuid7())
    key, session_id = f"'{project_id}'", f"'{uuid7()}'"
    await run_sql(
        platform.settings,
        f"insert into session.project (project_id, name) values ({key}, 'p');"
        "insert into session.session (project_id, session_id, disable_task_tracking, configs)"
        f" values ({key}, {session_id}, false, '{{}}');"
        "insert into session.log (project_id, session_id, tracked, waiting_since)"
        f" values ({key}, {session_id}, true, now() - interval '20 minutes')",
    )
    return project_id


async def test_a_message_that_waits_too_long_is_told(platform: Platform) -> None:
    await platform.start("session")
    await waiting_message(platform)
    told = part(await health_of(platform), "session")
    assert 1200 <= told.unobserved_age_seconds < 1300
    assert any("s to be observed" in problem for problem in told.problems)


async def test_what_waits_where_models_pause_is_not_late_until_the_pause_is_over(
    platform: Platform,
) -> None:
    await platform.start("session")
    project_id = await waiting_message(platform)
    sessions = session_pb.SessionServiceStub(platform.channel("session"))

    async def age(*, paused_for: int) -> float:
        request = session_pb.RecordPauseRequest()
        request.paused_until.FromSeconds(int(time.time()) + paused_for)
        await sessions.RecordPause(request, metadata=platform.as_service(project_id))
        return part(await health_of(platform), "session").unobserved_age_seconds

    assert await age(paused_for=60) == 0
    assert await age(paused_for=-1) > 1200
    assert await age(paused_for=60) == 0
    await waiting_message(platform)
    assert await age(paused_for=60) > 1200


@pytest.fixture
async def watch(platform: Platform) -> Any:
    await platform.start("disk")
    probe = health_pb2_grpc.HealthStub(platform.channel("disk"))
    return probe.Watch(health_pb2.HealthCheckRequest(service=READY))


async def test_who_watches_sees_the_end_and_does_not_delay_it(
    platform: Platform, watch: Any
) -> None:
    told = aiter(watch)
    assert (await anext(told)).status == SERVING
    began = time.monotonic()
    await platform.stop("disk")
    assert (await anext(told)).status == NOT_SERVING
    assert time.monotonic() - began < 8
    assert [one async for one in told] == []


async def test_a_name_that_nobody_has_is_not_found(platform: Platform) -> None:
    await platform.start("disk")
    with pytest.raises(aio.AioRpcError) as refused:
        await probed(platform, "disk", "acontext.nobody.v1.Nothing")
    assert refused.value.code() is StatusCode.NOT_FOUND
