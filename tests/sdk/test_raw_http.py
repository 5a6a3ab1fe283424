"""What reaches us over HTTP that no SDK sends."""

import json
from collections.abc import Mapping

import httpx
import pytest

from tests.journeys.system import System
from tests.sdk.conftest import new_key
from tests.sdk.dialect import ROUTE_LIST, Exchange, differences
from tests.sdk.sdk import Json
from tests.sdk.test_methods import NOWHERE, opened

MIB = 1024 * 1024
USER = {"role": "user", "content": "Hello."}


def answered(status: int, response: httpx.Response) -> Json:
    """Hold an answer to the dialect, and give its data or its sentence."""
    exchange = Exchange(
        method=response.request.method,
        target=response.request.url.raw_path.decode(),
        status=response.status_code,
        content_type=response.headers.get("content-type", ""),
        body=response.content,
    )
    assert list(differences(exchange)) == []
    assert exchange.status == status, exchange
    return exchange.data if status == 200 else exchange.envelope["msg"]


def made(rest: httpx.Client, kind: str, **fields: object) -> str:
    return str(answered(200, rest.post(f"/{kind}", json=fields))["id"])


@pytest.mark.parametrize("path", ["/session", "/disk", "/space"])
def test_no_body_at_all_means_an_empty_object(rest: httpx.Client, path: str) -> None:
    assert "content-type" not in rest.build_request("POST", path).headers
    for content in (None, b"", b"{}", b" {} \n"):
        answered(200, rest.post(path, content=content))
    answered(200, rest.post(path, content=b"{}", headers={"content-type": "text/plain"}))
    answered(200, rest.post(path, content=b"", headers={"content-type": "application/json"}))


def test_a_flush_without_a_body_and_with_one(rest: httpx.Client) -> None:
    session = made(rest, "session")
    for content in (None, b"{}"):
        flushed = answered(200, rest.post(f"/session/{session}/flush", content=content))
        assert flushed == {"status": 200, "errmsg": ""}


def test_null_means_absent_in_requests(rest: httpx.Client) -> None:
    names = ("user", "space_id", "disable_task_tracking", "configs")
    answered(200, rest.post("/session", json=dict.fromkeys(names)))
    answered(200, rest.post("/space", json={"user": None, "configs": None}))
    answered(200, rest.post("/disk", json={"user": None}))
    space = made(rest, "space")
    block = {"type": "folder", "title": None, "props": None, "parent_id": None}
    folder = answered(200, rest.post(f"/space/{space}/block", json=block))["id"]
    for change in ({"title": None, "props": None}, {}):
        answered(200, rest.put(f"/space/{space}/block/{folder}/properties", json=change))
    for change in ({"parent_id": None, "sort": None}, {}):
        answered(200, rest.put(f"/space/{space}/block/{folder}/move", json=change))
    answered(400, rest.put(f"/space/{space}/block/{folder}/sort", json={"sort": None}))
    answered(400, rest.put(f"/space/{space}/configs", json={"configs": None}))


def test_unknown_keys_and_parameters_are_ignored(rest: httpx.Client) -> None:
    session = made(rest, "session", future={"a": [1]}, user="ann")
    answered(200, rest.get("/session", params={"future": "x", "user": "ann", "limit": "5"}))
    body = {"blob": {**USER, "future": 1}, "format": "openai", "future": None}
    answered(200, rest.post(f"/session/{session}/messages", json=body))


def test_empty_text_means_absent(rest: httpx.Client) -> None:
    made(rest, "session", user="")
    assert "user_id" not in answered(200, rest.post("/session", json={"user": ""}))
    empty = {"user": "", "cursor": ""}
    assert len(answered(200, rest.get("/session", params=empty))["items"]) == 2


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer sk-ac-",
        "Bearer sk-ac-unknown",
        "Bearer sk-xx-your-root-api-bearer-token",
        "Basic c2stYWM6eA==",
        "sk-ac-your-root-api-bearer-token",
        "Bearer sk-ac-your-root-api-bearer-token x",
        "Bearer " + "x" * 5000,
        "Bearer sk-ac-é",
    ],
)
def test_without_a_known_key_everything_is_unauthorized(
    http: httpx.Client, authorization: str | None
) -> None:
    headers = {} if authorization is None else {b"authorization": authorization.encode()}
    for method, path in (("GET", "/ping"), ("POST", "/disk"), ("GET", "/tool/name")):
        response = http.request(method, path, headers=headers)
        answered(401, response)
        assert response.json()["msg"] == "Unauthorized"
    answered(401, http.get(f"/session/{NOWHERE}/task", headers=headers))
    form = {"file": b"x"}
    answered(401, http.post(f"/disk/{NOWHERE}/artifact", files=form, headers=headers))
    answered(401, http.get("/session/nope/configs", headers=headers))


