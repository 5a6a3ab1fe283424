"""Print how good observing is: `SGD=FILE TAU=FILE python -m evaluation`.

The rules engine is asked directly here, without services; it has no seed and needs no model.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from acontext_server.observer.agents.rules import VERSION
from evaluation import offline
from evaluation.conversations import Conversation, read
from evaluation.figures import CASES, FoundTask, ObservingFigures, Share

DATA = Path("../shared/data")
SGD = Path(os.environ.get("SGD", DATA / "sgd" / "dev-200.jsonl"))
TAU = Path(os.environ.get("TAU", DATA / "tau-bench" / "airline-dev.jsonl"))

Line = tuple[str, str, str]


def main() -> None:
    """Evaluate whatever data is there, and fail if none is."""
    files = {name: path for name, path in (("SGD", SGD), ("TAU", TAU)) if path.is_file()}
    if not files:
        sys.exit(f"no data: neither {SGD} nor {TAU} is a file; name one with SGD= or TAU=")
    print(f"engine {VERSION}, without services, no seed needed\n")
    for name, path in files.items():
        conversations = list(read(path))
        started = time.perf_counter()
        found = [offline.observe(conversation) for conversation in conversations]
        seconds = time.perf_counter() - started
        _print(f"{name} {path.name}", _lines(conversations, found, seconds))


def _lines(
    conversations: Sequence[Conversation], found: Sequence[Sequence[FoundTask]], seconds: float
) -> Iterator[Line]:
    messages = sum(len(conversation.messages) for conversation in conversations)
    if any(conversation.tasks for conversation in conversations):
        yield from _labelled(conversations, found)
    if any(conversation.reward is not None for conversation in conversations):
        yield from _rewarded(conversations, found)
    yield _share("invariance", _invariant(conversations, found), "conversations")
    yield "tasks found", f"{sum(map(len, found))}", f"{len(found)} conversations"
    yield "milliseconds a message", f"{1000 * seconds / max(messages, 1):.2f}", f"{messages}"


def _labelled(
    conversations: Sequence[Conversation], found: Sequence[Sequence[FoundTask]]
) -> Iterator[Line]:
    figures = ObservingFigures()
    for conversation, tasks in zip(conversations, found, strict=True):
        figures.add(conversation.tasks, tasks)
    yield _share("task precision", figures.precision, "found tasks")
    yield _share("task recall", figures.recall, "labelled tasks")
    yield "task F1", f"{figures.task_f1:.3f}", f"{figures.gold} labelled, {figures.found} found"
    yield "status macro-F1", f"{figures.status_macro_f1:.3f}", f"classes of {CASES} cases or more"
    for status, cases in sorted(figures.labelled.items()):
        yield f"  {status}", f"{figures.status_f1(status):.3f}", f"{cases} labelled"
    yield _share("slot recall", figures.slot_recall, "values, of all labelled tasks")


def _rewarded(
    conversations: Sequence[Conversation], found: Sequence[Sequence[FoundTask]]
) -> Iterator[Line]:
    """Say how often a run whose tasks all succeeded was right, which its text does not show."""
    for succeeded, name in ((True, "right, all succeeded"), (False, "right, not all succeeded")):
        rewards = [
            conversation.reward or 0.0
            for conversation, tasks in zip(conversations, found, strict=True)
            if all(task.status == "success" for task in tasks) is succeeded
        ]
        hits = sum(reward == 1.0 for reward in rewards)
        yield _share(name, Share(hits=hits, cases=len(rewards)), "runs")


def _invariant(
    conversations: Sequence[Conversation], found: Sequence[Sequence[FoundTask]]
) -> Share:
    same = sum(
        offline.observe(conversation, in_batches=True) == tasks
        for conversation, tasks in zip(conversations, found, strict=True)
    )
    return Share(hits=same, cases=len(conversations))


def _share(name: str, share: Share, of: str) -> Line:
    return name, f"{share.value:.3f}", f"{share.hits} of {share.cases} {of}"


def _print(title: str, lines: Iterator[Line]) -> None:
    print(title)
    for name, value, cases in lines:
        print(f"  {name:<26}{value:>8}   {cases}")
    print()


if __name__ == "__main__":
    main()
