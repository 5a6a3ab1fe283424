"""The command line as a person and as a program use it: words, JSON, exit codes."""

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest

from acontext import AcontextClient
from acontext._settings import version
from tests.journeys.system import KEY, System

Environment = dict[str, str]
PATIENCE = 120
"""Seconds after which a program hangs, and is not just slow."""
TALK = [
    {"role": "user", "content": "Please plan a trip to Lisbon."},
    {"role": "assistant", "content": "Sure, my plan is below:\n1. Find flights\n2. Book a hotel"},
    {"role": "user", "content": "Sounds good."},
]


def ran(
    environment: Environment, *arguments: str, cwd: Path | None = None, status: int = 0
) -> "subprocess.CompletedProcess[str]":
    """Run a command that must end with this status."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "acontext", *arguments],
        env=environment,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == status, (arguments, done)
    return done


def told(environment: Environment, *arguments: str) -> Any:
    """Run a command and read the JSON that it prints."""
    return json.loads(ran(environment, *arguments, "--json").stdout)


@contextmanager
def following(environment: Environment, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a command that goes on by itself, and end it whatever comes."""
    command = [sys.executable, "-m", "acontext", *arguments, "--json"]
    # Tests that a shell runs in the background ignore SIGINT, and a child would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as running:
        try:
            signal.signal(signal.SIGINT, before)
            yield running
        finally:
            running.kill()


def first_line(running: "subprocess.Popen[str]") -> str:
    """Wait for what a command prints first, longer than a busy machine needs."""
    assert running.stdout
    ready, _, _ = select.select([running.stdout], [], [], PATIENCE)
    assert ready, f"nothing was printed in {PATIENCE} s"
    return running.stdout.readline()


def test_sessions_messages_and_tasks_are_shown(
    client: AcontextClient, environment: Environment
) -> None:
    session = client.sessions.create()
    client.sessions.store_messages(session.id, TALK)
    client.sessions.flush(session.id)
    assert session.id in ran(environment, "sessions", "--limit", "1").stdout
    assert told(environment, "sessions", "--limit", "1")[0]["id"] == session.id
    assert told(environment, "sessions", session.id)["observing"]["observed"] == 3
    assert "Please plan a trip to Lisbon." in ran(environment, "messages", session.id).stdout
    assert [one["sequence"] for one in told(environment, "messages", session.id)] == [1, 2, 3]
    tree = ran(environment, "tasks", session.id).stdout
    assert "Find flights" in tree
    assert "\x1b" not in tree
    assert [one["order"] for one in told(environment, "tasks", session.id)][:2] == [1, 2]


def test_tasks_are_followed(client: AcontextClient, environment: Environment) -> None:
    session = client.sessions.create()
    with following(environment, "tasks", session.id, "--watch") as watch:
        client.sessions.store_messages(session.id, TALK)
        client.sessions.flush(session.id)
        assert json.loads(first_line(watch))["task"]["session_id"] == session.id
        watch.send_signal(signal.SIGINT)
        assert watch.wait(PATIENCE) == 130


def test_skills_are_listed_searched_and_confirmed(
    client: AcontextClient, environment: Environment
) -> None:
    space = client.spaces.create().id
    assert "Nothing relevant." in ran(environment, "search", space, "release the library").stderr
    page = client.blocks.create(space, block_type="page", title="Releases").id
    steps = [{"tool_name": "git_tag", "action": "tag the commit"}]
    props = {"preferences": "sign tags", "tool_sops": steps}
    title = "release the library"
    skill = client.blocks.create(
        space, block_type="sop", parent_id=page, title=title, props=props
    ).id
    assert "git_tag: tag the commit" in ran(environment, "skills", space).stdout
    assert "version 1: created" in ran(environment, "skills", skill, "--history").stdout
    assert told(environment, "skills", skill, "--history")["versions"][0]["version"] == 1
    assert ran(environment, "confirm", space).stderr.strip() == "Nothing waits."
    assert told(environment, "confirm", space) == []
    ran(environment, "confirm", space, "--save", status=2)


def test_files_go_up_and_come_down(
    client: AcontextClient, environment: Environment, tmp_path: Path
) -> None:
    disk = client.disks.create().id
    assert disk in ran(environment, "disks").stdout
    (tmp_path / "plan.md").write_text("# Plan\n")
    ran(environment, "disks", "put", disk, "plan.md", "/notes", cwd=tmp_path)
    assert told(environment, "disks", "ls", disk, "/notes")["artifacts"][0]["filename"] == "plan.md"
    assert "notes/" in ran(environment, "disks", "ls", disk).stdout
    ran(environment, "disks", "get", disk, "/notes/plan.md", "back.md", cwd=tmp_path)
    assert (tmp_path / "back.md").read_text() == "# Plan\n"


