"""gRPC through the gateway: without any .proto file, and with nothing but the stubs."""

import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from tests.journeys.system import KEY, System

SERVICES = {
    "acontext.disk.v1.DiskService",
    "acontext.health.v1.HealthService",
    "acontext.observer.v1.RunService",
    "acontext.observer.v1.TaskService",
    "acontext.session.v1.ProjectService",
    "acontext.session.v1.SessionService",
    "acontext.space.v1.SkillService",
    "acontext.space.v1.SpaceService",
}


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.engines
def test_grpcurl_finds_its_way_without_a_proto_file(grpcurl: str, system: System) -> None:
    def call(method: str, **request: object) -> dict[str, object]:
        key = f"authorization: Bearer {KEY}"
        data = json.dumps(request)
        options = ("-plaintext", "-emit-defaults", "-H", key, "-d", data)
        answer: dict[str, object] = json.loads(run(grpcurl, *options, system.address, method))
        return answer

    listed = set(run(grpcurl, "-plaintext", system.address, "list").split())
    assert listed >= SERVICES
    described = run(
        grpcurl, "-plaintext", system.address, "describe", "acontext.session.v1.SessionService"
    )
    assert "rpc StoreMessage (" in described

    session = call("acontext.session.v1.SessionService/CreateSession")["session"]
    assert isinstance(session, dict)
    text = {"type": "text", "text": "Please book a table for two tonight."}
    stored = call(
        "acontext.session.v1.SessionService/StoreMessage",
        session_id=session["id"],
        format="acontext",
        blob_json=as_bytes({"role": "user", "parts": [text]}),
    )
    assert isinstance(stored["message"], dict)
    assert stored["message"]["sequence"] == 1
    flushed = call("acontext.observer.v1.TaskService/FlushSession", session_id=session["id"])
    assert (flushed["status"], flushed["errmsg"]) == (200, "")
    tasks = call("acontext.observer.v1.TaskService/ListTasks", session_id=session["id"])["items"]
    assert isinstance(tasks, list)
    assert [task["order"] for task in tasks] == [1]


def as_bytes(value: object) -> str:
    """Write JSON as protobuf's JSON writes bytes."""
    return b64encode(json.dumps(value).encode()).decode()


def test_a_program_with_the_stubs_alone_closes_the_loop(system: System) -> None:
    program = str(Path(__file__).with_name("native_program.py"))
    assert run(sys.executable, "-W", "error", program, system.address, KEY) == (
        "the loop is closed\n"
    )
