"""Edit strategies: what shortens a page of messages before it is shown, never in the store."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from acontext_server.kit.errors import InvalidRequest
from acontext_server.session.content import Content, Part, PartType
from acontext_server.session.formats.reading import Field
from acontext_server.session.free_json import InvalidJson, parse_text

FIELD = "edit_strategies"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A message of a page, as far as editing looks at it."""

    id: str
    content: Content
    tokens: int


Tools: TypeAlias = Mapping[str, str]
Count: TypeAlias = Callable[[Content], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveToolResult:
    """Put a placeholder in place of the texts of older tool results."""

    keep_recent: int
    placeholder: str
    keep_tools: frozenset[str]
    rank = 1

    def apply(self, page: Sequence[Entry], tools: Tools, count: Count) -> list[Entry]:
        """Edit all but the newest results."""
        return _edit_older(page, self._is_old(tools), self.keep_recent, self._edit, count)

    def _is_old(self, tools: Tools) -> Callable[[Part], bool]:
        def counts(part: Part) -> bool:
            tool = part.tool or tools.get(part.call_id or "")
            return part.type is PartType.TOOL_RESULT and tool not in self.keep_tools

        return counts

    def _edit(self, part: Part) -> Part:
        meta = {name: value for name, value in part.meta.items() if name != "content"}
        return part._replace(text=self.placeholder, meta=meta)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveToolCallParams:
    """Empty the arguments of older tool calls."""

    keep_recent: int
    keep_tools: frozenset[str]
    rank = 2

    def apply(self, page: Sequence[Entry], tools: Tools, count: Count) -> list[Entry]:
        """Edit all but the newest calls."""
        return _edit_older(page, self._counts, self.keep_recent, self._edit, count)

    def _counts(self, part: Part) -> bool:
        return part.type is PartType.TOOL_CALL and part.tool not in self.keep_tools

    def _edit(self, part: Part) -> Part:
        return part._replace(meta={**part.meta, "arguments": "{}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MiddleOut:
    """Drop messages from the middle until the rest fits."""

    limit: int
    rank = 50

    def apply(self, page: Sequence[Entry], tools: Tools, count: Count) -> list[Entry]:
        """Drop the one in the middle, or the first of two, again and again."""
        return _drop_until(page, self.limit, lambda n: 0 if n <= 2 else n // 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLimit:
    """Drop the oldest messages until the rest fits."""

    limit: int
    rank = 100

    def apply(self, page: Sequence[Entry], tools: Tools, count: Count) -> list[Entry]:
        """Drop the first, again and again."""
        return _drop_until(page, self.limit, lambda n: 0)


Strategy: TypeAlias = RemoveToolResult | RemoveToolCallParams | MiddleOut | TokenLimit


def read_strategies(text: str) -> list[Strategy]:
    """Read the JSON array of a request, in the order in which they apply."""
    if not text.strip():
        return []
    try:
        value = parse_text(text)
    except InvalidJson as error:
        raise InvalidRequest.of(FIELD, str(error)) from error
    if not isinstance(value, list):
        raise InvalidRequest.of(FIELD, "must be an array")
    strategies = [_strategy(field) for field in Field(value, FIELD, InvalidRequest.of).items()]
    return sorted(strategies, key=lambda strategy: strategy.rank)


def _strategy(field: Field) -> Strategy:
    field.object()
    params = field.get("params")
    if params.here:
        params.object()
    kinds = ("remove_tool_result", "remove_tool_call_params", "middle_out", "token_limit")
    match field.get("type").one_of(kinds):
        case "remove_tool_result":
            return RemoveToolResult(
                keep_recent=_whole(params.get("keep_recent_n_tool_results"), 0, 3),
                placeholder=_placeholder(params.get("tool_result_placeholder")),
                keep_tools=_names(params.get("keep_tools")),
            )
        case "remove_tool_call_params":
            return RemoveToolCallParams(
                keep_recent=_whole(params.get("keep_recent_n_tool_calls"), 0, 3),
                keep_tools=_names(params.get("keep_tools")),
            )
        case "middle_out":
            return MiddleOut(limit=_whole(params.get("token_reduce_to"), 1))
        case _:
            return TokenLimit(limit=_whole(params.get("limit_tokens"), 1))


def _whole(field: Field, least: int, default: int | None = None) -> int:
    value = default if field.value is None else field.value
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise field.wrong("is required and must be a whole number")
    if value < least:
        raise field.wrong(f"must be at least {least}")
    return int(value)


def _placeholder(field: Field) -> str:
    return (field.text_if_any() or "").strip() or "Done"


def _names(field: Field) -> frozenset[str]:
    return frozenset(name.text() for name in field.items())


def edit(
    page: Sequence[Entry],
    strategies: Iterable[Strategy],
    *,
    pin: str | None,
    tools: Tools,
    count: Count,
) -> list[Entry]:
    """Apply strategies to a page, up to the pinned message and including it if it is there."""
    ids = [entry.id for entry in page]
    end = ids.index(pin) + 1 if pin in ids else len(page)
    seen = list(page[:end])
    for strategy in strategies:
        seen = strategy.apply(seen, tools, count)
    return [*seen, *page[end:]]


def _edit_older(
    page: Sequence[Entry],
    counts: Callable[[Part], bool],
    keep: int,
    change: Callable[[Part], Part],
    count: Count,
) -> list[Entry]:
    left = sum(counts(part) for entry in page for part in entry.content.parts) - keep
    edited = []
    for entry in page:
        parts = []
        for part in entry.content.parts:
            old = left > 0 and counts(part)
            left -= old
            parts.append(change(part) if old else part)
        edited.append(_with_parts(entry, tuple(parts), count))
    return edited


def _with_parts(entry: Entry, parts: tuple[Part, ...], count: Count) -> Entry:
    if parts == entry.content.parts:
        return entry
    content = entry.content._replace(parts=parts)
    return replace(entry, content=content, tokens=count(content))


def _drop_until(page: Sequence[Entry], limit: int, which: Callable[[int], int]) -> list[Entry]:
    left = list(page)
    total = sum(entry.tokens for entry in left)
    groups = _groups(left)
    while left and total > limit:
        entry = left.pop(which(len(left)))
        total -= entry.tokens
        group = groups[entry.id]
        if len(group) > 1:
            total -= sum(other.tokens for other in left if other.id in group)
            left = [other for other in left if other.id not in group]
    return left


def _groups(page: Sequence[Entry]) -> dict[str, set[str]]:
    """Put together the messages that share a call: one goes, all go."""
    groups: dict[str, set[str]] = {entry.id: {entry.id} for entry in page}
    group_of_call: dict[str, str] = {}
    for entry in page:
        for call in {*entry.content.calls(), *entry.content.answered()}:
            first = group_of_call.setdefault(call, entry.id)
            _join(groups, first, entry.id)
    return groups


def _join(groups: dict[str, set[str]], one: str, other: str) -> None:
    small, large = sorted((groups[one], groups[other]), key=len)
    if small is large:
        return
    large |= small
    for member in small:
        groups[member] = large
