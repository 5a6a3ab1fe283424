"""Agentic search, through the real service and over real HTTP, against a script."""

import json
import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from acontext.space import v1 as pb
from acontext_server.kit.bus import Bus
from acontext_server.kit.config import Settings
from acontext_server.kit.ids import uuid7
from evaluation.retrieval import Sets
from evaluation.table import share, told
from tests.model.endpoint import (
    CUT,
    FINISH,
    HANG,
    RESET,
    TRUNCATED,
    Endpoint,
    Reply,
    Step,
    call,
    calls,
    error,
    says,
)
from tests.services import Platform
from tests.space.neighbours import Neighbours
from tests.space.running import Space, reason

LIBRARY = {
    "github": ("star a repo on github.com", "fork a repo on github.com"),
    "office": ("file an invoice in the ledger", "send a mail to a colleague"),
    "travel": ("book a flight", "book a hotel room"),
}
find = partial(call, "search_content")
attach = partial(call, "attach_blocks")


@pytest.fixture
def settings(settings: Settings, endpoint: Endpoint) -> Settings:
    """The settings of any test, with the scripted model."""
    scripted = {
        "model_url": endpoint.url,
        "model_name": "scripted",
        "model_retries": 2,
        "model_timeout_seconds": 0.5,
    }
    return settings.model_copy(update=scripted)


@pytest.fixture
async def space(neighbours: Neighbours, platform: Platform, bus: Bus) -> Space:
    await platform.start("space")
    return Space(platform, neighbours, bus)


@pytest.fixture
async def library(space: Space) -> str:
    """A space with skills in three pages."""
    space_id = await space.create()
    for page, skills in LIBRARY.items():
        page_id = await space.create_block(space_id, "page", title=page)
        for title in skills:
            steps = [{"tool_name": f"{page}_tool", "action": title}]
            props = {"preferences": "", "tool_sops": steps}
            await space.create_block(space_id, "sop", parent_id=page_id, title=title, props=props)
    for skills in LIBRARY.values():
        await space.found(space_id, skills[-1])
    return space_id


async def asked(space: Space, space_id: str, query: str, **options: Any) -> list[str]:
    found = await space.search(space_id, query, mode="agentic", **options)
    return [one.title for one in found]


def attaching(*titles: str) -> Step:
    """Attach what was shown under these titles, as a model would that reads the answers."""

    def reply(request: dict[str, Any]) -> Reply:
        shown = "\n".join(str(one["content"]) for one in request["messages"])
        numbers = [
            int(found[1])
            for title in titles
            if (found := re.search(rf'^(\d+)\. \w+ "{title}"$', shown, re.MULTILINE))
        ]
        return calls(attach(blocks=numbers), FINISH) if numbers else calls(FINISH)

    return reply


SETS: Sequence[tuple[str, Sequence[str]]] = (
    ("file the invoice and mail Ann", [LIBRARY["office"][0], LIBRARY["office"][1]]),
    ("book a trip with a hotel and star the repo", [*LIBRARY["travel"], LIBRARY["github"][0]]),
    ("fork, file, mail, fly", [LIBRARY["github"][1], *LIBRARY["office"], LIBRARY["travel"][0]]),
)


@pytest.mark.parametrize(("query", "wanted"), SETS, ids=["two", "three", "four"])
async def test_all_skills_of_a_set_are_attached_in_their_order(
    space: Space, library: str, endpoint: Endpoint, query: str, wanted: Sequence[str]
) -> None:
    endpoint.script(calls(*(find(query=title) for title in wanted)), attaching(*wanted))
    assert await asked(space, library, query) == list(wanted)


