"""What the methods of the SDK share: lifetimes, errors, retries, time-outs, tools."""

import asyncio
import gc
import io
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from google.protobuf import descriptor_pb2
from openai.types.chat import ChatCompletion, ChatCompletionMessage

from acontext import AcontextAsyncClient, AcontextClient, edits, errors
from acontext.disk import v1 as disk
from acontext.messages import MessageBlob, blob_json
from acontext.observer import v1 as observer
from acontext.session import v1 as session
from acontext.space import v1 as space
from acontext.uploads import Content
from tests.journeys.system import KEY, System

HELLO = {"role": "user", "content": "Hello."}
NOWHERE = "0198c0de-0000-7000-8000-000000000000"


def test_every_reason_of_the_contracts_has_an_error_of_its_own() -> None:
    reasons = {
        name.removeprefix("ERROR_REASON_")
        for enum in (session.ErrorReason, disk.ErrorReason, observer.ErrorReason, space.ErrorReason)
        for name in enum.keys()  # noqa: SIM118 # an enum of protobuf is no dict
    }
    known: set[str] = set()
    waiting = [errors.APIError]
    while waiting:
        error = waiting.pop()
        known.add(errors.reason_of(error))
        waiting += error.__subclasses__()
    assert reasons - known == {"UNSPECIFIED"}


def test_an_error_names_reason_field_and_request(client: AcontextClient) -> None:
    with pytest.raises(errors.SessionNotFound) as missing:
        client.sessions.get(NOWHERE)
    assert (missing.value.status_code, missing.value.reason) == (404, "SESSION_NOT_FOUND")
    assert missing.value.metadata == {"session_id": NOWHERE}
    assert missing.value.request_id
    assert missing.value.request_id in str(missing.value)
    with pytest.raises(errors.InvalidRequest) as invalid:
        client.sessions.list(limit=1000)
    assert (invalid.value.field, invalid.value.code) == ("limit", 400)
    with pytest.raises(errors.InvalidMessage) as broken:
        client.sessions.store_message(client.sessions.create().id, blob={"role": "nobody"})
    assert broken.value.field
    assert isinstance(broken.value, errors.AcontextError)


def test_a_wrong_key_opens_nothing(system: System) -> None:
    with (
        AcontextClient(base_url=system.url, api_key="sk-ac-wrong") as client,
        pytest.raises(errors.Unauthenticated),
    ):
        client.ping()


@pytest.mark.parametrize(
    "url", ["localhost:8029", "ftp://localhost", "http://", "http://localhost:8029/elsewhere"]
)
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        AcontextClient(base_url=url, api_key="sk-ac-any")


def test_a_client_without_a_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACONTEXT_API_KEY", raising=False)
    with pytest.raises(ValueError, match="ACONTEXT_API_KEY"):
        AcontextClient()


def test_nobody_there_is_a_transport_error_soon() -> None:
    began = time.monotonic()
    with (
        AcontextClient(base_url="http://127.0.0.1:9", api_key="k", max_retries=2) as client,
        pytest.raises(errors.TransportError),
    ):
        client.ping()
    assert time.monotonic() - began < 5


class Scripted(grpc.GenericRpcHandler):
    """A server that answers each attempt of a call as it was told to."""

    def __init__(self, *answers: grpc.StatusCode) -> None:
        self.answers = list(answers)
        self.good = b""
        self.requests: list[bytes] = []

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        return grpc.unary_unary_rpc_method_handler(self.answer)

    def answer(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self.requests.append(request)
        code = self.answers.pop(0)
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            while context.is_active():
                time.sleep(0.01)
        if code is not grpc.StatusCode.OK:
            context.abort(code, "as told")
        return self.good


@pytest.fixture
def scripted() -> Iterator[tuple[Scripted, AcontextClient]]:
    """A server that fails on purpose, and a client of it."""
    handler = Scripted()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), handlers=[handler])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with AcontextClient(base_url=f"http://127.0.0.1:{port}", api_key="k", max_retries=3) as client:
        yield handler, client
    server.stop(None).wait()


