"""What `make eval` measures, and what it is told to leave out."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

CONVERSATION = {
    "id": "1",
    "whole": True,
    "services": ["Tables"],
    "messages": [
        {"role": "user", "content": "Book a table for two at Nopa, please."},
        {"role": "assistant", "content": "I booked a table for two at Nopa."},
        {"role": "user", "content": "Great, thanks. Bye."},
    ],
    "tasks": [
        {
            "service": "Tables",
            "intent": "BookTable",
            "description": "Book a table",
            "transactional": True,
            "status": "success",
            "opened_at": 0,
            "closed_at": 1,
            "slots": {"seats": ["two"]},
            "tool_calls": [],
        }
    ],
}


@pytest.fixture
def sgd(tmp_path: Path) -> str:
    """A file with one conversation."""
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps(CONVERSATION))
    return str(file)


async def evaluated(*options: str, **environment: str) -> tuple[int | None, str]:
    """Run the command, and give its status and what it told."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "evaluation", *options),
        env={**os.environ, "OPENAI_API_KEY": "", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    return process.returncode, told.decode()


async def test_a_data_set_without_a_name_is_left_out(sgd: str) -> None:
    _, told = await evaluated("--offline", SGD=sgd, TAU="", QUERIES="")
    assert "one.jsonl**" in told
    assert "tau" not in told
    assert "By `python -m evaluation --offline` in" in told


async def test_a_file_that_is_named_must_be_there(sgd: str) -> None:
    status, told = await evaluated("--offline", SGD=f"{sgd}.gone", TAU="", QUERIES="")
    assert (status, told) == (1, f"no such file: {sgd}.gone\n")
    status, told = await evaluated("--offline", SGD="", TAU="", QUERIES="")
    assert (status, told.startswith("no data is named")) == (1, True)


@pytest.mark.parametrize("option", ["--write", "--offline"])
async def test_figures_of_a_model_do_not_take_the_place_of_those_of_the_rules(option: str) -> None:
    status, told = await evaluated(option, ENGINE="model", MODEL_URL="openai://nowhere/v1")
    assert (status, told.count("\n")) == (1, 1)
    assert "README.md has the figures of the rules" in told
