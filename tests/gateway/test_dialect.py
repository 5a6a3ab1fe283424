"""The REST dialect as a client of it sees it, through a real Envoy."""

from collections.abc import AsyncIterator

import httpx
import pytest
from grpc import StatusCode

from tests.gateway.backend import LONG_TEXT
from tests.gateway.conftest import Gateway

HTTP_STATUS = {
    StatusCode.INVALID_ARGUMENT: 400,
    StatusCode.FAILED_PRECONDITION: 400,
    StatusCode.OUT_OF_RANGE: 400,
    StatusCode.UNAUTHENTICATED: 401,
    StatusCode.PERMISSION_DENIED: 403,
    StatusCode.NOT_FOUND: 404,
    StatusCode.ALREADY_EXISTS: 409,
    StatusCode.ABORTED: 409,
    StatusCode.RESOURCE_EXHAUSTED: 429,
    StatusCode.UNIMPLEMENTED: 501,
    StatusCode.UNAVAILABLE: 503,
    StatusCode.DEADLINE_EXCEEDED: 504,
    StatusCode.UNKNOWN: 500,
    StatusCode.INTERNAL: 500,
    StatusCode.DATA_LOSS: 500,
}
MIB = 1024 * 1024


async def test_health_needs_no_key(rest: httpx.AsyncClient) -> None:
    answer = await rest.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "ok"})
    assert answer.headers["content-type"] == "application/json"


async def test_ping_is_its_own_envelope(rest: httpx.AsyncClient) -> None:
    assert (await rest.get("/api/v1/ping")).json() == {"code": 0, "msg": "pong"}


