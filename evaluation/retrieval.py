"""The figures of searching: whether the right skill comes first, and nothing where none is."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from evaluation.conversations import Conversation
from evaluation.figures import Share
from evaluation.learning import Label

SEED = 20261122
FOLDS = 3
"""So many spaces, from each of which another part of the intents is withheld."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """What one space is taught, and what it is asked."""

    taught: Sequence[Conversation]
    asked: Sequence[Conversation]


def folds(conversations: Sequence[Conversation]) -> Iterator[Fold]:
    """Teach one half without some intents, and ask with the other half, which is whole."""
    random = Random(SEED)
    shuffled = random.sample(conversations, len(conversations))
    half = len(shuffled) // 2
    intents = sorted(frozenset[Label]().union(*(one.labels for one in conversations)))
    random.shuffle(intents)
    asked = [one for one in shuffled[half:] if one.tasks and one.query]
    for number in range(FOLDS):
        withheld = frozenset(intents[number::FOLDS])
        taught = [one for one in shuffled[:half] if not one.labels & withheld]
        yield Fold(taught=taught, asked=asked)


@dataclass(slots=True)
class Ranks:
    """Where the first right answer stood, each time something was asked."""

    ranks: list[int | None] = field(default_factory=list)
    """From 1; None where no answer was right."""
    unanswerable: int = 0
    false: int = 0
    """Answers to what nothing was known of."""

    def add(self, found: Sequence[Label | str | None], wanted: Label | str, *, known: bool) -> None:
        """Count the answers to one query."""
        if known:
            rank = next((n for n, one in enumerate(found, start=1) if one == wanted), None)
            self.ranks.append(rank)
        else:
            self.unanswerable += 1
            self.false += bool(found)

    def recall(self, at: int) -> Share:
        """The share of queries with a right answer among the first."""
        hits = sum(rank is not None and rank <= at for rank in self.ranks)
        return Share(hits=hits, cases=len(self.ranks))

    @property
    def mean_reciprocal_rank(self) -> float:
        """1 where the right answer always comes first."""
        ranks = [1 / rank if rank else 0.0 for rank in self.ranks]
        return sum(ranks) / len(ranks) if ranks else 0.0

    @property
    def false_answers(self) -> Share:
        """The share of queries that nothing was known of, and that were answered all the same."""
        return Share(hits=self.false, cases=self.unanswerable)


@dataclass(slots=True)
class Sets:
    """What was attached to queries that want several skills."""

    wanted: int = 0
    attached: int = 0
    right: int = 0

    def add(self, attached: Collection[str], wanted: Collection[str]) -> None:
        """Count the answer to one query."""
        self.wanted += len(wanted)
        self.attached += len(attached)
        self.right += len({*attached} & {*wanted})

    @property
    def recall(self) -> Share:
        """The share of wanted skills that were attached."""
        return Share(hits=self.right, cases=self.wanted)

    @property
    def precision(self) -> Share:
        """The share of attached skills that were wanted."""
        return Share(hits=self.right, cases=self.attached)
