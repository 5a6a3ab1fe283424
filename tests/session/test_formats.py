"""Providers' messages in and out, as the tables of the REST dialect say."""

import base64
from collections.abc import Mapping

import pytest

from acontext_server.session import formats
from acontext_server.session.content import Asset, Content, Format, Part
from acontext_server.session.domain import InvalidMessage, MissingFile
from acontext_server.session.formats.media import Fetched, Upload
from acontext_server.session.free_json import JsonObject

PNG = Asset(sha256="ab" * 32, mime="image/png", size_b=3)
UPLOADS = {"photo": Upload(PNG, "me.png")}


def read(form: str, blob: object, uploads: Mapping[str, Upload] | None = None) -> Content:
    return formats.read(Format(form), blob, uploads or {}, lambda: "call_00c0ffee")  # type: ignore[arg-type]


def write(form: str, content: Content, fetched: Fetched | None = None) -> list[JsonObject]:
    return formats.write(Format(form), content, fetched or Fetched(), {})


def shown(part: Part) -> dict[str, object]:
    return {"type": part.type.value, "text": part.text, **part.meta}


def text(value: str) -> dict[str, object]:
    return {"type": "text", "text": value}


CALL = {"id": "c1", "type": "function", "function": {"name": "goto", "arguments": '{"url": "x"}'}}
STORED_CALL: dict[str, object] = {
    "type": "function",
    "text": None,
    "id": "c1",
    "name": "goto",
    "arguments": '{"url": "x"}',
}
DATA_URL = "data:image/png;base64,aGV5"
NOISE: dict[str, object] = {
    "refusal": None,
    "annotations": [],
    "audio": None,
    "function_call": None,
    "tool_calls": None,
}

IN: list[tuple[str, dict[str, object], str, list[dict[str, object]], dict[str, object]]] = [
    ("openai", {"role": "user", "content": "hi"}, "user", [text("hi")], {}),
    ("openai", {"role": "user", "content": ""}, "user", [text("")], {}),
    (
        "openai",
        {"role": "system", "content": [text("a"), text("b")]},
        "system",
        [text("a"), text("b")],
        {},
    ),
    (
        "openai",
        {"role": "developer", "content": "hi", "name": "bo"},
        "developer",
        [text("hi")],
        {"name": "bo"},
    ),
    (
        "openai",
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": DATA_URL, "detail": "low"}}],
        },
        "user",
        [{"type": "image", "text": None, "url": DATA_URL, "detail": "low"}],
        {},
    ),
    (
        "openai",
        {
            "role": "user",
            "content": [{"type": "input_audio", "input_audio": {"data": "aGV5", "format": "wav"}}],
        },
        "user",
        [{"type": "audio", "text": None, "data": "aGV5", "format": "wav"}],
        {},
    ),
    (
        "openai",
        {
            "role": "user",
            "content": [{"type": "file", "file": {"file_id": "f", "file_data": None}}],
        },
        "user",
        [{"type": "file", "text": None, "file_id": "f"}],
        {},
    ),
    (
        "openai",
        {"role": "assistant", "content": "so", **NOISE, "tool_calls": [CALL]},
        "assistant",
        [text("so"), STORED_CALL],
        {},
    ),
    (
        "openai",
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        "assistant",
        [STORED_CALL],
        {},
    ),
    (
        "openai",
        {"role": "assistant", "content": None, "refusal": "no"},
        "assistant",
        [{"type": "text", "text": "no", "is_refusal": True}],
        {},
    ),
    (
        "openai",
        {
            "role": "assistant",
            "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "py", "input": "1"}}],
        },
        "assistant",
        [{"type": "custom", "text": None, "id": "c", "name": "py", "arguments": "1"}],
        {},
    ),
    (
        "openai",
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
        "assistant",
        [{"type": "function", "text": None, "name": "f", "arguments": "{}"}],
        {},
    ),
    (
        "openai",
        {"role": "tool", "tool_call_id": "c1", "content": [text("a"), text("b")]},
        "user",
        [{"type": "tool-result", "text": "ab", "tool_call_id": "c1"}],
        {},
    ),
    (
        "openai",
        {"role": "tool", "tool_call_id": "c1", "content": ""},
        "user",
        [{"type": "tool-result", "text": "", "tool_call_id": "c1"}],
        {},
    ),
    (
        "openai",
        {"role": "function", "name": "f", "content": "x"},
        "user",
        [{"type": "tool-result", "text": "x", "function_name": "f"}],
        {},
    ),
    (
        "openai",
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude",
            "stop_reason": "tool_use",
            "usage": {"input_tokens": 1},
            "content": [
                {"type": "text", "text": "so", "citations": None},
                {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
            ],
        },
        "assistant",
        [
            text("so"),
            {"type": "tool_use", "text": None, "id": "t", "name": "f", "arguments": '{"a":1}'},
        ],
        {},
    ),
    ("anthropic", {"role": "user", "content": "hi"}, "user", [text("hi")], {}),
    (
        "anthropic",
        {
            "role": "user",
            "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}],
        },
        "user",
        [{**text("hi"), "cache_control": {"type": "ephemeral"}}],
        {},
    ),
    (
        "anthropic",
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"ü": [1, None]}}],
        },
        "assistant",
        [{"type": "tool_use", "text": None, "id": "t", "name": "f", "arguments": '{"ü":[1,null]}'}],
        {},
    ),
    (
        "anthropic",
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t", "content": [text("a"), text("b")]}
            ],
        },
        "user",
        [{"type": "tool-result", "text": "ab", "tool_call_id": "t", "is_error": False}],
        {},
    ),
    (
        "anthropic",
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t",
                    "is_error": True,
                    "content": [{"type": "image"}],
                }
            ],
        },
        "user",
        [
            {
                "type": "tool-result",
                "text": "",
                "tool_call_id": "t",
                "is_error": True,
                "content": [{"type": "image"}],
            }
        ],
        {},
    ),
    (
        "anthropic",
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "redacted_thinking", "data": "d"},
            ],
        },
        "assistant",
        [
            {"type": "thinking", "text": "hm", "signature": "s"},
            {"type": "redacted_thinking", "text": None, "data": "d"},
        ],
        {},
    ),
    ("gemini", {"role": "model", "parts": [{"text": "hi"}]}, "assistant", [text("hi")], {}),
    (
        "gemini",
        {"role": "user", "parts": [{"inline_data": {"mime_type": "video/mp4", "data": "aGV5"}}]},
        "user",
        [{"type": "base64", "text": None, "media_type": "video/mp4", "data": "aGV5"}],
        {},
    ),
    (
        "gemini",
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]},
        "assistant",
        [
            {
                "type": "function",
                "text": None,
                "id": "call_00c0ffee",
                "name": "f",
                "arguments": '{"a":1}',
            }
        ],
        {},
    ),
    (
        "gemini",
        {
            "role": "user",
            "parts": [{"functionResponse": {"id": "c", "name": "f", "response": {"a": 1}}}],
        },
        "user",
        [{"type": "tool-result", "text": '{"a":1}', "name": "f", "tool_call_id": "c"}],
        {},
    ),
    (
        "acontext",
        {
            "role": "user",
            "parts": [{"type": "text", "text": "hi", "meta": None, "file_field": None}],
            "meta": {"k": 1},
        },
        "user",
        [text("hi")],
        {"k": 1},
    ),
]


