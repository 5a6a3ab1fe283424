"""`make smoke-model`, against a script."""

import asyncio
import os
import sys

import pytest

from acontext_server.demo.story import CI_SETUP
from tests.model.endpoint import FINISH, Endpoint, call, calls

OBSERVED = calls(
    call("insert_task", description="Set up CI"),
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


@pytest.mark.slow
async def test_the_loop_is_printed_with_its_tokens_and_cost(endpoint: Endpoint) -> None:
    endpoint.otherwise["observer"] = OBSERVED
    easy = call("submit_sop", use_when="set up CI", preferences=[], tool_sops=[])
    endpoint.otherwise["distiller"] = calls(easy, FINISH)
    status, told = await smoke(
        MODEL_URL=endpoint.url,
        MODEL_NAME="observer",
        ACONTEXT_MODEL_NAMES='{"distiller": "distiller"}',
        ACONTEXT_MODEL_PRICES='{"observer": {"input": 2, "output": 8}}',
    )
    assert "task 1 [success] Set up CI" in told
    assert "tokens, observer" in told
    assert "cost 0.0003" in told
    assert status == 0
