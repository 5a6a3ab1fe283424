"""A `./db` that the last release wrote is opened by this one, and nothing in it is another."""

import hashlib
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import httpx
import pytest

from tests.engines import state_folder
from tests.journeys.system import KEY, System, running
from tests.kept import ROOT, kept

pytestmark = pytest.mark.slow

BEFORE_ANY_RELEASE = "562de1f7447f62a831d248365236d7e94c483c85"
"""The first state in which everything embedded worked: what stands for a release until there is a
tag. Eight migrations lie between it and the second."""
AS_PROJECT = {"authorization": f"Bearer {KEY}"}
LOOP = Path(__file__).with_name("native_program.py")
LONG = "a long text " * 20_000
FILE = bytes(range(256)) * 20_000


def git(*arguments: str) -> bytes:
    asked = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    return asked.stdout if asked.returncode == 0 else b""


def last_release() -> Path:
    """Give a folder with the source of the last release."""
    name = git("describe", "--tags", "--abbrev=0").decode().strip() or BEFORE_ANY_RELEASE

    def unpack(home: Path) -> None:
        archive = git("archive", name, "services", "clients/python", "gateway", "proto")
        assert archive, f"{name} is not in this clone: git fetch --tags --unshallow"
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(home, filter="data")

    return kept(f"releases/{name}", unpack)


def fill(system: System) -> None:
    """Close the loop once, and keep a long text and a file."""
    command = [sys.executable, str(LOOP), system.address, KEY]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    with httpx.Client(base_url=system.url, headers=AS_PROJECT, timeout=60) as http:
        session_id = http.post("/session", json={}).json()["data"]["id"]
        blob = {"role": "user", "content": LONG}
        stored = http.post(f"/session/{session_id}/messages", json={"blob": blob})
        assert stored.status_code in (200, 201), stored.text
        disk_id = http.post("/disk", json={}).json()["data"]["id"]
        form = {"file": ("file.bin", FILE)}
        put = http.post(f"/disk/{disk_id}/artifact", files=form, data={"file_path": "/a/"})
        assert put.status_code in (200, 201), put.text
        assert http.post(f"/session/{session_id}/flush").status_code == 200


def told(system: System) -> dict[str, object]:
    """Ask for all that was kept."""
    answers: dict[str, object] = {}
    with httpx.Client(base_url=system.url, headers=AS_PROJECT, timeout=60) as http:

        def ask(path: str, **params: str) -> list[dict[str, object]]:
            answer = http.get(path, params=params)
            assert answer.status_code == 200, answer.text
            answers[path] = answer.json()["data"]
            return answer.json()["data"].get("items", [])  # type: ignore[no-any-return]

        for session in ask("/session"):
            ask(f"/session/{session['id']}/messages")
            ask(f"/session/{session['id']}/task")
        for space in ask("/space"):
            found = http.get(
                f"/space/{space['id']}/experience_search", params={"query": "migrate a database"}
            )
            answers[f"search in {space['id']}"] = [
                (block["block_id"], block["title"], block["props"])
                for block in found.json()["data"]["cited_blocks"]
            ]
        for disk in ask("/disk"):
            place = {"file_path": "/a/file.bin"}
            file = http.get(f"/disk/{disk['id']}/artifact/download", params=place)
            answers[f"file on {disk['id']}"] = hashlib.sha256(file.content).hexdigest()
    return answers


def holds(now: object, before: object) -> bool:
    """Say whether everything of before is there and the same; more may be told of it."""
    if isinstance(now, dict) and isinstance(before, dict):
        return all(name in now and holds(now[name], value) for name, value in before.items())
    if isinstance(now, list) and isinstance(before, list):
        return len(now) == len(before) and all(map(holds, now, before))
    return now == before


def is_really(source: Path, environment: dict[str, str]) -> bool:
    """Say whether a Python with this environment runs the code of a folder."""
    program = "import acontext, acontext_server; print(acontext.__file__, acontext_server.__file__)"
    asked = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return all(file.startswith(str(source)) for file in asked.stdout.split())


@pytest.mark.timeout(300)
def test_what_the_last_release_kept_is_kept_by_this_one() -> None:
    source = last_release()
    path = ":".join(str(source / package) for package in ("services", "clients/python"))
    environment = {"PYTHONPATH": path}
    assert is_really(source, environment)
    with state_folder() as folder:
        former = System(folder / "db", environment, dashboard_port=None)
        for system in running(former):
            fill(system)
            before = told(system)
            assert all(before.values()), before
        for system in running(System(folder / "db")):
            now = told(system)
            assert now.keys() == before.keys()
            for question, answer in before.items():
                assert holds(now[question], answer), (question, answer, now[question])
            fill(system)
