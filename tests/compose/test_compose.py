"""The whole of docker-compose.yml, really started, walked through, stopped and started again."""

import hashlib
import json
import os
import random
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from acontext_server.kit.engines import free_port
from tests.compose.docker import Docker, NoDocker, running_docker
from tests.journeys.test_published_sdks import WALK_THROUGH, interpreter_with_sdk

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1500)]

KEY = "sk-ac-your-root-api-bearer-token"
OPERATOR = "development-admin-key"
FILES = ("docker-compose.yml", "tests/compose/build.yml")
OURS = ("gateway", "session", "disk", "observer", "space")
LOOP = Path("tests/journeys/native_program.py")
LARGE = random.Random("large").randbytes(10_000_000)


class Composed:
    """A project of compose."""

    def __init__(self, docker: Docker, environment: Path) -> None:
        self.docker = docker
        self._environment = environment
        self.port, self._dashboard_port = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        self.dashboard = f"http://127.0.0.1:{self._dashboard_port}"

    def __call__(self, *arguments: str) -> str:
        """Run a command of compose."""
        files = [option for file in FILES for option in ("--file", file)]
        project = ["--project-name", "acontext-test", "--env-file", str(self._environment)]
        return self.docker("compose", *files, *project, *arguments)

    def run_python(self, service: str, program: str) -> str:
        """Run a program in a container and give what it prints."""
        return self("exec", "-T", service, "python3", "-c", program).strip()

    def write_environment(self) -> None:
        """Take the example as a newcomer does, with ports that are free here."""
        told = Path(".env.example").read_text()
        for before, after in (
            ("ACONTEXT_PORT=8029", f"ACONTEXT_PORT={self.port}"),
            ("ACONTEXT_DASHBOARD_PORT=3000", f"ACONTEXT_DASHBOARD_PORT={self._dashboard_port}"),
            ("ACONTEXT_PUBLIC_URL=http://localhost:8029", f"ACONTEXT_PUBLIC_URL={self.url}"),
        ):
            assert before in told
            told = told.replace(before, after)
        self._environment.write_text(told)


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    try:
        with running_docker() as docker:
            docker.prepare()
            compose = Composed(docker, tmp_path_factory.mktemp("compose") / "env")
            compose.write_environment()
            compose("build")
            try:
                compose("up", "--wait", "--no-build", "--wait-timeout", "300")
                yield compose
            finally:
                print(compose("logs", "--no-color", "--tail", "60"))
                compose("down", "--volumes", "--timeout", "20")
    except NoDocker as missing:
        pytest.fail(f"make test-compose needs a Docker engine: {missing}")


def client(composed: Composed) -> httpx.Client:
    headers = {"authorization": f"Bearer {KEY}"}
    return httpx.Client(base_url=f"{composed.url}/api/v1", headers=headers, timeout=60)


