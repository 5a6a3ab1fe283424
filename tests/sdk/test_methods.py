"""Every public method of every SDK, published ones and ours, called as programs call it.

The SDKs are asked what they offer, so that no method and no option of one is forgotten; each
answer is held to the dialect by `Sdk.call`.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from urllib.request import urlopen
from uuid import uuid4

import pytest

from tests.sdk.sdk import (
    OURS,
    PUBLISHED,
    Json,
    Sdk,
    acontext_message,
    completion,
    driven,
    upload,
    upload_tuple,
)
from tests.sdk.typed_methods import TYPED

pytestmark = driven(*PUBLISHED, *OURS)

EXCUSED = {
    r"a?close": "ends the client, nothing travels",
    r"request|handle_response|get_fetch|get_form_data": "what the other methods are made of",
    r"artifacts\..*": "the same object as disks.artifacts",
    r"SKILL_TOOLS\..*": "tools over `skills`",
    r"with_options|sessions\.exchange|tools\.(disk|skills)": "of ours alone, in test_client.py",
}
ROUTELESS = r"skills\..*|sandboxes\..*|disks\.artifacts\.(download_to|upload_from)_sandbox"
"""The dialect has no route for them: a JSON 404."""

NOWHERE = "0198c0de-0000-7000-8000-000000000000"
CONFIGS = {"space_id": "", "a b": [1, 2.5, True, None, {"ü": "null"}], "progresses": []}


def ping(sdk: Sdk) -> None:
    assert sdk.call("ping").value == "pong"


def sessions(sdk: Sdk) -> None:
    space = sdk("spaces.create")["id"]
    bare = sdk("sessions.create")
    assert (bare["space_id"], bare["configs"], bare["disable_task_tracking"]) == (None, {}, False)
    wanted = sdk.having(
        "sessions.create",
        user="ann@example.org/é +",
        space_id=space,
        disable_task_tracking=True,
        configs=CONFIGS,
        request_id=str(uuid4()),
    )
    full = sdk("sessions.create", **wanted)
    if "request_id" in wanted:
        assert sdk("sessions.create", **wanted)["id"] == full["id"]
    assert (full["space_id"], full["configs"]) == (space, CONFIGS)
    assert full["disable_task_tracking"] is ("disable_task_tracking" in wanted)
    assert bool(full.get("user_id")) is ("user" in wanted)
    listing_of_sessions(sdk, bare, full)

    sdk("sessions.update_configs", bare["id"], configs=CONFIGS)
    assert sdk("sessions.get_configs", bare["id"])["configs"] == CONFIGS
    sdk("sessions.update_configs", bare["id"], configs={"b": {}})
    changed = sdk("sessions.get_configs", bare["id"])
    assert changed["configs"] == {"b": {}}
    assert changed["updated_at"] > changed["created_at"]
    sdk("sessions.connect_to_space", bare["id"], space_id=space)
    assert sdk("sessions.get_configs", bare["id"])["space_id"] == space

    sdk("sessions.delete", bare["id"])
    sdk.refuses(404, "sessions.delete", bare["id"])
    sdk.refuses(404, "sessions.get_configs", bare["id"])
    assert sdk("sessions.list")["items"] == [full]


def listing_of_sessions(sdk: Sdk, bare: Json, full: Json) -> None:
    both = sdk("sessions.list", limit=200, time_desc=False)
    assert (both["items"], both["has_more"]) == ([bare, full], False)
    assert pages(sdk, "sessions.list", limit=1) == [bare, full]
    assert pages(sdk, "sessions.list", limit=1, time_desc=True) == [full, bare]
    assert sdk("sessions.list", space_id=full["space_id"])["items"] == [full]
    wins = sdk("sessions.list", not_connected=True, space_id=full["space_id"])
    assert wins["items"] == [bare]
    if sdk.having("sessions.list", user=""):
        assert sdk("sessions.list", user="ann@example.org/é +")["items"] == [full]
        assert sdk("sessions.list", user="nobody")["items"] == []


def pages(sdk: Sdk, method: str, *ids: object, **options: object) -> Sequence[Json]:
    """Read a list page by page."""
    found: list[Json] = []
    cursor: Mapping[str, str] = {}
    while True:
        page = sdk(method, *ids, **options, **cursor)
        found.extend(page["items"])
        if not page["has_more"]:
            return found
        cursor = {"cursor": page["next_cursor"]}


TALK: Sequence[Mapping[str, object]] = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Weather in Zürich and Oslo?", "name": "ann"},
    {
        "role": "assistant",
        "content": "Let me look.",
        "tool_calls": [
            {
                "id": f"call_{city}",
                "type": "function",
                "function": {"name": "weather", "arguments": f'{{"city": "{city}"}}'},
            }
            for city in ("Zürich", "Oslo")
        ],
    },
    {"role": "tool", "tool_call_id": "call_Zürich", "content": "snow"},
    {"role": "tool", "tool_call_id": "call_Oslo", "content": "rain"},
    {"role": "assistant", "content": "Snow and rain."},
]


def messages(sdk: Sdk) -> None:
    session = sdk("sessions.create")["id"]
    stored = [sdk("sessions.store_message", session, blob=blob) for blob in TALK]
    assert [one["parent_id"] for one in stored] == [None, *(one["id"] for one in stored[:-1])]
    assert {one["session_task_process_status"] for one in stored} == {"pending"}
    assert {one["meta"]["source_format"] for one in stored} == {"openai"}
    assert [one["created_at"] for one in stored] == sorted(one["created_at"] for one in stored)

    read = sdk("sessions.get_messages", session, format="openai", time_desc=False)
    assert read["items"] == TALK
    assert read["ids"] == [one["id"] for one in stored]
    assert read["edit_at_message_id"] == stored[-1]["id"]
    total = sdk("sessions.get_token_counts", session)["total_tokens"]
    assert read["this_time_tokens"] == total > 20
    assert sdk("sessions.get_messages", session)["items"] == TALK

    oldest = sdk("sessions.get_messages", session, limit=2, time_desc=False)
    assert (oldest["items"], oldest["has_more"]) == (TALK[:2], True)
    rest = sdk("sessions.get_messages", session, cursor=oldest["next_cursor"], time_desc=False)
    assert (rest["items"], rest["has_more"]) == (TALK[2:], False)
    newest = sdk("sessions.get_messages", session, limit=2, time_desc=True)
    assert (newest["items"], newest["has_more"]) == (TALK[-2:], True)
    before = sdk("sessions.get_messages", session, cursor=newest["next_cursor"], time_desc=True)
    assert before["items"] == TALK[:-2]
    nothing = sdk("sessions.get_messages", sdk("sessions.create")["id"])
    assert (nothing["items"], nothing["ids"], nothing["this_time_tokens"]) == ([], [], 0)
    assert nothing.get("edit_at_message_id") is None


def formats(sdk: Sdk) -> None:
    session = sdk("sessions.create")["id"]
    reply = completion(role="assistant", content="A café page it is.")
    sdk("sessions.store_message", session, blob=reply, format="openai")
    claude = {"role": "user", "content": [{"type": "text", "text": "From Claude's side."}]}
    sdk("sessions.store_message", session, blob=claude, format="anthropic")
    assert sdk("sessions.get_messages", session)["items"] == [
        {"role": "assistant", "content": "A café page it is."},
        {"role": "user", "content": "From Claude's side."},
    ]
    assert sdk("sessions.get_messages", session, format="anthropic")["items"][1] == claude
    if sdk.published.version != "0.0.8":
        spoken = {"role": "model", "parts": [{"text": "From Gemini's side."}]}
        sdk("sessions.store_message", session, blob=spoken, format="gemini")
        assert sdk("sessions.get_messages", session, format="gemini")["items"][2] == spoken
    parts_with_a_file(sdk, session)


PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"


def parts_with_a_file(sdk: Sdk, session: str) -> None:
    parts: list[object] = [
        "See the picture.",
        {"type": "image", "file_field": "picture", "meta": {"alt": "a dot"}},
        {"type": "data", "meta": {"data_type": "point", "at": [1, 2]}},
    ]
    stored = sdk(
        "sessions.store_message",
        session,
        blob=acontext_message("user", parts, {"from": "phone"}),
        format="acontext",
        file_field="picture",
        file=upload("dot è.png", PNG),
    )
    text, image, data = stored["parts"]
    assert (text["type"], text["text"]) == ("text", "See the picture.")
    assert (image["filename"], image["meta"]) == ("dot è.png", {"alt": "a dot"})
    assert (image["asset"]["mime"], image["asset"]["size_b"]) == ("image/png", len(PNG))
    assert data["meta"] == {"data_type": "point", "at": [1, 2]}
    assert stored["meta"]["from"] == "phone"

    read = sdk("sessions.get_messages", session, format="acontext", with_asset_public_url=True)
    same = {key: stored[key] for key in ("id", "parts", "role", "meta", "parent_id", "created_at")}
    assert {key: read["items"][-1][key] for key in same} == same
    url = read["public_urls"][image["asset"]["sha256"]]["url"]
    assert opened(url) == PNG
    without = sdk("sessions.get_messages", session, format="acontext", with_asset_public_url=False)
    assert not without.get("public_urls")


def opened(url: str) -> bytes:
    with urlopen(url, timeout=10) as answer:
        content: bytes = answer.read()
        return content


def editing(sdk: Sdk) -> None:
    session = sdk("sessions.create")["id"]
    stored = [sdk("sessions.store_message", session, blob=blob)["id"] for blob in TALK]
    strategies = [
        {
            "type": "remove_tool_result",
            "params": {"keep_recent_n_tool_results": 1, "tool_result_placeholder": "Gone + done"},
        },
        {"type": "remove_tool_call_params", "params": {"keep_recent_n_tool_calls": 0}},
    ]
    read = sdk("sessions.get_messages", session, edit_strategies=strategies)
    assert [item["content"] for item in read["items"][3:5]] == ["Gone + done", "rain"]
    calls = read["items"][2]["tool_calls"]
    assert [call["function"]["arguments"] for call in calls] == ["{}", "{}"]
    total = sdk("sessions.get_token_counts", session)["total_tokens"]
    assert read["this_time_tokens"] < total

    least = [{"type": "token_limit", "params": {"limit_tokens": 12}}]
    last = sdk("sessions.get_messages", session, edit_strategies=least)
    assert last["items"] == [TALK[-1]]
    middle = [{"type": "middle_out", "params": {"token_reduce_to": 12}}]
    assert sdk("sessions.get_messages", session, edit_strategies=middle)["this_time_tokens"] <= 12
    if sdk.having("sessions.get_messages", pin_editing_strategies_at_message=""):
        pinned = sdk(
            "sessions.get_messages",
            session,
            edit_strategies=strategies,
            pin_editing_strategies_at_message=stored[1],
        )
        assert (pinned["items"], pinned["edit_at_message_id"]) == (TALK, stored[1])


PLAN: Sequence[Mapping[str, object]] = [
    {"role": "user", "content": "I need to write a landing page of iPhone 15 pro max"},
    {
        "role": "assistant",
        "content": "Sure, my plan is below:\n"
        "1. Search for the latest news about iPhone 15 pro max\n"
        "2. Init Next.js project for the landing page\n"
        "3. Deploy the landing page to the website",
    },
    {"role": "user", "content": "That sounds good."},
]


LEARNING = ("space_digested_count", "not_space_digested_count")


def observing(sdk: Sdk) -> None:
    session = sdk("sessions.create")["id"]
    for blob in PLAN:
        sdk("sessions.store_message", session, blob=blob)
    began = time.monotonic()
    assert flushed(sdk, session) == {"status": 200, "errmsg": ""}
    assert time.monotonic() - began < 30
    tasks = pages(sdk, "sessions.get_tasks", session, limit=2)
    assert [task["order"] for task in tasks] == [1, 2, 3]
    assert pages(sdk, "sessions.get_tasks", session, limit=1, time_desc=True) == tasks[::-1]
    learning = sdk("sessions.get_learning_status", session)
    assert [learning[name] for name in LEARNING] == [0, 0]
    if "sessions.messages_observing_status" in sdk.offered:
        status = sdk("sessions.messages_observing_status", session)
        assert (status["observed"], status["in_process"], status["pending"]) == (3, 0, 0)
    if "sessions.get_session_summary" in sdk.offered:
        summary = sdk.call("sessions.get_session_summary", session, limit=1).value
        assert str(summary).startswith('<task id="1" description=')

    untracked = sdk("sessions.create")["id"]
    assert sdk("sessions.flush", untracked)["status"] == 200
    assert sdk("sessions.get_tasks", untracked)["items"] == []


def flushed(sdk: Sdk, session: str) -> object:
    return sdk.call("sessions.flush", session).value


def disks(sdk: Sdk) -> None:
    disk = sdk("disks.create", **sdk.having("disks.create", user="ann@example.org/é +"))
    other = sdk("disks.create")
    assert pages(sdk, "disks.list", limit=1) == [disk, other]
    assert sdk("disks.list", limit=1, time_desc=True)["items"] == [other]
    if sdk.having("disks.list", user=""):
        assert sdk("disks.list", user="ann@example.org/é +")["items"] == [disk]
    artifacts(sdk, disk["id"])
    finding(sdk, disk["id"])
    sdk("disks.delete", disk["id"])
    sdk.refuses(404, "disks.artifacts.list", disk["id"])
    sdk.refuses(404, "disks.delete", disk["id"])
    assert sdk("disks.list")["items"] == [other]


TODO = b"# Sprint plan\n\n- Complete user authentication\n"


def artifacts(sdk: Sdk, disk: str) -> None:
    kept = {"file_path": "/todo lists/+/", "filename": "to do+é.md"}
    made = sdk(
        "disks.artifacts.upsert",
        disk,
        file=upload(kept["filename"], TODO),
        file_path=kept["file_path"],
        meta={"owner": "ann", "n": [1, None]},
    )
    assert (made["path"], made["filename"]) == tuple(kept.values())
    info = {"path": kept["file_path"], "filename": kept["filename"], "size": len(TODO)}
    assert made["meta"].pop("__artifact_info__").items() >= info.items()
    assert made["meta"] == {"owner": "ann", "n": [1, None]}

    got = sdk(
        "disks.artifacts.get", disk, **kept, with_public_url=True, with_content=True, expire=60
    )
    assert got["content"] == {"type": "text", "raw": TODO.decode()}
    assert opened(got["public_url"]) == TODO
    plain = sdk("disks.artifacts.get", disk, **kept, with_public_url=False, with_content=False)
    assert (plain.get("public_url"), plain.get("content")) == (None, None)
    default = sdk("disks.artifacts.get", disk, **kept)
    assert default["content"] == got["content"]
    assert default["public_url"]

    changed = sdk("disks.artifacts.update", disk, **kept, meta={"only": True})["artifact"]["meta"]
    assert (changed["only"], changed.keys()) == (True, {"only", "__artifact_info__"})
    again = sdk(
        "disks.artifacts.upsert",
        disk,
        file=upload_tuple(kept["filename"], b"new"),
        file_path=kept["file_path"],
    )
    assert again["meta"]["only"] is True
    assert again["created_at"] == made["created_at"]
    assert again["updated_at"] > made["updated_at"]
    listed = sdk("disks.artifacts.list", disk, path=kept["file_path"])
    assert (listed["artifacts"], listed["directories"]) == ([again], [])
    assert sdk("disks.artifacts.list", disk) == {"artifacts": [], "directories": ["todo lists"]}
    sdk("disks.artifacts.delete", disk, **kept)
    sdk.refuses(404, "disks.artifacts.get", disk, **kept)
    assert sdk("disks.artifacts.list", disk) == {"artifacts": [], "directories": []}


def finding(sdk: Sdk, disk: str) -> None:
    if "disks.artifacts.grep_artifacts" not in sdk.offered:
        return
    for name, text in {"a.md": "TODO: x+y", "b.py": "pass  # TODO", "c.bin": "\x00TODO"}.items():
        file = upload(name, text.encode())
        sdk("disks.artifacts.upsert", disk, file=file, file_path="/docs")
    found = sdk("disks.artifacts.grep_artifacts", disk, query=r"TODO: \w\+y", limit=1000)
    assert [one["filename"] for one in found] == ["a.md"]
    assert len(sdk("disks.artifacts.grep_artifacts", disk, query="TODO", limit=1)) == 1
    assert len(sdk("disks.artifacts.grep_artifacts", disk, query="TODO", limit=0)) == 2
    assert sdk("disks.artifacts.grep_artifacts", disk, query="todo") == []
    found = sdk("disks.artifacts.glob_artifacts", disk, query="docs/?.*", limit=2)
    assert [one["filename"] for one in found] == ["a.md", "b.py"]
    assert sdk("disks.artifacts.glob_artifacts", disk, query="[ab].md") == []


def tools_of_agents(sdk: Sdk) -> None:
    if "DISK_TOOLS.write_file" not in sdk.offered:
        return  # the first asynchronous client had none
    disk = sdk("disks.create")["id"]
    place = {"file_path": "/notes", "filename": "plan.md"}
    wrote = sdk.tool("DISK_TOOLS.write_file", disk, **place, content="one\ntwo\nthree")
    assert wrote == "File 'plan.md' written successfully to '/notes/'"
    replaced = sdk.tool(
        "DISK_TOOLS.replace_string", disk, **place, old_string="two", new_string="2"
    )
    assert replaced.startswith("Found 1 old_string")
    read = sdk.tool("DISK_TOOLS.read_file", disk, **place, line_offset=1, line_limit=1)
    assert read.splitlines()[1:] == ["2"]
    assert "notes" in sdk.tool("DISK_TOOLS.list_artifacts", disk, file_path="/")
    if "DISK_TOOLS.download_file" in sdk.offered:
        told = sdk.tool("DISK_TOOLS.download_file", disk, **place, expire=60)
        assert opened(told.splitlines()[1]) == b"one\n2\nthree"
    if "DISK_TOOLS.grep_artifacts" in sdk.offered:
        assert "plan.md" in sdk.tool("DISK_TOOLS.grep_artifacts", disk, query=r"^one\n2", limit=5)
        assert "plan.md" in sdk.tool("DISK_TOOLS.glob_artifacts", disk, query="*.md", limit=5)


def spaces(sdk: Sdk) -> None:
    earlier = pages(sdk, "spaces.list")
    user = sdk.having("spaces.create", user="ann@example.org/é +")
    space = sdk("spaces.create", **user, configs=CONFIGS)
    other = sdk("spaces.create")
    assert (space["configs"], other["configs"]) == (CONFIGS, {})
    assert bool(space.get("user_id")) is bool(user)
    assert pages(sdk, "spaces.list", limit=1) == [*earlier, space, other]
    assert sdk("spaces.list", limit=2, time_desc=True)["items"] == [other, space]
    if user:
        assert sdk("spaces.list", **user)["items"] == [space]
    sdk("spaces.update_configs", space["id"], configs={"x": 1})
    assert sdk("spaces.get_configs", space["id"])["configs"] == {"x": 1}
    session = sdk("sessions.create", space_id=space["id"])["id"]
    sdk("spaces.delete", space["id"])
    sdk.refuses(404, "spaces.get_configs", space["id"])
    eventually(lambda: sdk("sessions.get_configs", session)["space_id"] is None)


def eventually(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def confirmations(sdk: Sdk) -> None:
    learn = {"learning": {"confirmation": True, "minimum_difficulty": 0}}
    space = sdk("spaces.create", configs=learn)["id"]
    saved, dropped = (learned(sdk, space, page) for page in ("login", "billing"))
    data = saved["experience_data"]
    assert (data["type"], data["data"].keys()) == ("sop", {"use_when", "preferences", "tool_sops"})
    call = sdk.call("spaces.confirm_experience", space, dropped["id"], save=False)
    if call.exchanges:
        assert call.exchanges[-1].envelope == {"code": 0, "msg": "", "data": None}
    assert call.value is None
    assert sdk("spaces.confirm_experience", space, saved["id"], save=True) == saved
    for one in (saved, dropped):
        sdk.refuses(404, "spaces.confirm_experience", space, one["id"], save=True)
    assert sdk("spaces.get_unconfirmed_experiences", space)["items"] == []
    eventually(lambda: sdk("blocks.list", space))
    session = sdk("sessions.list", space_id=space)["items"][0]["id"]
    learning = sdk("sessions.get_learning_status", session)
    assert sum(learning[name] for name in LEARNING) == 1


def learned(sdk: Sdk, space: str, page: str) -> Json:
    """Do something worth learning, and give the confirmation that comes of it."""
    method = "spaces.get_unconfirmed_experiences"
    known = len(pages(sdk, method, space))
    lesson(sdk, sdk("sessions.create", space_id=space)["id"], page)
    eventually(lambda: len(pages(sdk, method, space, limit=1)) > known)
    return sdk(method, space, limit=1, time_desc=True)["items"][0]


def lesson(sdk: Sdk, session: str, task: str) -> None:
    """Let an agent fix something with tools, to its user's content."""
    talk: list[Mapping[str, object]] = [
        {"role": "user", "content": f"Please fix the {task} page, and always write tests first."}
    ]
    for number, tool in enumerate(("search_code", "edit_file", "run_tests")):
        call = {
            "id": f"{task}{number}",
            "type": "function",
            "function": {"name": tool, "arguments": f'{{"target": "{task}"}}'},
        }
        talk.append({"role": "assistant", "content": None, "tool_calls": [call]})
        talk.append({"role": "tool", "tool_call_id": call["id"], "content": "ok"})
    talk.append({"role": "assistant", "content": f"The {task} page is fixed, all tests pass."})
    talk.append({"role": "user", "content": "Thank you, that works perfectly."})
    for blob in talk:
        sdk("sessions.store_message", session, blob=blob)
    assert flushed(sdk, session) == {"status": 200, "errmsg": ""}


