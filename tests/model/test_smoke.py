"""`make smoke-model`, against a script."""

import asyncio
import json
import os
import sys

import pytest

from acontext_server.demo.story import CI_SETUP
from tests.model.endpoint import FINISH, Endpoint, call, calls, error

OBSERVED = calls(
    call("insert_task", task=1, description="Set up CI"),
    call("append_messages_to_task", task=1, messages=list(range(1, len(CI_SETUP) + 1))),
    call("update_task", task=1, status="success"),
    FINISH,
)


async def smoke(**environment: str) -> tuple[int | None, str]:
    inherited = {k: v for k, v in os.environ.items() if k != "OPENAI_API_KEY"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "evaluation.smoke"),
        env={**inherited, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    return process.returncode, told.decode()


async def test_without_a_model_it_says_so_and_fails() -> None:
    status, told = await smoke()
    assert status == 1
    assert "No model is named" in told


USE_WHEN = "set up CI for a Python repository"
DISTILLED = calls(
    call("report_difficulty", reason="user_correction", messages=[10]),
    call("report_difficulty", reason="stated_preference", messages=[10]),
    call(
        "submit_sop",
        use_when=USE_WHEN,
        preferences=["always use uv sync with the lock file"],
        tool_sops=[{"tool_name": "write_file", "action": "write the workflow"}],
    ),
    FINISH,
)
PLACED = calls(
    call("create_block", type="page", path="workflows"),
    call("insert_skill", page="workflows"),
    FINISH,
)


@pytest.mark.slow
async def test_a_search_that_is_not_answered_is_told_in_a_sentence(endpoint: Endpoint) -> None:
    endpoint.otherwise |= {"observer": OBSERVED, "distiller": DISTILLED, "librarian": PLACED}
    endpoint.otherwise["searcher"] = error(401, "this key opens nothing")
    status, told = await smoke(**named(endpoint))
    assert status == 1
    assert "the search was not answered: " in told
    assert "a run of the searcher failed: 401: " in told
    assert "this key opens nothing" in told
    assert f"skill: {USE_WHEN}" in told
    assert "Traceback" not in told


def named(endpoint: Endpoint) -> dict[str, str]:
    """Name the endpoint, with a model for each role."""
    roles = {role: role for role in ("distiller", "librarian", "searcher")}
    return {
        "MODEL_URL": endpoint.url,
        "MODEL_NAME": "observer",
        "ACONTEXT_MODEL_NAMES": json.dumps(roles),
        "ACONTEXT_MODEL_PRICES": '{"observer": {"input": 2, "output": 8}}',
    }


@pytest.mark.slow
async def test_the_loop_is_printed_with_what_was_learned_and_found_and_its_cost(
    endpoint: Endpoint,
) -> None:
    endpoint.otherwise |= {"observer": OBSERVED, "distiller": DISTILLED, "librarian": PLACED}
    looking = calls(call("list_blocks"), call("list_blocks", inside=1))
    endpoint.script(looking, calls(call("attach_blocks", blocks=[2]), FINISH), model="searcher")
    status, told = await smoke(**named(endpoint))
    assert status == 0, told
    assert "task 1 [success] Set up CI" in told
    assert f"skill: {USE_WHEN}\n  preferences: always use uv sync with the lock file\n" in told
    assert "  write_file: write the workflow\n" in told
    assert f"found: {USE_WHEN}\n" in told
    roles = ("observer", "distiller", "librarian", "searcher")
    assert [f"tokens, {role}" in told for role in roles] == [True] * 4
    assert "cost 0.0003" in told
