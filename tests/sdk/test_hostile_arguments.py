"""What programs should not send through the SDKs, and what must come of it.

Whatever happens, `Sdk.call` has held the answer to the dialect: one shape of error, no 500.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from tests.sdk.sdk import PUBLISHED, Call, Json, Sdk, acontext_message, driven, upload
from tests.sdk.test_methods import NOWHERE, SOP, flushed, opened, renaming

pytestmark = driven(*PUBLISHED)

Arguments = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Method:
    """A method, the kinds of ids it takes first, and options with which it would succeed."""

    name: str
    ids: Sequence[str]
    options: Arguments

    @classmethod
    def of(cls, written: str, **options: object) -> "Method":
        name, *ids = written.split()
        return cls(name, ids, options)


USER = {"role": "user", "content": "Hello."}
FILE = {"file_path": "/", "filename": "a.txt"}
METHODS = [
    Method.of("sessions.delete session"),
    Method.of("sessions.update_configs session", configs={}),
    Method.of("sessions.get_configs session"),
    Method.of("sessions.connect_to_space session", space_id=NOWHERE),
    Method.of("sessions.get_tasks session"),
    Method.of("sessions.get_session_summary session"),
    Method.of("sessions.store_message session", blob=USER),
    Method.of("sessions.get_messages session"),
    Method.of("sessions.flush session"),
    Method.of("sessions.get_learning_status session"),
    Method.of("sessions.get_token_counts session"),
    Method.of("sessions.messages_observing_status session"),
    Method.of("disks.delete disk"),
    Method.of("disks.artifacts.upsert disk", file=upload("a.txt", b"a")),
    Method.of("disks.artifacts.get disk", **FILE),
    Method.of("disks.artifacts.update disk", **FILE, meta={}),
    Method.of("disks.artifacts.delete disk", **FILE),
    Method.of("disks.artifacts.list disk"),
    Method.of("disks.artifacts.grep_artifacts disk", query="a"),
    Method.of("disks.artifacts.glob_artifacts disk", query="a"),
    Method.of("spaces.delete space"),
    Method.of("spaces.update_configs space", configs={}),
    Method.of("spaces.get_configs space"),
    Method.of("spaces.experience_search space", query="a"),
    Method.of("spaces.get_unconfirmed_experiences space"),
    Method.of("spaces.confirm_experience space unknown", save=True),
    Method.of("blocks.list space"),
    Method.of("blocks.create space", block_type="folder", title="a"),
    Method.of("blocks.delete space block"),
    Method.of("blocks.get_properties space block"),
    Method.of("blocks.update_properties space block", title="a"),
    Method.of("blocks.move space block", sort=0),
    Method.of("blocks.update_sort space block", sort=0),
]
IDS_IN_OPTIONS = [
    (Method.of("sessions.create"), "space_id", "space"),
    (Method.of("sessions.list"), "space_id", "space"),
    (Method.of("sessions.connect_to_space session"), "space_id", "space"),
    (Method.of("blocks.list space"), "parent_id", "block"),
    (Method.of("blocks.create space", block_type="folder", title="a"), "parent_id", "block"),
    (Method.of("blocks.move space block"), "parent_id", "block"),
]
MALFORMED = ["nope", NOWHERE[:-1], NOWHERE + "0", "0198c0de", "é b", "{}", "x" * 3000, "%00", "a+b"]
OTHER_PATHS = ["", ".", "..", "a/b", "a?b", "%2F", "../../health", "\x00", "\n"]


@pytest.fixture(scope="module")
def own(sdk: Sdk) -> Mapping[str, str]:
    """Ids of the SDK's own project, by kind."""
    space = sdk("spaces.create")["id"]
    return {
        "session": sdk("sessions.create")["id"],
        "disk": sdk("disks.create")["id"],
        "space": space,
        "block": sdk("blocks.create", space, block_type="folder", title="own")["id"],
        "unknown": NOWHERE,
    }


def offered(sdk: Sdk) -> Iterator[Method]:
    return (method for method in METHODS if method.name in sdk.offered)


def test_every_method_that_takes_an_id_is_tried(sdk: Sdk) -> None:
    takes = {
        name
        for name, options in sdk.offered.items()
        if {"session_id", "disk_id", "space_id"} & {*options[:1]}
        and not re.match(r"artifacts|.*_sandbox|sessions\.(create|list)$", name)
    }
    assert takes == {method.name for method in offered(sdk)}


