"""One process that keeps others running: started in order, started again, stopped in reverse."""

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

from acontext_server.kit.engines.folder import Folder
from acontext_server.kit.engines.process import Command, StartError, reap, spawn

_ASK_AGAIN_SECONDS = 0.02
_STEADY_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 5.0
_TOLD_LOG_LINES = 12

Notify = Callable[[str], None]


class Program(Protocol):
    """A server that can run as a child: an engine, or a service of ours."""

    @property
    def name(self) -> str:
        """A word for logs and file names."""

    async def prepare(self) -> Command:
        """Write what the program needs on disk and say how to start it; repeatable."""

    async def is_ready(self) -> bool:
        """Ask the program itself whether it serves."""


class ProgramFailed(StartError):
    """A program ended, or did not get ready in time; the end of its log is in the text."""

    def __init__(self, name: str, why: str, log: Path) -> None:
        lines = log.read_text(errors="replace").splitlines()[-_TOLD_LOG_LINES:]
        super().__init__("\n    ".join([f"{name} {why}. The end of {log}:", *lines]))


@asynccontextmanager
async def supervise(
    path: Path, *, notify: Notify = lambda _: None, stop_patience: float = 20.0
) -> AsyncIterator["Supervisor"]:
    """Own the folder, end what an earlier owner left running, and hand out its supervisor.

    `AlreadyRunning` when somebody owns the folder. Leaving stops all programs, the last first.
    """
    folder = Folder(path)
    with folder.owned():
        for name in await asyncio.to_thread(reap, folder.marks):
            notify(f"{name} was left over from an earlier run, ended it")
        supervisor = Supervisor(folder, notify=notify, stop_patience=stop_patience)
        try:
            yield supervisor
        finally:
            await supervisor.stop()


class Supervisor:
    """Programs that are kept running in one folder."""

    def __init__(self, folder: Folder, *, notify: Notify, stop_patience: float) -> None:
        self.folder = folder
        self._notify = notify
        self._stop_patience = stop_patience
        self._kept: list[_Kept] = []

    async def start(self, *programs: Program, patience: float = 60.0) -> None:
        """Start programs beside each other, wait until all are ready, and keep them running.

        `ProgramFailed` when one ends before that or is not ready after `patience` seconds.
        """
        kept = [_Kept(program, self.folder, self._notify, patience) for program in programs]
        self._kept.extend(kept)
        try:
            async with asyncio.TaskGroup() as starting:
                for one in kept:
                    starting.create_task(one.start())
        except* StartError as failures:
            raise failures.exceptions[0] from None

    async def stop(self) -> None:
        """Stop all programs, the last started first; who does not listen is killed."""
        while self._kept:
            await self._kept.pop().stop(self._stop_patience)


class _Kept:
    """One program, its present process, and the task that watches it."""

    def __init__(self, program: Program, folder: Folder, notify: Notify, patience: float) -> None:
        self._program = program
        self._log = folder.log(program.name)
        self._mark = folder.mark(program.name)
        self._notify = notify
        self._patience = patience
        self._command: Command | None = None
        self._process: Process | None = None
        # Not in a TaskGroup: programs end one by one, in order, and what goes wrong while the
        # others start must reach the caller as it is.
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._launch()
        self._watch = asyncio.create_task(self._keep(), name=f"keep {self._program.name}")

    async def stop(self, patience: float) -> None:
        if self._watch:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        await self._end(patience)
        self._mark.unlink(missing_ok=True)

    async def _launch(self) -> None:
        self._command = await self._program.prepare()
        self._process = await spawn(self._command, log=self._log, mark=self._mark)
        try:
            async with asyncio.timeout(self._patience):
                await self._until_ready(self._process)
        except TimeoutError:
            why = f"was not ready after {self._patience:.0f} s"
            raise ProgramFailed(self._program.name, why, self._log) from None

    async def _until_ready(self, process: Process) -> None:
        while not await self._program.is_ready():
            if process.returncode is not None:
                why = f"did not start ({_ending(process.returncode)})"
                raise ProgramFailed(self._program.name, why, self._log)
            await asyncio.sleep(_ASK_AGAIN_SECONDS)

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        pause = 0.0
        while self._process:
            began = loop.time()
            code = await self._process.wait()
            self._notify(f"{self._program.name} ended ({_ending(code)}), starting it again")
            steady = loop.time() - began > _STEADY_SECONDS
            pause = 0.0 if steady else pause
            pause = await self._relaunch(pause)

    async def _relaunch(self, pause: float) -> float:
        """Start it again, with growing pauses, and give the pause before the next time."""
        while True:
            await asyncio.sleep(pause)
            pause = min(max(2 * pause, 0.1), _LONGEST_PAUSE_SECONDS)
            try:
                await self._launch()
            except (StartError, OSError) as error:
                self._notify(f"{self._program.name}: {error}")
                await self._end(patience=1.0)
            else:
                self._notify(f"{self._program.name} runs again")
                return pause

    async def _end(self, patience: float) -> None:
        if not self._process or not self._command:
            return
        for number in (self._command.stop_signal, signal.SIGKILL):
            if self._process.returncode is not None:
                return
            with suppress(ProcessLookupError):
                self._process.send_signal(number)
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._process.wait()


def _ending(code: int) -> str:
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit status {code}"
