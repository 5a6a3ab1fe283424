"""The README's snippets with a Python SDK, published or ours, run by that SDK's own interpreter.

`ACONTEXT_BASE_URL` and `ACONTEXT_API_KEY` say where; it knows nothing of this repository.
"""

# mypy: ignore-errors
# The `acontext` that mypy knows is ours, not the published one.

import time
import urllib.request

from openai.types.chat import ChatCompletionMessage

from acontext import AcontextClient, FileUpload

TODO = b"# Sprint plan\n\n## Goals\n- Complete user authentication\n- Fix critical bugs\n"
CHAT = [
    {"role": "user", "content": "Hello, I need to build a website."},
    {"role": "assistant", "content": "Sure, what is it about?"},
    {"role": "user", "content": "My café, with a menu and opening hours."},
]
PLAN = [
    {"role": "user", "content": "I need to write a landing page of iPhone 15 pro max"},
    {
        "role": "assistant",
        "content": "Sure, my plan is below:\n"
        "1. Search for the latest news about iPhone 15 pro max\n"
        "2. Init Next.js project for the landing page\n"
        "3. Deploy the landing page to the website",
    },
    {
        "role": "user",
        "content": "That sounds good. Let's first collect the message and report to me "
        "before any landing page coding.",
    },
    {
        "role": "assistant",
        "content": "Sure, I will first collect the message then report to you "
        "before any landing page coding.",
        "tool_calls": [
            {
                "id": "call_001",
                "type": "function",
                "function": {"name": "search_news", "arguments": '{"query": "iPhone news"}'},
            }
        ],
    },
]


def main() -> None:
    with AcontextClient() as client:
        assert client.ping() == "pong"
        save_and_load(client)
        keep_artifacts(client)
        observe(client)
        search(client)
    print("walked through")


def store_method(client):
    """0.1.3 renamed it."""
    sessions = client.sessions
    return sessions.store_message if hasattr(sessions, "store_message") else sessions.send_message


def save_and_load(client) -> None:
    session = client.sessions.create()
    assert session.space_id is None
    assert session.configs == {}
    store = store_method(client)
    parent = None
    for blob in CHAT:
        message = store(session.id, blob=blob, format="openai")
        assert message.session_id == session.id
        assert message.parent_id == parent
        assert message.task_id is None
        assert message.session_task_process_status == "pending"
        assert message.meta["source_format"] == "openai"
        parent = message.id
    loaded = client.sessions.get_messages(session.id, format="openai")
    assert loaded.items == CHAT, loaded.items
    assert not loaded.has_more

    answer = ChatCompletionMessage(role="assistant", content="A café page it is.")
    store(session.id, blob=answer.model_dump(), format="openai")
    loaded = client.sessions.get_messages(session.id, format="openai")
    assert loaded.items[-1] == {"role": "assistant", "content": "A café page it is."}
    assert client.sessions.get_token_counts(session.id).total_tokens > 0


def keep_artifacts(client) -> None:
    disk = client.disks.create()
    client.disks.artifacts.upsert(
        disk.id, file=FileUpload(filename="todo.md", content=TODO), file_path="/todo/"
    )
    listed = client.disks.artifacts.list(disk.id, path="/todo/")
    assert [(one.path, one.filename) for one in listed.artifacts] == [("/todo/", "todo.md")]
    assert listed.directories == []
    found = client.disks.artifacts.get(
        disk.id, file_path="/todo/", filename="todo.md", with_public_url=True, with_content=True
    )
    assert found.content.raw == TODO.decode()
    with urllib.request.urlopen(found.public_url, timeout=10) as opened:
        assert opened.read() == TODO


def observe(client) -> None:
    session = client.sessions.create()
    store = store_method(client)
    for blob in PLAN:
        store(session.id, blob=blob, format="openai")
    began = time.monotonic()
    flushed = client.sessions.flush(session.id)
    assert (flushed["status"], flushed["errmsg"]) == (200, "")
    assert time.monotonic() - began < 32
    tasks = client.sessions.get_tasks(session.id).items
    assert [task.order for task in tasks] == [1, 2, 3], tasks
    assert [task.status for task in tasks] == ["running", "pending", "pending"], tasks
    assert all(member(task.data, "task_description") for task in tasks)
    # What is empty is absent: the README's program takes its len() if the key is there.
    assert not member(tasks[2].data, "progresses")
    if isinstance(tasks[2].data, dict):
        assert "progresses" not in tasks[2].data
        assert "user_preferences" not in tasks[2].data


def member(data, name: str):
    """0.0.8 hands out dicts, 0.1.3 models."""
    return data.get(name) if isinstance(data, dict) else getattr(data, name)


def search(client) -> None:
    space = client.spaces.create()
    session = client.sessions.create(space_id=space.id)
    assert session.space_id == space.id
    result = client.spaces.experience_search(
        space.id, query="I need to implement authentication", mode="fast"
    )
    assert result.cited_blocks == []


if __name__ == "__main__":
    main()
