"""What Acontext shows of a conversation, and how to wait for what it learns."""

import time

from acontext import AcontextClient

PATIENCE_SECONDS = 60


def show_tasks(acontext: AcontextClient, session_id: str) -> None:
    """Print the tasks of a conversation with their progress and what the user prefers."""
    acontext.sessions.flush(session_id)
    for task in acontext.sessions.get_tasks(session_id).items:
        print(f"\nTask {task.order} ({task.status}): {task.data['task_description']}")
        for progress in task.data.get("progresses", []):
            print(f"  progress: {progress}")
        for preference in task.data.get("user_preferences", []):
            print(f"  preference: {preference}")


def wait_until_learned(acontext: AcontextClient, session_id: str) -> None:
    """Wait until the space has learned from a conversation's tasks, or a minute is over."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while acontext.sessions.get_learning_status(session_id).not_space_digested_count:
        if time.monotonic() > deadline:
            return
        time.sleep(0.5)