async def test_a_resource_is_the_data_of_the_envelope(rest: httpx.AsyncClient) -> None:
    answer = await rest.post("/api/v1/session", json={"configs": {"a": 1}, "space_id": "s"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.content)
    data = {
        "id": "new",
        "project_id": "",
        "space_id": "s",
        "disable_task_tracking": False,
        "configs": {"a": 1},
    }
    assert answer.json() == {"code": 0, "data": data, "msg": ""}


async def test_a_page_is_the_data_of_the_envelope(rest: httpx.AsyncClient) -> None:
    answer = (await rest.get("/api/v1/session")).json()
    assert answer == {"code": 0, "data": {"items": [], "has_more": False}, "msg": ""}


async def test_an_empty_bare_array_is_there(rest: httpx.AsyncClient) -> None:
    answer = (await rest.get("/api/v1/tool/name")).json()
    assert answer == {"code": 0, "data": [], "msg": ""}


async def test_an_answer_without_fields_has_no_data(rest: httpx.AsyncClient) -> None:
    answer = await rest.delete("/api/v1/session/1")
    assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": ""})


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_resource_that_is_unset_is_null(rest: httpx.AsyncClient, method: str) -> None:
    path = "/api/v1/space/1/experience_confirmations/2"
    answer = (await rest.request(method, path, json={"save": False})).json()
    assert answer == {"code": 0, "data": None, "msg": ""}


async def test_raw_json_is_the_data_to_the_last_byte(rest: httpx.AsyncClient) -> None:
    body = b'{"z": 1.50, "a":12345678901234567890 ,"null:x":"progresses","b":[]}'
    answer = await rest.post("/api/v1/session/1/messages", content=body)
    assert answer.content == b'{"code":0,"data":' + body + b',"msg":""}'


@pytest.mark.parametrize("path", ["/api/v1/session", "/api/v1/disk", "/api/v1/session/1/flush"])
async def test_a_post_needs_no_body(rest: httpx.AsyncClient, path: str) -> None:
    answer = await rest.post(path)
    assert "content-type" not in answer.request.headers
    assert answer.status_code in (200, 501)  # 501: no service here, but the RPC was found.


async def test_an_unset_nullable_id_is_null_and_free_json_is_left_alone(
    rest: httpx.AsyncClient,
) -> None:
    free: dict[str, object] = {
        "space_id": "",
        "progresses": [],
        "n": None,
        "t": '"progresses":[],"space_id":null',
    }
    data = (await rest.post("/api/v1/session", json={"configs": free})).json()["data"]
    assert data["space_id"] is None
    assert data["configs"] == free


async def test_nobody_can_write_the_mark_of_null(rest: httpx.AsyncClient) -> None:
    marked = {"x-acontext-null": "null:mine", "x-request-id": "mine"}
    configs = {"a": "null:mine", "b": "mine"}
    answer = await rest.post("/api/v1/session", json={"configs": configs}, headers=marked)
    assert answer.json()["data"]["configs"] == configs
    assert answer.json()["data"]["space_id"] is None
    assert answer.headers["x-request-id"] != "mine"


async def test_headers_of_ours_are_not_taken_from_outside(
    rest: httpx.AsyncClient, gateway: Gateway
) -> None:
    forged = {
        "X-Acontext-Project": "theirs",
        "x-acontext-anything": "1",
        "authorization": "Bearer k",
    }
    await rest.post("/api/v1/session", headers=forged)
    ours = {key for key in gateway.backend.metadata if key.startswith("x-acontext-")}
    assert ours == {"x-acontext-null"}
    assert gateway.backend.metadata["authorization"] == "Bearer k"


async def test_empty_lists_of_a_task_are_absent(rest: httpx.AsyncClient) -> None:
    items = (await rest.get("/api/v1/session/1/task")).json()["data"]["items"]
    tricky = 'say {"progresses":[],"user_preferences":[]} aloud'
    assert [item["data"] for item in items] == [
        {"task_description": tricky},
        {"task_description": "half", "user_preferences": [tricky]},
        {
            "task_description": "",
            "progresses": ["a"],
            "user_preferences": ["b"],
            "sop_thinking": "c",
        },
    ]


@pytest.mark.parametrize("code", HTTP_STATUS, ids=lambda code: code.name)
async def test_every_error_has_one_shape(rest: httpx.AsyncClient, code: StatusCode) -> None:
    answer = await rest.get(f"/api/v1/session/{code.name}")
    expected = {
        "code": HTTP_STATUS[code],
        "msg": 'No "session" here, é.',
        "error": "SOME_REASON",
    }
    assert (answer.status_code, answer.json()) == (HTTP_STATUS[code], expected)
    assert answer.headers["content-type"] == "application/json"


async def test_a_service_may_choose_the_status_of_an_error(rest: httpx.AsyncClient) -> None:
    answer = await rest.get("/api/v1/session/RESOURCE_EXHAUSTED-413")
    assert (answer.status_code, answer.json()["code"]) == (413, 413)
    assert "x-acontext-status" not in answer.headers


async def test_an_error_cannot_have_the_status_of_a_success(rest: httpx.AsyncClient) -> None:
    answer = await rest.get("/api/v1/session/NOT_FOUND-200")
    assert (answer.status_code, answer.json()["code"]) == (404, 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/api/v1/nowhere"),
        ("PATCH", "/api/v1/session"),
        ("GET", "/api/v1/agent_skills"),
        ("POST", "/api/v1/sandbox"),
        ("POST", "/acontext.session.v1.SessionService/CreateSession"),
        ("POST", "/acontext.session.v1.SessionService/ReadMessages"),
    ],
)
async def test_an_unknown_route_is_404(rest: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await rest.request(method, path, json={} if method != "GET" else None)
    assert answer.status_code == 404
    assert answer.json() == {"code": 404, "msg": f"Could not resolve {path} to a method."}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/session", b'{"configs":'),
        ("/api/v1/session", b"[]"),
        ("/api/v1/session", b'{"user":"\xff"}'),
        ("/api/v1/session", rb'{"user":"\ud800"}'),
        ("/api/v1/session?limit=abc", None),
        ("/api/v1/session?limit=1.5", None),
    ],
)
async def test_what_cannot_be_read_is_the_callers_mistake(
    rest: httpx.AsyncClient, path: str, body: bytes | None
) -> None:
    answer = await rest.request("POST" if body else "GET", path, content=body)
    assert answer.status_code == 400
    assert answer.json()["code"] == 400
    assert answer.json()["msg"]


@pytest.mark.parametrize("value", ["=banana", "=yes", "=1", "=t", "=True", "=", ""])
@pytest.mark.parametrize("name", ["time_desc", "timeDesc"])
async def test_a_switch_is_true_or_false(rest: httpx.AsyncClient, name: str, value: str) -> None:
    answer = await rest.get(f"/api/v1/session?limit=1&{name}{value}")
    expected = {"code": 400, "msg": f"{name} must be true or false."}
    assert (answer.status_code, answer.json()) == (400, expected)


async def test_words_of_a_switch_may_stand_in_other_values(rest: httpx.AsyncClient) -> None:
    query = {"time_desc": "true", "not_connected": "false", "user": "time_desc=yes&a=b"}
    answer = (await rest.get("/api/v1/session", params=query)).json()
    assert answer["data"]["items"][0]["user_id"] == "time_desc=yes&a=b"


async def test_a_bad_number_is_named(rest: httpx.AsyncClient) -> None:
    assert "limit" in (await rest.get("/api/v1/session?limit=abc")).json()["msg"]