def test_a_foreign_thing_is_not_found_and_looks_like_an_unknown_one(
    sdk: Sdk, own: Mapping[str, str], foreign: Mapping[str, str]
) -> None:
    for method in offered(sdk):
        for place, kind in enumerate(method.ids):
            ids = [own[each] for each in method.ids]
            told = []
            for one in (NOWHERE, foreign.get(kind, NOWHERE)):
                ids[place] = one
                sentence = sdk.refuses(404, method.name, *ids, **method.options)
                told.append(sentence.replace(one, "…"))
            assert told[0] == told[1], method
    for method, option, kind in IDS_IN_OPTIONS:
        ids = [own[each] for each in method.ids]
        told = []
        for one in (NOWHERE, foreign[kind]):
            sentence = sdk.refuses(404, method.name, *ids, **method.options, **{option: one})
            told.append(sentence.replace(one, "…"))
        assert told[0] == told[1], method


def test_a_malformed_id_is_refused(sdk: Sdk, own: Mapping[str, str]) -> None:
    for number, method in enumerate(offered(sdk)):
        for place in range(len(method.ids)):
            ids = [own[each] for each in method.ids]
            ids[place] = MALFORMED[number % len(MALFORMED)]
            sdk.refuses(400, method.name, *ids, **method.options)
            ids[place] = OTHER_PATHS[number % len(OTHER_PATHS)]
            assert sdk.call(method.name, *ids, **method.options).status in (400, 404, 405, None)
    for malformed in [*MALFORMED, *OTHER_PATHS]:
        assert sdk.call("sessions.get_configs", malformed).status in (400, 404, None)
        for method, option, _ in IDS_IN_OPTIONS:
            ids = [own[each] for each in method.ids]
            if malformed:  # means absent
                sdk.refuses(400, method.name, *ids, **method.options, **{option: malformed})


LISTS = [
    ("sessions.list", (), 1, 200),
    ("sessions.get_tasks", ("session",), 1, 200),
    ("sessions.get_messages", ("session",), 0, 200),
    ("disks.list", (), 1, 200),
    ("spaces.list", (), 1, 200),
    ("spaces.get_unconfirmed_experiences", ("space",), 1, 200),
    ("users.list", (), 0, 200),
    ("disks.artifacts.grep_artifacts", ("disk",), 0, 1000),
    ("disks.artifacts.glob_artifacts", ("disk",), 0, 1000),
    ("spaces.experience_search", ("space",), 1, 50),
]

NO_LIMITS: Sequence[object] = [-(2**31), 2**31, 2**64, 1.5, "ten", "1 2", "\x00"]


def test_a_limit_that_is_out_of_range_or_no_number_is_refused(
    sdk: Sdk, own: Mapping[str, str]
) -> None:
    for method, kinds, least, most in LISTS:
        if method not in sdk.offered:
            continue
        ids = [own[kind] for kind in kinds]
        more = {"query": "a"} if "query" in sdk.offered[method] else {}
        for limit in (least, most):
            sdk(method, *ids, **more, limit=limit)
        for wrong in (least - 1, most + 1, *NO_LIMITS):
            assert "limit" in sdk.refuses(400, method, *ids, **more, limit=wrong)


CURSORS = ["nonsense", "a+b/c=", "AAAAAAAAAAAA", "é", "\x00", "0", "x" * 5000, NOWHERE, "{}"]


def test_a_cursor_that_we_did_not_make_is_refused(sdk: Sdk, own: Mapping[str, str]) -> None:
    for _ in range(2):
        sdk("sessions.create")
        sdk("disks.create")
    ours = sdk("sessions.list", limit=1)["next_cursor"]
    others = sdk("disks.list", limit=1)["next_cursor"]
    for method, kinds, *_ in LISTS:
        if "cursor" not in sdk.offered.get(method, ()):
            continue
        ids = [own[kind] for kind in kinds]
        foreign = others if method == "sessions.list" else ours
        for cursor in [*CURSORS, foreign, ours[:-1], ours[1:], ours + "A", ours.swapcase()]:
            assert "cursor" in sdk.refuses(400, method, *ids, cursor=cursor)
        assert sdk.call(method, *ids, time_desc="perhaps").status == 400


