"""What the REST dialect promises about its answers, and the one checker of it.

The two tables are the dialect's own, in its own notation. A field is text unless something else
follows its name: `n` a number, `b` a boolean, `object`, `any`, a model, `[…]` a list, `{…}` an
object with such values. Behind the name, `?` may be absent or null, `∅` is always there but may be
null, `!` is absent if empty and never null. What follows a bar is ours: typed callers read it, the
dialect's clients ignore it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

BASE = "/api/v1"

MODELS = """
Session       id, project_id, user_id?, space_id∅, disable_task_tracking b, configs object, created_at, updated_at
Message       id, session_id, parent_id∅, role, meta object, parts [Part], task_id∅, session_task_process_status, created_at, updated_at | sequence n, failure?
Part          type, text?, asset? Asset, filename?, meta? object
Asset         bucket, s3_key, etag, sha256, mime, size_b n
Messages      items [any], ids [text], has_more b, next_cursor?, this_time_tokens n, edit_at_message_id?, public_urls? {PublicUrl}
PublicUrl     url, expire_at
Task          id, session_id, project_id, order n, data TaskData, status, is_planning b, space_digested b, created_at, updated_at | version n, outcome_by
TaskData      task_description, progresses! [text], user_preferences! [text], sop_thinking!
Flushed       status n, errmsg | remaining n
Learning      space_digested_count n, not_space_digested_count n | failed_count? n
Tokens        total_tokens n
Observing     observed n, in_process n, pending n, updated_at | failed n
Disk          id, project_id, user_id?, created_at, updated_at
Artifact      disk_id, path, filename, meta object, created_at, updated_at
ArtifactInfo  path, filename, mime, size n
Content       type, raw
Found         artifact Artifact, public_url?, content? Content
Updated       artifact Artifact
Listing       artifacts [Artifact], directories [text]
Space         id, project_id, user_id?, configs object, created_at, updated_at
Block         id, space_id, type, parent_id?, title, props object, sort n, is_archived b, created_at, updated_at
Inserted      id
Step          order n, tool_name, action
Search        cited_blocks [SearchResult], final_answer?
SearchResult  block_id, title, type, props object, distance n | skill_version n
Confirmation  id, space_id, task_id?, experience_data object, created_at, updated_at
ToolName      name, sop_count n
User          id, project_id, identifier, created_at, updated_at
Resources     counts Counts
Counts        spaces_count n, sessions_count n, disks_count n, skills_count n
"""  # noqa: E501 - the tables read as the dialect's do

ROUTES = """
GET    /session                                      list Session
POST   /session                                      Session
DELETE /session/{id}                                 nothing
PUT    /session/{id}/configs                         nothing
GET    /session/{id}/configs                         Session
POST   /session/{id}/connect_to_space                nothing
POST   /session/{id}/messages                        Message
GET    /session/{id}/messages                        Messages
GET    /session/{id}/task                            list Task
POST   /session/{id}/flush                           Flushed
GET    /session/{id}/get_learning_status             Learning
GET    /session/{id}/token_counts                    Tokens
GET    /session/{id}/observing_status                Observing
POST   /disk                                         Disk
GET    /disk                                         list Disk
DELETE /disk/{id}                                    nothing
POST   /disk/{id}/artifact                           Artifact
GET    /disk/{id}/artifact                           Found
PUT    /disk/{id}/artifact                           Updated
DELETE /disk/{id}/artifact                           nothing
GET    /disk/{id}/artifact/ls                        Listing
GET    /disk/{id}/artifact/grep                      array Artifact
GET    /disk/{id}/artifact/glob                      array Artifact
POST   /space                                        Space
GET    /space                                        list Space
DELETE /space/{id}                                   nothing
PUT    /space/{id}/configs                           nothing
GET    /space/{id}/configs                           Space
GET    /space/{id}/block                             array Block
POST   /space/{id}/block                             Inserted
GET    /space/{id}/block/{id}/properties             Block
PUT    /space/{id}/block/{id}/properties             nothing
PUT    /space/{id}/block/{id}/move                   nothing
PUT    /space/{id}/block/{id}/sort                   nothing
DELETE /space/{id}/block/{id}                        nothing
GET    /space/{id}/experience_search                 Search
GET    /space/{id}/experience_confirmations          list Confirmation
PUT    /space/{id}/experience_confirmations/{id}     Confirmation or null
PATCH  /space/{id}/experience_confirmations/{id}     Confirmation or null
GET    /tool/name                                    array ToolName
PUT    /tool/name                                    Flushed
GET    /user/ls                                      list User
GET    /user/{identifier}/resources                  Resources
DELETE /user/{identifier}                            nothing
"""

WORDS: Mapping[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "Message.role": "user assistant system developer",
        "Message.session_task_process_status": "pending running success failed",
        "Part.type": "text image audio video file tool-call tool-result data thinking "
        "redacted_thinking",
        "Task.status": "pending running success failed",
        "Block.type": "folder page sop text",
        "SearchResult.type": "sop text",
        "Content.type": "json csv code text",
    }.items()
}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")

Differences = Iterator[str]
"""What is wrong, each with the place where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and the answer that it got."""

    method: str
    target: str
    status: int
    content_type: str
    body: bytes

    @property
    def envelope(self) -> dict[str, object]:
        """The answer's JSON; keys must not come twice."""
        parsed = json.loads(self.body, object_pairs_hook=_unique, parse_constant=_no_number)
        assert isinstance(parsed, dict), self
        return parsed

    @property
    def data(self) -> object:
        """The answer itself."""
        return self.envelope.get("data")


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    assert len(found) == len(pairs), f"a key comes twice: {[key for key, _ in pairs]}"
    return found


