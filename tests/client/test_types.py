"""Programs that use the SDK are checked by types: good ones pass, misuse does not."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "clients" / "python" / "examples"
MISUSE = {
    "client.sessions.get(7)": "arg-type",
    "client.sessions.create(space='x')": "call-arg",
    "client.sessions.get_messages('s', format='openai-chat')": "arg-type",
    "client.sessions.get('s').spaceid": "attr-defined",
    "client.sessions.store_message('s', blob='hello')": "arg-type",
    "client.sessions.list_with_states(serach='ann')": "call-arg",
    "client.tasks.list(seen_after='2026-11-24')": "arg-type",
    "edits.token_limit(limit='many')": "call-arg",
    "client.sessions.get_messages('s', edit_strategies=[{'type': 'shorten'}])": "list-item",
    "client.disks.artifacts.upsert('d', file='a.txt')": "arg-type",
}


def checked(*files: Path) -> "subprocess.CompletedProcess[str]":
    """Check files as strictly as mypy can, as a program of its own would."""
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", "/dev/null", *map(str, files)],
        cwd=EXAMPLES,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_examples_of_every_resource_are_strictly_typed() -> None:
    told = checked(*EXAMPLES.glob("*.py"))
    assert told.returncode == 0, told.stdout


@pytest.mark.slow
def test_misuse_does_not_type_check(tmp_path: Path) -> None:
    file = tmp_path / "misuse.py"
    head = ["from acontext import AcontextClient, edits", "client = AcontextClient()"]
    file.write_text("\n".join([*head, *MISUSE]) + "\n")
    told = checked(file).stdout.splitlines()
    for number, (line, code) in enumerate(MISUSE.items(), len(head) + 1):
        mine = [one for one in told if one.startswith(f"{file}:{number}:")]
        assert any(f"[{code}]" in one for one in mine), (line, told)
