"""Sessions: opening, listing, connecting, deleting."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import psycopg
import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio

from acontext.session import v1 as pb
from acontext.space import v1 as space
from acontext_server.kit.rpc import reason_of
from tests.session.conversation import Conversation
from tests.session.waiting import eventually

TABLES = ("session", "log", "message", "observation", "blob", "blob_use")


def struct(value: dict[str, Any]) -> Struct:
    return ParseDict(value, Struct())


async def listed(talk: Conversation, **fields: object) -> list[str]:
    request = pb.ListSessionsRequest(**fields)  # type: ignore[arg-type]
    page = await talk.sessions.ListSessions(request, metadata=talk.metadata)
    return [session.id for session in page.items]


async def test_a_session_with_nothing_set_is_nobodys_and_free(talk: Conversation) -> None:
    session = await talk.create()
    assert not session.HasField("user_id")
    assert not session.HasField("space_id")
    assert session.HasField("configs")
    assert session.disable_task_tracking is False
    request = pb.GetSessionRequest(session_id=session.id)
    again = await talk.sessions.GetSession(request, metadata=talk.metadata)
    assert again.session == session


async def test_configs_are_replaced_whole(talk: Conversation) -> None:
    session = await talk.create(configs=struct({"a": 1, "b": {"c": [1.5, None]}}))
    assert MessageToDict(session.configs) == {"a": 1, "b": {"c": [1.5, None]}}
    request = pb.UpdateSessionConfigsRequest(session_id=session.id, configs=struct({"d": ""}))
    await talk.sessions.UpdateSessionConfigs(request, metadata=talk.metadata)
    get = pb.GetSessionRequest(session_id=session.id)
    changed = (await talk.sessions.GetSession(get, metadata=talk.metadata)).session
    assert MessageToDict(changed.configs) == {"d": ""}
    assert changed.updated_at.ToNanoseconds() > session.updated_at.ToNanoseconds()


@pytest.mark.parametrize(("configs", "rule"), [({"a": "\0"}, "NUL"), ({"\0": 1}, "NUL")])
async def test_configs_that_cannot_be_kept_are_named(
    talk: Conversation, configs: dict[str, Any], rule: str
) -> None:
    with pytest.raises(aio.AioRpcError, match=f"configs: .*{rule}") as refusal:
        await talk.create(configs=struct(configs))
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_repeated_request_opens_one_session(talk: Conversation) -> None:
    request_id = str(uuid4())
    sessions = await asyncio.gather(*(talk.create(request_id=request_id) for _ in range(8)))
    assert len({session.id for session in sessions}) == 1
    assert await listed(talk) == [sessions[0].id]
    with pytest.raises(aio.AioRpcError) as refusal:
        await talk.create(request_id=request_id, user="other")
    assert reason_of(refusal.value) == "REQUEST_ID_REUSED"


async def test_sessions_are_listed_by_time_in_pages(talk: Conversation) -> None:
    ids = [(await talk.create()).id for _ in range(5)]

    async def walk(*, time_desc: bool) -> list[str]:
        cursor, found = "", []
        while True:
            request = pb.ListSessionsRequest(limit=2, cursor=cursor, time_desc=time_desc)
            page = await talk.sessions.ListSessions(request, metadata=talk.metadata)
            found += [session.id for session in page.items]
            if not page.has_more:
                return found
            cursor = page.next_cursor

    assert await walk(time_desc=False) == ids
    assert await walk(time_desc=True) == ids[::-1]


async def test_a_cursor_survives_the_deletion_of_what_it_names(talk: Conversation) -> None:
    ids = [(await talk.create()).id for _ in range(3)]
    first = pb.ListSessionsRequest(limit=1)
    page = await talk.sessions.ListSessions(first, metadata=talk.metadata)
    delete = pb.DeleteSessionRequest(session_id=ids[0])
    await talk.sessions.DeleteSession(delete, metadata=talk.metadata)
    assert await listed(talk, cursor=page.next_cursor) == ids[1:]


async def test_lists_are_filtered_by_user_and_configs(talk: Conversation) -> None:
    ann = await talk.create(user="ann@x/y", configs=struct({"kind": "a", "n": 1}))
    bob = await talk.create(user="bob", configs=struct({"kind": "b"}))
    nobody = await talk.create()
    assert await listed(talk, user="ann@x/y") == [ann.id]
    assert await listed(talk, user="stranger") == []
    assert await listed(talk, user="\0") == []
    assert await listed(talk, user="") == [ann.id, bob.id, nobody.id]
    assert await listed(talk, filter_by_configs='{"kind": "b"}') == [bob.id]
    assert await listed(talk, not_connected=True) == [ann.id, bob.id, nobody.id]
    with pytest.raises(aio.AioRpcError, match="filter_by_configs"):
        await listed(talk, filter_by_configs="[")


async def test_a_foreign_session_looks_unknown(talk: Conversation) -> None:
    session = await talk.create()
    request = pb.CreateProjectRequest(name="another")
    made = await talk.projects.CreateProject(request, metadata=talk.platform.operator)
    stranger = Conversation(talk.platform, (("authorization", f"Bearer {made.secret}"),))
    own = await stranger.create()
    for session_id in (session.id, str(uuid4())):
        calls = [
            stranger.sessions.GetSession(
                pb.GetSessionRequest(session_id=session_id), metadata=stranger.metadata
            ),
            stranger.sessions.DeleteSession(
                pb.DeleteSessionRequest(session_id=session_id), metadata=stranger.metadata
            ),
            stranger.sessions.GetTokenCounts(
                pb.GetTokenCountsRequest(session_id=session_id), metadata=stranger.metadata
            ),
            stranger.say(session_id, "hi"),
            stranger.page(session_id),
        ]
        for call in calls:
            with pytest.raises(aio.AioRpcError) as refusal:
                await call
            assert refusal.value.code() is grpc.StatusCode.NOT_FOUND
            assert refusal.value.details() == f"no session {session_id}"
    assert await listed(stranger) == [own.id]


async def test_a_malformed_id_is_named(talk: Conversation) -> None:
    request = pb.GetSessionRequest(session_id="seven")
    with pytest.raises(aio.AioRpcError, match="session_id"):
        await talk.sessions.GetSession(request, metadata=talk.metadata)


async def test_a_deleted_session_leaves_nothing_behind(talk: Conversation) -> None:
    session = await talk.create(user="ann")
    await talk.put(session.id, {"role": "user", "content": "long " * 30_000})
    settings = talk.platform.settings
    files = settings.blobs_url.removeprefix("file://")
    assert kept_files(files)
    await talk.sessions.DeleteSession(
        pb.DeleteSessionRequest(session_id=session.id), metadata=talk.metadata
    )
    with pytest.raises(aio.AioRpcError) as refusal:
        await talk.page(session.id)
    assert reason_of(refusal.value) == "SESSION_NOT_FOUND"

    async def left() -> list[str]:
        return kept_files(files)

    async def rows() -> dict[str, int]:
        with psycopg.connect(settings.database_url) as connection:
            return {table: count_rows(connection, table) for table in TABLES}

    await eventually(left, [])
    await eventually(rows, dict.fromkeys(TABLES, 0))


def count_rows(connection: psycopg.Connection, table: str) -> int:
    counted = connection.execute(f'SELECT count(*) FROM session."{table}"'.encode()).fetchone()
    assert counted
    return int(counted[0])


def kept_files(folder: str) -> list[str]:
    """Name the blobs that are kept, whatever the adapter's folders are."""
    return [path.name for path in Path(folder).rglob("*") if path.is_file()]


