"""Folders that tests install something into once, and keep in `build/` for the next run."""

from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).parent.parent


def kept(name: str, make: Callable[[Path], None]) -> Path:
    """Give `build/<name>`, made whole by the first of all test processes that asks for it."""
    home = ROOT / "build" / name
    home.parent.mkdir(parents=True, exist_ok=True)
    complete = home / "complete"
    with FileLock(home.with_name(f"{home.name}.lock")):
        if not complete.exists():
            make(home)
            complete.touch()
    return home
