"""What the rules make of conversations that were not written for them.

The bounds are what is reached, a little below: who makes it better raises them.
"""

import re

from evaluation.figures import ObservingFigures
from tests.observer.dialogue import observed
from tests.observer.strangers import Stranger, strangers


def stated(stranger: Stranger) -> list[str]:
    """All preferences that were found, those of the planning too."""
    return [line for task in observed(stranger.lines).tasks.values() for line in task.preferences]


def test_their_tasks_are_found_with_their_statuses() -> None:
    figures = ObservingFigures()
    for stranger in strangers():
        figures.add(stranger.gold(), stranger.found())
    right = sum(cases for (gold, found), cases in figures.confusion.items() if gold == found)
    assert figures.gold >= 60
    assert figures.task_f1 >= 0.88
    assert right / figures.matched >= 0.95


def test_what_they_wish_is_kept_and_what_they_only_say_is_not() -> None:
    wished = kept = junk = 0
    for stranger in strangers():
        found = stated(stranger)
        wished += len(stranger.preferences)
        kept += sum(
            any(re.search(words, line, re.IGNORECASE) for line in found)
            for words in stranger.preferences
        )
        known = [*stranger.preferences, *stranger.allowed]
        junk += sum(
            not any(re.search(words, line, re.IGNORECASE) for words in known) for line in found
        )
    assert wished >= 35
    assert kept / wished >= 0.75
    assert junk <= 14


def test_their_secrets_stand_nowhere() -> None:
    secrets = 0
    for stranger in strangers():
        told = repr(observed(stranger.lines).tasks)
        for secret in stranger.secrets:
            secrets += 1
            assert secret not in told, stranger.name
    assert secrets
