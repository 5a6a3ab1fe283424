"""The loop from stored messages to tasks, through the real services."""

import asyncio
import json

import nats
import psycopg
import pytest

from acontext.observer import v1 as pb
from acontext.session import v1 as session_pb
from acontext_server.kit.config import Settings
from tests.observer.conftest import README, Observer, dead_letters, eventually
from tests.services import Platform


async def test_a_flushed_conversation_has_its_tasks(observer: Observer) -> None:
    session_id = await observer.new_session()
    await observer.store(session_id, README)
    flushed = await observer.flush(session_id)
    assert (flushed.status, flushed.errmsg) == (200, "")
    tasks = await observer.tasks_of(session_id)
    assert [(task.order, task.status) for task in tasks] == [
        (1, "success"),
        (2, "pending"),
        (3, "pending"),
    ]
    assert len(tasks[0].data.progresses) == 2
    assert len(tasks[0].data.user_preferences) == 1


async def test_messages_know_their_status_and_task_after_a_flush(observer: Observer) -> None:
    session_id = await observer.new_session()
    await observer.store(session_id, README)
    await observer.flush(session_id)
    messages = await observer.messages(session_id)
    assert {message.session_task_process_status for message in messages} == {"success"}
    first = (await observer.tasks_of(session_id))[0].id
    assert [message.task_id for message in messages] == ["", "", first, first, first, first]


async def test_quiet_sessions_are_observed_without_a_flush(observer: Observer) -> None:
    session_id = await observer.new_session()
    await observer.store(session_id, README)

    async def is_observed() -> bool:
        return (await observer.status(session_id)).observed == len(README)

    await eventually(is_observed)
    assert len(await observer.tasks_of(session_id)) == 3


async def test_a_hundred_messages_and_one_flush_leave_nothing_pending(observer: Observer) -> None:
    session_id = await observer.new_session()
    turns = [
        {"role": "user" if number % 2 else "assistant", "content": f"Please note line {number}."}
        for number in range(1, 101)
    ]
    await observer.store(session_id, turns)
    assert (await observer.flush(session_id)).status == 200
    status = await observer.status(session_id)
    assert (status.observed, status.in_process, status.pending, status.failed) == (100, 0, 0, 0)


async def test_messages_that_fill_whole_answers_are_observed_all_the_same(
    observer: Observer,
) -> None:
    """Two of them fill an answer, so that a third does not fit behind them as context."""
    session_id = await observer.new_session()
    long = {"role": "user", "content": "Please sort these: " + "x" * (21 << 20)}
    request = session_pb.StoreMessageRequest(
        session_id=session_id, blob_json=json.dumps(long).encode()
    )
    stream = (session_pb.StoreMessagesRequest(message=request) for _ in range(3))
    await observer.sessions.StoreMessages(stream, metadata=observer.platform.key)
    answer = await observer.flush(session_id, seconds=60)
    assert (answer.status, answer.errmsg) == (200, "")
    assert (await observer.status(session_id)).observed == 3


async def test_where_batches_begin_and_end_does_not_matter(observer: Observer) -> None:
    whole = await observer.new_session()
    await observer.store(whole, README)
    await observer.flush(whole)
    expected = await observer.described(whole)
    for cut in range(1, len(README)):
        session_id = await observer.new_session()
        await observer.store(session_id, README[:cut])
        await observer.flush(session_id)
        await observer.store(session_id, README[cut:])
        await observer.flush(session_id)
        assert await observer.described(session_id) == expected
    one_by_one = await observer.new_session()
    for message in README:
        await observer.store(one_by_one, [message])
        await observer.flush(one_by_one)
    assert await observer.described(one_by_one) == expected


async def test_everything_is_observed_when_every_nudge_is_dropped(platform: Platform) -> None:
    await platform.start("session")
    observer = Observer(platform)
    session_id = await observer.new_session()
    await observer.store(session_id, README)
    await _drop_all_events(platform)
    await platform.start("observer")

    async def is_observed() -> bool:
        return (await observer.status(session_id)).observed == len(README)

    await eventually(is_observed)
    assert len(await observer.tasks_of(session_id)) == 3


async def test_enough_messages_are_observed_without_waiting_for_quiet(
    settings: Settings,
) -> None:
    patient = {"buffer_idle_seconds": 60, "sweep_seconds": 60, "buffer_turns": 6}
    platform = Platform(settings.model_copy(update=patient))
    await platform.start("session", "observer")
    try:
        observer = Observer(platform)
        session_id = await observer.new_session()
        await observer.store(session_id, README[:5])
        await asyncio.sleep(1)
        assert (await observer.status(session_id)).pending == 5
        await observer.store(session_id, README[5:])

        async def is_observed() -> bool:
            return (await observer.status(session_id)).observed == 6

        await eventually(is_observed)
    finally:
        await platform.stop_all()


async def test_what_session_was_not_told_is_told_after_a_restart(observer: Observer) -> None:
    session_id = await observer.new_session()
    await observer.store(session_id, README)
    await observer.flush(session_id)
    platform = observer.platform
    await platform.stop("observer")
    # As if session's answer to the report had been lost, and with it what session knew.
    with psycopg.connect(platform.settings.database_url) as connection:
        connection.execute("UPDATE session.log SET observed_through = 0")
        connection.execute("UPDATE observer.observation SET told_through = 0")
        connection.execute(
            """INSERT INTO observer.report
            SELECT project_id, session_id, gen_random_uuid(),
              '{"observed_through": 6, "running_through": 0, "failures": [], "links": [],
                "healed": []}', now() - interval '1 minute'
            FROM observer.observation"""
        )
    await platform.start("observer")

    async def is_told() -> bool:
        messages = await observer.messages(session_id)
        return {message.session_task_process_status for message in messages} == {"success"}

    await eventually(is_told)


