"""The OpenAPI document against a whole system: every operation answers as the document says."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from dotenv import dotenv_values

from tests.journeys.documented import Api, Document, Json
from tests.journeys.forbidden import forbidden
from tests.journeys.system import System


def _call(call_id: str, name: str, **arguments: object) -> Json:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": call_id, "type": "function", "function": function}


def conversation(bought: str, amount: int) -> list[Json]:
    """A task that is done, with tools and a preference."""
    ask = f"Cancel my {bought} and refund it to my card. Always tell me the amount first."
    refund = [
        _call("call_2", f"cancel_{bought}", number="QX12"),
        _call("call_3", f"refund_{bought}", number="QX12", amount=amount),
    ]
    return [
        {"role": "user", "content": ask},
        {"role": "assistant", "tool_calls": [_call("call_1", f"find_{bought}", of="ann")]},
        {"role": "tool", "tool_call_id": "call_1", "content": f'{{"paid": {amount}}}'},
        {"role": "assistant", "content": f"You would get {amount} euros back. Shall I go on?"},
        {"role": "user", "content": "Yes, please."},
        {"role": "assistant", "tool_calls": refund},
        {"role": "tool", "tool_call_id": "call_2", "content": '{"status": "cancelled"}'},
        {"role": "tool", "tool_call_id": "call_3", "content": '{"status": "refunded"}'},
        {"role": "assistant", "content": f"Done: cancelled, and {amount} euros are refunded."},
        {"role": "user", "content": "Perfect, thank you, that is all."},
    ]


@asynccontextmanager
async def opened(system: System, document: Document, key: str) -> AsyncIterator[Api]:
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        base_url=f"http://{system.address}", headers=headers, timeout=60
    ) as http:
        yield Api(http, document)


@pytest.fixture
def document(system: System) -> Document:
    return Document(httpx.get(f"http://{system.address}/openapi.json").json())


@pytest.fixture
async def operator(system: System, document: Document) -> AsyncIterator[Api]:
    key = dotenv_values(system.folder / ".env")["ACONTEXT_ADMIN_KEY"]
    assert key
    async with opened(system, document, key) as api:
        yield api


@pytest.fixture
async def api(system: System, document: Document, operator: Api) -> AsyncIterator[Api]:
    """The API for a project of the test's own, which learns everything after confirmation."""
    made = await operator("CreateProject", {"name": "documented"})
    async with opened(system, document, made["secret"]) as api:
        settings = {"confirmation": True, "minimum_difficulty": 0}
        await api("UpdateProjectSettings", {"settings": settings})
        yield api
    await operator.ask("DeleteProject", project_id=made["project"]["id"])


async def eventually(api: Api, name: str, wanted: int, **given: Json) -> list[Json]:
    """Ask for a list until it is long enough."""
    async with asyncio.timeout(60):
        while True:
            items: list[Json] = (await api(name, **given))["items"]
            if len(items) >= wanted:
                return items
            await asyncio.sleep(0.2)


async def test_every_operation_answers_as_the_document_says(api: Api, operator: Api) -> None:
    await projects(api, operator)
    space_id = (await api("CreateSpace", {"user": "ann", "configs": {"a": [1]}}))["id"]
    # What teaches the same twice waits for a person once.
    session_ids = [await sessions(api, space_id, bought) for bought in ("flight", "subscription")]
    for session_id in session_ids:
        await tasks(api, session_id)
    await skills(api, operator, space_id)
    await blocks(api, space_id)
    await disks(api)
    await endings(api, space_id, session_ids)
    called = api.answered | operator.answered
    assert set(api.document.operations) - called == {"DeleteProject"}  # the fixture's last call


async def test_what_the_document_forbids_is_refused(api: Api, operator: Api) -> None:
    taken = []
    for operation in api.document.operations.values():
        ask = operator if {"operator": []} in operation.told.get("security", []) else api
        for what, body, given in forbidden(operation, api.document):
            answer = await ask.ask(operation.name, body, **given)
            if answer.status_code != 400:
                taken.append((operation.name, what, answer.text))
    assert taken == []