async def test_the_report_has_recall_and_precision_of_the_sets(
    space: Space, library: str, endpoint: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    sets, worse = Sets(), Sets()
    for query, wanted in SETS:
        endpoint.script(calls(*(find(query=title) for title in wanted)), attaching(*wanted))
        sets.add(await asked(space, library, query), wanted)
    query, wanted = SETS[0]
    astray = (wanted[0], LIBRARY["travel"][0], LIBRARY["travel"][1])
    endpoint.script(calls(*(find(query=title) for title in astray)), attaching(*astray))
    worse.add(await asked(space, library, query), wanted)
    with capsys.disabled():
        rows = (
            share("set recall", sets.recall, "wanted skills"),
            share("set precision", sets.precision, "attached skills"),
        )
        print(f"\n{told(rows)}")
    assert (sets.recall.hits, sets.recall.cases) == (9, 9)
    assert (sets.precision.hits, sets.precision.cases) == (9, 9)
    assert (worse.recall.hits, worse.recall.cases) == (1, 2)
    assert (worse.precision.hits, worse.precision.cases) == (1, 3)


async def test_the_tree_can_be_walked_and_read(
    space: Space, library: str, endpoint: Endpoint
) -> None:
    endpoint.script(
        calls(call("list_blocks"), call("search_titles", words="invoice")),
        calls(call("list_blocks", inside=3), call("read_blocks", blocks=[4])),
        attaching("book a hotel room"),
    )
    assert await asked(space, library, "where do I sleep") == ["book a hotel room"]
    top, titled = (one["content"] for one in endpoint.asked[1]["messages"][-2:])
    assert top == '1. page "github"\n2. page "office"\n3. page "travel"'
    assert titled == '4. skill "file an invoice in the ledger"'
    inside, read = (one["content"] for one in endpoint.asked[2]["messages"][-2:])
    assert inside == '5. skill "book a flight"\n6. skill "book a hotel room"'
    assert "| office_tool: file an invoice in the ledger" in read


async def test_an_immediate_finish_is_an_empty_list_and_a_run(
    space: Space, library: str, endpoint: Endpoint
) -> None:
    endpoint.script(calls(FINISH))
    assert await asked(space, library, "bake a cake") == []
    (run,) = await space.learned(library)
    assert (run.role, run.engine, run.outcome) == ("searcher", "scripted", "success")
    assert (run.rounds, run.input_tokens) == (1, 100)


async def test_at_the_limit_of_rounds_what_was_attached_is_the_answer(
    space: Space, library: str, endpoint: Endpoint
) -> None:
    looking = calls(find(query="book a flight"), attach(blocks=[1]))
    endpoint.script(*[looking] * 3)
    assert len(await asked(space, library, "fly", max_iterations=3)) == 1
    (run,) = await space.learned(library)
    assert (run.outcome, run.rounds) == ("failed", 3)
    assert "did not finish" in run.error


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ([attach(blocks=[99])], "nothing was shown with the number 99"),
        ([call("list_blocks"), attach(blocks=[1])], "1 is a page"),
        ([call("search_titles", words="book"), attach(blocks=[1, 2])], "no more than 1"),
    ],
)
async def test_what_cannot_be_attached_is_refused(
    space: Space, library: str, endpoint: Endpoint, wrong: list[tuple[str, str]], why: str
) -> None:
    endpoint.script(calls(*wrong), calls(FINISH))
    await asked(space, library, "book", limit=1)
    assert why in json.dumps(endpoint.asked[1]["messages"])


async def test_filters_hold_for_what_a_model_sees(
    space: Space, library: str, endpoint: Endpoint
) -> None:
    endpoint.script(calls(call("search_titles", words="book star")), attaching("book a flight"))
    assert await asked(space, library, "star", tool_name="github_tool") == []
    assert "book a flight" not in endpoint.asked[1]["messages"][-1]["content"]


async def test_what_was_attached_is_kept_as_exposure(
    space: Space, library: str, endpoint: Endpoint
) -> None:
    session_id = str(uuid7())
    space.neighbours.sessions.add(session_id)
    endpoint.script(calls(find(query="book a flight")), attaching("book a flight"))
    await asked(space, library, "fly", session_id=session_id)
    (skill,) = [
        one for one in await space.list_skills(library) if one.sop.use_when.endswith("flight")
    ]
    assert [one.rank for one in (await space.history(skill.id)).exposures] == [1]


FLYING = "book a flight"
FAULTS: dict[str, tuple[Reply, str]] = {
    "429": (error(429, retry_after="0.01"), "asked again 2 times"),
    "500": (error(500), "asked again 2 times"),
    "reset": (RESET, "asked again 2 times"),
    "time-out": (HANG, "asked again 2 times"),
    "cut": (CUT, "asked again 2 times"),
    "truncated": (TRUNCATED, "asked again 2 times"),
    "unknown tool": (calls(call("erase_everything"), FINISH), "there is no tool"),
    "wrong types": (calls(find(query=["a", "flight"])), "query: Input should be a valid string"),
    "broken arguments": (calls(("search_content", '{"query": "bo')), "the arguments are no JSON"),
    "in content": (says('{"name": "search_content", "arguments": {"query": "a flight"}}'), ""),
    "endless": (calls(find(query=FLYING)), ""),
    "empty": (says(""), ""),
}


@pytest.mark.parametrize(("fault", "told"), FAULTS.values(), ids=FAULTS.keys())
async def test_a_fault_that_comes_twice_loses_and_doubles_nothing(
    space: Space, library: str, endpoint: Endpoint, fault: Reply, told: str
) -> None:
    endpoint.script(fault, fault, calls(find(query=FLYING)), attaching(FLYING))
    assert await asked(space, library, "fly") == [FLYING]
    (run,) = await space.learned(library)
    assert run.outcome == "success"
    assert told in run.summary
    is_told_by_the_adapter = "asked again" in told
    assert run.rounds == (2 if is_told_by_the_adapter else 4)


@pytest.mark.parametrize("fault", [RESET, says("I cannot find anything.")], ids=["away", "silent"])
async def test_a_model_that_does_not_answer_is_unavailable(
    space: Space, library: str, endpoint: Endpoint, fault: Reply
) -> None:
    endpoint.script(*[fault] * 3)
    request = pb.SearchSkillsRequest(space_id=library, query="fly", mode="agentic")
    call_ = space.skills.SearchSkills(request, metadata=space.key)
    assert await reason(call_) == "UNAVAILABLE"
    (run,) = await space.learned(library)
    assert (run.outcome, len(endpoint.asked)) == ("failed", 3)