def _no_number(text: str) -> None:
    raise AssertionError(f"{text} is not JSON")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a model."""

    name: str
    mark: str
    kind: str


@dataclass(frozen=True, slots=True)
class Model:
    """The fields that the dialect demands, and those of ours."""

    fields: Mapping[str, Field]
    ours: Mapping[str, Field]


def _fields(text: str) -> Mapping[str, Field]:
    fields = {}
    for written in filter(None, text.strip().split(", ")):
        match = re.fullmatch(r"(\w+)([?∅!]?)(?: (.+))?", written)
        assert match, written
        fields[match[1]] = Field(match[1], match[2], match[3] or "text")
    return fields


def _models(table: str) -> Mapping[str, Model]:
    models = {}
    for line in table.strip().splitlines():
        name, fields = line.split(maxsplit=1)
        demanded, _, ours = fields.partition(" | ")
        models[name] = Model(_fields(demanded), _fields(ours))
    return models


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the dialect and what it answers."""

    method: str
    template: str
    answer: str

    def serves(self, method: str, path: str) -> bool:
        """Say whether it is this route's request."""
        pattern = re.sub(r"\{\w+\}", "[^/]+", self.template)
        return method == self.method and re.fullmatch(BASE + pattern, path) is not None


MODEL_OF = _models(MODELS)
ROUTE_LIST = [Route(*line.split(maxsplit=2)) for line in ROUTES.strip().splitlines()]


def route_of(method: str, path: str) -> Route | None:
    """Find the route of a request; `/user/ls` comes before `/user/{identifier}`."""
    return next((route for route in ROUTE_LIST if route.serves(method, path)), None)


def differences(exchange: Exchange) -> Sequence[str]:
    """List how an answer differs from the dialect."""
    if not exchange.content_type.startswith("application/json"):
        return [f"content type {exchange.content_type!r}: {exchange.body[:200]!r}"]
    check = _error if exchange.status >= 400 else _success
    return list(check(exchange))


def _error(exchange: Exchange) -> Differences:
    envelope = exchange.envelope
    if exchange.status >= 500:
        yield f"our fault: {envelope}"
    if not envelope.keys() <= {"code", "msg", "error"}:
        yield f"an error has the keys {sorted(envelope)}"
    if not _is_number(envelope.get("code")) or envelope["code"] != exchange.status:
        yield f"code {envelope.get('code')!r} with status {exchange.status}"
    if not isinstance(envelope.get("msg"), str) or not envelope["msg"]:
        yield f"msg {envelope.get('msg')!r} is no sentence"
    error = envelope.get("error", "A_REASON")
    if not isinstance(error, str) or not re.fullmatch(r"[A-Z][A-Z0-9_]+", error):
        yield f"error {error!r} is no stable reason"