UNAVAILABLE, OK = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.OK


def test_a_read_is_repeated(scripted: tuple[Scripted, AcontextClient]) -> None:
    server, client = scripted
    server.answers = [UNAVAILABLE, grpc.StatusCode.UNKNOWN, OK]
    client.ping()
    assert len(server.requests) == 3


def test_a_write_is_repeated_under_one_request_id(
    scripted: tuple[Scripted, AcontextClient],
) -> None:
    server, client = scripted
    server.answers = [UNAVAILABLE, UNAVAILABLE, OK]
    client.sessions.store_message(NOWHERE, blob=HELLO)
    assert len(server.requests) == 3
    assert len(set(server.requests)) == 1
    assert session.StoreMessageRequest.FromString(server.requests[0]).request_id


def test_what_cannot_be_repeated_safely_is_not(scripted: tuple[Scripted, AcontextClient]) -> None:
    server, client = scripted
    server.answers = [UNAVAILABLE, OK]
    with pytest.raises(errors.TransportError):
        client.keys.create()
    assert len(server.requests) == 1


def test_retries_end(scripted: tuple[Scripted, AcontextClient]) -> None:
    server, client = scripted
    server.answers = [UNAVAILABLE] * 9
    with pytest.raises(errors.TransportError):
        client.ping()
    assert len(server.requests) == 4
    with pytest.raises(errors.TransportError):
        client.with_options(max_retries=0).ping()
    assert len(server.requests) == 5


def test_a_call_ends_with_its_time(scripted: tuple[Scripted, AcontextClient]) -> None:
    server, client = scripted
    server.answers = [grpc.StatusCode.DEADLINE_EXCEEDED] * 2
    began = time.monotonic()
    with pytest.raises(errors.DeadlineExceeded):
        client.with_options(timeout=0.3).ping()
    assert 0.2 < time.monotonic() - began < 5
    assert len(server.requests) == 1


def test_a_session_that_was_deleted_while_it_was_listed_is_left_out(
    scripted: tuple[Scripted, AcontextClient],
) -> None:
    server, client = scripted
    server.answers = [OK]
    sessions = [session.Session(id="kept"), session.Session(id="deleted")]
    states = session.ListSessionStatesResponse(items=[session.SessionState(session_id="kept")])
    page = session.ListSessionsResponse(items=sessions, states=states)
    server.good = page.SerializeToString()
    assert [one.session.id for one in client.sessions.list_with_states()] == ["kept"]
    asked = session.ListSessionsRequest.FromString(server.requests[0])
    assert asked.with_states


def test_every_write_that_makes_something_can_be_repeated() -> None:
    """The contract lists them: what is neither marked nor has a request id is not repeated."""
    from acontext._settings import _methods, is_repeatable

    unmarked = {
        method.name
        for name, method in _methods().items()
        if method.GetOptions().idempotency_level == descriptor_pb2.MethodOptions.IDEMPOTENCY_UNKNOWN
        and "request_id" not in method.input_type.fields_by_name
    }
    assert "StoreMessage" not in unmarked
    assert "CreateApiKey" in unmarked
    assert not is_repeatable(session.CreateApiKeyRequest())


LEFT = """
import asyncio, gc, sys, threading
from acontext import AcontextAsyncClient, AcontextClient

def blocking():
    client = AcontextClient()
    client.sessions.create()
    watch = client.sessions.watch(client.sessions.create().id)
    if sys.argv[1] == "closed":
        client.close()

def asynchronous():
    client = AcontextAsyncClient()
    async def use():
        await client.sessions.create()
        if sys.argv[1] == "closed":
            await client.close()
    asyncio.run(use())
    if sys.argv[1] == "open":
        asyncio.run(use())

blocking()
asynchronous()
gc.collect()
for thread in threading.enumerate():
    if thread is not threading.main_thread():
        thread.join(5)
print([thread.name for thread in threading.enumerate()])
"""


