"""What observer asks and tells, and who watches."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import nats
import psycopg
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio

from acontext.session import v1 as pb
from acontext.space import v1 as space
from acontext_server.kit.bus import open_bus
from acontext_server.kit.engines import free_port
from acontext_server.kit.rpc import reason_of
from tests.services import Platform
from tests.session.conversation import Conversation
from tests.session.waiting import eventually


async def statuses(talk: Conversation, session_id: str) -> list[str]:
    listed = await talk.typed(session_id)
    return [message.session_task_process_status for message in listed.items]


async def record(talk: Conversation, session: pb.Session, **fields: Any) -> None:
    service = talk.as_service(session.project_id)
    request = pb.RecordObservationRequest(session_id=session.id, **fields)
    await service.sessions.RecordObservation(request, metadata=service.metadata)


async def unobserved(talk: Conversation, **fields: Any) -> pb.ListUnobservedSessionsResponse:
    service = talk.as_service(str(uuid4()))
    soon = Timestamp()
    soon.FromDatetime(datetime.now(UTC) + timedelta(minutes=1))
    request = pb.ListUnobservedSessionsRequest(older_than=soon, **fields)
    return await service.sessions.ListUnobservedSessions(  # type: ignore[no-any-return]
        request, metadata=service.metadata
    )


async def conversation_of(talk: Conversation, count: int) -> pb.Session:
    session = await talk.create()
    for number in range(count):
        await talk.say(session.id, str(number))
    return session


async def test_a_message_has_the_status_that_observing_gave_it(talk: Conversation) -> None:
    session = await conversation_of(talk, 4)
    assert await statuses(talk, session.id) == ["pending"] * 4
    await record(talk, session, observed_through=1, running_through=3)
    assert await statuses(talk, session.id) == ["success", "running", "running", "pending"]
    failure = pb.ObservationFailure(sequence=2, reason="cannot be read")
    await record(talk, session, observed_through=4, failures=[failure])
    assert await statuses(talk, session.id) == ["success", "failed", "success", "success"]
    assert (await talk.typed(session.id)).items[1].failure == "cannot be read"
    await record(talk, session, observed_through=4, healed=[2])
    assert await statuses(talk, session.id) == ["success"] * 4


async def test_a_repeated_or_late_record_changes_nothing(talk: Conversation) -> None:
    session = await conversation_of(talk, 3)
    for _ in range(2):
        await record(talk, session, observed_through=3)
    await record(talk, session, observed_through=1, running_through=3)
    assert await statuses(talk, session.id) == ["success"] * 3
    await record(talk, session, observed_through=99)
    await talk.say(session.id, "news")
    assert await statuses(talk, session.id) == ["success"] * 3 + ["pending"]


async def test_messages_are_linked_to_the_task_that_took_them(talk: Conversation) -> None:
    session, task_id = await conversation_of(talk, 2), str(uuid4())
    link = pb.TaskLink(sequence=2, task_id=task_id)
    await record(talk, session, observed_through=2, links=[link])
    page = await talk.page(session.id, format="acontext")
    assert [item["task_id"] for item in page["items"]] == [None, task_id]
    await record(talk, session, observed_through=2, links=[pb.TaskLink(sequence=2)])
    page = await talk.page(session.id, format="acontext")
    assert [item["task_id"] for item in page["items"]] == [None, None]


async def test_sessions_that_wait_are_named(talk: Conversation) -> None:
    session = await conversation_of(talk, 2)
    untracked = await talk.create(disable_task_tracking=True)
    await talk.say(untracked.id, "never observed")
    [waiting] = (await unobserved(talk)).items
    assert (waiting.session_id, waiting.last_sequence) == (session.id, 2)
    assert waiting.observed_through == 0
    await record(talk, session, observed_through=1)
    assert [one.observed_through for one in (await unobserved(talk)).items] == [1]
    await record(talk, session, observed_through=2)
    assert not (await unobserved(talk)).items
    await talk.say(session.id, "again")
    assert [one.session_id for one in (await unobserved(talk)).items] == [session.id]


async def test_the_sweep_comes_in_pages_and_only_with_what_is_old(talk: Conversation) -> None:
    ids = [(await conversation_of(talk, 1)).id for _ in range(3)]
    first = await unobserved(talk, limit=2)
    rest = await unobserved(talk, limit=2, cursor=first.next_cursor)
    assert [one.session_id for one in [*first.items, *rest.items]] == ids
    service = talk.as_service(str(uuid4()))
    past = pb.ListUnobservedSessionsRequest(older_than=Timestamp(seconds=1))
    answer = await service.sessions.ListUnobservedSessions(past, metadata=service.metadata)
    assert not answer.items


async def test_the_log_is_read_after_a_sequence_or_by_ids(talk: Conversation) -> None:
    session = await conversation_of(talk, 5)
    service = talk.as_service(session.project_id)
    request = pb.ReadMessagesRequest(session_id=session.id, after_sequence=2, limit=2)
    read = await service.sessions.ReadMessages(request, metadata=service.metadata)
    assert [message.sequence for message in read.items] == [3, 4]
    assert read.last_sequence == 5
    assert [message.content.parts[0].text for message in read.items] == ["2", "3"]
    ids = [read.items[1].id, read.items[0].id]
    request = pb.ReadMessagesRequest(session_id=session.id, message_ids=ids)
    read = await service.sessions.ReadMessages(request, metadata=service.metadata)
    assert [message.sequence for message in read.items] == [3, 4]
    end = pb.ReadMessagesRequest(session_id=session.id, after_sequence=2**31 - 1)
    read = await service.sessions.ReadMessages(end, metadata=service.metadata)
    assert (len(read.items), read.last_sequence) == (0, 5)


async def test_what_is_internal_is_for_services_only(talk: Conversation) -> None:
    session = await talk.create()
    request = pb.ReadMessagesRequest(session_id=session.id)
    with pytest.raises(aio.AioRpcError) as refusal:
        await talk.sessions.ReadMessages(request, metadata=talk.metadata)
    assert reason_of(refusal.value) == "PERMISSION_DENIED"


async def test_a_watch_catches_up_and_goes_on(talk: Conversation) -> None:
    session = await conversation_of(talk, 2)
    request = pb.WatchSessionRequest(session_id=session.id)
    watch = talk.sessions.WatchSession(request, metadata=talk.metadata)
    seen = [(await watch.read()).message.sequence for _ in range(2)]
    await talk.say(session.id, "news")
    async with asyncio.timeout(1):
        seen.append((await watch.read()).message.sequence)
    watch.cancel()
    assert seen == [1, 2, 3]
    resume = pb.WatchSessionRequest(session_id=session.id, after_sequence=2)
    again = talk.sessions.WatchSession(resume, metadata=talk.metadata)
    assert (await again.read()).message.sequence == 3
    again.cancel()


async def test_many_watchers_each_see_every_message_once(talk: Conversation) -> None:
    session = await conversation_of(talk, 3)

    async def watched(after: int) -> list[int]:
        request = pb.WatchSessionRequest(session_id=session.id, after_sequence=after)
        watch = talk.sessions.WatchSession(request, metadata=talk.metadata)
        seen = [(await watch.read()).message.sequence for _ in range(8 - after)]
        watch.cancel()
        return seen

    async with asyncio.TaskGroup() as group:
        watching = [group.create_task(watched(after % 4)) for after in range(60)]
        hasty = [group.create_task(watched(3)) for _ in range(10)]
        for text in ("4", "5", "6", "7", "8"):
            await talk.say(session.id, text)
            hasty.pop().cancel()
    for after, seen in enumerate(watching):
        assert seen.result() == list(range(after % 4 + 1, 9))


async def test_a_watch_ends_with_its_session(talk: Conversation) -> None:
    session = await talk.create()
    request = pb.WatchSessionRequest(session_id=session.id)
    watch = talk.sessions.WatchSession(request, metadata=talk.metadata)
    reading = asyncio.create_task(watch.read())
    delete = pb.DeleteSessionRequest(session_id=session.id)
    await talk.sessions.DeleteSession(delete, metadata=talk.metadata)
    with pytest.raises(aio.AioRpcError) as end:
        await reading
    assert reason_of(end.value) == "SESSION_NOT_FOUND"


async def test_a_watch_is_woken_by_another_process(talk: Conversation, platform: Platform) -> None:
    session = await conversation_of(talk, 1)
    address = f"127.0.0.1:{free_port()}"
    second = Platform(platform.settings.model_copy(update={"session_address": address}))
    await second.start("session")
    other = Conversation(second)
    request = pb.WatchSessionRequest(session_id=session.id, after_sequence=1)
    watch = other.sessions.WatchSession(request, metadata=other.metadata)
    reading = asyncio.create_task(watch.read())
    await asyncio.sleep(0.3)
    await talk.say(session.id, "from the first process")
    async with asyncio.timeout(1):
        assert (await reading).message.sequence == 2
    watch.cancel()
    await second.stop_all()


async def test_a_stored_message_is_a_nudge_and_facts_go_through_the_outbox(
    talk: Conversation,
) -> None:
    settings = talk.platform.settings
    client = await nats.connect(settings.nats_url)
    events: list[pb.SessionEvent] = []

    async def note(message: Any) -> None:
        events.append(pb.SessionEvent.FromString(message.data))

    await client.subscribe(f"{settings.nats_prefix}.session.v1.>", cb=note)
    await client.flush()
    session = await conversation_of(talk, 3)

    async def told() -> int:
        return max((event.message_stored.sequence for event in events), default=0)

    await eventually(told, 3)
    await talk.sessions.DeleteSession(
        pb.DeleteSessionRequest(session_id=session.id), metadata=talk.metadata
    )

    async def last() -> str:
        return events[-1].session_deleted.session_id

    await eventually(last, session.id)
    assert {event.project_id for event in events} == {session.project_id}
    await client.close()


async def test_a_deleted_space_leaves_its_sessions_free(talk: Conversation) -> None:
    settings = talk.platform.settings
    session, space_id = await talk.create(), str(uuid4())
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute("UPDATE session.session SET space_id = %s", (space_id,))
    event = space.SpaceEvent(id=str(uuid4()), project_id=session.project_id)
    event.space_deleted.space_id = space_id
    async with open_bus(settings.nats_url, prefix=settings.nats_prefix) as bus:
        await bus.ensure_stream("space")
        subject = f"{settings.nats_prefix}.space.v1.deleted.space_deleted.{session.project_id}.x"
        await bus.publish(subject, event.SerializeToString(), message_id=event.id)

    async def connected() -> bool:
        request = pb.GetSessionRequest(session_id=session.id)
        answer = await talk.sessions.GetSession(request, metadata=talk.metadata)
        return bool(answer.session.HasField("space_id"))

    await eventually(connected, False)
