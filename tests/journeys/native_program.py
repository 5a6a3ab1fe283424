"""The whole loop over native gRPC with nothing but the generated stubs: `HOST:PORT KEY`."""

import json
import sys
import time

import grpc
from google.protobuf.json_format import MessageToDict

from acontext.observer import v1 as observer
from acontext.session import v1 as session
from acontext.space import v1 as space

CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "run_migration", "arguments": '{"database": "orders"}'},
}
RETRY = {**CALL, "id": "c2"}
MESSAGES: list[dict[str, object]] = [
    {"role": "user", "content": "Please migrate the orders database to the new schema."},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "Error: the database is locked by a backup"},
    {"role": "assistant", "content": "The migration failed, a backup holds the lock."},
    {
        "role": "user",
        "content": "No, that's wrong, never migrate during a backup. "
        "I want you to always wait for the backup first. Please remember that.",
    },
    {"role": "assistant", "content": "Understood. The backup is over now, I'll migrate again."},
    {"role": "assistant", "content": None, "tool_calls": [RETRY]},
    {"role": "tool", "tool_call_id": "c2", "content": '{"ok": true, "migrated_tables": 12}'},
    {"role": "assistant", "content": "The orders database is migrated: 12 tables are done."},
    {"role": "user", "content": "Great, thank you!"},
]


def main(address: str, key: str) -> None:
    """Store, observe, learn, search."""
    as_project = (("authorization", f"Bearer {key}"),)
    with grpc.insecure_channel(address) as channel:
        sessions = session.SessionServiceStub(channel)
        tasks = observer.TaskServiceStub(channel)
        skills = space.SkillServiceStub(channel)

        made = space.SpaceServiceStub(channel).CreateSpace(
            space.CreateSpaceRequest(), metadata=as_project
        )
        space_id = made.space.id
        opened = sessions.CreateSession(
            session.CreateSessionRequest(space_id=space_id), metadata=as_project
        )
        session_id = opened.session.id
        stream = (
            session.StoreMessagesRequest(
                message=session.StoreMessageRequest(
                    session_id=session_id, blob_json=json.dumps(message).encode()
                )
            )
            for message in MESSAGES
        )
        stored = sessions.StoreMessages(stream, metadata=as_project)
        assert (stored.count, stored.last_sequence) == (len(MESSAGES), len(MESSAGES)), stored

        flushed = tasks.FlushSession(
            observer.FlushSessionRequest(session_id=session_id), metadata=as_project
        )
        assert (flushed.status, flushed.errmsg) == (200, ""), flushed
        listed = tasks.ListTasks(
            observer.ListTasksRequest(session_id=session_id), metadata=as_project
        ).items
        assert [task.status for task in listed] == ["success"], listed

        # Learning and indexing follow by themselves, within seconds.
        search = space.SearchSkillsRequest(space_id=space_id, query="migrate a database")
        deadline = time.monotonic() + 60
        while not (found := skills.SearchSkills(search, metadata=as_project).cited_blocks):
            assert time.monotonic() < deadline, "not learned within a minute"
            time.sleep(0.1)
        assert [block.type for block in found] == ["sop"], found
        steps = MessageToDict(found[0].props)["tool_sops"]
        assert {step["tool_name"] for step in steps} == {"run_migration"}, found
    print("the loop is closed")


if __name__ == "__main__":
    main(*sys.argv[1:])
