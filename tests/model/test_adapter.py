"""The adapter of the OpenAI API, against a server that says what it is told to."""

import asyncio
import json
import time
from dataclasses import replace
from typing import Any

import pytest

from acontext_server.kit.config import Price, Settings
from acontext_server.kit.model import (
    Answer,
    CallResult,
    Model,
    ModelFailed,
    Prompt,
    ToolSpec,
    UnknownModel,
    open_models,
)
from acontext_server.kit.model.openai import base_url
from acontext_server.serve import ServiceProcess
from tests.model.conftest import Ask
from tests.model.endpoint import (
    CUT,
    FINISH,
    HANG,
    RESET,
    TRUNCATED,
    Endpoint,
    Reply,
    call,
    calls,
    completion,
    error,
    says,
)

NOTE = ToolSpec(
    name="note",
    description="Note a number.",
    parameters={"type": "object", "properties": {"number": {"type": "integer"}}},
)
FINISHING = ToolSpec(name="finish", description="End.", parameters={"type": "object"})
TOOLS = [NOTE, FINISHING]


async def ask(model: Model, *turns: Any) -> Answer:
    return await model.answer("Do it.", [Prompt(text="Now."), *turns], TOOLS)


def made(answer: Answer) -> list[tuple[str, object]]:
    return [(one.name, json.loads(one.arguments)) for one in answer.calls]


async def test_parallel_calls_are_read_with_what_they_cost(
    endpoint: Endpoint, open_model: Ask
) -> None:
    endpoint.script(calls(call("note", number=1), call("note", number=2), FINISH))
    answer = await ask(await open_model())
    assert made(answer) == [("note", {"number": 1}), ("note", {"number": 2}), ("finish", {})]
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (100, 10)


async def test_tools_prompt_and_settings_reach_the_endpoint(
    endpoint: Endpoint, open_model: Ask
) -> None:
    endpoint.script(calls(FINISH))
    model = await open_model(
        model_key="sk-secret",
        model_headers={"X-Team": "blue"},
        model_extra_body={"reasoning_effort": "low"},
        model_names={"observer": "small"},
    )
    endpoint.script(calls(FINISH), model="small")
    await ask(model)
    (request,), (headers,) = endpoint.asked, endpoint.headers
    assert headers["authorization"] == "Bearer sk-secret"
    assert headers["x-team"] == "blue"
    assert request["model"] == "small"
    assert request["reasoning_effort"] == "low"
    assert [one["role"] for one in request["messages"]] == ["system", "user"]
    assert [one["function"]["name"] for one in request["tools"]] == ["note", "finish"]


async def test_calls_and_their_results_are_told_as_the_endpoint_gave_them(
    endpoint: Endpoint, open_model: Ask
) -> None:
    signed = {"id": "a", "type": "function", "extra_content": {"signature": "x"}}
    function = {"name": "note", "arguments": '{"number": 1'}
    endpoint.script(completion({"tool_calls": [{**signed, "function": function}]}), calls(FINISH))
    model = await open_model()
    first = await ask(model)
    await ask(model, first, CallResult(call=first.calls[0], text="refused"))
    _, _, said, result = endpoint.asked[1]["messages"]
    assert said["tool_calls"][0]["extra_content"] == {"signature": "x"}
    assert said["tool_calls"][0]["function"]["arguments"] == "{}"
    assert result == {"role": "tool", "tool_call_id": "a", "content": "refused"}


@pytest.mark.parametrize(
    "fault",
    [
        error(429, retry_after="0.1"),
        error(500),
        error(503),
        RESET,
        CUT,
        TRUNCATED,
        Reply(b'{"error": {"message": "the provider is away", "code": 502}}'),
    ],
    ids=["429", "500", "503", "reset", "cut", "truncated", "an error with status 200"],
)
async def test_what_passes_is_tried_again(
    endpoint: Endpoint, open_model: Ask, fault: Reply
) -> None:
    endpoint.script(fault, fault, calls(FINISH))
    answer = await ask(await open_model())
    assert made(answer) == [("finish", {})]
    assert answer.usage.retries == 2


async def test_retry_after_is_honoured(endpoint: Endpoint, open_model: Ask) -> None:
    endpoint.script(error(429, retry_after="1.3"), calls(FINISH))
    began = time.monotonic()
    await ask(await open_model())
    assert time.monotonic() - began >= 1.3


