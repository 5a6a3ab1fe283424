"""A headless Chromium that opens a page, and the server that the page tells how it went."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

import pytest

# As root it has no sandbox, and in a closed network no background services.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
]


def need_chromium() -> str:
    """Find the browser; skip where it is not there, or fail if it is required."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        if "chromium" in os.environ.get("REQUIRE_ENGINES", "").split(","):
            pytest.fail("chromium is missing here")
        pytest.skip("chromium is missing here")
    return found


class _Page(SimpleHTTPRequestHandler):
    """Serves a folder and what the page asks for, and keeps what it tells."""

    def __init__(self, *args: Any, place: bytes, told: Queue[str], **kwargs: Any) -> None:
        self._place, self._told = place, told
        super().__init__(*args, **kwargs)

    def do_GET(self) -> None:
        if self.path != "/place.json":
            return super().do_GET()
        return self._answer(self._place)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self._answer(b"")
        self._told.put(body.decode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def tell(page: Path, place: Mapping[str, str], profile: Path, *, seconds: float) -> str:
    """Open a built page in a browser, and give what it told."""
    told: Queue[str] = Queue()
    with _serving(page, json.dumps(place).encode(), told) as url, _browsing(url, profile) as log:
        try:
            return told.get(timeout=seconds)
        except Empty:
            raise AssertionError(f"the page told nothing: {log.read_text()[-2000:]}") from None


@contextmanager
def _serving(page: Path, place: bytes, told: Queue[str]) -> Iterator[str]:
    handler = partial(_Page, directory=str(page), place=place, told=told)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()
        thread.join()


@contextmanager
def _browsing(url: str, profile: Path) -> Iterator[Path]:
    log = profile / "browser.log"
    with log.open("wb") as out:
        own = f"--user-data-dir={profile}"
        process = subprocess.Popen([need_chromium(), *FLAGS, own, url], stdout=out, stderr=out)
        try:
            yield log
        finally:
            process.terminate()
            process.wait(timeout=30)