def test_keys_are_made_and_ended(environment: Environment) -> None:
    secret = ran(environment, "keys", "create").stdout.strip()
    assert secret.startswith("sk-ac-")
    with_it = environment | {"ACONTEXT_API_KEY": secret}
    made = told(with_it, "keys")[-1]
    assert secret.startswith(made["prefix"])
    rotated = ran(environment, "keys", "rotate", made["id"], "--overlap", "60").stdout.strip()
    assert rotated.startswith("sk-ac-")
    ran(environment, "keys", "revoke", made["id"])


def test_a_file_is_stored_and_an_interrupted_one_goes_on(
    client: AcontextClient, environment: Environment, tmp_path: Path
) -> None:
    file = tmp_path / "talks.jsonl"
    good = json.dumps({"messages": TALK})
    file.write_text(f"{good}\n\n{good}\n")
    user = ["--user", str(tmp_path)]
    stored = told(environment, "store", str(file), *user, "--flush")
    assert stored == {"sessions": 2, "messages": 6}
    assert not (tmp_path / "talks.jsonl.stored").exists()

    file.write_text(f"{good}\n\nno json\n{good}\n")
    refused = ran(environment, "store", str(file), *user, status=1)
    assert "line 3 is no JSON" in refused.stderr
    kept = json.loads((tmp_path / "talks.jsonl.stored").read_text())
    assert kept["lines"] == 1
    file.write_text(f"{good[:-2]}, {json.dumps(TALK[0])}]}}\n")
    assert "another content" in ran(environment, "store", str(file), *user, status=1).stderr
    file.write_text(f"{good}\n\n{good}\n")
    assert told(environment, "store", str(file), *user) == {"sessions": 2, "messages": 6}


def test_a_refused_message_may_be_mended_and_what_was_stored_may_not(
    client: AcontextClient, environment: Environment, tmp_path: Path
) -> None:
    file, user = tmp_path / "talks.jsonl", ["--user", str(tmp_path)]

    def write(*messages: object) -> None:
        file.write_text("\n" + json.dumps({"messages": messages}) + "\n")

    write(*TALK[:2], {"role": "usr", "content": "hi"})
    refused = ran(environment, "store", str(file), *user, status=1)
    assert refused.stderr.startswith("acontext: line 2: 400 INVALID_MESSAGE: blob.role")
    write(TALK[1], *TALK[1:])
    assert "another content" in ran(environment, "store", str(file), *user, status=1).stderr
    write(*TALK)
    assert told(environment, "store", str(file), *user) == {"sessions": 1, "messages": 3}

    (only,) = client.sessions.list_all(user=str(tmp_path))
    assert client.sessions.get_messages(only.id).items == TALK


def test_a_session_that_was_made_but_not_noted_is_found_again(
    client: AcontextClient, environment: Environment, tmp_path: Path
) -> None:
    file, kept = tmp_path / "talks.jsonl", tmp_path / "talks.jsonl.stored"
    file.write_text(json.dumps({"messages": TALK}) + "\nno json\n")
    store = ["store", str(file), "--user", str(tmp_path)]
    ran(environment, *store, status=1)
    mark = json.loads(kept.read_text())
    # As it was when the session had been asked for, and the answer was not there yet.
    kept.write_text(json.dumps({"digest": mark["digest"], "run": mark["run"]}))

    ran(environment, *store, status=1)

    (only,) = client.sessions.list_all(user=str(tmp_path))
    assert client.sessions.get_messages(only.id).items == TALK


def test_errors_are_sentences_with_codes(environment: Environment) -> None:
    nowhere = "0198c0de-0000-7000-8000-000000000000"
    missing = ran(environment, "messages", nowhere, status=4)
    assert missing.stderr.startswith("acontext: 404 SESSION_NOT_FOUND: no session")
    error = json.loads(ran(environment, "sessions", "x", "--json", status=1).stderr)["error"]
    assert (error["reason"], error["field"]) == ("INVALID_REQUEST", "session_id")
    silent = ran(environment | {"ACONTEXT_BASE_URL": "http://127.0.0.1:9"}, "sessions", status=3)
    assert "nobody answers (Connection refused (111))" in silent.stderr
    strange = ran(environment | {"ACONTEXT_API_KEY": "sk-ac-nobody"}, "sessions", status=1)
    assert "The key opens nothing here" in strange.stderr
    ran(environment, "no-such-command", status=2)
    assert "Traceback" not in missing.stderr + silent.stderr


