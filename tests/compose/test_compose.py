"""The whole of docker-compose.yml, really started, walked through, stopped and started again."""

import json
import os
import subprocess
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


class Composed:
    """A project of compose."""

    def __init__(self, docker: Docker, environment: Path) -> None:
        self.docker = docker
        self._environment = environment
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __call__(self, *arguments: str) -> str:
        """Run a command of compose."""
        files = [option for file in FILES for option in ("--file", file)]
        project = ["--project-name", "acontext-test", "--env-file", str(self._environment)]
        return self.docker("compose", *files, *project, *arguments)

    def write_environment(self) -> None:
        """Take the example as a newcomer does, with ports that are free here."""
        told = Path(".env.example").read_text()
        dashboard = free_port()
        for before, after in (
            ("ACONTEXT_PORT=8029", f"ACONTEXT_PORT={self.port}"),
            ("ACONTEXT_DASHBOARD_PORT=3000", f"ACONTEXT_DASHBOARD_PORT={dashboard}"),
            ("ACONTEXT_PUBLIC_URL=http://localhost:8029", f"ACONTEXT_PUBLIC_URL={self.url}"),
        ):
            assert before in told
            told = told.replace(before, after)
        self._environment.write_text(told)

    def inspected(self, service: str) -> dict[str, object]:
        """Say what the engine knows of a container."""
        container = self("ps", "--quiet", service).strip()
        found: dict[str, object] = json.loads(self.docker("inspect", container))[0]
        return found


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    try:
        with running_docker() as docker:
            docker.prepare()
            compose = Composed(docker, tmp_path_factory.mktemp("compose") / "env")
            compose.write_environment()
            compose("build", *OURS, "setup")
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


def test_down_and_up_keep_every_byte(composed: Composed) -> None:
    with client(composed) as http:
        session_id = http.post("/session", json={}).json()["data"]["id"]
        long = "kept " * 20_000
        sent = {"blob": {"role": "user", "content": long}}
        http.post(f"/session/{session_id}/messages", json=sent)
        before = http.get(f"/session/{session_id}/messages").json()["data"]["items"]
        spaces = http.get("/space").json()["data"]["items"]
    assert before[0]["content"] == long or long in json.dumps(before)
    composed("down", "--timeout", "20")
    composed("up", "--wait", "--no-build", "--wait-timeout", "300")
    with client(composed) as http:
        assert http.get(f"/session/{session_id}/messages").json()["data"]["items"] == before
        assert http.get("/space").json()["data"]["items"] == spaces


@pytest.mark.parametrize("service", OURS)
def test_an_image_of_ours_runs_as_nobody_on_a_root_that_cannot_be_written(
    composed: Composed, service: str
) -> None:
    write = ["exec", "-T", service, "python3", "-c", "open('/opt/x', 'w')"]
    assert composed("exec", "-T", service, "id", "-u").strip() == "10001"
    with pytest.raises(AssertionError, match="Read-only file system"):
        composed(*write)
    look = "import shutil; print([one for one in ('pip', 'gcc', 'make') if shutil.which(one)])"
    assert composed("exec", "-T", service, "python3", "-c", look).strip() == "[]"


def test_the_images_are_listed_with_their_sizes(composed: Composed) -> None:
    told = composed.docker("images", "--format", "{{.Repository}} {{.Size}}", "acontext/*")
    sizes = dict(line.split() for line in told.splitlines())
    assert {f"acontext/{name}" for name in OURS} <= set(sizes)
    Path("build/images.txt").write_text(told)
    print(told)
