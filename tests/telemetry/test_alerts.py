"""Each alert fires in the state that it is for, as a real Prometheus sees it, and in no other."""

import asyncio
import json
import re
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grpc import aio

from acontext.session import v1 as session
from acontext.space import v1 as space
from acontext_server.kit.bus import open_bus
from acontext_server.kit.engines import Nats, free_port, supervise
from acontext_server.kit.ids import uuid7
from acontext_server.kit.telemetry.metrics import serving_metrics
from tests.engines import find_or_skip
from tests.health.test_health import run_sql
from tests.services import SERVICES, Platform
from tests.telemetry.prometheus import RULES, Prometheus, read_rules

pytestmark = pytest.mark.engines
SECONDS = 60
BOARD = json.loads(Path("deploy/grafana/acontext.json").read_text())
EXPRESSIONS = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]


@pytest.fixture
def metrics(platform: Platform) -> Iterator[str]:
    """Where the services of this process show their metrics."""
    address = platform.settings.metrics_address = f"127.0.0.1:{free_port()}"
    with serving_metrics(platform.settings):
        yield address


@pytest.fixture
async def prometheus(metrics: str, state_folder: Path) -> AsyncIterator[Prometheus]:
    async with supervise(state_folder / "watching") as supervisor:
        server = Prometheus(supervisor.folder, target=metrics)
        await supervisor.start(server)
        yield server


async def until_fires(prometheus: Prometheus, alert: str, **labels: str) -> None:
    end = time.monotonic() + SECONDS
    while True:
        firing = await prometheus.firing()
        if any({"alertname": alert, **labels}.items() <= one.items() for one in firing):
            return
        assert time.monotonic() < end, f"not {alert}, but {firing}"
        await asyncio.sleep(0.5)


async def until_known(prometheus: Prometheus, expression: str) -> None:
    end = time.monotonic() + SECONDS
    while not await prometheus.values(expression):
        assert time.monotonic() < end, f"nothing is {expression}"
        await asyncio.sleep(0.5)


async def test_nothing_fires_where_all_is_well(platform: Platform, prometheus: Prometheus) -> None:
    await platform.start(*SERVICES)
    await until_known(prometheus, "acontext_engine_up")
    await until_known(prometheus, "acontext_unobserved_age_seconds")
    assert await prometheus.firing() == []


async def test_messages_that_wait_fire(platform: Platform, prometheus: Prometheus) -> None:
    await platform.start("session")
    key, session_id = f"'{uuid7()}'", f"'{uuid7()}'"
    await run_sql(
        platform.settings,
        f"insert into session.project (project_id, name) values ({key}, 'p');"
        "insert into session.session (project_id, session_id, disable_task_tracking, configs)"
        f" values ({key}, {session_id}, false, '{{}}');"
        "insert into session.log (project_id, session_id, tracked, waiting_since)"
        f" values ({key}, {session_id}, true, now() - interval '20 minutes')",
    )
    await until_fires(prometheus, "AcontextMessagesWait")


async def test_announcements_that_wait_and_an_engine_that_is_away_fire(
    platform: Platform, prometheus: Prometheus, state_folder: Path
) -> None:
    async with supervise(state_folder / "nats") as supervisor:
        nats = Nats(supervisor.folder)
        platform.settings.nats_url = nats.url
        await supervisor.start(nats)
        await platform.start("disk")
    await run_sql(
        platform.settings,
        "insert into disk.outbox (project_id, id, event, entity, payload, created_at) values"
        f" ('{uuid7()}', '{uuid7()}', 'happened', '{uuid7()}', '', now() - interval '5 minutes')",
    )
    await until_fires(prometheus, "AcontextAnnouncementsWait", service="disk")
    await until_fires(prometheus, "AcontextEngineAway", service="disk", engine="nats")
    async with supervise(state_folder / "nats") as supervisor:
        await supervisor.start(nats)
        await platform.stop("disk")


async def test_dead_letters_fire(platform: Platform, prometheus: Prometheus) -> None:
    await platform.start("disk")
    settings = platform.settings
    async with open_bus(settings.nats_url, prefix=settings.nats_prefix) as bus:
        await bus.ensure_stream("disk")
        await bus.bury("disk_deletions", b"poison", message_id="1")
    await until_fires(prometheus, "AcontextDeadLetters", service="disk")