async def test_an_endpoint_that_does_not_answer_in_time_is_asked_again(
    endpoint: Endpoint, open_model: Ask
) -> None:
    endpoint.script(HANG, HANG, calls(FINISH))
    answer = await ask(await open_model(model_timeout_seconds=0.3))
    assert made(answer) == [("finish", {})]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (error(500), "500: Error code: 500"),
        (error(401, "wrong key sk-secret"), "wrong key …"),
        (TRUNCATED, "the answer is no chat completion"),
        (Reply(b'{"choices": []}'), "the answer is no chat completion: choices"),
        (Reply(b"<html>"), "the answer is no chat completion"),
        (Reply(b'{"error": {"message": "away, sk-secret"}}'), "answered with an error: away, …"),
        (RESET, "the endpoint does not answer"),
    ],
    ids=["500", "401", "truncated", "empty", "html", "error", "reset"],
)
async def test_what_never_gets_right_is_told_without_the_key(
    endpoint: Endpoint, open_model: Ask, reply: Reply, reason: str
) -> None:
    endpoint.script(reply)
    model = await open_model(model_retries=0, model_key="sk-secret")
    with pytest.raises(ModelFailed, match=reason) as failed:
        await ask(model)
    assert "sk-secret" not in str(failed.value)


async def test_a_cancelled_request_is_given_up(endpoint: Endpoint, open_model: Ask) -> None:
    endpoint.script(HANG, calls(FINISH))
    model = await open_model(model_concurrency=1)
    asking = asyncio.create_task(ask(model))
    async with asyncio.timeout(10):
        await endpoint.came.wait()
        asking.cancel()
        await endpoint.left.wait()
    assert made(await ask(model)) == [("finish", {})]
    assert asking.cancelled()


async def test_no_more_requests_are_open_than_the_limit(
    endpoint: Endpoint, open_model: Ask
) -> None:
    endpoint.script(*[replace(calls(FINISH), seconds=0.05)] * 12)
    model = await open_model(model_concurrency=2)
    await asyncio.gather(*(ask(model) for _ in range(12)))
    assert (len(endpoint.asked), endpoint.most_open) == (12, 2)


def refusing(field: str, message: str) -> Any:
    """An endpoint that does not take a field."""

    def reply(request: dict[str, Any]) -> Reply:
        return error(400, message) if field in request else calls(FINISH)

    return reply


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("max_tokens", "'max_tokens' is not supported. Use 'max_completion_tokens' instead."),
        ("parallel_tool_calls", "Unknown parameter: parallel_tool_calls"),
        ("tool_choice", "tool_choice 'required' is not supported"),
        ("temperature", "Unsupported value: 'temperature' does not support 0.2"),
    ],
)
async def test_what_an_endpoint_does_not_take_is_not_sent_again(
    endpoint: Endpoint, open_model: Ask, field: str, message: str
) -> None:
    endpoint.script(*[refusing(field, message)] * 3)
    model = await open_model()
    assert made(await ask(model)) == [("finish", {})]
    assert made(await ask(model)) == [("finish", {})]
    assert [field in request for request in endpoint.asked] == [True, False, False]
    if field == "max_tokens":
        assert endpoint.asked[-1]["max_completion_tokens"] == 16384


async def test_an_endpoint_that_takes_no_limit_by_any_name_gets_none(
    endpoint: Endpoint, open_model: Ask
) -> None:
    too_large = "'max_tokens' or 'max_completion_tokens' is too large"
    endpoint.script(refusing("max_tokens", too_large), refusing("max_completion_tokens", too_large))
    endpoint.script(calls(FINISH))
    assert made(await ask(await open_model())) == [("finish", {})]
    assert "max_tokens" not in endpoint.asked[-1]


STRANGE_CALLS = {
    "arguments as an object": {"id": "a", "function": {"name": "note", "arguments": {"number": 1}}},
    "no id": {"function": {"name": "note", "arguments": '{"number": 1}'}},
    "no function around it": {"name": "note", "arguments": {"number": 1}},
    "a prefix": {"id": "a", "function": {"name": "functions.note", "arguments": '{"number": 1}'}},
    "a mark": {
        "id": "a",
        "function": {"name": "note<|channel|>commentary", "arguments": '{"number": 1}'},
    },
    "wrapped": {
        "id": "a",
        "function": {
            "name": "multi_tool_use.parallel",
            "arguments": '{"tool_uses": [{"recipient_name": "functions.note",'
            ' "parameters": {"number": 1}}]}',
        },
    },
}