def test_a_key_says_bearer_in_any_case(http: httpx.Client, system: System) -> None:
    key = new_key(http, system)
    for scheme in ("Bearer", "bearer", "BEARER"):
        answered(200, http.get("/ping", headers={"authorization": f"{scheme} {key}"}))


def test_health_needs_no_key(http: httpx.Client, system: System) -> None:
    response = http.get(f"http://{system.address}/health")
    assert (response.status_code, response.json()) == (200, {"code": 0, "msg": "ok"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", ""),
        ("GET", "/nothing"),
        ("GET", "/agent_skills"),
        ("POST", "/sandbox"),
        ("DELETE", f"/sandbox/{NOWHERE}"),
        ("POST", f"/session/{NOWHERE}/nothing"),
        ("PUT", "/session"),
        ("PATCH", f"/session/{NOWHERE}"),
        ("GET", f"/session/{NOWHERE}/configs/more"),
        ("POST", "/user/ls"),
        ("GET", "/SESSION"),
        ("GET", "/../api/v1/nothing"),
        ("GET", "/%00"),
        ("GET", "/%ff"),
    ],
)
def test_an_unknown_route_is_not_found(rest: httpx.Client, method: str, path: str) -> None:
    answered(404, rest.request(method, path))


def test_a_route_outside_the_base_is_not_found(http: httpx.Client, system: System) -> None:
    for path in ("/", "/favicon.ico", "/api", "/api/v2/session", "/session", "/api/v1session"):
        answered(404, http.get(f"http://{system.address}{path}"))


BROKEN = {
    "cut": b'{"user": "a"',
    "no JSON": b"hello",
    "two": b"{}{}",
    "comma": b'{"user": "a",}',
    "an array": b"[]",
    "a number": b"5",
    "a text": b'"x"',
    "null": b"null",
    "NaN": b'{"configs": {"a": NaN}}',
    "invalid UTF-8": b'{"user": "\xff\xfe"}',
    "a lone surrogate": b'{"user": "\\ud800"}',
    "half a surrogate's bytes": b'{"user": "\xed\xa0\x80"}',
    "NUL": b'{"user": "\x00"}',
    "an escape": b'{"user": "\\x41"}',
    "a control character": b'{"user": "a\nb"}',
    "UTF-16": '{"user": "a"}'.encode("utf-16"),
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    "deep": b'{"configs": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}",
    "deep arrays": b'{"configs": {"a":' + b"[" * 5000 + b"]" * 5000 + b"}}",
}
LENIENT = {"comma", "a control character", "an escape", "null"}
"""What a JSON reader may also take."""


@pytest.mark.parametrize("body", BROKEN)
def test_broken_json_is_refused_on_every_route_that_takes_a_body(
    rest: httpx.Client, body: str
) -> None:
    session, space, disk = made(rest, "session"), made(rest, "space"), made(rest, "disk")
    for method, path in (
        ("POST", "/session"),
        ("PUT", f"/session/{session}/configs"),
        ("POST", f"/session/{session}/messages"),
        ("PUT", f"/disk/{disk}/artifact"),
        ("POST", f"/space/{space}/block"),
        ("PUT", "/tool/name"),
    ):
        headers = {"content-type": "application/json"}
        response = rest.request(method, path, content=BROKEN[body], headers=headers)
        answered(200 if body in LENIENT and response.status_code == 200 else 400, response)


