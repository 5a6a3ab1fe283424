"""A backup is a whole installation again, and a project goes from any installation to any."""

import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import httpx
import psycopg
import pytest

from acontext_server.kit.engines import Folder, Postgres
from tests.engines import state_folder
from tests.journeys.production import production_beside
from tests.journeys.system import KEY, System, running

pytestmark = pytest.mark.slow

AS_PROJECT = {"authorization": f"Bearer {KEY}"}
PICTURE = bytes(range(256)) * 40_000
LONG = "a long text " * 20_000


@pytest.fixture(scope="module")
def filled() -> Iterator[System]:
    """A system with a learned skill, a file, and a message whose text is kept as a file."""
    with state_folder() as folder:
        for system in running(System(folder, {"ACONTEXT_BUFFER_IDLE_SECONDS": "0.3"})):
            fill(system)
            yield system


@pytest.fixture
def empty() -> Iterator[System]:
    """A folder in which nothing was started yet."""
    with state_folder() as folder:
        yield System(folder / "db")


class Installation(Protocol):
    """Embedded or not: where it is, and what its processes are told."""

    @property
    def folder(self) -> Path: ...
    @property
    def environment(self) -> dict[str, str]: ...
    @property
    def address(self) -> str: ...
    @property
    def url(self) -> str: ...


def fill(system: Installation) -> None:
    program = str(Path(__file__).with_name("native_program.py"))
    command = [sys.executable, program, system.address, KEY]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    with httpx.Client(base_url=system.url, headers=AS_PROJECT, timeout=60) as http:
        session_id = http.post("/session", json={}).json()["data"]["id"]
        blob = {"role": "user", "content": LONG}
        stored = http.post(f"/session/{session_id}/messages", json={"blob": blob})
        assert stored.status_code in (200, 201), stored.text
        disk_id = http.post("/disk", json={}).json()["data"]["id"]
        form = {"file": ("picture.bin", PICTURE)}
        kept = http.post(f"/disk/{disk_id}/artifact", files=form, data={"file_path": "/a/"})
        assert kept.status_code in (200, 201), kept.text
        assert http.post(f"/session/{session_id}/flush").status_code == 200


def run(system: Installation, *arguments: str, fails: bool = False) -> str:
    """Run a command of backup's on a system's folder, and give what it says."""
    settings = {"ACONTEXT_DATA_FOLDER": str(system.folder), **system.environment}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "acontext_server.backup", *arguments],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert bool(done.returncode) == fails, done.stderr
    return done.stderr.strip()


def project_of(system: System) -> str:
    url = Postgres(Folder(system.folder)).url
    with psycopg.connect(url) as connection:
        row = connection.execute("select project_id from session.project").fetchone()
    assert row
    return str(row[0])


def content_of(archive: Path) -> dict[str, list[bytes]]:
    """Read an archive: the rows and vectors of each stream, sorted, and the bytes of each file."""
    streams: dict[str, bytes] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            name = member.name.rpartition("/")[0]
            content = tar.extractfile(member)
            assert content
            streams[name] = streams.get(name, b"") + content.read()
    streams.pop("")
    return {
        name: [data] if name.startswith("blobs/") else sorted(data.splitlines())
        for name, data in streams.items()
    }


def test_a_backup_of_a_running_system_is_restored_as_it_was(
    filled: System, empty: System, tmp_path: Path
) -> None:
    first, again = str(tmp_path / "first.tar"), str(tmp_path / "again.tar")
    run(filled, "backup", first)

    assert run(empty, "restore", first).endswith("vectors read")
    run(empty, "backup", again)

    before, after = content_of(Path(first)), content_of(Path(again))
    assert after == before
    names = set(before)
    assert len([name for name in names if name.startswith("blobs/")]) >= 2
    assert len([name for name in names if name.startswith("vectors/")]) == 1
    for table in ("session.message", "disk.artifact", "observer.task", "space.version"):
        assert before[f"rows/{table}"], table
    assert "there are rows" in run(empty, "restore", first, fails=True)

    for restored in running(empty):
        with httpx.Client(base_url=restored.url, headers=AS_PROJECT, timeout=60) as http:
            (disk,) = http.get("/disk").json()["data"]["items"]
            place = {"file_path": "/a/picture.bin"}
            found = http.get(f"/disk/{disk['id']}/artifact/download", params=place)
            assert found.content == PICTURE
        fill(restored)


@pytest.mark.engines
@pytest.mark.timeout(400)
def test_a_backup_of_servers_is_restored_on_others(tmp_path: Path) -> None:
    first, again = str(tmp_path / "first.tar"), str(tmp_path / "again.tar")
    with state_folder() as folder, production_beside(folder) as filled:
        fill(filled)
        run(filled, "backup", first)
    with state_folder() as folder, production_beside(folder, is_served=False) as empty:
        run(empty, "restore", first)
        run(empty, "backup", again)
    before, after = content_of(Path(first)), content_of(Path(again))
    assert after == before
    assert len([name for name in before if name.startswith("blobs/")]) >= 2
    assert len([name for name in before if name.startswith("vectors/")]) == 1


@pytest.fixture(params=["embedded", pytest.param("servers", marks=pytest.mark.engines)])
def other(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """Another installation."""
    with state_folder() as folder:
        if request.param == "embedded":
            yield from running(System(folder))
        else:
            with production_beside(folder) as production:
                yield production


def test_a_project_moves_to_another_installation_and_back(
    filled: System, other: Installation, empty: System, tmp_path: Path
) -> None:
    project_id = project_of(filled)
    there, back, again = (str(tmp_path / f"{name}.tar") for name in ("there", "back", "again"))
    run(filled, "export", project_id, there)
    assert project_id in run(other, "import", there)
    assert "is here already" in run(other, "import", there, fails=True)
    run(other, "export", project_id, back)
    assert content_of(Path(back)) == content_of(Path(there))
    answer = httpx.get(f"{other.url}/session", headers=AS_PROJECT)
    assert answer.json()["data"]["items"] == []  # the key of there opens the project of there
    assert "nothing was ever started" in run(empty, "import", back, fails=True)
    for home in running(empty):
        run(home, "import", back)
        run(home, "export", project_id, again)
    assert content_of(Path(again)) == content_of(Path(there))


def test_what_is_cut_off_or_damaged_leaves_nothing_behind(filled: System, tmp_path: Path) -> None:
    project_id, archive = project_of(filled), tmp_path / "whole.tar"
    run(filled, "export", project_id, str(archive))
    whole = archive.read_bytes()
    cut, damaged, no = tmp_path / "cut.tar", tmp_path / "damaged.tar", tmp_path / "no.tar"
    cut.write_bytes(whole[: len(whole) - 20 * 512])
    at = whole.rindex(PICTURE[:10_000])
    damaged.write_bytes(whole[:at] + b"x" + whole[at + 1 :])
    no.write_bytes(b"no archive")
    with state_folder() as folder:
        for other in running(System(folder)):
            assert "cut off" in run(other, "import", str(cut), fails=True)
            assert "not those of that name" in run(other, "import", str(damaged), fails=True)
            assert "no archive" in run(other, "import", str(no), fails=True)
            assert "use import" in run(other, "restore", str(archive), fails=True)
            assert "no project" in run(other, "export", project_id, str(cut), fails=True)
            assert list((folder / "blobs").glob("*/*/*")) == []
            run(other, "import", str(archive))
