"""The folder that holds all state of an embedded run, and the lock that gives it one owner."""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from acontext_server.kit.engines.process import StartError

_LONGEST_SOCKET_PATH = 103
"""macOS allows one byte less than this, Linux a few more."""


class AlreadyRunning(StartError):
    """Another supervisor owns the folder."""

    def __init__(self, folder: Path, owner: str) -> None:
        super().__init__(
            f"Acontext is already running in {folder} (process {owner or 'unknown'}). "
            f"Stop it there with Ctrl-C or `kill {owner or 'PID'}`, or use another folder."
        )


class Unusable(StartError):
    """State cannot be kept in the folder."""

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(
            f"State cannot be kept in {folder}: {error.strerror} ({error.filename}). "
            "Choose another folder with ACONTEXT_DATA_FOLDER."
        )


class Folder:
    """Where an embedded run keeps its engines' data, its logs and the marks of its processes."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.marks = self.path / "run"
        self.logs = self.path / "log"

    def data(self, name: str) -> Path:
        """Give the place where the program of this name keeps its data."""
        return self.path / name

    def log(self, name: str) -> Path:
        """Give the file that receives all output of the program of this name."""
        return self.logs / f"{name}.log"

    def mark(self, name: str) -> Path:
        """Give the file that tells the process of the program of this name."""
        return self.marks / f"{name}.pid"

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Own the folder until the end of the block or of the process, even by `kill -9`."""
        with self._open_lock() as lock:
            self._take(lock.fileno())
            yield

    def _open_lock(self) -> TextIO:
        try:
            for private in (self.marks, self.logs):
                private.mkdir(parents=True, exist_ok=True)
                private.chmod(0o700)
            return (self.path / "lock").open("a+")
        except OSError as error:
            raise Unusable(self.path, error) from error

    def _take(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(self.path, os.pread(lock, 20, 0).decode().strip()) from None
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())


def socket_folder(home: Path, socket: str) -> Path:
    """Give a private folder where a socket of this name fits: `home`, unless its path is too long.

    The caller decides who owns it.
    """
    if len(os.fsencode(home / socket)) <= _LONGEST_SOCKET_PATH:
        return home
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"acontext-{os.getuid()}-{digest}"