BROKEN_BLOBS = {
    "a lone surrogate": b'{"role": "user", "content": "\\ud800"}',
    "NUL": b'{"role": "user", "content": "a\\u0000b"}',
    "a huge number": b'{"role": "user", "content": "x", "n": 1e999, "m": 123456789012345678901}',
    "twice": b'{"role": "user", "role": "robot", "content": "x"}',
    "deep": b'{"role": "user", "content": "x", "deep": ' + b"[" * 20000 + b"]" * 20000 + b"}",
    "deep meta": b'{"role": "user", "parts": [{"type": "text", "text": "x", "meta": {"a": '
    + b"[" * 3000
    + b"]" * 3000
    + b"}}]}",
}


@pytest.mark.parametrize("blob", BROKEN_BLOBS)
def test_an_odd_blob_is_kept_or_refused(rest: httpx.Client, blob: str) -> None:
    session = made(rest, "session")
    for form in ("openai", "acontext"):
        body = b'{"format": "%s", "blob": %s}' % (form.encode(), BROKEN_BLOBS[blob])
        response = rest.post(f"/session/{session}/messages", content=body)
        answered(200 if response.status_code == 200 else 400, response)
        for read in ("openai", "acontext", "anthropic", "gemini"):
            answered(200, rest.get(f"/session/{session}/messages", params={"format": read}))


QUERIES = [
    "limit=abc",
    "limit=",
    "limit=1e1",
    "limit=0x10",
    "limit=%31%30%20",
    "limit=10&limit=20",
    "limit=99999999999999999999",
    "time_desc=maybe",
    "time_desc=TRUE",
    "cursor=%ff",
    "user=%ff%fe",
    "user=%00",
    "user=%ed%a0%80",
    "%ff=1",
    "limit=%zz",
    "=&&=",
    "limit=1;time_desc=true",
    "limit[]=1",
    "items=1",
    "user=" + "x" * 20_000,
]
WELL = {"limit=%31%30%20", "limit=10&limit=20", "=&&=", "%ff=1", "limit[]=1", "items=1"}
REFUSED = {"limit=abc", "limit=99999999999999999999", "time_desc=maybe", "cursor=%ff", "limit=%zz"}


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query[:30])
def test_an_odd_query_is_understood_or_refused(rest: httpx.Client, query: str) -> None:
    for path in ("/session", "/disk", "/space", "/user/ls"):
        response = rest.get(f"{path}?{query}")
        answered(200 if response.status_code == 200 else 400, response)
        assert query not in REFUSED or response.status_code == 400


def test_invalid_utf8_in_a_path_is_the_clients_fault(rest: httpx.Client) -> None:
    for path in ("/session/%ff/configs", "/user/%ff/resources", "/user/%c3%28/resources"):
        response = rest.get(path)
        answered(404 if response.status_code == 404 else 400, response)


def test_a_cursor_belongs_to_its_list(rest: httpx.Client) -> None:
    for _ in range(3):
        sessions, disks = made(rest, "session", user="ann"), made(rest, "disk")
    page = answered(200, rest.get("/session", params={"limit": 1}))
    cursor = page["next_cursor"]
    assert answered(200, rest.get("/session", params={"cursor": cursor}))["items"]
    for path in ("/disk", "/space", "/user/ls", f"/session/{sessions}/messages"):
        answered(400, rest.get(path, params={"cursor": cursor}))
    answered(400, rest.get(f"/session/{sessions}/task", params={"cursor": cursor}))
    answered(404, rest.get(f"/disk/{disks}/artifact", params={"file_path": "/none"}))


def test_a_page_begins_beyond_an_item_that_is_gone(rest: httpx.Client) -> None:
    ids = [made(rest, "session") for _ in range(4)]
    page = answered(200, rest.get("/session", params={"limit": 2}))
    answered(200, rest.delete(f"/session/{ids[1]}"))
    rest_of_it = answered(200, rest.get("/session", params={"cursor": page["next_cursor"]}))
    assert [one["id"] for one in rest_of_it["items"]] == ids[2:]