def _success(exchange: Exchange) -> Differences:
    path = urlsplit(exchange.target).path.rstrip("/")
    if path == f"{BASE}/ping":
        yield from _equal("envelope", exchange.envelope, {"code": 0, "msg": "pong"})
        return
    route = route_of(exchange.method, path)
    if route is None:
        yield f"{exchange.method} {path} is no route, but answers {exchange.status}"
        return
    envelope = exchange.envelope
    yield from _equal("status", exchange.status, 200)
    yield from _equal("code", envelope.get("code"), 0)
    yield from _equal("msg", envelope.get("msg"), "")
    wanted = {"code", "msg"} if route.answer == "nothing" else {"code", "msg", "data"}
    yield from _equal("keys of the envelope", set(envelope), wanted)
    if route.answer != "nothing":
        yield from _answer(route.answer, envelope.get("data"), _query(exchange))


def _query(exchange: Exchange) -> Mapping[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(exchange.target).query).items()}


def _answer(kind: str, data: object, query: Mapping[str, str]) -> Differences:
    form, _, model = kind.rpartition(" ")
    if form == "list":
        yield from _page(model, data)
    elif form == "array":
        yield from _value("data", f"[{model}]", data)
    elif form == "Confirmation or":
        if data is not None:
            yield from _value("data", "Confirmation", data)
    else:
        yield from _value("data", model, data)
        if model == "Messages" and isinstance(data, dict):
            yield from _messages(data, query)


def _page(model: str, data: object) -> Differences:
    if not isinstance(data, dict) or not data.keys() <= {"items", "has_more", "next_cursor"}:
        yield f"data: {data!r} is no list"
        return
    yield from _value("data.items", f"[{model}]", data.get("items"))
    yield from _paging(data)


def _paging(data: Mapping[str, object]) -> Differences:
    more, cursor = data.get("has_more"), data.get("next_cursor")
    if not isinstance(more, bool):
        yield f"data.has_more: {more!r}"
    if more is not bool(cursor) or not isinstance(cursor or "", str):
        yield f"data.next_cursor: {cursor!r} with has_more {more}"


def _messages(data: Mapping[str, object], query: Mapping[str, str]) -> Differences:
    yield from _paging(data)
    items, ids = data.get("items"), data.get("ids")
    if not isinstance(items, list) or not isinstance(ids, list):
        return
    yield from _equal("number of ids", len(ids), len(items))
    yield from (f"data.ids: {one!r}" for one in ids if not UUID.fullmatch(str(one)))
    if query.get("format", "openai") == "acontext":
        yield from _value("data.items", "[Message]", items)
        yield from _equal("ids", ids, [item.get("id") for item in items])
        return
    for number, item in enumerate(items):
        yield from _without_nulls(f"data.items[{number}]", item)
    if data.get("public_urls") is not None:
        yield "data.public_urls in a provider's format"


FREE = {"input", "args", "response", "arguments"}
"""Keys of provider's items that hold what a tool was called with, nulls included."""


def _without_nulls(place: str, value: object) -> Differences:
    if value is None:
        yield f"{place} is null"
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _without_nulls(f"{place}[{number}]", item)
    elif isinstance(value, dict):
        for key in value.keys() - FREE:
            yield from _without_nulls(f"{place}.{key}", value[key])


def _value(place: str, kind: str, value: object) -> Differences:
    if kind in SCALARS:
        if not SCALARS[kind](value):
            yield f"{place}: {value!r} is no {kind}"
    elif kind.startswith("["):
        yield from _list(place, kind[1:-1], value)
    elif kind.startswith("{"):
        yield from _map(place, kind[1:-1], value)
    else:
        yield from _model(place, kind, value)


def _list(place: str, kind: str, value: object) -> Differences:
    if not isinstance(value, list):
        yield f"{place}: {value!r} is no array"
        return
    for number, item in enumerate(value):
        yield from _value(f"{place}[{number}]", kind, item)


def _map(place: str, kind: str, value: object) -> Differences:
    if not isinstance(value, dict):
        yield f"{place}: {value!r} is no object"
        return
    for key, item in value.items():
        yield from _value(f"{place}.{key}", kind, item)


def _model(place: str, name: str, value: object) -> Differences:
    if not isinstance(value, dict):
        yield f"{place}: {value!r} is no {name}"
        return
    model = MODEL_OF[name]
    for key in value.keys() - model.fields.keys() - model.ours.keys():
        yield f"{place}.{key} is no field of {name}"
    for field in model.fields.values():
        yield from _field(f"{place}.{field.name}", f"{name}.{field.name}", field, value)
    for field in model.ours.values():
        if field.name in value:
            yield from _value(f"{place}.{field.name}", field.kind, value[field.name])
    if name in RULES and all(key in value for key in model.fields if not model.fields[key].mark):
        yield from (f"{place}: {broken}" for broken in RULES[name](value))


