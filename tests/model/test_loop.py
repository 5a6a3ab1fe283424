"""The loop that agents share: typed functions, refusals, limits."""

import json
from typing import Annotated, Literal

import pytest
from pydantic import Field

from acontext_server.kit.model import Prompt, ToolSpec
from acontext_server.kit.model.loop import SINGLE_CALLS, NotDone, Work, work
from acontext_server.kit.model.spoken import spoken_calls
from acontext_server.kit.model.tools import Function, Line, Refused, Tool
from tests.model.conftest import Ask
from tests.model.endpoint import (
    FINISH,
    Endpoint,
    Json,
    Reply,
    call,
    calls,
    completion,
    error,
    says,
)


class Notebook:
    """A small agent's tools."""

    def __init__(self) -> None:
        self.notes: list[tuple[int, str]] = []

    def note(
        self,
        number: Annotated[int, Field(ge=1, description="Which one.")],
        text: Line,
        kind: Literal["plain", "bold"] = "plain",
    ) -> str:
        """Note a line."""
        if number > 9:
            raise Refused("numbers end at 9")
        self.notes.append((number, text))
        return "noted"

    async def finish(self) -> str:
        """End."""
        return "done"

    @property
    def tools(self) -> list[Function]:
        return [self.note, self.finish]


async def run(endpoint: Endpoint, open_model: Ask, notebook: Notebook, rounds: int = 6) -> Work:
    return await work(
        await open_model(), "Note it.", lambda _: "Now.", notebook.tools, rounds=rounds
    )


def test_schemas_come_from_the_functions() -> None:
    spec = Tool(Notebook().note).spec
    assert (spec.name, spec.description) == ("note", "Note a line.")
    assert spec.parameters["required"] == ["number", "text"]
    assert spec.parameters["additionalProperties"] is False
    number = {"type": "integer", "minimum": 1, "description": "Which one."}
    assert spec.parameters["properties"]["number"] == number
    assert spec.parameters["properties"]["kind"]["enum"] == ["plain", "bold"]


async def test_work_ends_with_finish_and_sums_what_it_took(
    endpoint: Endpoint, open_model: Ask
) -> None:
    notebook = Notebook()
    endpoint.script(calls(call("note", number=1, text="a")), calls(FINISH))
    done = await run(endpoint, open_model, notebook)
    assert notebook.notes == [(1, "a")]
    assert (done.rounds, done.tool_calls) == (2, 2)
    assert (done.usage.input_tokens, done.usage.output_tokens) == (200, 20)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (("note", '{"number": 1, "text": "a'), "the arguments are no JSON"),
        (("note", "[1]"), "must be a JSON object"),
        (call("note", number="many", text="a"), "number: Input should be a valid integer"),
        (call("note", number=1), "text: Missing required argument"),
        (call("note", number=1, text="a", colour="red"), "colour: Unexpected keyword argument"),
        (call("note", number=1, text="  "), "text: String should have at least 1 character"),
        (call("note", number=10, text="a"), "numbers end at 9"),
        (call("erase"), "there is no tool 'erase'; the tools are note, finish"),
    ],
)
async def test_a_refused_call_tells_why_and_the_model_goes_on(
    endpoint: Endpoint, open_model: Ask, wrong: tuple[str, str], why: str
) -> None:
    notebook = Notebook()
    endpoint.script(calls(wrong, FINISH), calls(call("note", number=2, text="b"), FINISH))
    done = await run(endpoint, open_model, notebook)
    assert notebook.notes == [(2, "b")]
    told = [one["content"] for one in endpoint.asked[1]["messages"] if one["role"] == "tool"]
    assert why in told[0]
    assert told[1].startswith("not finished")
    assert len(done.refusals) == 1


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "note", "arguments": {"number": 1, "text": "a"}}',
        'Sure:\n```json\n{"name": "note", "parameters": {"number": 1, "text": "a"}}\n```',
        '<think>{"name": "erase"}</think>[{"function": {"name": "note", "arguments":'
        ' "{\\"number\\": 1, \\"text\\": \\"a\\"}"}}]',
        '<tool_call>\n{"name": "note", "arguments": {"number": 1, "text": "a"}}\n</tool_call>',
        '{"tool_calls": [{"name": "note", "arguments": {"number": 1, "text": "a"}}]}',
        'Sure, here it is:\n{"name": "note", "arguments": {"number": 1, "text": "a"}}',
        'I note {"a"}.</think>\n{"name": "note", "arguments": {"number": 1, "text": "a"}}',
        '[TOOL_CALLS][{"name": "note", "arguments": {"number": 1, "text": "a"}}]',
        '<|python_tag|>{"name": "note", "parameters": {"number": 1, "text": "a"}}',
        '<tool_call>{"name": "note", "arguments": {"number": 1, "text": "a"}}',
    ],
    ids=[
        "bare",
        "fenced",
        "list after thoughts",
        "tagged",
        "under a key",
        "at the end",
        "thoughts without a beginning",
        "marked as Mistral does",
        "marked as Llama does",
        "tagged without an end",
    ],
)
async def test_calls_in_the_text_are_understood(
    endpoint: Endpoint, open_model: Ask, text: str
) -> None:
    notebook = Notebook()
    endpoint.script(says(text), says('{"name": "finish", "arguments": {}}'))
    await run(endpoint, open_model, notebook)
    assert notebook.notes == [(1, "a")]


def test_prose_calls_nothing() -> None:
    assert spoken_calls('I would say {"name": "note"} here.', {"note"}) == ()
    assert spoken_calls('{"name": "erase"}', {"note"}) == ()