async def test_a_body_above_the_limit_is_413(rest: httpx.AsyncClient) -> None:
    body = b'{"user":"' + b"x" * (40 * MIB) + b'"}'
    answer = await rest.post("/api/v1/session", content=body)
    assert (answer.status_code, answer.json()["code"]) == (413, 413)


@pytest.mark.parametrize("path", ["/api/v1/session", "/api/v1/session/1/messages"])
async def test_a_body_of_unknown_length_above_the_limit_is_413(
    rest: httpx.AsyncClient, path: str
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"user":"'
        for _ in range(40):
            yield b"x" * MIB
        yield b'"}'

    answer = await rest.post(path, content=chunks())
    assert (answer.status_code, answer.json()["code"]) == (413, 413)


@pytest.mark.parametrize("body", [b'{"user":"ann"}', b"{}"])
async def test_a_body_of_unknown_length_is_answered_as_any_other(
    rest: httpx.AsyncClient, body: bytes
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield body

    told = await rest.post("/api/v1/session", content=body)
    streamed = await rest.post("/api/v1/session", content=chunks())
    assert streamed.status_code == told.status_code == 200
    assert streamed.json().keys() == told.json().keys() == {"code", "data", "msg"}
    assert streamed.json()["data"].keys() == told.json()["data"].keys()


async def test_broken_json_of_unknown_length_is_an_error_of_the_dialect(
    rest: httpx.AsyncClient,
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"user":'

    answer = await rest.post("/api/v1/session", content=chunks())
    assert (answer.status_code, answer.json()["code"]) == (400, 400)


async def test_a_long_answer_passes_whole(rest: httpx.AsyncClient) -> None:
    answer = await rest.get("/api/v1/session/1/messages", params={"limit": 64})
    assert len(answer.content) == 64 * MIB + len('{"code":0,"data":[""],"msg":""}')


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ("user=a+b", "a b"),
        ("user=a%20b", "a b"),
        ("user=a%2Bb", "a+b"),
        ("user=a%2Fb%40c", "a/b@c"),
        ("user=%C3%A9%E2%82%AC", "é€"),
        ("unknown=1&user=a", "a"),
    ],
)
async def test_a_query_is_read_as_it_was_meant(
    rest: httpx.AsyncClient, query: str, read: str
) -> None:
    data = (await rest.get(f"/api/v1/session?{query}")).json()["data"]
    assert [item["user_id"] for item in data["items"]] == [read]


async def test_a_query_may_be_long(rest: httpx.AsyncClient) -> None:
    user = "é" * 10_000
    answer = (await rest.get("/api/v1/session", params={"user": user})).json()
    assert answer["data"]["items"][0]["user_id"] == user


async def test_multipart_and_json_share_a_path(rest: httpx.AsyncClient) -> None:
    upload = b"x" * (3 * MIB)
    answer = await rest.post(
        "/api/v1/session/7%2F8/messages", data={"payload": "{}"}, files={"f": ("a.txt", upload)}
    )
    data = answer.json()["data"]
    assert data["session"] == "7/8"
    assert data["type"].startswith("multipart/form-data; boundary=")
    assert data["size"] == int(answer.request.headers["content-length"])


async def test_multipart_where_json_is_due_is_the_callers_mistake(rest: httpx.AsyncClient) -> None:
    answer = await rest.post("/api/v1/session", files={"f": b"x"})
    assert (answer.status_code, answer.json()["code"]) == (400, 400)


async def test_a_stream_is_an_array(rest: httpx.AsyncClient) -> None:
    answer = await rest.get("/api/v1/session/1/watch")
    messages = [item["message"] for item in answer.json()]
    assert [message["sequence"] for message in messages] == [1, 2, 3]
    assert [message["parent_id"] for message in messages] == [None, None, None]
    assert [message["parts"][0]["text"] for message in messages] == [LONG_TEXT] * 3


async def test_a_stream_that_fails_at_once_is_an_error(rest: httpx.AsyncClient) -> None:
    answer = await rest.get("/api/v1/session/unknown/watch")
    expected = {"code": 404, "msg": "No such session.", "error": "SOME_REASON"}
    assert (answer.status_code, answer.json()) == (404, expected)


async def test_any_page_may_ask(rest: httpx.AsyncClient) -> None:
    asked = {
        "origin": "http://some.page",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "authorization,content-type",
    }
    before = await rest.options("/api/v1/session/1/configs", headers=asked)
    assert before.status_code == 200
    assert before.headers["access-control-allow-origin"] == "http://some.page"
    assert "PUT" in before.headers["access-control-allow-methods"]
    assert "authorization" in before.headers["access-control-allow-headers"]
    answer = await rest.get("/api/v1/ping", headers={"origin": "http://some.page"})
    assert answer.headers["access-control-allow-origin"] == "http://some.page"