TEXTS = [
    "\x00",
    "a\x00b",
    "\ud800",
    "x \udfff",
    "😀é́\u202e\ufeff\uffff\u2028",
    "  padded\t\r\n",
    "+ % %2F %00 & ? # / \\ ' \" `",
    "'; DROP TABLE sessions; --",
    "null:0 ${jndi:x} {{x}} <script>",
    '{"a": [1, null]}',
    "\x01\x02\x1f\x7f\x80",
    "x" * 70_000,
]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:20])
def test_odd_text_comes_back_as_it_went_in_or_is_refused(
    sdk: Sdk, own: Mapping[str, str], text: str
) -> None:
    for method in ("sessions.update_configs", "spaces.update_configs"):
        thing = own[method.partition("s.")[0]]
        for configs in ({"text": text}, {text: [text]}):
            if stored(sdk, method, thing, configs=configs):
                read = sdk(method.replace("update", "get"), thing)
                assert read["configs"] == configs
    if stored(sdk, "sessions.store_message", own["session"], blob={**USER, "content": text}):
        read = sdk("sessions.get_messages", own["session"], limit=1, time_desc=True)
        assert read["items"] == [{**USER, "content": text}]
    for kind, title in (("folder", text), ("page", text)):
        call = sdk.call(
            "blocks.create", own["space"], block_type=kind, title=title, props={"": text}
        )
        if call.status == 200:
            assert "/" not in title
            read = sdk("blocks.get_properties", own["space"], made_id(call))
            assert read["title"] == title.replace(" ", "_")
            assert read["props"][""] == text
            sdk("blocks.delete", own["space"], read["id"])
    odd_words(sdk, own, text)
    odd_files(sdk, own["disk"], text)


def test_odd_texts_are_observed_too(sdk: Sdk) -> None:
    session = sdk("sessions.create")["id"]
    for text in TEXTS:
        stored(sdk, "sessions.store_message", session, blob={**USER, "content": text})
        request = {**USER, "content": f"Please fix {text} and always say {text}."}
        stored(sdk, "sessions.store_message", session, blob=request)
        done = {"role": "assistant", "content": f"I fixed {text}. Next: {text}"}
        stored(sdk, "sessions.store_message", session, blob=done)
    assert flushed(sdk, session) == {"status": 200, "errmsg": ""}
    read = sdk("sessions.get_messages", session, format="acontext")["items"]
    assert {one["session_task_process_status"] for one in read} == {"success"}
    sdk("sessions.get_tasks", session)


def made_id(call: Call) -> str:
    made: Json = call.exchanges[-1].data
    return str(made["id"])


def stored(sdk: Sdk, method: str, *ids: str, **options: object) -> bool:
    """Say whether it was; if not, it was refused as the client's fault."""
    status = sdk.call(method, *ids, **options).status
    assert status in (200, 400, None), (method, options, status)
    return status == 200


def odd_words(sdk: Sdk, own: Mapping[str, str], text: str) -> None:
    stored(sdk, "spaces.experience_search", own["space"], query=text)
    stored(sdk, "tools.rename_tool_name", rename=[renaming(sdk, text, "x")])
    if "users.list" not in sdk.offered:
        return
    if stored(sdk, "sessions.create", user=text):
        found = sdk("sessions.list", user=text)["items"]
        assert [one["user_id"] for one in found] == [found[0]["user_id"]]
        assert text in [one["identifier"] for one in sdk("users.list")["items"]]
        sdk("users.delete", text)
    stored(sdk, "disks.artifacts.grep_artifacts", own["disk"], query=text)
    stored(sdk, "disks.artifacts.glob_artifacts", own["disk"], query=text)