SOP = {
    "preferences": "Use OAuth",
    "tool_sops": [
        {"tool_name": " Grep ", "action": "find the handler"},
        {"tool_name": "edit_file", "action": "change it"},
    ],
}


def blocks(sdk: Sdk) -> None:
    space = sdk("spaces.create")["id"]
    folder = sdk("blocks.create", space, block_type="folder", title="My work")["id"]
    assert sdk("blocks.get_properties", space, folder)["props"]["path"] == "My_work"
    page = sdk("blocks.create", space, block_type="page", parent_id=folder, title="Auth")["id"]
    top = sdk("blocks.create", space, block_type="page", title="Top", props={"k": [1]})["id"]
    sop = sdk(
        "blocks.create",
        space,
        block_type="sop",
        parent_id=page,
        title="implement a login / logout",
        props=SOP,
    )["id"]
    text = sdk("blocks.create", space, block_type="text", parent_id=page, props={"notes": "x"})[
        "id"
    ]
    tree_of_blocks(sdk, space, {folder, top}, page)

    block = sdk("blocks.get_properties", space, sop)
    assert (block["title"], block["parent_id"]) == ("implement a login / logout", page)
    assert [step["tool_name"] for step in block["props"]["tool_sops"]] == ["Grep", "edit_file"]
    turned = {**block["props"], "tool_sops": block["props"]["tool_sops"][::-1]}
    sdk("blocks.update_properties", space, sop, props=turned)
    sdk("blocks.update_properties", space, sop, title="implement a login")
    block = sdk("blocks.get_properties", space, sop)
    assert [step["tool_name"] for step in block["props"]["tool_sops"]] == ["edit_file", "Grep"]
    assert block["title"] == "implement a login"

    sdk("blocks.update_sort", space, text, sort=0)
    assert orders(sdk, space, parent_id=page) == {text: 0, sop: 1}
    sdk("blocks.move", space, page, sort=0)
    assert not sdk("blocks.get_properties", space, page).get("parent_id")
    sdk("blocks.move", space, page, parent_id=folder, sort=99)
    assert sdk("blocks.get_properties", space, page)["parent_id"] == folder
    sdk("blocks.delete", space, folder)
    for gone in (folder, page, sop, text):
        sdk.refuses(404, "blocks.get_properties", space, gone)
    assert list(orders(sdk, space)) == [top]


