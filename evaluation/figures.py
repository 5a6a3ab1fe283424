"""The figures: how found tasks compare with labelled ones. Knows neither engine nor service."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy
from scipy.optimize import linear_sum_assignment

from evaluation.conversations import GoldTask

OVERLAP = 0.3
"""From this intersection over union on, a found task counts as the labelled one."""

CASES = 20
"""Classes with fewer labelled cases are shown, but left out of the mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTask:
    """A task as the engine observed it."""

    id: str
    description: str
    status: str
    messages: frozenset[int]
    notes: tuple[str, ...]
    """Its progress and preferences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part of a whole, both counted."""

    hits: int
    cases: int

    @property
    def value(self) -> float:
        """The share, 0 of nothing."""
        return self.hits / self.cases if self.cases else 0.0


def f1(precision: float, recall: float) -> float:
    """Join precision and recall."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@dataclass(slots=True)
class ObservingFigures:
    """Sums over conversations; the figures are asked for at the end."""

    gold: int = 0
    found: int = 0
    matched: int = 0
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    labelled: Counter[str] = field(default_factory=Counter)
    slots_found: int = 0
    slots_matched: int = 0
    slots: int = 0

    def add(self, gold: Sequence[GoldTask], found: Sequence[FoundTask]) -> None:
        """Count one conversation."""
        self.gold += len(gold)
        self.found += len(found)
        self.labelled.update(task.status for task in gold)
        self.slots += sum(len(task.slots) for task in gold)
        for labelled, observed in match(gold, found):
            self.matched += 1
            self.confusion[labelled.status, observed.status] += 1
            self.slots_matched += len(labelled.slots)
            self.slots_found += sum(_stands_in(slot, observed) for slot in labelled.slots)

    @property
    def precision(self) -> Share:
        """The share of found tasks that are labelled."""
        return Share(hits=self.matched, cases=self.found)

    @property
    def recall(self) -> Share:
        """The share of labelled tasks that were found."""
        return Share(hits=self.matched, cases=self.gold)

    @property
    def task_f1(self) -> float:
        """How well tasks were found."""
        return f1(self.precision.value, self.recall.value)

    @property
    def slot_recall(self) -> Share:
        """The share of labelled values that stand in their task; of a lost task none does."""
        return Share(hits=self.slots_found, cases=self.slots)

    @property
    def status_macro_f1(self) -> float:
        """The mean over the classes that have enough labelled cases."""
        classes = [status for status, cases in self.labelled.items() if cases >= CASES]
        return sum(self.status_f1(status) for status in classes) / len(classes) if classes else 0.0

    def status_f1(self, status: str) -> float:
        """How well one status was found, over matched tasks."""
        hits = self.confusion[status, status]
        observed = sum(n for (_, found), n in self.confusion.items() if found == status)
        labelled = sum(n for (gold, _), n in self.confusion.items() if gold == status)
        return 2 * hits / (observed + labelled) if observed + labelled else 0.0


def match(
    gold: Sequence[GoldTask], found: Sequence[FoundTask]
) -> Iterable[tuple[GoldTask, FoundTask]]:
    """Pair labelled and found tasks one to one, by overlap of messages, ties by words."""
    if not gold or not found:
        return []
    overlaps = numpy.array([[_overlap(g.messages, f.messages) for f in found] for g in gold])
    words = numpy.array([[_shared_words(g, f) for f in found] for g in gold])
    counting = numpy.where(overlaps >= OVERLAP, overlaps, 0.0)
    rows, columns = linear_sum_assignment(-(counting + words * 1e-6))
    return [
        (gold[row], found[column])
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if overlaps[row, column] >= OVERLAP
    ]


def _overlap(one: frozenset[int], other: frozenset[int]) -> float:
    union = one | other
    return len(one & other) / len(union) if union else 0.0


def _shared_words(gold: GoldTask, found: FoundTask) -> float:
    one, other = set(_words(gold.description)), set(_words(found.description))
    return len(one & other) / len(one | other) if one | other else 0.0


def _words(text: str) -> list[str]:
    return text.casefold().split()


def _stands_in(spellings: Sequence[str], task: FoundTask) -> bool:
    text = "\n".join((task.description, *task.notes)).casefold()
    return any(spelling.casefold() in text for spelling in spellings)