def odd_files(sdk: Sdk, disk: str, text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    file = upload("a.txt", content)
    if stored(sdk, "disks.artifacts.upsert", disk, file=file, meta={"text": text, text[:9]: 1}):
        got = sdk("disks.artifacts.get", disk, **FILE)
        assert got["artifact"]["meta"]["text"] == text
        assert opened(got["public_url"]) == content
        if "content" in got:
            assert got["content"]["raw"].rstrip() == content.decode(errors="replace").rstrip()
    for place in ({"file_path": f"/{text}/"}, {}):
        name = "a.txt" if place else text
        call = sdk.call("disks.artifacts.upsert", disk, file=upload(name, b"odd"), **place)
        assert call.status in (200, 400, None)
        if call.status == 200:
            made: Json = call.exchanges[-1].data
            where = {"file_path": made["path"], "filename": made["filename"]}
            got = sdk("disks.artifacts.get", disk, **where)
            assert opened(got["public_url"]) == b"odd"
            assert made in sdk("disks.artifacts.list", disk, path=made["path"])["artifacts"]
            sdk("disks.artifacts.delete", disk, **where)


PATHS = {
    "todo": "/todo/",
    "/todo": "/todo/",
    "/todo/": "/todo/",
    "a b/c+d/é%2F": "/a b/c+d/é%2F/",
    "/deep/er/": "/deep/er/",
    "/x/a.txt": "/x/",
}
BAD_PATHS = ["..", "/..", "/a/../b", "/a/..", "/.", "/a/./b", "/...", "/a\x00b/"]


def test_paths_are_normalised_or_refused(sdk: Sdk) -> None:
    disk = sdk("disks.create")["id"]
    for path, normal in PATHS.items():
        file = upload("a.txt", b"a")
        made = sdk("disks.artifacts.upsert", disk, file=file, file_path=path)
        assert (made["path"], made["filename"]) == (normal, "a.txt")
        assert sdk("disks.artifacts.list", disk, path=normal)["artifacts"][-1] == made
    for path in BAD_PATHS:
        file = upload("a.txt", b"a")
        assert not stored(sdk, "disks.artifacts.upsert", disk, file=file, file_path=path)
        for method in ("get", "delete"):
            options = {"file_path": path, "filename": "a.txt"}
            assert not stored(sdk, f"disks.artifacts.{method}", disk, **options)
        assert not stored(sdk, "disks.artifacts.list", disk, path=path)
    for name in ("..", ".", "...", ""):
        assert not stored(sdk, "disks.artifacts.upsert", disk, file=upload(name, b"a"))
        assert not stored(sdk, "disks.artifacts.get", disk, file_path="/", filename=name)


@pytest.mark.parametrize("depth", [20, 43, 44, 45, 46, 60, 99, 101, 300])
def test_deep_json_comes_back_or_is_refused(sdk: Sdk, own: Mapping[str, str], depth: int) -> None:
    deep: object = 1
    for _ in range(depth):
        deep = {"a": [deep]} if depth % 2 else {"a": deep}
    configs = {"deep": deep}
    if stored(sdk, "sessions.update_configs", own["session"], configs=configs):
        assert sdk("sessions.get_configs", own["session"])["configs"] == configs
        listed = sdk("sessions.list", limit=200)["items"]
        assert configs in [one["configs"] for one in listed]
    else:
        assert depth > 20
    if stored(sdk, "blocks.create", own["space"], block_type="folder", title="d", props=configs):
        made = sdk("blocks.list", own["space"], block_type="folder")[-1]
        assert made["props"]["deep"] == deep
        sdk("blocks.delete", own["space"], made["id"])
    part = {"type": "text", "text": "deep", "meta": configs}
    blob = acontext_message("user", [part])
    if stored(sdk, "sessions.store_message", own["session"], blob=blob, format="acontext"):
        read = sdk("sessions.get_messages", own["session"], format="acontext", time_desc=True)
        assert read["items"][-1]["parts"][0]["meta"] == configs
    disk = own["disk"]
    if stored(sdk, "disks.artifacts.upsert", disk, file=upload("d.txt", b"d"), meta=configs):
        where = {"file_path": "/", "filename": "d.txt"}
        assert sdk("disks.artifacts.get", disk, **where)["artifact"]["meta"]["deep"] == deep


def each(
    method: str, option: str, *values: object, **others: object
) -> list[tuple[str, Arguments]]:
    """List calls of a method, each with another wrong value of an option."""
    return [(method, {**others, option: value}) for value in values]


def spoken(role: str, **fields: object) -> Arguments:
    return {"role": role, **fields}


def strategy(kind: object, **params: object) -> Sequence[Arguments]:
    return [{"type": kind, "params": params}]


STORE, READ = "sessions.store_message session", "sessions.get_messages session"
GET, UPLOAD = "disks.artifacts.get disk", "disks.artifacts.upsert disk"
BLOCK, SEARCH = "blocks.create space", "spaces.experience_search space"
FUNCTION = {"name": "f", "arguments": "{}"}
HOLOGRAM = [{"type": "hologram"}]
NO_CONTENT: Sequence[object] = [None, [], 5, True, {}, [5], [None], ["x"], [{}], HOLOGRAM]
NO_ROLE: Sequence[object] = [None, "robot", 5, [], {}, "", "USER", "tool-result"]
NO_NAME: Sequence[object] = ["", " ", 5, None, []]
WRONG: Sequence[tuple[str, Arguments]] = [
    *each("sessions.create", "configs", "text", [1], 5, True),
    *each("sessions.create", "disable_task_tracking", "perhaps", 5, [], {}),
    *each("sessions.create", "space_id", 5, ["a"], {"a": 1}, True),
    *each("sessions.create", "user", 5, ["a"], {"a": 1}, "x" * 2000),
    *each("sessions.list", "not_connected", "perhaps"),
    *each("sessions.update_configs session", "configs", None, "x", [1], 5),
    *each("spaces.update_configs space", "configs", None, "x", [1], 5),
    *each("spaces.create", "configs", "x", [1], 5),
    *each("sessions.connect_to_space session", "space_id", None, "", 5, [], {}),
    *each(STORE, "blob", None, "x", [], 5, True, {}, [{}]),
    *each(
        STORE,
        "blob",
        *(spoken("user", content=wrong) for wrong in NO_CONTENT),
        *({"role": wrong, "content": "x"} for wrong in NO_ROLE),
        spoken("user"),
        spoken("assistant"),
        spoken("assistant", content=None),
        spoken("assistant", content="", refusal=None, tool_calls=[]),
        spoken("assistant", tool_calls="x"),
        spoken("assistant", tool_calls=[5]),
        spoken("assistant", tool_calls=[{"id": "1", "type": "function"}]),
        spoken("assistant", tool_calls=[{"id": "1", "type": "magic", "function": FUNCTION}]),
        spoken("assistant", tool_calls=[{"id": "1", "type": "function", "function": {"name": 5}}]),
    ),
    *each(
        STORE,
        "blob",
        spoken("system", content="x"),
        spoken("user", content=[]),
        spoken("user", content=HOLOGRAM),
        spoken("user", content=[{"type": "image", "source": 5}]),
        spoken("assistant", content=[{"type": "tool_use", "name": 5}]),
        format="anthropic",
    ),
    *each(READ, "format", "klingon", "OPENAI", "5"),
    *each(READ, "with_asset_public_url", "perhaps"),
    *each(READ, "edit_strategies", "x", {}, 5, True, [5], [None], [{}], [{"type": "token_limit"}]),
    *each(
        READ,
        "edit_strategies",
        strategy("nope"),
        strategy(5),
        strategy("token_limit"),
        strategy("token_limit", limit_tokens=0),
        strategy("token_limit", limit_tokens=1.5),
        strategy("token_limit", limit_tokens="9"),
        strategy("token_limit", limit_tokens=True),
        strategy("middle_out", token_reduce_to=-1),
        strategy("remove_tool_result", keep_recent_n_tool_results=-1),
        strategy("remove_tool_result", tool_result_placeholder=5),
        strategy("remove_tool_result", keep_tools="x"),
        strategy("remove_tool_call_params", keep_tools=[5]),
        [{"type": "remove_tool_call_params", "params": 5}],
    ),
    *each(GET, "expire", 0, -1, 604801, 2**40, "long", 1.5, **FILE),
    *each(GET, "with_content", "perhaps", **FILE),
    *each(UPLOAD, "meta", [1], "x", 5, True, {"__artifact_info__": {}}, file=upload("a", b"")),
    *each(
        "disks.artifacts.update disk", "meta", [1], "x", 5, True, {"__artifact_info__": 1}, **FILE
    ),
    *each("disks.artifacts.grep_artifacts disk", "query", "", "(", "[", "a{9"),
    *each("disks.artifacts.glob_artifacts disk", "query", ""),
    *each(BLOCK, "block_type", "banner", "", 5, None, "FOLDER", "sop", "text", title="x"),
    *each(BLOCK, "title", "a/b", 5, [], {}, block_type="page"),
    *each(BLOCK, "props", "x", [1], 5, block_type="page"),
    *each(BLOCK, "parent_id", 5, "x", "block", block_type="sop"),
    *each("blocks.update_properties space block", "props", "x", [1], 5),
    *each("blocks.update_properties space block", "title", "a/b", 5, []),
    *each("blocks.move space block", "sort", "x", 1.5, 2**40, [], {}),
    *each("blocks.move space block", "parent_id", 5, "x", "block"),
    *each("blocks.update_sort space block", "sort", None, "x", 1.5, 2**40, [], {}),
    *each(SEARCH, "query", "", "  ", "\n"),
    *each(SEARCH, "mode", "slow", "", "FAST", query="a"),
    *each(SEARCH, "semantic_threshold", -0.1, 2.1, "near", "NaN", query="a"),
    *each(SEARCH, "max_iterations", 0, 101, -1, "many", 1.5, query="a"),
    *each("tools.rename_tool_name", "rename", [], "x", 5, [5], None, [[]]),
    *each(
        "tools.rename_tool_name",
        "rename",
        *([{"old_name": "a", "new_name": wrong}] for wrong in NO_NAME),
    ),
]
"""`block` stands for the id of a folder of the project's own."""


def test_a_wrong_value_is_refused(sdk: Sdk, own: Mapping[str, str]) -> None:
    sdk("disks.artifacts.upsert", own["disk"], file=upload("a.txt", b"a"))
    believed = []
    for written, options in WRONG:
        method, *kinds = written.split()
        if method not in sdk.offered or options.keys() - {*sdk.offered[method]}:
            continue
        known = {name: own.get(str(value), value) for name, value in options.items()}
        call = sdk.call(method, *[own[kind] for kind in kinds], **known)
        if call.status not in (400, None):
            believed.append((written, options, call.status))
    assert believed == []


STEP = {"tool_name": "grep", "action": "find"}


def test_a_skill_without_use_is_refused(sdk: Sdk, own: Mapping[str, str]) -> None:
    page = sdk("blocks.create", own["space"], block_type="page", title="p")["id"]
    where = {"block_type": "sop", "parent_id": page, "title": "t"}
    for props in (
        {},
        {"preferences": "", "tool_sops": []},
        {"tool_sops": "x"},
        {"tool_sops": [5]},
        {"tool_sops": [{"tool_name": "grep"}]},
        {"tool_sops": [{"action": "find"}]},
        {"tool_sops": [{**STEP, "tool_name": " "}]},
        {"tool_sops": [{**STEP, "action": ""}]},
        {"tool_sops": [{**STEP, "tool_name": 5}]},
        {"preferences": 5},
    ):
        sdk.refuses(400, "blocks.create", own["space"], **where, props=props)
    kept = sdk("blocks.create", own["space"], **where, props={"tool_sops": [STEP]})["id"]
    sdk("blocks.update_properties", own["space"], kept, title="")
    assert sdk("blocks.get_properties", own["space"], kept)["title"] == "t"
    sdk.refuses(400, "blocks.update_properties", own["space"], kept, props={"tool_sops": []})
    sdk.refuses(400, "blocks.move", own["space"], kept, parent_id=own["block"])
    sdk.refuses(400, "blocks.create", own["space"], **{**where, "parent_id": kept}, props=SOP)


def test_the_tree_has_no_loops_and_its_order_no_holes(sdk: Sdk) -> None:
    space, other = sdk("spaces.create")["id"], sdk("spaces.create")["id"]

    def made(title: str, **options: object) -> str:
        options = {"block_type": "folder", "title": title, **options}
        return str(sdk("blocks.create", space, **options)["id"])

    a = made("a")
    b = made("b", parent_id=a)
    c = made("c", parent_id=b)
    d, e = made("d"), made("e")
    for into in (a, b, c):
        sdk.refuses(400, "blocks.move", space, a, parent_id=into)
    sdk.refuses(404, "blocks.get_properties", other, a)
    sdk.refuses(404, "blocks.create", other, block_type="folder", title="x", parent_id=a)
    for sort, wanted in ((-5, [e, a, d]), (10**6, [a, d, e]), (1, [a, e, d])):
        sdk("blocks.update_sort", space, e, sort=sort)
        root = sdk("blocks.list", space)
        assert [(one["id"], one["sort"]) for one in root] == [*zip(wanted, range(3), strict=True)]
    sdk("blocks.move", space, b, sort=0)
    assert [one["id"] for one in sdk("blocks.list", space)] == [b, a, e, d]
    assert sdk("blocks.get_properties", space, c)["props"]["path"] == "b/c"


def test_an_unknown_user_is_not_found(sdk: Sdk) -> None:
    if "users.list" not in sdk.offered:
        return
    for name in ("nobody", "no/body", "%2F", "é +", "..", "ls", "\x00", "x" * 3000):
        for method in ("users.get_resources", "users.delete"):
            assert sdk.call(method, name).status in (400, 404, None)