async def projects(api: Api, operator: Api) -> None:
    for name in ("health", "openapi", "Ping", "GetProject", "GetProjectSettings"):
        await api(name)
    await operator("ListProjects", limit=2)
    assert (await operator("GetHealth"))["problems"] == []
    await api("UpdateProject", {"project": {"name": "documented anew"}, "update_mask": "name"})
    key = await api("CreateApiKey", {})
    rotated = await api("RotateApiKey", {"overlap_seconds": 60}, key_id=key["key"]["id"])
    assert len((await api("ListApiKeys"))["items"]) == 3
    await api("RevokeApiKey", key_id=rotated["key"]["id"])


async def sessions(api: Api, space_id: str, bought: str) -> str:
    created = await api("CreateSession", {"user": "ann", "configs": {"bought": bought}})
    assert created["space_id"] is None
    session_id: str = created["id"]
    await api("ConnectToSpace", {"space_id": space_id}, session_id=session_id)
    await api("UpdateSessionConfigs", {"configs": {"deep": {"er": None}}}, session_id=session_id)
    for name in ("GetSession", "GetSession2"):
        assert (await api(name, session_id=session_id))["space_id"] == space_id
    await api("ListSessions", limit=1, time_desc=True, not_connected=False, user="ann")
    await messages(api, session_id, bought)
    return session_id


async def messages(api: Api, session_id: str, bought: str) -> None:
    for message in conversation(bought, 240):
        await api("StoreMessageJson", {"blob": message}, session_id=session_id)
    part = {"type": "file", "file_field": "ticket"}
    payload = {"format": "acontext", "blob": {"role": "user", "parts": [part]}}
    files = {"ticket": ("ticket.txt", b"QX12")}
    await api(
        "StoreMessageJson", {"payload": json.dumps(payload)}, files=files, session_id=session_id
    )
    first = await api.first("WatchSession", session_id=session_id)
    assert first["message"]["parent_id"] is None
    page = await api("ListMessagesJson", session_id=session_id, format="acontext", limit=3)
    assert page["next_cursor"]
    page = await api("ListMessagesJson", session_id=session_id, format="acontext", time_desc=True)
    assert len(page["public_urls"]) == 1
    for form in ("openai", "anthropic", "gemini"):
        await api("ListMessagesJson", session_id=session_id, format=form)
    await api("GetTokenCounts", session_id=session_id)
    context = await api("GetSessionContextJson", session_id=session_id, token_budget=200)
    assert 0 < context["tokens"] <= 200


async def tasks(api: Api, session_id: str) -> None:
    await api("FlushSession", session_id=session_id)
    task = (await eventually(api, "ListTasks", 1, session_id=session_id))[0]
    await api("GetTask", task_id=task["id"])
    await api.first("WatchTasks", session_id=session_id, cursor="")
    assert (await api.first("WatchTasks", session_id=session_id, with_start="true"))["start"]
    for name in ("GetObservingStatus", "GetLearningStatus"):
        await api(name, session_id=session_id)
    await api("SetTaskOutcome", {"status": "success", "reason": "Checked."}, task_id=task["id"])
    await api("RetryFailedMessages", {}, session_id=session_id)
    await api("ReobserveSession", {"dry_run": True}, session_id=session_id)
    await api("GetStatistics", days=2, time_zone="Europe/Madrid")
    run = (await eventually(api, "ListRuns", 1, session_id=session_id))[0]
    await api("GetRun", run_id=run["id"])
    await api("GetTokenUse")


