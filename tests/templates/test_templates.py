"""Each template is created, installed and run; its second conversation uses what was learned."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx
import pytest

from tests.model.endpoint import Endpoint, Json, Step, scripted_endpoint
from tests.templates.made import Ours, configure, create, install, run
from tests.templates.planner import PLANS, TRIPS, WISH

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TEMPLATES = Path(__file__).parents[2] / "clients" / "templates"
AGENTS_TOOLS = Path(__file__).with_name("agents_program.py")
SCRIPTS: Mapping[str, Sequence[Step]] = {
    "python/openai-basic": TRIPS,
    "python/openai-agent-basic": TRIPS,
    "python/agno-basic": TRIPS,
    "python/openai-agent-artifacts": PLANS,
    "typescript/openai-basic": TRIPS,
    "typescript/vercel-ai-basic": TRIPS,
}


def test_every_template_is_run_here() -> None:
    found = {str(one.parent.relative_to(TEMPLATES)) for one in TEMPLATES.glob("*/*/README.md")}
    assert found == SCRIPTS.keys()


@pytest.mark.parametrize("name", ["memory.py", "trip.py", "memory.ts", "trip.ts"])
def test_what_templates_share_is_the_same_in_each(name: str) -> None:
    copies = {file.read_text() for file in TEMPLATES.glob(f"*/*/{name}")}
    assert len(copies) == 1


@pytest.mark.parametrize("template", SCRIPTS)
async def test_a_second_conversation_uses_what_the_first_taught(
    template: str, ours: Ours, place: Callable[[], Mapping[str, str]], tmp_path: Path
) -> None:
    project = await create(template, tmp_path)
    start = await install(project, ours)
    here = place()
    async with scripted_endpoint() as model:
        model.script(*SCRIPTS[template], model="planner")
        configure(
            project,
            ACONTEXT_BASE_URL=here["ACONTEXT_BASE_URL"],
            ACONTEXT_API_KEY=here["ACONTEXT_API_KEY"],
            OPENAI_BASE_URL=f"http://{model.host}/v1",
            OPENAI_API_KEY="sk-nobody",
            OPENAI_MODEL="planner",
        )
        said = await run(start, project)
        assert model.scripts["planner"] == [], said
    check_what_was_said(said)
    check_what_the_model_got(model)
    first, second = re.findall(r"^=== ([0-9a-f-]{36})$", said, re.MULTILINE)
    with httpx.Client(base_url=here["ACONTEXT_BASE_URL"], timeout=60) as http:
        http.headers["Authorization"] = f"Bearer {here['ACONTEXT_API_KEY']}"
        check_what_was_stored(http, model, [first, second])
        check_what_was_served(http, first, second)
    if "artifacts" in template:
        plans = {path.name: path.read_text() for path in (project / "plans").iterdir()}
        assert {name: "Go by train." in text for name, text in plans.items()} == {
            "lisbon.md": True,
            "porto.md": True,
        }
        assert "both clients' tools work" in await run(
            [*start[:1], str(AGENTS_TOOLS)], project, **here
        )


def check_what_was_said(said: str) -> None:
    """It printed tasks with status, progress and preferences, and the skill that it found."""
    begun, learned = said.split("=== ", 2)[1:]
    assert "No skill fits yet." in begun
    assert re.search(r"^Task 1 \(success\): .*Lisbon", begun, re.MULTILINE), said
    assert re.search(r"^  progress: .+", begun, re.MULTILINE), said
    assert re.search(rf"^  preference: .*{WISH}", begun, re.MULTILINE), said
    assert WISH in learned.partition("\nuser: ")[0], said
    assert re.search(r"^Task 1 \(success\): .*Porto", learned, re.MULTILINE), said
    assert "plane" not in learned.partition("\nagent: ")[2], said


def check_what_the_model_got(model: Endpoint) -> None:
    """The instructions have the skill in the second conversation, and had none in the first."""
    first, second = conversations(model)
    assert [WISH in instructions(one) for one in first] == [False] * len(first)
    assert [WISH in instructions(one) for one in second] == [True] * len(second)
    for request in second:
        assert WISH not in json.dumps(spoken(request)), "the user does not say it again"


def check_what_was_stored(http: httpx.Client, model: Endpoint, sessions: Sequence[str]) -> None:
    """Everything that the model was sent is stored, in that order, and then its last answer."""
    for session, asked in zip(sessions, conversations(model), strict=True):
        stored = http.get(f"/session/{session}/messages", params={"format": "openai"}).json()
        items = stored["data"]["items"]
        seen = spoken(asked[-1])
        assert [outline(one) for one in items[:-1]] == [outline(one) for one in seen]
        assert items[-1] == {"role": "assistant", "content": "Have a good trip!"}


def check_what_was_served(http: httpx.Client, first: str, second: str) -> None:
    """The skill knows the conversation that it came from, and the one that it was served to."""
    space = http.get(f"/session/{first}/configs").json()["data"]["space_id"]
    (skill,) = http.get(f"/space/{space}/skill").json()["data"]["items"]
    history = http.get(f"/skill/{skill['id']}").json()["data"]
    assert history["versions"][-1]["sources"][0]["session_id"] == first
    assert history["versions"][-1]["difficulty"]["score"] >= 2
    assert history["exposures"][0]["session_id"] == second


def conversations(model: Endpoint) -> tuple[Sequence[Json], Sequence[Json]]:
    """Tell the requests of the second conversation from those of the first."""
    asked = model.asked_of("planner")
    begin = next(at for at, one in enumerate(asked) if "Porto" in json.dumps(spoken(one)))
    return asked[:begin], asked[begin:]


def instructions(request: Json) -> str:
    return json.dumps(
        [one for one in request["messages"] if one["role"] in ("system", "developer")]
    )


def spoken(request: Json) -> Sequence[Json]:
    return [one for one in request["messages"] if one["role"] not in ("system", "developer")]


def outline(message: Json) -> object:
    """Say what matters of a message, however a framework words it."""
    content = message.get("content") or ""
    if isinstance(content, list):
        content = "".join(part["text"] for part in content)
    calls = [
        (one["id"], one["function"]["name"], json.loads(one["function"]["arguments"]))
        for one in message.get("tool_calls") or []
    ]
    return message["role"], content, calls, message.get("tool_call_id")