def test_a_user_comes_percent_encoded(rest: httpx.Client) -> None:
    made(rest, "disk", user="ann@here/é +%")
    encoded = "/user/ann%40here%2F%C3%A9%20%2B%25"
    assert answered(200, rest.get(f"{encoded}/resources"))["counts"]["disks_count"] == 1
    answered(404, rest.get("/user/ann%40here/resources"))
    answered(200, rest.delete(encoded))
    answered(404, rest.get(f"{encoded}/resources"))
    assert answered(200, rest.get("/disk"))["items"] == []


def multipart(*fields: bytes) -> Mapping[str, Json]:
    """Write a form by hand."""
    content = b"".join(b"--b\r\nContent-Disposition: form-data; " + field for field in fields)
    headers = {"content-type": "multipart/form-data; boundary=b"}
    return {"content": content + b"--b--\r\n", "headers": headers}


PATH = b'name="file_path"\r\n\r\n/notes\r\n'
META = b'name="meta"\r\n\r\n{"k": 1}\r\n'
FILE = b'name="file"; filename="a.md"\r\nContent-Type: image/png\r\n\r\n# Hi\r\n'


@pytest.mark.parametrize(
    "fields",
    [
        (PATH, META, FILE),
        (FILE, META, PATH),
        (META, FILE, PATH),
        (FILE, b'name="other"; filename="x"\r\n\r\nx\r\n', b'name="more"\r\n\r\n1\r\n', META, PATH),
    ],
)
def test_an_upload_takes_its_fields_in_any_order(
    rest: httpx.Client, fields: tuple[bytes, ...]
) -> None:
    disk = made(rest, "disk")
    artifact = answered(200, rest.post(f"/disk/{disk}/artifact", **multipart(*fields)))
    assert (artifact["path"], artifact["filename"], artifact["meta"]["k"]) == ("/notes/", "a.md", 1)
    assert artifact["meta"]["__artifact_info__"]["mime"].startswith("text/markdown")
    found = answered(200, rest.get(f"/disk/{disk}/artifact", params={"file_path": "/notes/a.md"}))
    assert opened(found["public_url"]) == b"# Hi"