def test_the_doctor_says_what_is_wrong(environment: Environment, system: System) -> None:
    assert all(one["well"] for one in told(environment, "doctor"))
    home = environment | {"ACONTEXT_DATA_FOLDER": str(system.folder)}
    assert "session → database: postgresql" in ran(home, "doctor").stdout
    nobody = ran(environment | {"ACONTEXT_BASE_URL": "http://127.0.0.1:9"}, "doctor", status=1)
    assert "nobody listens on 127.0.0.1:9" in nobody.stdout
    assert "`acontext up`" in nobody.stdout
    wrong = ran(environment | {"ACONTEXT_API_KEY": "sk-ac-wrong"}, "doctor", status=1)
    assert "key: opens nothing" in wrong.stdout


def test_an_embedded_system_needs_no_key_told(environment: Environment) -> None:
    without = {name: value for name, value in environment.items() if name != "ACONTEXT_API_KEY"}
    told(without, "sessions", "--limit", "1")
    assert environment["ACONTEXT_API_KEY"] == KEY


def on_its_folder(environment: Environment, system: System) -> Environment:
    """Let a command find the state of a system, not only its address."""
    return environment | system.environment | {"ACONTEXT_DATA_FOLDER": str(system.folder)}


def test_a_backup_is_written_and_is_no_project(
    environment: Environment, system: System, tmp_path: Path
) -> None:
    whole = str(tmp_path / "whole.tar")
    here = on_its_folder(environment, system)
    assert f"written to {whole}" in ran(here, "backup", whole).stderr
    assert "use restore" in ran(here, "import", whole, status=1).stderr


@pytest.mark.slow
def test_an_installation_and_a_project_are_carried(
    client: AcontextClient, environment: Environment, system: System, tmp_path: Path
) -> None:
    whole, one = str(tmp_path / "whole.tar"), str(tmp_path / "one.tar")
    here = on_its_folder(environment, system)
    ran(here, "backup", whole)
    project = client.projects.get().id
    assert f"written to {one}" in ran(here, "export", project, one).stderr
    assert "no project's id" in ran(here, "export", "x", one, status=1).stderr
    assert "use import" in ran(here, "restore", one, status=1).stderr
    assert project in ran(here, "import", one, status=1).stderr
    elsewhere = ["--folder", str(tmp_path / "db")]
    assert "rows" in ran(environment, "restore", whole, *elsewhere, cwd=tmp_path).stderr


def test_versions_and_completion(environment: Environment) -> None:
    assert re.match(r"acontext \d", ran(environment, "version").stdout)
    assert told(environment, "version").keys() == {"acontext", "python", "acontext-server"}
    assert "_ACONTEXT_COMPLETE" in ran(environment, "completion", "bash").stdout
    asked = {"_ACONTEXT_COMPLETE": "bash_complete", "COMP_WORDS": "acontext se", "COMP_CWORD": "1"}
    assert ran(environment | asked).stdout == "plain,search\nplain,sessions\n"


def test_status_logs_and_down_without_a_system(environment: Environment, tmp_path: Path) -> None:
    elsewhere = environment | {"ACONTEXT_BASE_URL": "http://127.0.0.1:9"}
    assert "Nothing runs" in ran(elsewhere, "status", cwd=tmp_path, status=1).stdout
    assert "no log" in ran(elsewhere, "logs", cwd=tmp_path, status=1).stderr
    assert "nothing runs" in ran(elsewhere, "down", cwd=tmp_path, status=1).stderr


def on_path(folder: Path, script: str) -> Environment:
    """Put a program named docker first on the path, which says what Docker would."""
    docker = folder / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(f"#!/bin/sh\n{script}\n")
    docker.chmod(0o755)
    return {"PATH": f"{docker.parent}:/usr/bin:/bin", "HOME": str(folder)}


WELL = 'case "$*" in "compose version"|info) exit 0;; *ps*) exit 0;; esac'


def test_docker_refuses_in_sentences(tmp_path: Path) -> None:
    python = Path(sys.executable).parent
    cases: Sequence[tuple[str, str]] = [
        ('[ "$1 $2" != "compose version" ]', "without Compose"),
        ('[ "$1" = compose ] && exit 0; echo Cannot connect >&2; exit 1', "does not answer"),
    ]
    empty = tmp_path / "empty"
    empty.mkdir()
    no_docker = {"PATH": str(empty), "HOME": str(tmp_path)}
    assert "no `docker`" in ran(no_docker, "docker", "up", cwd=tmp_path, status=1).stderr
    for number, (script, sentence) in enumerate(cases):
        home = tmp_path / str(number)
        home.mkdir()
        refused = ran(on_path(home, script), "docker", "up", cwd=home, status=1)
        assert sentence in refused.stderr
        assert "`acontext up` runs everything without it" in refused.stderr
    assert python.exists()