async def test_runs_that_fail_fire(platform: Platform, prometheus: Prometheus) -> None:
    platform.settings.model_url = f"openai://127.0.0.1:{free_port()}/v1?secure=false"
    platform.settings.model_retries = 0
    await platform.start("session", "observer")
    await until_known(prometheus, 'acontext_runs_total{role="observer"}')
    sessions = session.SessionServiceStub(platform.channel("session"))
    made = await sessions.CreateSession(session.CreateSessionRequest(), metadata=platform.key)
    await sessions.StoreMessageJson(
        session.StoreMessageJsonRequest(
            session_id=made.session.id,
            body={
                "content_type": "application/json",
                "data": b'{"blob":{"role":"user","content":"Book a table for two."}}',
            },
        ),
        metadata=platform.key,
    )
    await until_fires(prometheus, "AcontextRunsFail", service="observer", role="observer")


async def test_the_usual_four_and_the_share_of_searches_are_shown(
    platform: Platform, prometheus: Prometheus
) -> None:
    await platform.start("session", "space")
    spaces = space.SpaceServiceStub(platform.channel("space"))
    skills = space.SkillServiceStub(platform.channel("space"))
    made = await spaces.CreateSpace(space.CreateSpaceRequest(), metadata=platform.key)
    wanted = space.SearchSkillsRequest(space_id=made.space.id, query="anything")
    await skills.SearchSkills(wanted, metadata=platform.key)
    wanted.space_id = str(uuid7())
    with pytest.raises(aio.AioRpcError):
        await skills.SearchSkills(wanted, metadata=platform.key)
    for code in ("OK", "NOT_FOUND"):
        counted = (
            f'acontext_rpc_seconds_count{{service="space",method="SearchSkills",code="{code}"}}'
        )
        await until_known(prometheus, f"{counted} > 0")
    await until_known(prometheus, 'acontext_rpcs_running{service="space"} == 0')
    await until_known(prometheus, 'acontext_searches_total{answered="no"} > 0')


async def test_every_expression_of_the_board_is_one_and_names_what_is_shown(
    platform: Platform, prometheus: Prometheus
) -> None:
    await platform.start(*SERVICES)
    await until_known(prometheus, "acontext_engine_up")
    assert len(EXPRESSIONS) > 10
    for expression in EXPRESSIONS:
        await prometheus.values(expression)
    shown = {name for one in EXPRESSIONS for name in re.findall(r"acontext_[a-z_]+", one)}
    known = await prometheus.names()
    assert {re.sub("_(bucket|count)$", "", name) for name in shown} - known == set()


HOLDS = {
    "AcontextMessagesWait": {"acontext_unobserved_age_seconds": "301x30"},
    "AcontextAnnouncementsWait": {'acontext_outbox_age_seconds{service="disk"}': "61x30"},
    "AcontextDeadLetters": {'acontext_dead_letters{service="disk"}': "1x30"},
    "AcontextRunsFail": {
        'acontext_runs_total{service="space",role="distiller",outcome="failed"}': "0+1x30",
        'acontext_runs_total{service="space",role="distiller",outcome="succeeded"}': "0+3x30",
    },
    "AcontextEngineAway": {'acontext_engine_up{service="disk",engine="nats"}': "0x30"},
}
"""Series, minute by minute, for which an alert's expression holds from the second minute on."""


@pytest.mark.parametrize("rule", read_rules()["groups"][0]["rules"], ids=lambda rule: rule["alert"])
def test_an_alert_fires_once_it_held_for_as_long_as_it_says(
    rule: dict[str, Any], tmp_path: Path
) -> None:
    alert, minutes = rule["alert"], int(rule.get("for", "0m").removesuffix("m"))
    question = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)'

    def answer(at: int, value: int) -> dict[str, object]:
        samples = [{"labels": "{}", "value": value}]
        return {"expr": question, "eval_time": f"{at}m", "exp_samples": samples}

    series = [{"series": name, "values": f"_ {told}"} for name, told in HOLDS[alert].items()]
    # An increase takes two samples to be seen.
    began = 2 if "increase" in rule["expr"] else 1
    expected = [answer(began + minutes - 1, 0), answer(began + minutes, 1)]
    told = {"interval": "1m", "input_series": series, "promql_expr_test": expected}
    file = tmp_path / "tests.yml"
    file.write_text(
        yaml.safe_dump(
            {
                "rule_files": [str(RULES.resolve())],
                "evaluation_interval": "1m",
                "tests": [told],
            }
        )
    )
    command = [find_or_skip("promtool"), "test", "rules", str(file)]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_there_are_five_alerts_and_each_says_what_to_do() -> None:
    rules = read_rules()["groups"][0]["rules"]
    assert len(rules) == 5
    assert all(rule["annotations"]["summary"] for rule in rules)
    fired = Path(__file__).read_text()
    assert [rule["alert"] for rule in rules if f'"{rule["alert"]}"' not in fired] == []