@pytest.mark.parametrize(
    "form",
    [
        multipart(PATH, META),
        multipart(),
        multipart(FILE.replace(b'filename="a.md"', b'filename=""')),
        multipart(FILE, b'name="meta"\r\n\r\n[1]\r\n'),
        multipart(FILE, b'name="meta"\r\n\r\n{\r\n'),
        multipart(FILE, b'name="meta"\r\n\r\n\xff\r\n'),
        multipart(FILE, b'name="file_path"\r\n\r\n/a/../b\r\n'),
        multipart(FILE, b'name="file_path"\r\n\r\n\xff\r\n'),
        multipart(FILE.replace(b"a.md", b"a\x00.md")),
        multipart(FILE.replace(b"\r\n\r\n", b"\r\n")),
        {"content": b"--b\r\nContent-Dis", "headers": multipart()["headers"]},
        {"content": b"", "headers": multipart()["headers"]},
        {"content": b"x" * 1000, "headers": multipart()["headers"]},
        {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
        {"content": b"{}", "headers": {"content-type": "application/json"}},
        {"content": b"", "headers": {}},
    ],
)
def test_a_broken_form_is_refused(rest: httpx.Client, form: Mapping[str, Json]) -> None:
    disk, session = made(rest, "disk"), made(rest, "session")
    response = rest.post(f"/disk/{disk}/artifact", **form)
    is_form = "multipart" in str(form["headers"])
    answered(400 if is_form or response.status_code == 400 else 404, response)
    answered(400, rest.post(f"/session/{session}/messages", **form))
    assert answered(200, rest.get(f"/disk/{disk}/artifact/ls"))["artifacts"] == []


def test_a_file_name_in_utf8_wins_and_directories_are_stripped(rest: httpx.Client) -> None:
    disk = made(rest, "disk")
    for name, wanted in {
        b"filename=\"x.md\"; filename*=UTF-8''%e2%82%ac%20a.md": "€ a.md",
        b'filename="C:\\dir\\b.md"': "b.md",
        b'filename="/etc/../c.md"': "c.md",
        'filename="ü.md"'.encode(): "ü.md",
    }.items():
        field = FILE.replace(b'filename="a.md"', name)
        artifact = answered(200, rest.post(f"/disk/{disk}/artifact", **multipart(field)))
        assert artifact["filename"] == wanted


def parts(*names: str) -> Json:
    return [{"type": "file", "file_field": name} for name in names]


def test_a_message_takes_its_files_in_any_order_with_any_format(rest: httpx.Client) -> None:
    session = made(rest, "session")
    payload = {"format": "acontext", "blob": {"role": "user", "parts": parts("one", "two")}}
    text = b'name="payload"\r\n\r\n' + json.dumps(payload).encode() + b"\r\n"
    one, two = (
        b'name="%s"; filename="%s.bin"\r\n\r\n%s\r\n' % (name, name, name)
        for name in (b"one", b"two")
    )
    for fields in ((text, one, two), (two, one, text), (one, text, two, FILE)):
        posted = rest.post(f"/session/{session}/messages", **multipart(*fields))
        stored = answered(200, posted)["parts"]
        assert [part["filename"] for part in stored] == ["one.bin", "two.bin"]
    missing = answered(400, rest.post(f"/session/{session}/messages", **multipart(text, one)))
    assert missing == "missing file two"
    missing = answered(400, rest.post(f"/session/{session}/messages", json=payload))
    assert missing == "missing file one"
    openai = b'name="payload"\r\n\r\n' + json.dumps({"blob": USER}).encode() + b"\r\n"
    answered(200, rest.post(f"/session/{session}/messages", **multipart(FILE, openai)))
    answered(400, rest.post(f"/session/{session}/messages", **multipart(one)))


def test_what_is_too_large_is_told_so(rest: httpx.Client) -> None:
    disk, session = made(rest, "disk"), made(rest, "session")
    largest = b"x" * (16 * MIB)
    artifact = answered(200, rest.post(f"/disk/{disk}/artifact", files={"file": ("a", largest)}))
    assert artifact["meta"]["__artifact_info__"]["size"] == 16 * MIB
    answered(413, rest.post(f"/disk/{disk}/artifact", files={"file": ("b", largest + b"x")}))
    assert len(answered(200, rest.get(f"/disk/{disk}/artifact/ls"))["artifacts"]) == 1
    large = b'{"blob": {"role": "user", "content": "%s"}}' % (b"x" * (32 * MIB))
    answered(413, rest.post(f"/session/{session}/messages", content=large))
    answered(413, rest.post("/session", content=large))
    assert answered(200, rest.get(f"/session/{session}/messages"))["items"] == []


def test_a_large_message_comes_back_whole(rest: httpx.Client) -> None:
    session = made(rest, "session")
    long = {"role": "user", "content": "x y\n" * MIB + "too long for a default"}
    answered(200, rest.post(f"/session/{session}/messages", json={"blob": long}))
    assert answered(200, rest.get(f"/session/{session}/messages"))["items"] == [long]


def test_old_sdks_confirm_with_patch(rest: httpx.Client) -> None:
    space = made(rest, "space")
    path = f"/space/{space}/experience_confirmations/{NOWHERE}"
    for method in ("PUT", "PATCH"):
        answered(404, rest.request(method, path, json={"save": False}))
        answered(400, rest.request(method, path, json={}))


def test_tools_are_renamed_in_both_spellings(rest: httpx.Client) -> None:
    for names in (("old_name", "new_name"), ("oldName", "newName")):
        rename = [dict(zip(names, ("unknown", "x"), strict=True))]
        told = answered(200, rest.put("/tool/name", json={"rename": rename}))
        assert told == {"status": 200, "errmsg": ""}


def test_every_route_says_who_may_not_see_it(http: httpx.Client) -> None:
    for route in ROUTE_LIST:
        path = route.template.replace("{id}", NOWHERE).replace("{identifier}", "ann")
        answered(401, http.request(route.method, path))


def test_long_headers_change_no_answer(rest: httpx.Client) -> None:
    answered(200, rest.get("/session", headers={"x-long": "y" * 12_000}))
    answered(401, rest.get("/session", headers={"authorization": f"Bearer sk-ac-{'x' * 12_000}"}))
