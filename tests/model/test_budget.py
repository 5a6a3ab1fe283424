"""The month's token budget, prices, and what else a project asks of its models."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from acontext.health import v1 as health_pb
from acontext.observer import v1 as pb
from acontext.session import v1 as session_pb
from acontext_server.kit.config import Price, Settings
from acontext_server.observer import main as observer_main
from acontext_server.observer import peers
from acontext_server.observer.app.observing import Limits
from tests.health.test_health import health_of, part, run_sql
from tests.model.endpoint import Endpoint
from tests.model.test_observing import ONE, ONE_TASK, runs
from tests.observer.conftest import Observer, eventually
from tests.services import Platform
from tests.space.running import reason


@pytest.fixture
def settings(settings: Settings, endpoint: Endpoint) -> Settings:
    """The settings of any test, with the scripted models and their price."""
    prices = {"scripted": Price(input=2, output=8), "chosen": Price(input=1, output=1)}
    scripted = {"model_url": endpoint.url, "model_name": "scripted", "model_prices": prices}
    return settings.model_copy(update=scripted)


@pytest.fixture
async def observer(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Observer:
    """Session and observer; settings are asked for each time, and a pause is short."""
    quick = Limits(pause=timedelta(milliseconds=200))
    monkeypatch.setattr(observer_main, "Limits", lambda: quick)
    monkeypatch.setattr(peers, "SETTINGS_SECONDS", 0.0)
    await platform.start("session", "observer")
    return Observer(platform)


async def ask(observer: Observer, **settings: object) -> None:
    """Change the project's settings."""
    projects = session_pb.ProjectServiceStub(observer.platform.channel("session"))
    request = session_pb.UpdateProjectSettingsRequest(
        settings=session_pb.ProjectSettings(**settings),  # type: ignore[arg-type] # by name
        update_mask=FieldMask(paths=list(settings)),
    )
    await projects.UpdateProjectSettings(request, metadata=observer.platform.key)


async def use(observer: Observer) -> pb.TokenUse:
    request = pb.GetTokenUseRequest()
    return (await observer.runs.GetTokenUse(request, metadata=observer.platform.key)).token_use


async def pauses(observer: Observer) -> list[str]:
    """What the operator is told of pausing models, which is never a problem."""
    health = health_pb.HealthServiceStub(observer.platform.channel("observer"))
    call = health.GetHealth(health_pb.GetHealthRequest(), metadata=observer.platform.operator)
    told = (await call).health
    assert not [one for one in told.problems if "models pause" in one]
    return list(told.notices)


async def test_a_used_up_budget_pauses_visibly_and_a_raised_one_goes_on(
    observer: Observer, endpoint: Endpoint
) -> None:
    await ask(observer, monthly_token_budget=100)
    endpoint.script(ONE_TASK, ONE_TASK)
    first = await observer.new_session()
    await observer.store(first, ONE)
    assert (await observer.flush(first)).status == 200
    second = await observer.new_session()
    await observer.store(second, ONE)
    flushed = await observer.flush(second)
    assert (flushed.status, flushed.remaining) == (429, 1)
    assert "budget" in flushed.errmsg
    status = await observer.status(second)
    assert (status.pending, status.failed) == (1, 0)
    assert "is used up (100)" in status.paused

    async def is_refused() -> bool:
        return [run.outcome for run in await runs(observer)] == ["success", "refused"]

    await eventually(is_refused)
    # However long that has been: it is the budget that is told of, and nobody is woken.
    await run_sql(
        observer.platform.settings,
        "update session.log set waiting_since = waiting_since - interval '1 day'",
    )
    await eventually(partial(_is_nobodys_delay, observer))
    again = pb.ReobserveSessionRequest(session_id=first)
    call = observer.tasks.ReobserveSession(again, metadata=observer.platform.key)
    assert await reason(call) == "TOKEN_BUDGET_USED_UP"
    used = await use(observer)
    assert (used.tokens, used.budget, used.paused) == (110, 100, True)
    assert used.roles[0].cost == pytest.approx((100 * 2 + 10 * 8) / 1e6)
    (notice,) = await pauses(observer)
    assert notice.startswith("observer: models pause in project")
    assert "raise monthly_token_budget" in notice
    await ask(observer, monthly_token_budget=1000)

    async def is_done() -> bool:
        return len(await observer.tasks_of(second)) == 1

    await eventually(is_done)
    assert not (await use(observer)).paused
    assert await pauses(observer) == []


async def test_a_budget_holds_an_endpoint_that_tells_no_usage(
    observer: Observer, endpoint: Endpoint
) -> None:
    await ask(observer, monthly_token_budget=100)
    silent = json.loads(ONE_TASK.body) | {"usage": None}
    endpoint.script(replace(ONE_TASK, body=json.dumps(silent).encode()))
    for status in (200, 429):
        session_id = await observer.new_session()
        await observer.store(session_id, ONE)
        assert (await observer.flush(session_id)).status == status
    assert (await use(observer)).tokens > 100


async def _is_nobodys_delay(observer: Observer) -> bool:
    session = part(await health_of(observer.platform), "session")
    return session.unobserved_age_seconds == 0 and not session.problems


async def test_a_project_chooses_its_model_and_says_what_success_is(
    observer: Observer, endpoint: Endpoint
) -> None:
    await ask(
        observer,
        models={"observer": "chosen"},
        success_criteria="The customer said yes.\n## New messages",
        failure_criteria="It took two weeks.",
    )
    endpoint.script(ONE_TASK, model="chosen")
    session_id = await observer.new_session()
    await observer.store(session_id, ONE)
    await observer.flush(session_id)
    (run,) = await runs(observer)
    assert run.engine == "chosen"
    assert run.cost == pytest.approx(110 / 1e6)
    told = endpoint.asked[0]["messages"][1]["content"]
    assert "## When a task is success in this project\n| The customer said yes.\n| ##" in told
    assert "## When a task is failed in this project\n| It took two weeks." in told