def _field(place: str, known: str, field: Field, model: Mapping[str, object]) -> Differences:
    if field.name not in model:
        if field.mark not in ("?", "!"):
            yield f"{place} is missing"
        return
    value = model[field.name]
    if value is None:
        if field.mark not in ("?", "∅"):
            yield f"{place} is null"
        return
    if field.mark == "!" and not value:
        yield f"{place} is empty, which means absent"
    yield from _value(place, field.kind, value)
    yield from _meaning(place, known, field, value)


def _meaning(place: str, known: str, field: Field, value: object) -> Differences:
    text = str(value)
    if known in WORDS and text not in WORDS[known]:
        yield f"{place}: {text!r} is none of {sorted(WORDS[known])}"
    if (field.name == "id" or field.name.endswith("_id")) and not UUID.fullmatch(text):
        yield f"{place}: {text!r} is no id"
    if field.name.endswith("_at") and not _is_time(text):
        yield f"{place}: {text!r} is no time"


def _is_time(text: str) -> bool:
    return bool(TIME.fullmatch(text) and datetime.fromisoformat(text[:19] + "+00:00"))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


SCALARS: Mapping[str, Callable[[object], bool]] = {
    "text": lambda value: isinstance(value, str),
    "n": _is_number,
    "b": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "any": lambda value: True,
}


def _equal(what: str, value: object, wanted: object) -> Differences:
    if value != wanted or type(value) is not type(wanted):
        yield f"{what} is {value!r}, not {wanted!r}"


def _artifact(artifact: Mapping[str, object]) -> Differences:
    meta = artifact["meta"]
    info = meta.get("__artifact_info__") if isinstance(meta, dict) else None
    yield from _model("meta.__artifact_info__", "ArtifactInfo", info)
    if isinstance(info, dict):
        for key in ("path", "filename"):
            yield from _equal(f"{key} in meta", info.get(key), artifact[key])
    path = str(artifact["path"])
    if not (path.startswith("/") and path.endswith("/")):
        yield f"path {path!r} does not begin and end with /"


def _message(message: Mapping[str, object]) -> Differences:
    meta = message["meta"]
    if not isinstance(meta, dict) or not isinstance(meta.get("source_format"), str):
        yield f"meta {meta!r} has no source_format"
    if not message["parts"]:
        yield "no parts"


def _asset(asset: Mapping[str, object]) -> Differences:
    if not re.fullmatch(r"[0-9a-f]{64}", str(asset["sha256"])):
        yield f"sha256 {asset['sha256']!r} is no lower-case hex"


def _sop(props: object, *, more: Sequence[str] = ()) -> Differences:
    if not isinstance(props, dict):
        return
    for key in ("preferences", *more):
        yield from _value(f"props.{key}", "text", props.get(key))
    yield from _list("props.tool_sops", "Step", props.get("tool_sops"))
    steps = props.get("tool_sops")
    if isinstance(steps, list):
        yield from _equal("step order", [step.get("order") for step in steps], [*range(len(steps))])


def _block(block: Mapping[str, object]) -> Differences:
    if block["type"] == "sop":
        yield from _sop(block["props"])


def _result(result: Mapping[str, object]) -> Differences:
    distance = result["distance"]
    if not isinstance(distance, int | float) or not 0 <= distance <= 2:
        yield f"distance {distance!r} is not from 0 to 2"
    if result["type"] == "sop":
        yield from _sop(result["props"], more=["use_when"])
    elif isinstance(result["props"], dict):
        for key in ("use_when", "notes"):
            yield from _value(f"props.{key}", "text", result["props"].get(key))


def _task(task: Mapping[str, object]) -> Differences:
    yield from _equal("is_planning", task["is_planning"], False)
    order = task["order"]
    if not isinstance(order, int) or order < 1:
        yield f"order {order!r} does not start at 1"


RULES: Mapping[str, Callable[[Mapping[str, object]], Differences]] = {
    "Artifact": _artifact,
    "Asset": _asset,
    "Block": _block,
    "Message": _message,
    "SearchResult": _result,
    "Task": _task,
}
