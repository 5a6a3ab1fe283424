"""The loop from stored messages to tasks, through the real services."""

from tests.observer.conftest import README, Observer


async def test_a_flushed_conversation_has_its_tasks(observer: Observer) -> None:
    session_id = await observer.new_session()
    await observer.store(session_id, README)
    flushed = await observer.flush(session_id)
    assert (flushed.status, flushed.errmsg) == (200, "")
    tasks = await observer.list(session_id)
    assert [(task.order, task.status) for task in tasks] == [
        (1, "success"),
        (2, "pending"),
        (3, "pending"),
    ]
    assert len(tasks[0].data.progresses) == 2
    assert len(tasks[0].data.user_preferences) == 1
