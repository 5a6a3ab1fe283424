"""Child processes that can be found again: each has a file with its id and the time it began."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson
import psutil

_LEASH = Path(__file__).with_name("leash.py")
_LARGE_LOG_BYTES = 16 * 2**20
_END_SECONDS = 10.0
_SAME_START_SECONDS = 2.0
"""Start times move with the wall clock; no process id comes round again this quickly."""


class StartError(Exception):
    """Something that a person must mend before it can run; the text says what and how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program and its manners."""

    argv: Sequence[str]
    environment: Mapping[str, str] | None = None
    """What is set beside the inherited environment."""
    user: str | None = None
    """Whom to run as, when that is somebody else."""
    niceness: int = 0
    """How much it stands back for others where cores are few."""
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    """What ends it when its supervisor is gone: nobody waits for it, so it need not be gentle."""


async def spawn(command: Command, *, log: Path, mark: Path) -> Process:
    """Start a program in a process group of its own and note in `mark` who it is.

    A group of its own, because Ctrl-C in a terminal is for the supervisor, which stops in order.
    """
    _set_large_log_aside(log)
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *_leashed(command),
            stdin=DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(command.environment or {})},
            start_new_session=True,
        )
    _write_mark(mark, process.pid, command.orphan_signal)
    return process


def _leashed(command: Command) -> list[str]:
    leash = [sys.executable, "-I", "-S", str(_LEASH)]
    manners = [str(int(command.orphan_signal)), str(command.niceness), command.user or ""]
    orders = [str(os.getpid()), *manners]
    return [*leash, *orders, *command.argv]


def _set_large_log_aside(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LARGE_LOG_BYTES:
        log.replace(log.with_suffix(".old.log"))


def _write_mark(mark: Path, pid: int, orphan_signal: signal.Signals) -> None:
    try:
        started = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return  # It is over already; who waits for it will tell.
    draft = mark.with_suffix(".new")
    draft.write_bytes(orjson.dumps({"pid": pid, "started": started, "signal": int(orphan_signal)}))
    draft.replace(mark)


@dataclass(frozen=True, slots=True)
class Orphan:
    """A process that outlived its supervisor."""

    process: psutil.Process
    signal: signal.Signals


def find_orphan(mark: Path) -> Orphan | None:
    """Find the process of a mark, unless it is over and its id belongs to a stranger by now."""
    try:
        noted = orjson.loads(mark.read_bytes())
        process = psutil.Process(noted["pid"])
        if abs(process.create_time() - noted["started"]) > _SAME_START_SECONDS:
            return None
        return Orphan(process, signal.Signals(noted["signal"]))
    except (psutil.NoSuchProcess, orjson.JSONDecodeError):
        return None


def reap(marks: Path) -> list[str]:
    """End every left-over process that is noted in a folder, and say which there were."""
    found = {mark: find_orphan(mark) for mark in sorted(marks.glob("*.pid"))}
    orphans = {mark.stem: orphan for mark, orphan in found.items() if orphan}
    # Those that are killed use the others, so they go first.
    for number in (signal.SIGKILL, signal.SIGINT):
        processes = [orphan.process for orphan in orphans.values() if orphan.signal == number]
        end(processes, number)
    for mark in found:
        mark.unlink(missing_ok=True)
    return list(orphans)


def end(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    """Send a signal to processes and wait until they are gone; who does not listen is killed."""
    for process in processes:
        _send(process, number)
    _, deaf = psutil.wait_procs(processes, timeout=_END_SECONDS)
    for process in deaf:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(deaf, timeout=_END_SECONDS)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
