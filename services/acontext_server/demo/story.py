"""Two conversations to tell the product with, as OpenAI messages."""

import json
from collections.abc import Sequence

import orjson

ChatMessage = dict[str, object]


def _user(content: str) -> ChatMessage:
    return {"role": "user", "content": content}


def _agent(content: str) -> ChatMessage:
    return {"role": "assistant", "content": content}


def _calls(call_id: str, name: str, /, **arguments: object) -> ChatMessage:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": call_id, "type": "function", "function": function}],
    }


def _result(call_id: str, content: str) -> ChatMessage:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


CI_SETUP: Sequence[ChatMessage] = [
    _user(
        "Please set up continuous integration for our Python repository harbor-labs/tidewatch: "
        "the tests should run on every push."
    ),
    _agent("I'll start by looking at how the repository is built and tested."),
    _calls("call_1", "list_files", path="."),
    _result("call_1", "pyproject.toml\nuv.lock\nsrc/tidewatch/__init__.py\ntests/test_tides.py"),
    _calls(
        "call_2",
        "write_file",
        path=".github/workflows/ci.yml",
        content="on: push\njobs:\n  test:\n    steps:\n      - run: pip install pytest && pytest\n",
    ),
    _result("call_2", '{"ok": true, "path": ".github/workflows/ci.yml"}'),
    _calls("call_3", "run_workflow", workflow="ci.yml"),
    _result(
        "call_3",
        "Error: job failed with exit code 2\n"
        "tests/test_tides.py:1: ModuleNotFoundError: No module named 'tidewatch'",
    ),
    _agent("The job failed: pip installed pytest, but not the package itself."),
    _user(
        "No, that's wrong. Don't use pip here, we lock our dependencies with uv. "
        "I want you to always use uv sync with the lock file in our workflows, "
        "and please never push to main directly, open a pull request."
    ),
    _agent("You're right, I'll install from the lock file with uv instead."),
    _calls(
        "call_4",
        "write_file",
        path=".github/workflows/ci.yml",
        content="on: push\njobs:\n  test:\n    steps:\n"
        "      - run: uv sync --locked\n      - run: uv run pytest\n",
    ),
    _result("call_4", '{"ok": true, "path": ".github/workflows/ci.yml"}'),
    _calls("call_5", "run_workflow", workflow="ci.yml"),
    _result("call_5", '{"status": "completed", "conclusion": "success", "tests": "41 passed"}'),
    _calls(
        "call_6",
        "open_pull_request",
        branch="ci-workflow",
        title="Run the tests on every push",
    ),
    _result("call_6", '{"ok": true, "number": 42, "state": "open"}'),
    _agent(
        "The workflow now installs from the lock file with uv and all 41 tests pass. "
        "I opened pull request 42 with it."
    ),
    _user("Perfect, exactly what I wanted. Thank you!"),
]
"""A task with a mistake, a correction and stated preferences: hard enough to learn from."""

README: Sequence[ChatMessage] = [
    _user("I need to write a landing page of iPhone 15 pro max"),
    _agent(
        "Sure, my plan is below:\n"
        "1. Search for the latest news about iPhone 15 pro max\n"
        "2. Init Next.js project for the landing page\n"
        "3. Deploy the landing page to the website"
    ),
    _user(
        "That sounds good. Let's first collect the message and report to me "
        "before any landing page coding."
    ),
    {
        "role": "assistant",
        "content": "Sure, I will first collect the message then report to you "
        "before any landing page coding.",
        "tool_calls": [
            {
                "id": "call_001",
                "type": "function",
                "function": {
                    "name": "search_news",
                    "arguments": '{"query": "iPhone 15 pro max news"}',
                },
            }
        ],
    },
    _result(
        "call_001",
        '[{"title": "iPhone 15 Pro Max: titanium frame, USB-C and a 5x camera"}]',
    ),
    _agent(
        "I have collected the news: titanium frame, USB-C, a 5x camera. "
        "Shall I go on with the landing page?"
    ),
]
"""The conversation of the README, where the agent's plan becomes the tasks."""

REPORT = b"""# tidewatch: continuous integration

- workflow: `.github/workflows/ci.yml`, on every push
- installs with `uv sync --locked`
- 41 tests pass
"""


def as_json(message: ChatMessage) -> bytes:
    """Write a message as the wire wants it."""
    return orjson.dumps(message)


def first_user_turn(messages: Sequence[ChatMessage]) -> str:
    """Give the text with which the user began; empty when there is none."""
    texts = (_text(one.get("content")) for one in messages if one.get("role") == "user")
    return next((text for text in texts if text.strip()), "")


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return ""