def tree_of_blocks(sdk: Sdk, space: str, roots: set[str], page: str) -> None:
    root = sdk("blocks.list", space)
    assert {block["id"] for block in root} == roots
    assert not any(block.get("parent_id") for block in root)
    assert [block["type"] for block in sdk("blocks.list", space, block_type="page")] == ["page"]
    below = sdk("blocks.list", space, parent_id=page)
    assert [block["type"] for block in below] == ["sop", "text"]
    assert sdk("blocks.list", space, parent_id=page, block_type="text") == below[1:]


def orders(sdk: Sdk, space: str, **options: object) -> Mapping[str, int]:
    return {block["id"]: block["sort"] for block in sdk("blocks.list", space, **options)}


def searching(sdk: Sdk) -> None:
    space = sdk("spaces.create")["id"]
    query = "How do I implement authentication + login?"
    assert sdk("spaces.experience_search", space, query=query)["cited_blocks"] == []
    page = sdk("blocks.create", space, block_type="page", title="Auth")["id"]
    title = "implement authentication and login"
    for kind, props in {"sop": SOP, "text": {"notes": "short"}}.items():
        sdk("blocks.create", space, block_type=kind, parent_id=page, title=title, props=props)
    options = {"limit": 50, "mode": "fast", "semantic_threshold": 2}
    cited: Sequence[Json] = []
    deadline = time.monotonic() + 20
    while len(cited) < 2:
        assert time.monotonic() < deadline, cited
        cited = sdk("spaces.experience_search", space, query=query, **options)["cited_blocks"]
    assert {one["type"] for one in cited} == {"sop", "text"}
    assert {one["props"]["use_when"] for one in cited} == {title}
    assert [one["distance"] for one in cited] == sorted(one["distance"] for one in cited)
    agentic = {"mode": "agentic", "max_iterations": 3}
    assert "model" in sdk.refuses(400, "spaces.experience_search", space, query=query, **agentic)