async def test_a_session_without_tracking_gets_no_tasks(observer: Observer) -> None:
    session_id = await observer.new_session(disable_task_tracking=True)
    await observer.store(session_id, README)
    assert (await observer.flush(session_id)).status == 200
    assert await observer.tasks_of(session_id) == []
    assert (await observer.status(session_id)).pending == len(README)


async def test_a_flush_of_nothing_is_done_at_once(observer: Observer) -> None:
    session_id = await observer.new_session()
    assert (await observer.flush(session_id, seconds=2)).status == 200


async def test_a_message_that_cannot_be_read_fails_alone_and_heals(observer: Observer) -> None:
    session_id = await observer.new_session()
    await observer.store(session_id, README)
    url = observer.platform.settings.database_url
    with psycopg.connect(url) as connection:
        query = "SELECT content FROM session.message WHERE sequence = 5"
        found = connection.execute(query).fetchone()
        connection.execute("UPDATE session.message SET content = '\\xff' WHERE sequence = 5")
    flushed = await observer.flush(session_id)
    assert (flushed.status, flushed.remaining) == (500, 1)
    assert (await observer.status(session_id)).failed == 1
    assert len(await dead_letters(observer.platform)) == 1
    assert found is not None
    with psycopg.connect(url) as connection:
        update = "UPDATE session.message SET content = %s WHERE sequence = 5"
        connection.execute(update, [found[0]])
    statuses = [one.session_task_process_status for one in await observer.messages(session_id)]
    assert statuses.count("failed") == 1
    request = pb.RetryFailedMessagesRequest(session_id=session_id)
    retried = await observer.tasks.RetryFailedMessages(request, metadata=observer.platform.key)
    assert retried.count == 1

    async def is_healed() -> bool:
        status = await observer.status(session_id)
        return (status.observed, status.failed) == (len(README), 0)

    await eventually(is_healed)


async def test_runs_tell_what_observing_did(observer: Observer) -> None:
    session_id = await observer.new_session()
    await observer.store(session_id, README)
    await observer.flush(session_id)
    key = observer.platform.key
    request = pb.ListRunsRequest(session_id=session_id)
    runs = list((await observer.runs.ListRuns(request, metadata=key)).items)
    assert [(run.role, run.engine, run.outcome) for run in runs][:1] == [
        ("observer", "rules", "success")
    ]
    whole = await observer.runs.GetRun(pb.GetRunRequest(run_id=runs[0].id), metadata=key)
    assert whole.run == runs[0]


async def test_statistics_count_today(observer: Observer) -> None:
    session_id = await observer.new_session()
    await observer.store(session_id, README)
    await observer.flush(session_id)
    request = pb.GetStatisticsRequest(days=3, time_zone="Pacific/Auckland")
    statistics = await observer.tasks.GetStatistics(request, metadata=observer.platform.key)
    assert len(statistics.days) == 3
    today = statistics.days[-1]
    assert (today.success, today.pending, today.success_rate) == (1, 2, 1.0)
    assert (today.sessions, today.messages, today.tasks_per_session) == (1, 6, 3.0)
    assert statistics.observation_lag_seconds == 0


async def test_a_deleted_session_leaves_nothing_behind(observer: Observer) -> None:
    session_id = await observer.new_session()
    await observer.store(session_id, README)
    await observer.flush(session_id)
    request = session_pb.DeleteSessionRequest(session_id=session_id)
    await observer.sessions.DeleteSession(request, metadata=observer.platform.key)

    async def is_gone() -> bool:
        return not any(_rows(observer.platform, session_id).values())

    await eventually(is_gone)


def _rows(platform: Platform, session_id: str) -> dict[str, int]:
    tables = ("observation", "task", "message", "report", "run")
    with psycopg.connect(platform.settings.database_url) as connection:
        counts: dict[str, int] = {}
        for table in tables:
            query = f"SELECT count(*) FROM observer.{table} WHERE session_id = %s"
            row = connection.execute(query.encode(), [session_id]).fetchone()
            counts[table] = row[0] if row else 0
    return counts


async def _drop_all_events(platform: Platform) -> None:
    client = await nats.connect(platform.settings.nats_url)
    await client.jetstream().purge_stream(f"{platform.settings.nats_prefix}_session")
    await client.close()


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", ""])
async def test_an_unknown_time_zone_is_refused(observer: Observer, zone: str) -> None:
    request = pb.GetStatisticsRequest(time_zone=zone)
    if not zone:
        await observer.tasks.GetStatistics(request, metadata=observer.platform.key)
        return
    with pytest.raises(Exception, match="time_zone"):
        await observer.tasks.GetStatistics(request, metadata=observer.platform.key)


async def test_a_session_does_not_wait_while_another_rests(settings: Settings) -> None:
    eager = {"buffer_idle_seconds": 60, "sweep_seconds": 60, "buffer_turns": 1}
    platform = Platform(settings.model_copy(update=eager))
    await platform.start("session", "observer")
    try:
        observer = Observer(platform)
        busy, fresh = await observer.new_session(), await observer.new_session()

        async def observed(session_id: str, count: int) -> bool:
            return (await observer.status(session_id)).observed == count

        await observer.store(busy, README[:1])
        await eventually(lambda: observed(busy, 1))
        await observer.store(busy, README[1:2])
        await observer.store(fresh, README[:1])
        await eventually(lambda: observed(busy, 2))
        await eventually(lambda: observed(fresh, 1))
    finally:
        await platform.stop_all()
    with psycopg.connect(settings.database_url) as connection:
        query = "SELECT session_id::text FROM observer.message ORDER BY observed_at"
        order = [row[0] for row in connection.execute(query)]
    assert order == [busy, fresh, busy]
