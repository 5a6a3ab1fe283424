"""The demo, against a system that runs already."""

import json
import os
import subprocess
import sys
from pathlib import Path

from acontext_server.demo import story
from tests.journeys.system import System


def demo(system: System, *arguments: str) -> subprocess.CompletedProcess[str]:
    place = {"ACONTEXT_PORT": str(system.port), "COLUMNS": "120"}
    return subprocess.run(
        [sys.executable, "-m", "acontext_server.demo", *arguments],
        env=os.environ | place,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_story_is_told_to_its_end_on_one_screen(system: System) -> None:
    told = demo(system)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "it was up already" in told.stdout
    assert "points: user_correction" in told.stdout
    assert "nothing relevant" in told.stdout
    assert "opens without a key, byte for byte" in told.stdout
    assert len(told.stdout.splitlines()) <= 60


def test_ones_own_conversations_are_counted_to_the_last_message(
    system: System, tmp_path: Path
) -> None:
    broken = {"role": "wizard", "content": "Abracadabra"}
    runs = [story.CI_SETUP, story.README, [*story.README, broken]]
    lines = [json.dumps({"messages": run, "reward": 1.0}) for run in runs]
    file = tmp_path / "own.jsonl"
    file.write_text("\n".join(lines) + "\n\n")
    told = demo(system, str(file))
    assert told.returncode == 0, told.stdout + told.stderr
    kept = sum(map(len, runs)) - 1
    assert f"{kept} messages stored, {kept} observed, 0 pending, 0 failed" in told.stdout
    assert "1 messages refused" in told.stdout
    assert "3 searches" in told.stdout


def test_a_file_that_is_no_conversation_is_told_in_a_sentence(
    system: System, tmp_path: Path
) -> None:
    file = tmp_path / "other.jsonl"
    file.write_text('{"messages": []}\n{"rows": 3}\n')
    told = demo(system, str(file))
    assert told.returncode == 1
    assert "other.jsonl, line 2: needs `messages`" in told.stderr
    assert "Traceback" not in told.stderr