@pytest.mark.parametrize("ending", ["closed", "open"])
def test_no_thread_is_left_behind(ending: str, environment: dict[str, str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", LEFT, ending],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.stdout.strip(), ran.stderr) == ("['MainThread']", "")


def test_a_closed_client_ends_its_watches(system: System) -> None:
    client = AcontextClient(base_url=system.url, api_key=KEY)
    session_id = client.sessions.create().id
    client.sessions.store_message(session_id, blob=HELLO)
    seen: list[int] = []
    first = threading.Event()

    def follow() -> None:
        for message in client.sessions.watch(session_id):
            seen.append(message.sequence)
            first.set()

    thread = threading.Thread(target=follow)
    thread.start()
    assert first.wait(30)
    client.close()
    thread.join(30)
    assert (seen, thread.is_alive()) == ([1], False)


def test_the_services_import_stubs_without_the_client() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import sys; import acontext.session.v1; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "acontext.session.v1" in told
    assert not {"acontext._sync", "acontext._async", "acontext.errors"} & set(told)


def test_providers_objects_are_messages() -> None:
    reply = ChatCompletionMessage(role="assistant", content="Hi.")
    assert b'"content": "Hi."' in blob_json(reply)
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "?"}}
    whole = ChatCompletion.model_validate(
        {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [choice],
        }
    )
    assert b'"content": "?"' in blob_json(whole)
    mixed = {"role": "assistant", "content": None, "parts": [reply]}
    assert b'"Hi."' in blob_json(mixed)
    with pytest.raises(TypeError, match="object"):
        blob_json({"role": "user", "content": object()})


def test_an_exchange_is_stored_whole_or_not_at_all(client: AcontextClient) -> None:
    blobs: dict[str, dict[str, str]] = {}
    session_id = client.sessions.create().id
    with client.sessions.exchange(session_id) as exchange:
        exchange.add(HELLO)
        exchange.add(ChatCompletionMessage(role="assistant", content="Hi."))
    assert exchange.stored.count == 2
    with pytest.raises(KeyError), client.sessions.exchange(session_id) as exchange:
        exchange.add(HELLO, blobs["what nobody said"])
    assert len(client.sessions.get_messages(session_id).items) == 2


def test_a_long_history_is_kept_up_to_what_is_refused(client: AcontextClient) -> None:
    session_id = client.sessions.create().id
    said = [f"{number} {'x' * (number % 50) * 2_000}" for number in range(300)]
    blobs: list[MessageBlob] = [HELLO | {"content": text} for text in said]
    assert client.sessions.store_messages(session_id, blobs).last_sequence == 300
    with pytest.raises(errors.InvalidMessage) as refusal:
        client.sessions.store_messages(session_id, [*blobs[:270], {"content": 5}, HELLO])
    assert refusal.value.metadata["stored"] == "270"
    kept = client.sessions.list_all_messages(session_id)
    assert [message.parts[0].text for message in kept] == [*said, *said[:270]]


def test_edit_strategies_are_typed(client: AcontextClient) -> None:
    session_id = client.sessions.create().id
    client.sessions.store_messages(session_id, [HELLO, {"role": "user", "content": "Bye " * 50}])
    strategies = [edits.remove_tool_results(keep_recent=1), edits.token_limit(10)]
    read = client.sessions.get_messages(session_id, edit_strategies=strategies)
    assert read.this_time_tokens <= 10
    middle = [edits.remove_tool_call_params(keep_recent=0), edits.middle_out(10)]
    assert client.sessions.get_messages(session_id, edit_strategies=middle).this_time_tokens <= 10