async def test_bytes_that_another_session_needs_stay(talk: Conversation) -> None:
    one, other = await talk.create(), await talk.create()
    blob = {"role": "user", "content": "long " * 30_000}
    for session in (one, other):
        await talk.put(session.id, blob)
    await talk.sessions.DeleteSession(
        pb.DeleteSessionRequest(session_id=one.id), metadata=talk.metadata
    )
    with psycopg.connect(talk.platform.settings.database_url) as connection:

        async def uses() -> tuple[int] | None:
            query = "SELECT count(*) FROM session.blob_use"
            return connection.execute(query).fetchone()

        await eventually(uses, (1,))
    assert (await talk.page(other.id))["items"] == [blob]


async def test_a_session_is_connected_to_a_space_that_exists(talk: Conversation) -> None:
    await talk.platform.start("space")
    spaces: Any = space.SpaceServiceStub(talk.platform.channel("space"))
    made = await spaces.CreateSpace(space.CreateSpaceRequest(), metadata=talk.metadata)
    later, at_once = await talk.create(), await talk.create(space_id=made.space.id)
    request = pb.ConnectToSpaceRequest(session_id=later.id, space_id=made.space.id)
    await talk.sessions.ConnectToSpace(request, metadata=talk.metadata)
    assert at_once.space_id == made.space.id
    assert await listed(talk, space_id=made.space.id) == [later.id, at_once.id]
    assert await listed(talk, not_connected=True, space_id=made.space.id) == []
    with pytest.raises(aio.AioRpcError) as refusal:
        await talk.create(space_id=str(uuid4()))
    assert reason_of(refusal.value) == "SPACE_NOT_FOUND"