async def test_an_endless_loop_is_not_done(endpoint: Endpoint, open_model: Ask) -> None:
    again = call("note", number=1, text="a")
    endpoint.script(*[calls(again, again)] * 4)
    with pytest.raises(NotDone, match="did not finish within 4 rounds") as ended:
        await run(endpoint, open_model, Notebook(), rounds=4)
    assert ended.value.work.usage.input_tokens == 400


async def test_an_answer_without_a_call_is_asked_for_one_twice(
    endpoint: Endpoint, open_model: Ask
) -> None:
    endpoint.script(says(""), says("Done."), calls(FINISH))
    assert (await run(endpoint, open_model, Notebook())).rounds == 3
    endpoint.script(says(""), says("All is well."), says("Really."))
    with pytest.raises(NotDone, match=r"without calling a tool: 'Really\.'"):
        await run(endpoint, open_model, Notebook())


async def test_one_call_at_a_time_is_no_endless_loop(endpoint: Endpoint, open_model: Ask) -> None:
    notes = [calls(call("note", number=number, text="a")) for number in range(1, 8)]
    endpoint.script(*notes, calls(FINISH))
    notebook = Notebook()
    done = await run(endpoint, open_model, notebook, rounds=2)
    assert (len(notebook.notes), done.rounds) == (7, 8)


async def test_one_call_again_and_again_is_an_endless_loop(
    endpoint: Endpoint, open_model: Ask
) -> None:
    endpoint.script(*[calls(call("note", number=1, text="a"))] * 5)
    with pytest.raises(NotDone, match="did not finish within 4 rounds"):
        await run(endpoint, open_model, Notebook(), rounds=4)
    assert len(endpoint.asked) == 5


async def test_always_another_call_is_an_endless_loop_in_the_end(
    endpoint: Endpoint, open_model: Ask
) -> None:
    endpoint.script(*[calls(call("note", number=1, text=f"{one}")) for one in range(60)])
    with pytest.raises(NotDone, match="did not finish within 2 rounds"):
        await run(endpoint, open_model, Notebook(), rounds=2)
    assert len(endpoint.asked) == SINGLE_CALLS + 2


TOO_LONG = (
    "This model's maximum context length is 4096 tokens. However, your messages resulted in 9000",
    "the request exceeds the available context size, try increasing it",
    "Prompt is too long: 9000 tokens > 4096 maximum",
)


@pytest.mark.parametrize("complaint", TOO_LONG)
async def test_a_task_that_is_too_long_is_told_shorter(
    endpoint: Endpoint, open_model: Ask, complaint: str
) -> None:
    def reads_little(request: Json) -> Reply:
        return calls(FINISH) if request["messages"][1]["content"] == "0.25" else refused

    refused = error(400, complaint)
    endpoint.script(*[reads_little] * 4)
    await work(await open_model(), "Do.", lambda share: f"{share:g}", Notebook().tools, rounds=1)
    assert [one["messages"][1]["content"] for one in endpoint.asked] == ["1", "1", "0.5", "0.25"]
    assert "max_tokens" not in endpoint.asked[1]


async def test_a_task_that_is_always_too_long_is_not_done(
    endpoint: Endpoint, open_model: Ask
) -> None:
    endpoint.otherwise["scripted"] = error(400, TOO_LONG[0])
    with pytest.raises(NotDone, match="maximum context length"):
        await work(await open_model(), "Do.", str, Notebook().tools, rounds=9)


async def test_null_means_nothing_where_an_argument_may_be_left_out(
    endpoint: Endpoint, open_model: Ask
) -> None:
    notebook = Notebook()
    endpoint.script(calls(call("note", number=1, text="a", kind=None), FINISH))
    await run(endpoint, open_model, notebook)
    assert notebook.notes == [(1, "a")]


async def test_a_model_that_comes_to_say_nothing_is_told_why(
    endpoint: Endpoint, open_model: Ask
) -> None:
    endpoint.script(*[completion({"content": ""}, finish_reason="length")] * 3)
    with pytest.raises(NotDone, match="context or limit is too small"):
        await run(endpoint, open_model, Notebook())


async def test_a_filter_and_a_refusal_say_so(endpoint: Endpoint, open_model: Ask) -> None:
    filtered = completion({"content": None}, finish_reason="content_filter")
    endpoint.script(*[filtered] * 3)
    with pytest.raises(NotDone, match="filter stopped"):
        await run(endpoint, open_model, Notebook())
    endpoint.script(*[completion({"content": None, "refusal": "I can't help with that."})] * 3)
    with pytest.raises(NotDone, match="I can't help with that"):
        await run(endpoint, open_model, Notebook())


async def test_an_endpoint_that_fails_is_not_done(endpoint: Endpoint, open_model: Ask) -> None:
    model = await open_model(model_retries=0)
    with pytest.raises(NotDone, match="500"):
        await work(model, "Do.", lambda _: "Now.", Notebook().tools, rounds=3)


async def test_halves_of_characters_and_nuls_do_not_reach_the_functions(
    endpoint: Endpoint, open_model: Ask
) -> None:
    notebook = Notebook()
    broken = ("note", json.dumps({"number": 1, "text": "a\0\ud800b"}))
    endpoint.script(calls(broken, FINISH))
    await run(endpoint, open_model, notebook)
    assert notebook.notes == [(1, "ab")]


async def test_a_cut_answer_is_told_so(endpoint: Endpoint, open_model: Ask) -> None:
    model = await open_model()
    endpoint.script(calls(("note", '{"number"'), finish_reason="length"), calls(FINISH))
    await work(model, "Do.", lambda _: "Now.", Notebook().tools, rounds=3)
    assert "cut off" in endpoint.asked[1]["messages"][-1]["content"]
    spec = ToolSpec(name="finish", description="", parameters={"type": "object"})
    endpoint.script(calls(FINISH, finish_reason="length"))
    assert (await model.answer("Do.", [Prompt(text="Now.")], [spec])).is_cut