@pytest.mark.parametrize(("form", "blob", "role", "parts", "meta"), IN)
def test_every_row_of_the_tables_is_stored_as_it_says(
    form: str,
    blob: dict[str, object],
    role: str,
    parts: list[dict[str, object]],
    meta: dict[str, object],
) -> None:
    content = read(form, blob)
    assert content.role == role
    assert [shown(part) for part in content.parts] == parts
    assert content.meta == {"source_format": form, **meta}


REFUSED: list[tuple[str, object, str]] = [
    ("openai", [], "blob must be an object"),
    ("openai", {}, "blob.role must be one of"),
    ("openai", {"role": "wizard", "content": "x"}, "blob.role must be one of"),
    ("openai", {"role": "user"}, "blob.content is required"),
    ("openai", {"role": "user", "content": []}, "blob yields no part"),
    ("openai", {"role": "user", "content": 5}, "blob.content must be an array"),
    (
        "openai",
        {"role": "user", "content": [text("a"), {"type": "hologram"}]},
        "blob.content[1].type must be one of",
    ),
    ("openai", {"role": "assistant", "content": ""}, "blob yields no part"),
    (
        "openai",
        {"role": "assistant", "tool_calls": [{"function": {}}]},
        "blob.tool_calls[0].function.arguments",
    ),
    ("openai", {"role": "tool", "content": "x"}, "blob.tool_call_id is required"),
    ("anthropic", {"role": "system", "content": "x"}, "blob.role must be one of"),
    (
        "anthropic",
        {"role": "user", "content": [{"type": "server"}]},
        "blob.content[0].type must be one of",
    ),
    ("gemini", {"role": "assistant", "parts": []}, "blob.role must be one of"),
    ("gemini", {"role": "user", "parts": [{"hologram": 1}]}, "blob.parts[0] must have one of"),
    (
        "acontext",
        {"role": "user", "parts": [{"type": "text", "text": ""}]},
        "blob.parts[0].text must not be empty",
    ),
    (
        "acontext",
        {"role": "user", "parts": [{"type": "tool-call", "meta": {"name": "f"}}]},
        "blob.parts[0].meta.arguments",
    ),
    (
        "acontext",
        {"role": "user", "parts": [{"type": "tool-result"}]},
        "blob.parts[0].meta.tool_call_id is required",
    ),
    (
        "acontext",
        {"role": "user", "parts": [{"type": "data", "meta": {}}]},
        "blob.parts[0].meta.data_type is required",
    ),
    (
        "acontext",
        {"role": "user", "parts": [{"type": "text", "text": "x", "meta": 1}]},
        "blob.parts[0].meta must be",
    ),
    ("acontext", {"role": "user", "parts": []}, "blob yields no part"),
]