@pytest.mark.parametrize("strange", STRANGE_CALLS.values(), ids=STRANGE_CALLS.keys())
async def test_a_call_is_read_however_it_is_written(
    endpoint: Endpoint, open_model: Ask, strange: dict[str, Any]
) -> None:
    endpoint.script(completion({"content": "I note it.", "tool_calls": [strange]}), calls(FINISH))
    model = await open_model()
    first = await ask(model)
    assert made(first) == [("note", {"number": 1})]
    assert first.text == "I note it."
    await ask(model, first, CallResult(call=first.calls[0], text="noted"))
    said, result = endpoint.asked[1]["messages"][2:]
    assert said["content"] == "I note it."
    assert said["tool_calls"][0]["function"]["arguments"] == '{"number": 1}'
    assert said["tool_calls"][0]["id"] == result["tool_call_id"]


async def test_calls_with_the_same_id_get_ids_of_their_own(
    endpoint: Endpoint, open_model: Ask
) -> None:
    same = {"id": "call_0", "type": "function", "function": {"name": "note", "arguments": "{}"}}
    endpoint.script(completion({"content": None, "tool_calls": [same, same, {**same, "id": ""}]}))
    ids = [one.id for one in (await ask(await open_model())).calls]
    assert ids[0] == "call_0"
    assert len(set(ids)) == 3
    assert all(one.isalnum() and len(one) == 9 for one in ids[1:])


@pytest.mark.parametrize(
    "message", [{"content": None}, {"content": "", "tool_calls": []}, {"tool_calls": None}, None]
)
@pytest.mark.parametrize(
    "usage", [None, {"prompt_tokens": None, "completion_tokens": None}], ids=["no usage", "null"]
)
async def test_an_answer_of_nothing_is_an_answer(
    endpoint: Endpoint, open_model: Ask, message: Any, usage: Any
) -> None:
    body = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}
    endpoint.script(Reply(json.dumps(body).encode()))
    answer = await ask(await open_model())
    assert (answer.text, answer.calls) == ("", ())


async def test_where_no_usage_is_told_the_bytes_are_counted(
    endpoint: Endpoint, open_model: Ask
) -> None:
    endpoint.script(completion({"content": "word " * 600}, usage=None), says("Short."))
    model = await open_model(model_prices={"scripted": Price(input=2, output=8)})
    long = await ask(model, Prompt(text="word " * 3000))
    assert 5_000 < long.usage.input_tokens < 6_000
    assert 1_000 < long.usage.output_tokens < 1_200
    assert long.usage.cost is not None
    assert long.usage.cost > 0.01
    assert (await ask(model)).usage.input_tokens == 100


async def test_thoughts_are_shown_again_until_an_endpoint_refuses_them(
    endpoint: Endpoint, open_model: Ask
) -> None:
    function = {"name": "note", "arguments": "{}"}
    thinking = {"reasoning_content": "Hm.", "tool_calls": [{"id": "a", "function": function}]}
    endpoint.script(completion({"content": "<think>Hm.</think>", **thinking}), calls(FINISH))
    endpoint.script(error(400, "unknown field: messages[2].reasoning_content"), calls(FINISH))
    model = await open_model()
    first = await ask(model)
    result = CallResult(call=first.calls[0], text="noted")
    assert first.text == ""
    await ask(model, first, result)
    await ask(model, first, result)
    shown = [one["messages"][2].get("reasoning_content") for one in endpoint.asked[1:]]
    assert shown == ["Hm.", "Hm.", None]


async def test_a_model_without_a_system_is_told_by_the_user(
    endpoint: Endpoint, open_model: Ask
) -> None:
    endpoint.script(error(400, "System role not supported"), calls(FINISH))
    await ask(await open_model())
    assert endpoint.asked[1]["messages"] == [{"role": "user", "content": "Do it.\n\nNow."}]


