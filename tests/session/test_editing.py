"""Edit strategies, token by token."""

import json
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acontext_server.kit.errors import InvalidRequest
from acontext_server.session import formats
from acontext_server.session.content import Content, Format
from acontext_server.session.editing import Entry, edit, read_strategies
from acontext_server.session.free_json import JsonObject
from acontext_server.session.tokens import count_tokens


def content(blob: JsonObject) -> Content:
    return formats.read(Format.OPENAI, blob, {}, lambda: "unused")


def said(text: str) -> Content:
    return content({"role": "user", "content": text})


def call(id_: str, name: str) -> Content:
    function: JsonObject = {"name": name, "arguments": '{"a": 1}'}
    return content({"role": "assistant", "tool_calls": [{"id": id_, "function": function}]})


def result(id_: str, text: str = "long result") -> Content:
    return content({"role": "tool", "tool_call_id": id_, "content": text})


def page(*contents: Content) -> list[Entry]:
    return [
        Entry(id=str(index), content=item, tokens=count_tokens(item))
        for index, item in enumerate(contents)
    ]


def edited(
    entries: Sequence[Entry], *strategies: tuple[str, Mapping[str, object]], pin: str | None = None
) -> list[Entry]:
    text = json.dumps([{"type": type_, "params": params} for type_, params in strategies])
    tools = {id_: name for entry in entries for id_, name in entry.content.calls().items()}
    return edit(entries, read_strategies(text), pin=pin, tools=tools, count=count_tokens)


def texts(entries: Sequence[Entry]) -> list[str | None]:
    return [entry.content.parts[0].text for entry in entries]


def ids(entries: Sequence[Entry]) -> str:
    return "".join(entry.id for entry in entries)


def test_older_tool_results_become_a_placeholder() -> None:
    results = page(*(result(f"c{n}") for n in range(5)))
    assert texts(edited(results, ("remove_tool_result", {}))) == ["Done"] * 2 + ["long result"] * 3
    short = {"keep_recent_n_tool_results": 0, "tool_result_placeholder": "  gone "}
    assert texts(edited(results, ("remove_tool_result", short))) == ["gone"] * 5


def test_kept_tools_are_neither_changed_nor_counted() -> None:
    entries = page(call("a", "search"), result("a"), call("b", "goto"), result("b"), result("b"))
    params = {"keep_recent_n_tool_results": 1, "keep_tools": ["search"]}
    assert texts(edited(entries, ("remove_tool_result", params)))[1::2] == ["long result", "Done"]
    assert texts(edited(entries, ("remove_tool_result", params)))[4] == "long result"


def test_older_calls_lose_their_arguments() -> None:
    entries = page(*(call(f"c{n}", "goto") for n in range(4)))
    after = edited(entries, ("remove_tool_call_params", {"keep_recent_n_tool_calls": 1}))
    arguments = [entry.content.parts[0].meta["arguments"] for entry in after]
    assert arguments == ["{}", "{}", "{}", '{"a": 1}']
    assert after[0].tokens == count_tokens(after[0].content) < entries[0].tokens


def test_middle_out_drops_from_the_middle() -> None:
    entries = page(*(said("x") for _ in range(5)))
    each = entries[0].tokens
    assert ids(edited(entries, ("middle_out", {"token_reduce_to": 4 * each}))) == "0134"
    assert ids(edited(entries, ("middle_out", {"token_reduce_to": 3 * each}))) == "014"
    assert ids(edited(entries, ("middle_out", {"token_reduce_to": 2 * each}))) == "04"
    assert ids(edited(entries, ("middle_out", {"token_reduce_to": 1 * each}))) == "4"
    assert ids(edited(entries, ("middle_out", {"token_reduce_to": 1}))) == ""


def test_token_limit_drops_the_oldest_with_what_belongs_to_them() -> None:
    entries = page(said("x" * 50), call("a", "f"), said("y"), result("a"), said("z"))
    limit = sum(entry.tokens for entry in entries[1:]) - 1
    assert ids(edited(entries, ("token_limit", {"limit_tokens": limit}))) == "24"


def test_belonging_together_is_passed_on() -> None:
    both = content(
        {
            "role": "assistant",
            "tool_calls": [
                {"id": id_, "function": {"name": "f", "arguments": "{}"}} for id_ in ("a", "b")
            ],
        }
    )
    entries = page(both, result("a"), result("b"), said("z"))
    limit = sum(entry.tokens for entry in entries) - 1
    assert ids(edited(entries, ("token_limit", {"limit_tokens": limit}))) == "3"


def test_strategies_apply_by_rank() -> None:
    entries = page(result("a", "word " * 100), said("x"))
    after = edited(
        entries,
        ("token_limit", {"limit_tokens": 20}),
        ("remove_tool_result", {"keep_recent_n_tool_results": 0}),
    )
    assert texts(after) == ["Done", "x"]


def test_what_follows_the_pin_is_untouched() -> None:
    entries = page(*(result(f"c{n}") for n in range(4)))
    none = {"keep_recent_n_tool_results": 0}
    after = edited(entries, ("remove_tool_result", none), pin="1")
    assert texts(after) == ["Done"] * 2 + ["long result"] * 2
    assert texts(edited(entries, ("remove_tool_result", none), pin="elsewhere")) == ["Done"] * 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "edit_strategies: is not JSON"),
        ("{}", "edit_strategies: must be an array"),
        ("[1]", "edit_strategies[0]: must be an object"),
        ('[{"type":"shrink"}]', "edit_strategies[0].type: must be one of"),
        ('[{"type":"token_limit"}]', "edit_strategies[0].params.limit_tokens: is required"),
        (
            '[{"type":"token_limit","params":{"limit_tokens":0}}]',
            "limit_tokens: must be at least 1",
        ),
        ('[{"type":"middle_out","params":{"token_reduce_to":1.5}}]', "token_reduce_to"),
        ('[{"type":"middle_out","params":{"token_reduce_to":true}}]', "token_reduce_to"),
        ('[{"type":"middle_out","params":{"token_reduce_to":"5"}}]', "token_reduce_to"),
        (
            '[{"type":"remove_tool_result","params":{"keep_tools":"f"}}]',
            "keep_tools: must be an array",
        ),
        ('[{"type":"remove_tool_result","params":[]}]', "params: must be an object"),
    ],
)
def test_a_broken_strategy_is_named(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read_strategies(text)
    assert message in str(refusal.value)


@given(st.lists(st.integers(1, 40), max_size=12), st.integers(1, 200), st.booleans())
def test_a_limit_holds_and_order_stays(lengths: list[int], limit: int, middle: bool) -> None:
    entries = page(*(said("word " * length) for length in lengths))
    strategy = (
        ("middle_out", {"token_reduce_to": limit})
        if middle
        else ("token_limit", {"limit_tokens": limit})
    )
    after = edited(entries, strategy)
    assert sum(entry.tokens for entry in after) <= limit
    assert [int(entry.id) for entry in after] == sorted(int(entry.id) for entry in after)


def test_tokens_are_counted_as_one_text() -> None:
    assert count_tokens(said("")) == 0
    assert count_tokens(said("hello world")) == 3
    assert count_tokens(call("c", "goto")) == count_tokens(
        said('{"arguments":"{\\"a\\": 1}","name":"goto"}')
    )