@pytest.mark.parametrize(("form", "blob", "message"), REFUSED)
def test_what_is_refused_names_its_place(form: str, blob: object, message: str) -> None:
    with pytest.raises(InvalidMessage) as refusal:
        read(form, blob)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("form", "blob"),
    [
        ("acontext", {"role": "user", "parts": [{"type": "image", "file_field": "photo"}]}),
        ("openai", {"role": "user", "content": [{"type": "image_url", "file_field": "photo"}]}),
        ("anthropic", {"role": "user", "content": [{"type": "image", "file_field": "photo"}]}),
        ("gemini", {"role": "user", "parts": [{"file_field": "photo"}]}),
    ],
)
def test_a_part_takes_the_upload_it_names_in_every_format(form: str, blob: object) -> None:
    part = read(form, blob, UPLOADS).parts[0]
    assert (part.type, part.asset, part.filename) == ("image", PNG, "me.png")
    with pytest.raises(MissingFile, match="missing file photo"):
        read(form, blob)


SAME: list[tuple[str, list[dict[str, object]]]] = [
    (
        "openai",
        [
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": "hi", "name": "bo"},
            {"role": "user", "content": ""},
            {
                "role": "user",
                "content": [
                    text("a"),
                    {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
                ],
            },
            {
                "role": "user",
                "content": [text("a"), {"type": "image_url", "image_url": {"url": DATA_URL}}],
            },
            {
                "role": "user",
                "content": [
                    {"type": "input_audio", "input_audio": {"data": "aGV5", "format": "mp3"}}
                ],
            },
            {"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]},
            {
                "role": "user",
                "content": [
                    {
                        "type": "file",
                        "file": {
                            "file_data": "data:application/pdf;base64,aGV5",
                            "filename": "a.pdf",
                        },
                    }
                ],
            },
            {"role": "assistant", "content": "so", "tool_calls": [CALL]},
            {"role": "assistant", "refusal": "no"},
            {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "c", "type": "custom", "custom": {"name": "py", "input": "1"}}
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "done"},
            {"role": "tool", "tool_call_id": "c1", "content": "", "name": "goto"},
            {"role": "function", "name": "f", "content": "x"},
        ],
    ),
    (
        "anthropic",
        [
            {"role": "user", "content": [{**text("hi"), "cache_control": {"type": "ephemeral"}}]},
            {
                "role": "user",
                "content": [
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": "aGV5"},
                    },
                    {"type": "image", "source": {"type": "url", "url": "https://x/y"}},
                    {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
                    {
                        "type": "document",
                        "source": {"type": "text", "media_type": "text/plain", "data": "hey"},
                    },
                    {
                        "type": "document",
                        "source": {
                            "type": "base64",
                            "media_type": "application/pdf",
                            "data": "aGV5",
                        },
                    },
                    {"type": "document", "source": {"type": "url", "url": "https://x/y"}},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "redacted_thinking", "data": "d"},
                    {
                        "type": "tool_use",
                        "id": "t",
                        "name": "f",
                        "input": {"a": 2**80, "b": [None]},
                    },
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t", "is_error": True, "content": "x"},
                    {
                        "type": "tool_result",
                        "tool_use_id": "u",
                        "is_error": False,
                        "content": [text("x"), {"type": "image"}],
                    },
                ],
            },
        ],
    ),
    (
        "gemini",
        [
            {
                "role": "user",
                "parts": [
                    {"text": "hi"},
                    {"inlineData": {"mimeType": "audio/wav", "data": "aGV5"}},
                ],
            },
            {
                "role": "user",
                "parts": [{"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/o"}}],
            },
            {
                "role": "model",
                "parts": [{"functionCall": {"id": "c", "name": "f", "args": {"a": 1}}}],
            },
            {
                "role": "user",
                "parts": [{"functionResponse": {"id": "c", "name": "f", "response": {"a": 1}}}],
            },
        ],
    ),
]


@pytest.mark.parametrize(("form", "blob"), [(form, blob) for form, blobs in SAME for blob in blobs])
def test_what_came_in_comes_out_of_the_same_format(form: str, blob: dict[str, object]) -> None:
    assert write(form, read(form, blob)) == [blob]