def tool_names(sdk: Sdk) -> None:
    names = {one["name"]: one["sop_count"] for one in sdk("tools.get_tool_name")}
    assert list(names) == sorted(names)
    assert names["Grep"] >= 1
    renames = [renaming(sdk, "grep", "ripgrep"), renaming(sdk, "unknown tool", "x")]
    assert sdk.call("tools.rename_tool_name", rename=renames).value == {"status": 200, "errmsg": ""}
    renamed = {one["name"]: one["sop_count"] for one in sdk("tools.get_tool_name")}
    assert renamed["ripgrep"] == names["Grep"]
    assert "Grep" not in renamed
    sdk("tools.rename_tool_name", rename=[renaming(sdk, "ripgrep", "edit_file")])
    merged = {one["name"]: one["sop_count"] for one in sdk("tools.get_tool_name")}
    assert merged["edit_file"] == renamed["ripgrep"] + renamed["edit_file"]


def renaming(sdk: Sdk, old: str, new: str) -> Mapping[str, str]:
    if sdk.published.language == "typescript":
        return {"oldName": old, "newName": new}
    return {"old_name": old, "new_name": new}


def users(sdk: Sdk) -> None:
    if "users.list" not in sdk.offered:
        return
    for name in ("bob", "ann/é +@%2F"):
        sdk("sessions.create", user=name)
    everybody = sdk("users.list", limit=0)["items"]
    assert pages(sdk, "users.list", limit=1) == everybody
    assert pages(sdk, "users.list", limit=2, time_desc=True) == everybody[::-1]
    assert {"bob", "ann/é +@%2F"} <= {one["identifier"] for one in everybody}
    sdk("disks.create", user="ann/é +@%2F")
    counts = {"spaces_count": 0, "sessions_count": 1, "disks_count": 1, "skills_count": 0}
    assert sdk("users.get_resources", "ann/é +@%2F") == {"counts": counts}
    sdk("users.delete", "ann/é +@%2F")
    sdk.refuses(404, "users.get_resources", "ann/é +@%2F")
    sdk.refuses(404, "users.delete", "ann/é +@%2F")
    assert sdk("sessions.list", user="ann/é +@%2F")["items"] == []
    assert sdk("disks.list", user="ann/é +@%2F")["items"] == []