async def test_without_the_owner_of_spaces_nothing_is_connected(talk: Conversation) -> None:
    with pytest.raises(aio.AioRpcError) as refusal:
        await talk.create(space_id=str(uuid4()))
    assert reason_of(refusal.value) == "UNAVAILABLE"


async def test_states_and_statistics_say_how_much_is_stored_and_observed(
    talk: Conversation,
) -> None:
    empty, full = await talk.create(user="somebody"), await talk.create()
    await talk.say(full.id, "One.")
    await talk.say(full.id, "Two.")
    request = pb.ListSessionStatesRequest(session_ids=[empty.id, full.id, str(uuid4())])

    states = await talk.sessions.ListSessionStates(request, metadata=talk.metadata)
    counted = await talk.sessions.GetSessionStatistics(
        pb.GetSessionStatisticsRequest(), metadata=talk.metadata
    )

    found = {state.session_id: state for state in states.items}
    assert set(found) == {empty.id, full.id}
    assert (found[empty.id].messages, found[empty.id].HasField("last_stored_at")) == (0, False)
    assert (found[full.id].messages, found[full.id].observed, found[full.id].failed) == (2, 0, 0)
    assert found[full.id].HasField("last_stored_at")
    assert (counted.users, counted.sessions, counted.messages) == (1, 2, 2)
    assert counted.tokens == found[full.id].tokens > 0
    assert counted.message_bytes > 0


async def test_sessions_are_found_by_how_far_they_are_observed(talk: Conversation) -> None:
    nothing_waits, waits = await talk.create(), await talk.create()
    untracked = await talk.create(disable_task_tracking=True)
    await talk.say(waits.id, "One.")
    await talk.say(untracked.id, "One.")
    assert await listed(talk, observing="observed") == [nothing_waits.id]
    assert await listed(talk, observing="pending") == [waits.id]
    assert await listed(talk, observing="failed") == []
    failure = pb.ObservationFailure(sequence=1, reason="unreadable")
    report = pb.RecordObservationRequest(
        session_id=waits.id, observed_through=1, running_through=1, failures=[failure]
    )
    service = talk.as_service(waits.project_id)
    await service.sessions.RecordObservation(report, metadata=service.metadata)
    assert await listed(talk, observing="failed") == [waits.id]
    assert await listed(talk, observing="pending") == []


def stamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made


async def test_sessions_are_found_by_when_something_was_stored(talk: Conversation) -> None:
    busy, _ = await talk.create(), await talk.create()
    await talk.say(busy.id, "One.")
    now = datetime.now(UTC)
    before, after = stamp(now - timedelta(minutes=1)), stamp(now + timedelta(minutes=1))
    assert await listed(talk, stored_after=before, stored_before=after) == [busy.id]
    assert await listed(talk, stored_after=after) == []
    assert await listed(talk, stored_before=before) == []
    refused = listed(talk, stored_after=Timestamp(seconds=10**15))
    with pytest.raises(aio.AioRpcError) as error:
        await refused
    assert reason_of(error.value) == "INVALID_REQUEST"


async def test_sessions_are_found_by_what_their_id_or_user_begins_with(talk: Conversation) -> None:
    adas = await talk.create(user="ada_lovelace@example.com")
    graces = await talk.create(user="grace@example.com")
    assert await listed(talk, search="ada_") == [adas.id]
    assert await listed(talk, search="%") == []
    assert await listed(talk, search="adaX") == []
    assert await listed(talk, search=graces.id[:-1]) == [graces.id]
    assert await listed(talk, search=adas.id[:8].upper()) == [adas.id, graces.id]
    assert await listed(talk, search="lovelace") == []


async def test_a_list_brings_the_states_of_its_sessions_when_asked(talk: Conversation) -> None:
    session = await talk.create()
    await talk.say(session.id, "One.")
    asked = pb.ListSessionsRequest(with_states=True)
    page = await talk.sessions.ListSessions(asked, metadata=talk.metadata)
    assert [(state.session_id, state.messages) for state in page.states.items] == [(session.id, 1)]
    plain = await talk.sessions.ListSessions(pb.ListSessionsRequest(), metadata=talk.metadata)
    assert not plain.HasField("states")
