"""A short tour of everything the client has; `mypy --strict` reads it, and a test runs it."""

import asyncio
from itertools import islice

from acontext import (
    AcontextAsyncClient,
    AcontextClient,
    FileUpload,
    MessagePart,
    ProjectSettings,
    ToolSop,
    build_acontext_message,
    edits,
    errors,
)


def store(client: AcontextClient) -> str:
    """Store messages, follow them, read them back."""
    space = client.spaces.create(user="ann")
    session = client.sessions.create(user="ann", space_id=space.id, configs={"channel": "web"})
    client.sessions.store_message(
        session.id, blob={"role": "user", "content": "Plan a trip to Lisbon."}
    )
    with client.sessions.exchange(session.id) as exchange:
        exchange.add({"role": "assistant", "content": "My plan:\n1. Find flights\n2. Find a room"})
        exchange.add({"role": "user", "content": "Good. I prefer an aisle seat."})
    message = build_acontext_message(
        role="user", parts=["My passport:", MessagePart(type="file", file_field="passport")]
    )
    client.sessions.store_message(
        session.id,
        blob=message,
        format="acontext",
        files={"passport": FileUpload("passport.txt", b"P<D<<")},
    )
    for one in islice(client.sessions.watch(session.id), 4):
        print(one.sequence, one.role, [part.type for part in one.parts])
    short = client.sessions.get_messages(
        session.id, edit_strategies=[edits.remove_tool_results(), edits.token_limit(50)]
    )
    print(short.this_time_tokens, client.sessions.get_token_counts(session.id).total_tokens)
    print(client.sessions.get_context(session.id, token_budget=500).tokens)
    return session.id


def observe(client: AcontextClient, session_id: str) -> None:
    """See the tasks, and say how one ended."""
    result = client.sessions.flush(session_id)
    print(result.status, result.remaining)
    for task in client.sessions.list_all_tasks(session_id):
        print(task.order, task.status, task.data.task_description, task.data.user_preferences)
    for change in islice(client.tasks.watch(session_id=session_id, cursor=""), 1):
        print(client.tasks.set_outcome(change.task.id, status="failed").outcome_by)
    for run in client.runs.list_all(session_id=session_id):
        print(run.engine, run.outcome, run.duration_seconds)
    for day in client.tasks.get_statistics(days=1).days:
        print(day.date, day.success, day.success_rate)


def learn(client: AcontextClient) -> None:
    """Write a skill, find it, change it, and put it back."""
    space = client.spaces.create()
    page = client.blocks.create(space.id, block_type="page", title="Travel")
    client.blocks.create(
        space.id,
        block_type="sop",
        parent_id=page.id,
        title="book a flight",
        props={"preferences": "aisle", "tool_sops": [{"tool_name": "book", "action": "book it"}]},
    )
    for skill in client.spaces.skills.list_all(space.id):
        step = ToolSop(tool_name="search", action="compare prices")
        client.spaces.skills.update(skill.id, tool_sops=[*skill.sop.tool_sops, step])
        client.spaces.skills.rollback(skill.id, version=1)
        print([version.change for version in client.spaces.skills.get(skill.id).versions])
    print(client.spaces.skills_prompt(space.id, "book a flight to Lisbon"))
    print(client.spaces.get_unconfirmed_experiences(space.id).items)
    print([tool.name for tool in client.tools.get_tool_name()])


def keep_files(client: AcontextClient) -> None:
    """Write a file, let an agent read it, and find it."""
    disk = client.disks.create()
    artifacts = client.disks.artifacts
    artifacts.upsert(disk.id, file=("plan.md", b"# Lisbon\n"), file_path="/notes", meta={"n": 1})
    tools = client.tools.disk(disk.id)
    print(tools.openai()[0], tools.anthropic()[0])
    print(tools.call("read_file", {"file_path": "/notes", "filename": "plan.md"}))
    print([one.size for one in artifacts.grep(disk.id, query="Lisbon")])
    print(b"".join(artifacts.download(disk.id, file_path="/notes", filename="plan.md")))


def govern(client: AcontextClient) -> None:
    """Settings, keys, users; and what an error says."""
    client.projects.update_settings(ProjectSettings(buffer_turns=8), reset=["learning"])
    key = client.keys.create().key
    client.keys.revoke(key.id)
    for user in client.users.list_all():
        print(user.identifier, client.users.get_resources(user.identifier).counts.sessions_count)
    try:
        client.with_options(timeout=5, max_retries=0).sessions.get(key.id)
    except errors.SessionNotFound as missing:
        print(missing.reason, missing.metadata, missing.request_id)


async def at_once() -> None:
    """The same with asyncio."""
    async with AcontextAsyncClient() as client:
        sessions = await asyncio.gather(*(client.sessions.create() for _ in range(3)))
        for session in sessions:
            await client.sessions.delete(session.id)
        print([page.id async for page in client.spaces.list_all()])


def main() -> None:
    """Go through everything."""
    with AcontextClient() as client:
        observe(client, store(client))
        learn(client)
        keep_files(client)
        govern(client)
    asyncio.run(at_once())


if __name__ == "__main__":
    main()