def test_a_published_sdk_walks_through_the_readme(composed: Composed) -> None:
    environment = {"ACONTEXT_BASE_URL": f"{composed.url}/api/v1", "ACONTEXT_API_KEY": KEY}
    walked = subprocess.run(
        [interpreter_with_sdk("0.1.3"), "-W", "error", str(WALK_THROUGH)],
        env={"PATH": os.environ["PATH"], **environment},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert (walked.stdout, walked.returncode) == ("walked through\n", 0), walked.stderr


def test_health_finds_nothing_wrong_and_the_engines_of_production(composed: Composed) -> None:
    headers = {"authorization": f"Bearer {OPERATOR}"}
    answer = httpx.get(f"{composed.url}/api/v1/health", headers=headers, timeout=20)
    health = answer.json()["data"]
    assert health["problems"] == []
    adapters = {one["adapter"] for service in health["services"] for one in service["engines"]}
    assert {"postgresql", "nats", "s3", "weaviate"} <= adapters


def test_a_file_is_handed_out_by_the_gateway_and_by_nothing_without_a_signature(
    composed: Composed,
) -> None:
    with client(composed) as http:
        disk_id = http.post("/disk", json={}).json()["data"]["id"]
        sent = http.post(
            f"/disk/{disk_id}/artifact",
            files={"file": ("plan.txt", b"the plan")},
            data={"file_path": "/"},
        )
        assert sent.status_code == 200, sent.text
        found = http.get(f"/disk/{disk_id}/artifact", params={"file_path": "/plan.txt"})
        url = found.json()["data"]["public_url"]
    assert url.startswith(composed.url)
    assert httpx.get(url).content == b"the plan"
    assert httpx.get(url.partition("?")[0]).status_code in (403, 404)


def test_the_dashboard_is_on_its_own_port_and_knows_the_gateway(composed: Composed) -> None:
    with httpx.Client(base_url=composed.dashboard, timeout=20) as browser:
        page = browser.get("/sessions")
        assert page.status_code == 200
        (script,) = re.findall(r'<script [^>]*src="(/assets/[^"]+)"', page.text)
        assert browser.get(script).headers["content-type"].startswith("text/javascript")
        assert browser.get("/dashboard.json").json()["apiUrl"] == composed.url


def test_down_and_up_keep_every_byte(composed: Composed) -> None:
    learn(composed)
    with client(composed) as http:
        session_id = http.post("/session", json={}).json()["data"]["id"]
        long = "kept " * 20_000
        sent = {"blob": {"role": "user", "content": long}}
        http.post(f"/session/{session_id}/messages", json=sent)
        disk_id = http.post("/disk", json={}).json()["data"]["id"]
        form = {"file": ("large.bin", LARGE)}
        kept = http.post(f"/disk/{disk_id}/artifact", files=form, data={"file_path": "/"})
        assert kept.status_code == 200, kept.text
        spaces = [one["id"] for one in http.get("/space").json()["data"]["items"]]

        def told() -> list[object]:
            """Ask every engine for what it keeps."""
            place, query = {"file_path": "/large.bin"}, {"query": "migrate a database"}
            asked = [
                (f"/session/{session_id}/messages", {}),
                (f"/disk/{disk_id}/artifact/ls", {"path": "/"}),
                *((f"/space/{space}/experience_search", query) for space in spaces),
            ]
            answers = [http.get(path, params=params).json()["data"] for path, params in asked]
            file = http.get(f"/disk/{disk_id}/artifact/download", params=place)
            return [*answers, hashlib.sha256(file.content).hexdigest()]

        before = told()
        messages, listed, *found, sha256 = before
        assert long in json.dumps(messages)
        assert "large.bin" in json.dumps(listed)
        assert "run_migration" in json.dumps(found)
        assert sha256 == hashlib.sha256(LARGE).hexdigest()
        composed("down", "--timeout", "20")
        composed("up", "--wait", "--no-build", "--wait-timeout", "300")
        assert told() == before


def learn(composed: Composed) -> None:
    """Have a skill learned, whose vector is in Weaviate then."""
    command = [sys.executable, "-W", "error", str(LOOP), composed.address, KEY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert (done.stdout, done.returncode) == ("the loop is closed\n", 0), done.stderr


def test_a_backup_is_taken_by_the_image_of_setup(composed: Composed, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)  # for the user of the image
    program = ["--entrypoint", "python3", "setup", "-m", "acontext_server.backup"]
    composed("run", "--rm", "-T", "--volume", f"{tmp_path}:/kept", *program, "backup", "/kept/it")
    with tarfile.open(tmp_path / "it") as archive:
        names = {name.rpartition("/")[0] for name in archive.getnames()}
    assert {"rows/session.message", "rows/disk.artifact"} <= names


@pytest.mark.parametrize("service", OURS)
def test_an_image_of_ours_runs_as_nobody_on_a_root_that_cannot_be_written(
    composed: Composed, service: str
) -> None:
    assert composed("exec", "-T", service, "id", "-u").strip() == "10001"
    with pytest.raises(AssertionError, match="Read-only file system"):
        composed.run_python(service, "open('/opt/x', 'w')")
    look = "import shutil; print([one for one in ('pip', 'gcc', 'node') if shutil.which(one)])"
    assert composed.run_python(service, look) == "[]"


def test_uploads_wait_on_a_disk_and_not_in_memory(composed: Composed) -> None:
    kinds = {
        service: composed("exec", "-T", service, "stat", "--file-system", "--format=%T", "/tmp")
        for service in OURS
    }
    in_memory = {service for service, kind in kinds.items() if kind.strip() == "tmpfs"}
    assert in_memory == set(OURS) - {"session", "disk"}


def test_the_images_are_listed_with_their_sizes(composed: Composed) -> None:
    told = composed.docker("images", "--format", "{{.Repository}} {{.Size}}", "acontext/*")
    sizes = dict(line.split() for line in told.splitlines())
    assert {f"acontext/{name}" for name in (*OURS, "setup", "minio")} <= set(sizes)
    print(told)
