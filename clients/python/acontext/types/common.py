"""What several resources return."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from .._model import Model

Item = TypeVar("Item", bound=Model)
_Own = TypeVar("_Own", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Model, Generic[Item]):
    """One page of a list; iterating gives its items, `list_all` of the resource every page."""

    items: list[Item]
    next_cursor: str | None = None
    """Where the next page begins; None on the last one."""
    has_more: bool = False

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


def page_of(model: type[_Own], message: Message) -> Page[_Own]:
    """Make a page of a response that has one."""
    answer: Any = message  # every list response has these three fields
    return Page(
        items=[model.of(item) for item in answer.items],
        next_cursor=answer.next_cursor or None,
        has_more=answer.has_more,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContent(Model):
    """The text of an artifact that has one."""

    type: str
    """`json`, `csv`, `code` or `text`."""
    raw: str