def what_has_no_route(sdk: Sdk) -> None:
    values: dict[str, object] = {"file": upload("a.zip", b"PK"), "limit": 1, "time_desc": True}
    values |= {"meta": {}, "expire": 1}
    for method, names in sdk.offered.items():
        if re.fullmatch(ROUTELESS, method):
            sdk.refuses(404, method, **{name: values.get(name, NOWHERE) for name in names})


PARTS: Sequence[Callable[[Sdk], None]] = [
    ping,
    sessions,
    messages,
    formats,
    editing,
    observing,
    disks,
    tools_of_agents,
    spaces,
    confirmations,
    blocks,
    searching,
    tool_names,
    users,
    what_has_no_route,
    *TYPED,
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_answers_are_as_the_dialect_says(sdk: Sdk, part: Callable[[Sdk], None]) -> None:
    part(sdk)


def test_no_method_and_no_option_of_one_was_forgotten(sdk: Sdk) -> None:
    if not sdk.called:
        pytest.skip("asks what the tests above have called; run them with it")
    offered = {
        name: set(options)
        for name, options in sdk.offered.items()
        if not any(re.fullmatch(excused, name) for excused in EXCUSED)
    }
    left = {name: options - sdk.called.get(name, set()) for name, options in offered.items()}
    assert offered.keys() - sdk.called.keys() == set()
    assert {name: options for name, options in left.items() if options} == {}