def crossing(form: str, blob: object, out: str, **tools: str) -> list[JsonObject]:
    return formats.write(Format(out), read(form, blob), Fetched(), tools)


def test_results_become_messages_of_their_own_before_the_rest() -> None:
    blob = {
        "role": "user",
        "content": [
            text("now"),
            {"type": "tool_result", "tool_use_id": "a", "content": "1"},
            {"type": "tool_result", "tool_use_id": "b"},
        ],
    }
    assert crossing("anthropic", blob, "openai") == [
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": ""},
        {"role": "user", "content": "now"},
    ]


def test_calls_and_results_cross_all_formats() -> None:
    call = {"role": "assistant", "content": "so", "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": "c1", "content": "plain"}
    assert crossing("openai", call, "anthropic") == [
        {
            "role": "assistant",
            "content": [
                text("so"),
                {"type": "tool_use", "id": "c1", "name": "goto", "input": {"url": "x"}},
            ],
        }
    ]
    assert crossing("openai", call, "gemini") == [
        {
            "role": "model",
            "parts": [
                {"text": "so"},
                {"functionCall": {"id": "c1", "name": "goto", "args": {"url": "x"}}},
            ],
        }
    ]
    assert crossing("openai", result, "gemini", c1="goto") == [
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "c1", "name": "goto", "response": {"output": "plain"}}}
            ],
        }
    ]
    assert crossing("openai", result, "anthropic") == [
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "is_error": False, "content": "plain"}
            ],
        }
    ]


def test_arguments_that_are_no_object_are_wrapped_where_one_is_needed() -> None:
    blob = {
        "role": "assistant",
        "tool_calls": [
            {"id": "c", "type": "custom", "custom": {"name": "py", "input": "print(1)"}}
        ],
    }
    [message] = crossing("openai", blob, "anthropic")
    assert message["content"] == [
        {"type": "tool_use", "id": "c", "name": "py", "input": {"input": "print(1)"}}
    ]


def test_arguments_given_as_an_object_are_written_as_text() -> None:
    part = {"type": "tool-call", "meta": {"id": "c", "name": "f", "arguments": {"a": 1}}}
    [message] = crossing("acontext", {"role": "assistant", "parts": [part]}, "openai")
    function = {"name": "f", "arguments": '{"a":1}'}
    assert message == {
        "role": "assistant",
        "tool_calls": [{"id": "c", "type": "function", "function": function}],
    }


@pytest.mark.parametrize("out", ["openai", "gemini"])
def test_a_message_of_thoughts_only_is_left_out_elsewhere(out: str) -> None:
    blob = {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}],
    }
    assert crossing("anthropic", blob, out) == []


@pytest.mark.parametrize("out", ["anthropic", "gemini"])
def test_empty_texts_are_left_out(out: str) -> None:
    assert crossing("openai", {"role": "user", "content": ""}, out) == []


def test_system_becomes_user_where_there_is_no_system() -> None:
    blob = {"role": "system", "content": "be kind"}
    assert crossing("openai", blob, "anthropic") == [{"role": "user", "content": [text("be kind")]}]
    assert crossing("openai", blob, "gemini") == [{"role": "user", "parts": [{"text": "be kind"}]}]


def test_an_uploaded_image_survives_every_conversion() -> None:
    blob = {"role": "user", "parts": [{"type": "image", "file_field": "photo"}]}
    content = read("acontext", blob, UPLOADS)
    data = base64.b64encode(b"hey").decode()
    bytes_ = Fetched(contents={PNG.sha256: b"hey"})
    link = Fetched(urls={PNG.sha256: "https://signed"})
    assert write("openai", content, link)[0]["content"] == [
        {"type": "image_url", "image_url": {"url": "https://signed"}}
    ]
    assert write("openai", content, bytes_)[0]["content"] == [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    ]
    assert write("anthropic", content, bytes_)[0]["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    ]
    assert write("gemini", content, bytes_)[0]["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": data}}
    ]


@pytest.mark.parametrize(
    ("form", "expected"), [("openai", 0), ("anthropic", 1), ("gemini", 1), ("acontext", 0)]
)
def test_only_formats_that_show_bytes_ask_for_them(form: str, expected: int) -> None:
    content = read(
        "acontext", {"role": "user", "parts": [{"type": "image", "file_field": "photo"}]}, UPLOADS
    )
    assert len(formats.needs_content(Format(form), content, with_urls=True)) == expected


def test_a_data_url_becomes_base64_where_urls_are_not_data() -> None:
    blob = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": DATA_URL}}]}
    [anthropic] = crossing("openai", blob, "anthropic")
    source = {"type": "base64", "media_type": "image/png", "data": "aGV5"}
    assert anthropic["content"] == [{"type": "image", "source": source}]
    [gemini] = crossing("openai", blob, "gemini")
    assert gemini["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "aGV5"}}]
