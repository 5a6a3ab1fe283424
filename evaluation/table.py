"""What was measured, told in one Markdown table that is readable as it stands."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.figures import Share

BEGIN, END = "<!-- evaluation -->", "<!-- /evaluation -->"
HEAD = ("figure", "value", "cases", "target")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a figure has to be."""

    value: float
    at_most: bool = False

    def is_met(self, value: float) -> bool:
        """Compare, after the same rounding as people read."""
        rounded = round(value, 3)
        return rounded <= self.value if self.at_most else rounded >= self.value

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.value:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure; a heading has a name only."""

    name: str
    value: float | None = None
    cases: str = ""
    target: Target | None = None

    @property
    def is_met(self) -> bool:
        """Whether the target is reached, if there is one."""
        return self.target is None or self.value is None or self.target.is_met(self.value)

    def cells(self) -> list[str]:
        """Tell it in a row of the table."""
        if self.value is None:
            return [f"**{self.name}**", "", self.cases, ""]
        value = f"{self.value:.0f}" if self.value == int(self.value) else f"{self.value:.3f}"
        missed = "" if self.is_met else " **missed**"
        return [self.name, value, self.cases, f"{self.target or ''}{missed}"]


def share(name: str, part: Share, of: str, target: Target | None = None) -> Row:
    """Tell a share with what was counted."""
    return Row(
        name=name, value=part.value, cases=f"{part.hits} of {part.cases} {of}", target=target
    )


def told(rows: Iterable[Row]) -> str:
    """Write the table."""
    cells = [row.cells() for row in rows]
    widths = [max(map(len, column)) for column in zip(HEAD, *cells, strict=True)]
    return "\n".join(_lines(cells, widths))


def _lines(cells: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    yield _line(HEAD, widths)
    yield _line(["-" * width for width in widths], widths)
    yield from (_line(row, widths) for row in cells)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def put_into(page: Path, text: str) -> None:
    """Replace what stands between the page's two markers."""
    before, _, rest = page.read_text().partition(BEGIN)
    old, _, after = rest.partition(END)
    if not old:
        raise ValueError(f"{page.name} has no {BEGIN} … {END}")
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
