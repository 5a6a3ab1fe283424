"""`python -m benchmarks [--quick] [--write]`: measure, print the table, perhaps keep it."""

import argparse
import sys
import tempfile
import time
from collections.abc import Awaitable, Container, Sequence
from pathlib import Path

import uvloop

from acontext_server.kit.engines import StartError
from benchmarks import figures, importing
from benchmarks.calls import open_channel
from benchmarks.figures import Figure, Memory
from benchmarks.load import RequestsFailed, WrkMissing, find_wrk
from benchmarks.measuring import QUICK, THOROUGH, Bench, Effort, NotStored
from benchmarks.system import open_floor, open_system

FIGURES = ("search", "read_latest", "stream", "stream_singly", "store")
"""Storing comes last: what it leaves to be observed would slow the others down."""

README = Path(__file__).parent.parent / "README.md"


def main() -> None:
    """Measure; what a person must mend is said in a sentence, with status 1."""
    asked = _arguments()
    began = time.perf_counter()
    try:
        find_wrk()
        measured, memory = uvloop.run(_measure(QUICK if asked.quick else THOROUGH, asked.figures))
    except (WrkMissing, RequestsFailed, NotStored, StartError) as error:
        sys.exit(str(error))
    seconds = time.perf_counter() - began
    command = f"make bench{'-quick' if asked.quick else ''}"
    text = figures.told(measured, memory)
    text += f"\n\nBy `{command}` in {seconds:.0f} s on {figures.machine()}."
    text += f"\n\n{importing.told()}"
    print(f"\n{text}")
    if asked.write:
        figures.put_into(README, text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", default=FIGURES, help="only these")
    parser.add_argument("--quick", action="store_true", help="a minute instead of several")
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    return parser.parse_args()


async def _measure(
    effort: Effort, asked: Container[str]
) -> tuple[Sequence[Figure], Sequence[Memory]]:
    # The folder is short-lived, and so are the acknowledged messages in it.
    with tempfile.TemporaryDirectory(prefix="acontext-bench-") as place:
        folders = [Path(place) / name for name in ("system", "floor")]
        for folder in folders:
            folder.mkdir()
        async with (
            open_system(folders[0]) as system,
            open_floor(folders[1]) as floor,
            open_channel(system.address) as channel,
        ):
            bench = Bench(system=system, floor=floor, channel=channel, effort=effort)
            idle = bench.held()
            measured = []
            for name in [one for one in FIGURES if one in asked]:
                # Checkpoints and vacuuming after one figure must not slow down the next.
                await system.until_quiet()
                measured.append(await _told(getattr(bench, name)()))
            return measured, bench.memory(idle)


async def _told(figure: Awaitable[Figure]) -> Figure:
    began = time.perf_counter()
    found = await figure
    print(f"{time.perf_counter() - began:5.1f} s  {found.name}: {found.ratio:.2f}", flush=True)
    return found


if __name__ == "__main__":
    main()