EXAMPLE = """\
# Port of the API on this machine.
ACONTEXT_PORT={port}
# Port of the dashboard.
ACONTEXT_DASHBOARD_PORT={port}
# What services sign their calls to each other with.
ACONTEXT_INTERNAL_SECRET=development-internal-secret
"""


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """A folder with a compose file of its own."""
    (tmp_path / "docker-compose.yml").write_text("services: {}\n")
    (tmp_path / ".env.example").write_text(EXAMPLE.format(port=1))
    return tmp_path


def test_a_project_is_made_from_a_template(environment: Environment, tmp_path: Path) -> None:
    listed = ran(environment, "create", "--list").stdout
    assert "python/openai-basic" in listed
    chosen = ["create", "trips", "--template-path", "python/openai-basic"]
    assert "  cd trips\n" in ran(environment, *chosen, cwd=tmp_path).stdout
    assert (tmp_path / "trips" / "README.md").read_text().startswith("# trips\n")
    assert (tmp_path / "trips" / "main.py").exists()
    again = ran(environment, *chosen, cwd=tmp_path, status=1)
    assert "trips is there already" in again.stderr
    unknown = ["create", "other", "--template-path", "cobol/basic"]
    assert "there is no template cobol/basic" in ran(environment, *unknown, status=1).stderr


def test_nothing_tells_to_install_what_others_published() -> None:
    root = Path(__file__).parents[2]
    pins = list((root / "clients" / "templates").glob("python/*/requirements.txt"))
    assert len(pins) >= 4
    assert {pin.read_text().splitlines()[0] for pin in pins} == {f"acontext=={version()}"}
    assert f"acontext=={version()}" in (requires("acontext-server") or [])
    listed = [sys.executable, "deploy/requirements.py"]  # an image gets ours from the clone
    image = subprocess.run(listed, cwd=root, capture_output=True, text=True, check=True).stdout
    assert "grpcio" in image
    assert "acontext" not in image
    pages = [root / "clients" / "python" / "README.md", *root.glob("*.md"), *root.glob("docs/*.md")]
    for page in pages:
        for package in re.findall(r"pip install '?(acontext\S*)", page.read_text()):
            assert "==" in package, (page, package)


def test_secrets_of_development_are_made_anew() -> None:
    example = Path(__file__).parents[2] / ".env.example"
    from acontext.command.docker import settings_of

    made = {one.name for one in settings_of(example) if one.is_secret}
    assert {"ACONTEXT_INTERNAL_SECRET", "POSTGRES_PASSWORD", "WEAVIATE_KEY"} <= made
    assert not made & {"OPENAI_API_KEY", "ACONTEXT_ROOT_API_KEY"}


def test_docker_env_makes_what_is_missing_and_keeps_the_rest(stack: Path) -> None:
    (stack / ".env").write_text("ACONTEXT_PORT=9999\n")
    ran({"PATH": os.environ["PATH"]}, "docker", "env", "--yes", cwd=stack)
    written = (stack / ".env").read_text()
    assert written.startswith("ACONTEXT_PORT=9999\n# Port of the dashboard.\n")
    assert re.search(r"^ACONTEXT_INTERNAL_SECRET=[0-9a-f]{48}$", written, re.M)
    assert (stack / ".env").stat().st_mode & 0o777 == 0o600


def test_a_taken_port_is_named(stack: Path, environment: Environment) -> None:
    port = environment["ACONTEXT_BASE_URL"].split(":")[2].split("/")[0]
    (stack / ".env.example").write_text(EXAMPLE.format(port=port))
    refused = ran(on_path(stack, WELL), "docker", "up", "--yes", cwd=stack, status=1)
    assert f"port {port} is taken by another program: set ACONTEXT_PORT in .env" in refused.stderr


def test_a_broken_config_is_named(stack: Path) -> None:
    (stack / "config.yaml").write_text("a: [")
    refused = ran(on_path(stack, WELL), "docker", "up", "--yes", cwd=stack, status=1)
    assert "config.yaml is no YAML" in refused.stderr


def test_an_unhealthy_service_is_named_with_its_log(stack: Path) -> None:
    (stack / ".env").write_text("ACONTEXT_PORT=0\nACONTEXT_DASHBOARD_PORT=0\n")
    row = json.dumps({"Service": "session", "State": "running", "Health": "unhealthy"})
    script = "\n".join(
        [
            'case "$*" in',
            '  "compose version"|info) exit 0;;',
            "  *logs*) echo database does not answer;;",
            f"  *ps*) echo '{row}';;",
            "  *up*) exit 1;;",
            "esac",
        ]
    )
    refused = ran(on_path(stack, script), "docker", "up", "--yes", cwd=stack, status=1)
    assert "session is unhealthy" in refused.stderr
    assert "database does not answer" in refused.stderr