async def test_what_an_answer_cost_follows_from_the_prices(
    endpoint: Endpoint, open_model: Ask
) -> None:
    usage = {
        "prompt_tokens": 1_000_000,
        "completion_tokens": 100_000,
        "prompt_tokens_details": {"cached_tokens": 400_000},
    }
    endpoint.script(*[completion({"content": "{}"}, usage=usage)] * 2)
    price = Price(input=2, output=8, cached_input=0.5)
    answer = await ask(await open_model(model_prices={"scripted": price}))
    assert answer.usage.cost == pytest.approx(0.6 * 2 + 0.4 * 0.5 + 0.1 * 8)
    assert (await ask(await open_model())).usage.cost is None


async def test_an_endpoint_without_tools_answers_in_json_by_a_schema(
    endpoint: Endpoint, open_model: Ask
) -> None:
    spoken = json.dumps({"calls": [{"name": "note", "arguments": {"number": 1}}]})
    endpoint.script(error(400, "tools are not supported by this model"), says(spoken), says(spoken))
    model = await open_model()
    first = await ask(model)
    assert made(first) == [("note", {"number": 1})]
    await ask(model, first, CallResult(call=first.calls[0], text="noted"))
    forced = endpoint.asked[1]["response_format"]["json_schema"]["schema"]
    names = [
        one["properties"]["name"]["const"]
        for one in forced["properties"]["calls"]["items"]["anyOf"]
    ]
    assert names == ["note", "finish"]
    last = endpoint.asked[2]["messages"][-1]
    assert last == {"role": "user", "content": "Result of note: noted"}
    assert all("tools" not in one for one in endpoint.asked[1:])


@pytest.mark.parametrize(
    ("status", "complaint"),
    [
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser'),
        (400, "registry.ollama.ai/library/gemma:2b does not support tools"),
        (404, "No endpoints found that support tool use"),
        (400, "Unrecognized request argument supplied: tools"),
    ],
)
async def test_who_cannot_call_tools_is_known_by_many_words(
    endpoint: Endpoint, open_model: Ask, status: int, complaint: str
) -> None:
    endpoint.script(error(status, complaint), says('{"calls": [{"name": "finish"}]}'))
    assert made(await ask(await open_model())) == [("finish", {})]
    assert "response_format" in endpoint.asked[1]


async def test_a_call_that_an_endpoint_could_not_read_says_nothing_against_tools(
    endpoint: Endpoint, open_model: Ask
) -> None:
    complaint = "error parsing tool call: raw='{\"number\": ', err=unexpected end of JSON input"
    endpoint.script(error(500, complaint), calls(FINISH))
    assert made(await ask(await open_model())) == [("finish", {})]
    assert all("tools" in one for one in endpoint.asked)


async def test_an_endpoint_without_schemas_is_asked_for_json(
    endpoint: Endpoint, open_model: Ask
) -> None:
    endpoint.script(error(400, "response_format is unknown"), says('{"name": "finish"}'))
    answer = await ask(await open_model(model_tools="schema"))
    assert made(answer) == [("finish", {})]
    assert "Note a number." in endpoint.asked[1]["messages"][0]["content"]


async def test_rules_are_no_model() -> None:
    async with open_models(Settings(model_url="rules:")) as models:
        assert models is None


async def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(UnknownModel, match="carrier-pigeon"):
        async with open_models(Settings(model_url="carrier-pigeon:")):
            pass


def test_openais_own_key_is_enough_and_goes_to_openai_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-own")
    alone, elsewhere = Settings(), Settings(model_url="openai://localhost:8080/v1?secure=false")
    assert (alone.model_url, alone.model_key) == ("openai:", "sk-own")
    assert elsewhere.model_key == ""
    assert Settings(model_url="rules:").model_url == "rules:"
    assert base_url(alone.model_url) == "https://api.openai.com/v1"
    assert base_url(elsewhere.model_url) == "http://localhost:8080/v1"


async def test_a_service_that_is_a_child_has_the_same_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = Settings(
        model_url="openai:",
        model_key="sk-own",
        model_names={"observer": "small"},
        model_extra_body={"reasoning_effort": "low", "n": 1},
    )
    command = await ServiceProcess(("observer",), settings).prepare()
    for name, value in (command.environment or {}).items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings
