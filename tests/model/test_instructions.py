"""What models are told, beside the tools that they have."""

import re
from pathlib import Path

import pytest

from acontext_server.kit.model.instructions import read_instructions
from acontext_server.observer.agents import model as observing
from acontext_server.space.agents import librarian, searcher
from acontext_server.space.agents import model as distilling
from tests.model.conftest import AskAny
from tests.model.endpoint import FINISH, Endpoint, call, calls
from tests.model.test_engine import applied, batch, observe
from tests.observer.dialogue import agent, messages, tool, user

AGENTS = {
    "observer": (observing.__file__, observing.Record),
    "distiller": (distilling.__file__, distilling.Draft),
    "librarian": (librarian.__file__, librarian.Desk),
    "searcher": (searcher.__file__, searcher.Walk),
}


@pytest.mark.parametrize("name", AGENTS)
def test_instructions_name_every_tool_and_call_no_other(name: str) -> None:
    module, kind = AGENTS[name]
    told = read_instructions(Path(module).with_name(f"{name}.md")).text
    tools = {
        one for one, what in vars(kind).items() if callable(what) and not one.startswith("_")
    } - {"told"}
    called = set(re.findall(r"\b([a-z]+(?:_[a-z]+)*)\(", told.partition("## Example")[2]))
    assert called <= tools
    assert {one for one in tools if not re.search(rf"\b{one}\b", told)} == set()


async def test_the_observers_example_passes_its_own_checks(
    endpoint: Endpoint, models_of: AskAny
) -> None:
    said = messages(
        [
            user("Move our docs to the new site, and tell me before you delete the old one."),
            agent("Plan: 1. Copy the docs 2. Delete the old site"),
            user("ok. How large are they, by the way?"),
            agent(call="disk_usage"),
            tool("2 GB"),
            agent("2 GB. I start to copy them.", call="copy_files", call_id="c2"),
        ]
    )
    size = "I told the user that the docs have 2 GB"
    copying = "I started to copy the docs to the new site"
    asks = "user expects to be told before the old site is deleted"
    append = "append_messages_to_task"
    example = calls(
        call("insert_task", task=1, description="Copy the docs to the new site"),
        call("insert_task", task=2, description="Delete the old site"),
        call("insert_task", task=3, description="Tell how large the docs are"),
        call("append_messages_to_planning", messages=[1, 2]),
        call(append, task=3, messages=[3, 4, 5], progress=[size]),
        call(append, task=1, messages=[6], progress=[copying]),
        call(append, task=2, messages=[], preferences=[asks]),
        call("update_task", task=3, status="success"),
        call("update_task", task=1, status="running"),
        FINISH,
    )
    endpoint.script(example)
    observed = await observe(models_of, batch(said))
    assert (observed.rounds, observed.note) == (1, "")
    assert [str(task.status) for task in applied(observed)] == ["running", "pending", "success"]