async def skills(api: Api, operator: Api, space_id: str) -> None:
    given = {"space_id": space_id}
    first, second, *_ = await eventually(api, "ListConfirmations", 2, **given)
    await api("ResolveConfirmation", {"save": True}, **given, confirmation_id=first["id"])
    gone = await api("ResolveConfirmation2", {"save": False}, **given, confirmation_id=second["id"])
    assert gone is None
    skill_id = (await eventually(api, "ListSkills", 1, **given))[0]["id"]
    sop = {"use_when": "a flight is cancelled", "tool_sops": [{"tool_name": "a", "action": "b"}]}
    await api("UpdateSkill", {"sop": sop}, skill_id=skill_id)
    await api("RollbackSkill", {"version": 1}, skill_id=skill_id)
    for archived in (True, False):
        await api("ArchiveSkill", {"archived": archived}, skill_id=skill_id)
    await api("SearchSkills", **given, query="cancel a flight", semantic_threshold=2.0)
    assert (await api("GetSkill", skill_id=skill_id))["versions"]
    await api("RenameTools", {"rename": [{"old_name": "refund_flight", "new_name": "pay_back"}]})
    await api("ListToolNames")
    await api("ListLearningRuns", **given)
    assert await api("RetryFailedLearning", {}, **given) == {"count": 0}
    await api("ExportSpace", **given)
    await operator("ReindexSkills", {})


async def blocks(api: Api, space_id: str) -> None:
    given = {"space_id": space_id}
    folder = (await api("CreateBlock", {"type": "folder", "title": "Trips"}, **given))["id"]
    page = await api("CreateBlock", {"type": "page", "parent_id": folder}, **given)
    ids = {**given, "block_id": page["id"]}
    await api("UpdateBlock", {"title": "Flights", "props": {"a": 1}}, **ids)
    assert (await api("GetBlock", **ids))["parent_id"] == folder
    await api("MoveBlock", {}, **ids)
    await api("SortBlock", {"sort": 0}, **ids)
    assert await api("ListBlocks", **given, type="page")
    await api("DeleteBlock", **ids)


async def disks(api: Api) -> None:
    disk_id = (await api("CreateDisk", {"user": "ann"}))["id"]
    given, todo = {"disk_id": disk_id}, {"disk_id": disk_id, "file_path": "/a/todo.md"}
    files = {"file": ("todo.md", b"# Plan\n")}
    form = {"file_path": "/a/", "meta": '{"by": "ann"}'}
    await api("UploadArtifactMultipart", form, files=files, **given)
    found = await api("GetArtifact", **todo, expire=60)
    assert found["content"] == {"type": "text", "raw": "# Plan\n"}
    token = found["public_url"].rpartition("/")[2]
    for name, where in (("GetBlob", {"token": token}), ("DownloadArtifact", todo)):
        assert await api(name, **where) == b"# Plan\n"
    head = await api.http.head(found["public_url"])
    assert (head.headers["content-length"], head.content) == ("7", b"")
    body = {"file_path": "/a/todo.md", "meta": "{}"}
    await api("UpdateArtifact", body, **given)
    await api("ListArtifacts", **given, path="/a")
    for name, query in (("GrepArtifacts", "Pl.n"), ("GlobArtifacts", "*.md")):
        assert len(await api(name, **given, query=query)) == 1
    await api("DeleteArtifact", **todo)
    await api("ListDisks", user="ann")
    await api("DeleteDisk", **given)


async def endings(api: Api, space_id: str, session_ids: list[str]) -> None:
    await api("UpdateSpaceConfigs", {"configs": {}}, space_id=space_id)
    for name in ("GetSpace", "GetSpace2"):
        await api(name, space_id=space_id)
    await api("ListSpaces", user="ann")
    await api("DeleteSession", session_id=session_ids[0])
    await api("ListUsers")
    await api("GetUserResources", identifier="ann")
    await api("DeleteUser", identifier="ann")
    gone = await api.ask("GetSession", session_id=session_ids[0])
    assert (gone.status_code, gone.json()["error"]) == (404, "SESSION_NOT_FOUND")
    other = (await api("CreateSpace", {}))["id"]
    await api("DeleteSpace", space_id=other)
