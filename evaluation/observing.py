"""The rows about observing, whoever observed."""

from collections.abc import Iterator, Sequence

from evaluation.conversations import Conversation
from evaluation.figures import CASES, FoundTask, ObservingFigures, Share
from evaluation.table import Row, Target, share


def rows(
    conversations: Sequence[Conversation], found: Sequence[Sequence[FoundTask]]
) -> Iterator[Row]:
    """Compare what was observed with labels, or with rewards, where there are any."""
    if any(conversation.tasks for conversation in conversations):
        yield from _labelled(conversations, found)
    else:
        yield Row(name="tasks found", value=sum(map(len, found)), cases=f"in {len(found)}")
    if any(conversation.reward is not None for conversation in conversations):
        yield from _rewarded(conversations, found)


def _labelled(
    conversations: Sequence[Conversation], found: Sequence[Sequence[FoundTask]]
) -> Iterator[Row]:
    figures = ObservingFigures()
    for conversation, tasks in zip(conversations, found, strict=True):
        figures.add(conversation.tasks, tasks)
    counted = f"{figures.gold} labelled, {figures.found} found"
    yield Row(name="task F1", value=figures.task_f1, cases=counted, target=Target(value=0.6))
    yield share("task precision", figures.precision, "found tasks")
    yield share("task recall", figures.recall, "labelled tasks")
    yield Row(
        name="status macro-F1",
        value=figures.status_macro_f1,
        cases=f"classes of {CASES} labelled tasks or more",
        target=Target(value=0.5),
    )
    for status, cases in sorted(figures.labelled.items()):
        yield Row(
            name=f"status {status}", value=figures.status_f1(status), cases=f"{cases} labelled"
        )
    yield share("slot recall", figures.slot_recall, "labelled values", Target(value=0.6))


def _rewarded(
    conversations: Sequence[Conversation], found: Sequence[Sequence[FoundTask]]
) -> Iterator[Row]:
    """Say how often a run whose tasks all succeeded was right, which its text does not show."""
    for succeeded, name in ((True, "right, all succeeded"), (False, "right, not all succeeded")):
        rewards = [
            conversation.reward or 0.0
            for conversation, tasks in zip(conversations, found, strict=True)
            if all(task.status == "success" for task in tasks) is succeeded
        ]
        hits = sum(reward == 1.0 for reward in rewards)
        yield share(name, Share(hits=hits, cases=len(rewards)), "runs")