def test_a_task_reads_as_object_and_as_mapping(client: AcontextClient) -> None:
    session_id = client.sessions.create().id
    plan = "Sure, my plan is below:\n1. Find flights\n2. Book a hotel"
    blobs = [HELLO | {"content": "Plan a trip"}, {"role": "assistant", "content": plan}]
    client.sessions.store_messages(session_id, blobs)
    assert client.sessions.flush(session_id).status == 200
    task = client.sessions.get_tasks(session_id).items[-1]
    description = task.data.task_description
    assert description == task.data["task_description"] == task["data"]["task_description"]
    assert ("progresses" in task.data) is (task.data.progresses is not None)
    assert task.created_at.datetime.tzinfo is not None
    assert task.get("nothing") is None


@pytest.mark.parametrize("kind", ["bytes", "file", "path", "stream"])
def test_a_file_comes_as_bytes_file_path_or_stream(
    kind: str, client: AcontextClient, tmp_path: Path
) -> None:
    content = uuid4().bytes * 200_000
    path = tmp_path / "large.bin"
    path.write_bytes(content)
    disk_id = client.disks.create().id
    with path.open("rb") as file:
        given: dict[str, Content] = {
            "bytes": content,
            "file": file,
            "path": path,
            "stream": Pipe(content),
        }
        client.disks.artifacts.upsert(disk_id, file=("large.bin", given[kind]))
        assert not file.closed
    target = tmp_path / "back.bin"
    place = {"file_path": "/", "filename": "large.bin"}
    assert client.disks.artifacts.download_to(disk_id, **place, target=target) == len(content)
    assert target.read_bytes() == content


class Pipe(io.BytesIO):
    """It can be read once."""

    def seekable(self) -> bool:
        return False


def test_an_empty_file_comes_back_empty(client: AcontextClient) -> None:
    disk_id = client.disks.create().id
    client.disks.artifacts.upsert(disk_id, file=("empty.txt", b""))
    pieces = client.disks.artifacts.download(disk_id, file_path="/", filename="empty.txt")
    assert b"".join(pieces) == b""


async def test_an_agent_has_a_disk_and_skills(system: System) -> None:
    async with AcontextAsyncClient(base_url=system.url, api_key=KEY) as client:
        tools = client.tools.disk((await client.disks.create()).id)
        assert [one["function"]["name"] for one in tools] == tools.names
        assert [one["name"] for one in tools.anthropic()] == tools.names
        place = '"file_path": "notes", "filename": "a.md"'
        wrote = await tools.call("write_file", f'{{{place}, "content": "one\\ntwo"}}')
        assert wrote == "File 'a.md' written successfully to '/notes/'"
        read = await tools.call("read_file", f"{{{place}}}")
        assert read.splitlines()[1:] == ["one", "two"]
        assert "no tool" in await tools.call("format_disk", {})
        assert "needs filename" in await tools.call("read_file", {})
        assert "did not work" in await tools.call("read_file", {"filename": "missing.md"})
        assert "no JSON" in await tools.call("read_file", "{")
        skills = client.tools.skills((await client.spaces.create()).id)
        assert "Nothing relevant" in await skills.call("search_skills", {"query": "bake bread"})


async def test_one_client_serves_many_tasks(system: System) -> None:
    async with AcontextAsyncClient(base_url=system.url, api_key=KEY) as client:
        session_id = (await client.sessions.create()).id
        stored = await asyncio.gather(
            *(client.sessions.store_message(session_id, blob=HELLO) for _ in range(40))
        )
        assert sorted(one.sequence for one in stored) == [*range(1, 41)]


def test_a_client_is_collected_when_nobody_holds_it(system: System) -> None:
    client = AcontextClient(base_url=system.url, api_key=KEY)
    client.ping()
    line = client._connection.line
    ended = line._end
    del client, line
    gc.collect()
    assert ended is not None
    assert not ended.alive


def test_the_tour_of_every_resource_runs(environment: dict[str, str]) -> None:
    tour = Path(__file__).parents[2] / "clients" / "python" / "examples" / "every_resource.py"
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(tour)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
