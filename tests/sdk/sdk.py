"""An SDK at the other end of a pipe; what a published one is answered is held to the dialect."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from tests.journeys.test_published_sdks import interpreter_with_sdk
from tests.kept import kept
from tests.sdk.dialect import Exchange, differences

Json = Any
"""What a server said; tests take it apart as they expect it, and fail where it is not so."""

HERE = Path(__file__).parent
RENAMED = {"0.0.8": {"sessions.store_message": "sessions.send_message"}}
POSITIONAL = {"sessions.store_message": ("blob",)}
"""Options that come before the others in TypeScript."""


OWN = "own"
"""In place of a version: the SDK of this repository."""


@dataclass(frozen=True, slots=True)
class Published:
    """An SDK as somebody released it, or ours as it stands here."""

    language: str
    version: str
    asynchronous: bool = False

    def __str__(self) -> str:
        return f"{self.language}-{self.version}{'-async' * self.asynchronous}"

    def command(self) -> Sequence[str]:
        """Say how its driver is run in an environment of the SDK's own."""
        if self.language == "typescript":
            return ["node", str(HERE / "typescript_driver.mjs")]
        own = self.version == OWN
        python = sys.executable if own else str(interpreter_with_sdk(self.version))
        driver = [python, "-W", "error", str(HERE / "python_driver.py")]
        return driver + ["--own"] * own + ["--async"] * self.asynchronous

    def environment(self) -> Mapping[str, str]:
        """Say what its driver needs to find the SDK."""
        if self.language == "python":
            return {}
        return {"SDK_HOME": str(node_home_with_sdk(self.version))}

    def own_name(self, method: str) -> str:
        """Translate a method's name from that of Python 0.1.3."""
        method = RENAMED.get(self.version, {}).get(method, method)
        return camel(method) if self.language == "typescript" and method[0].islower() else method

    def common_name(self, method: str) -> str:
        """Translate a method's name to that of Python 0.1.3."""
        back = {own: common for common, own in RENAMED.get(self.version, {}).items()}
        return method if method[0].isupper() else back.get(method, snake(method))


PUBLISHED = [
    Published("python", "0.0.8"),
    Published("python", "0.0.8", asynchronous=True),
    Published("python", "0.1.3"),
    Published("python", "0.1.3", asynchronous=True),
    Published("typescript", "0.0.16"),
]
OURS = [Published("python", OWN), Published("python", OWN, asynchronous=True)]


def driven(*sdks: Published) -> pytest.MarkDecorator:
    """Run a file's tests with each of these SDKs.

    What asks the same of us in another way is left to `make test-slow`.
    """
    chosen = [
        pytest.param(
            one,
            marks=[pytest.mark.slow] if one.asynchronous and one.version != OWN else [],
            id=str(one),
        )
        for one in sdks
    ]
    return pytest.mark.parametrize("driver", chosen, indirect=True, scope="session")


def node_home_with_sdk(version: str) -> Path:
    """Give a folder with this SDK alone, made once and kept in build/."""

    def make(home: Path) -> None:
        home.mkdir(exist_ok=True)
        (home / "package.json").write_text("{}")
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund"]
        subprocess.run([*install, f"@acontext/acontext@{version}"], cwd=home, check=True)

    return kept(f"npm/acontext-{version}", make)


def camel(name: str) -> str:
    """`get_messages` -> `getMessages`."""
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


def snake(name: str) -> str:
    """`getMessages` -> `get_messages`."""
    return re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), name)


def upload(name: str, content: bytes, mime: str = "application/octet-stream") -> object:
    """Stand for a FileUpload of the SDK's."""
    return {"$file": [name, base64.b64encode(content).decode(), mime]}


def upload_tuple(name: str, content: bytes) -> object:
    """Stand for an upload as a pair, which the SDKs take too."""
    return {"$tuple": [name, base64.b64encode(content).decode()]}


def acontext_message(role: str, parts: Sequence[object], meta: object = None) -> object:
    """Stand for what the SDK's `build_acontext_message` makes."""
    return {"$message": [role, parts, meta]}


def completion(**fields: object) -> object:
    """Stand for a model's reply as the provider's library hands it out."""
    return {"$completion": [fields]}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an SDK: what travelled, and what its program got."""

    exchanges: Sequence[Exchange]
    value: object
    raised: Mapping[str, object] | None

    @property
    def status(self) -> int | None:
        """The HTTP status, or what ours says it would be; None if the SDK itself refused."""
        if self.exchanges:
            return self.exchanges[-1].status
        status = self.raised.get("status_code") if self.raised else 200
        return status if isinstance(status, int) else None

    @property
    def data(self) -> Json:
        """The answer's data: as it travelled, or as our SDK gave it."""
        return self.exchanges[-1].data if self.exchanges else self.value

    @property
    def sentence(self) -> str:
        """What an error says."""
        if self.exchanges:
            return str(self.exchanges[-1].envelope["msg"])
        return str(self.raised["message"]) if self.raised else ""

    def problems(self) -> Sequence[str]:
        """List what the dialect forbids, and answers that the SDK did not understand."""
        if not self.exchanges:
            return []
        found = [found for one in self.exchanges for found in differences(one)]
        return found or self._misunderstood()

    def _misunderstood(self) -> Sequence[str]:
        last = self.exchanges[-1]
        if last.status < 400:
            return [f"the SDK cannot read it: {self.raised}"] if self.raised else []
        told = last.envelope
        wanted: dict[str, object] = {"type": "APIError", "status_code": last.status}
        wanted |= {"code": last.status, "message": told["msg"]}
        raised = {key: (self.raised or {}).get(key) for key in wanted}
        same_reason = (self.raised or {}).get("error") == told.get("error")
        return [] if raised == wanted and same_reason else [f"the SDK raised {self.raised}"]


@dataclass
class Sdk:
    """A running SDK; calls are named as in Python 0.1.3, whatever it calls them."""

    published: Published
    process: subprocess.Popen[str]
    offered: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Its public methods with the names of their parameters."""
    called: dict[str, set[str]] = field(default_factory=dict)
    """The methods that were called, with the parameters that were given."""
    taken: int | None = None
    """How much of a stream is read; None: all."""

    def __post_init__(self) -> None:
        listed = self._ask("methods", [], {})["value"]
        assert isinstance(listed, dict)
        common = self.published.common_name
        self.offered = {common(name): [*map(snake, listed[name])] for name in listed}

    def __call__(self, method: str, *arguments: object, **options: object) -> Json:
        """Call a method that must succeed, and give the answer's data."""
        call = self.call(method, *arguments, **options)
        assert call.status == 200, (method, arguments, options, call)
        return call.data

    def refuses(self, status: int, method: str, *arguments: object, **options: object) -> str:
        """Call a method that must fail with this status, and give the sentence it says."""
        call = self.call(method, *arguments, **options)
        assert call.status == status, (method, arguments, options, call)
        return call.sentence

    def take(self, count: int, method: str, *arguments: object, **options: object) -> Json:
        """Read so many items of a stream that may go on for ever."""
        self.taken = count
        try:
            return self(method, *arguments, **options)
        finally:
            self.taken = None

    def call(self, method: str, *arguments: object, **options: object) -> Call:
        """Call a method; however it ends, every answer must be as the dialect says."""
        given = self.called.setdefault(method, set())
        given.update(options, self.offered[method][: len(arguments)])
        own = self.published.own_name(method)
        reply = self._ask(own, *self._placed(method, arguments, options))
        call = _call(reply)
        assert not call.problems(), (method, arguments, options, call.problems())
        return call

    def enter(self, key: str) -> None:
        """Go on with another project, as if nothing had been called."""
        self._order("enter", [key], {})
        self.called.clear()

    def tool(self, name: str, disk_id: str, **arguments: object) -> str:
        """Let an agent use a tool on a disk, and give what the tool tells it."""
        call = self.call(name, disk_id, arguments)
        self.called[name] = self.called[name] | arguments.keys()
        assert call.raised is None, (name, arguments, call)
        return str(call.value)

    def having(self, method: str, **options: object) -> Mapping[str, object]:
        """Choose the options that this SDK's method has."""
        return {name: options[name] for name in options if name in self.offered[method]}

    def _placed(
        self, method: str, arguments: Sequence[object], options: Mapping[str, object]
    ) -> tuple[Sequence[object], Mapping[str, object]]:
        if self.published.language == "python":
            return arguments, options
        first = [options[name] for name in POSITIONAL.get(method, ())]
        others = {
            camel(name): value
            for name, value in options.items()
            if name not in POSITIONAL.get(method, ())
        }
        return [*arguments, *first, *([others] if others else [])], {}

    def _ask(
        self, call: str, arguments: Sequence[object], options: Mapping[str, object]
    ) -> Mapping[str, object]:
        self._order(call, arguments, options)
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, f"{self.published} is gone at {call} {arguments} {options}"
        reply: Mapping[str, object] = json.loads(line)
        return reply

    def _order(self, call: str, arguments: Sequence[object], options: Mapping[str, object]) -> None:
        assert self.process.stdin
        order = {"call": call, "arguments": arguments, "options": options, "take": self.taken}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()


def _call(reply: Mapping[str, object]) -> Call:
    exchanges, raised = reply["exchanges"], reply.get("raised")
    assert isinstance(exchanges, list)
    assert raised is None or isinstance(raised, dict)
    made = [Exchange(**one | {"body": base64.b64decode(one["body"])}) for one in exchanges]
    return Call(made, reply.get("value"), raised)


@contextmanager
def running(published: Published, url: str) -> Iterator[Sdk]:
    """Run an SDK, which has still to enter a project."""
    if published.language == "typescript":
        _need_node()
    here = {"ACONTEXT_BASE_URL": url, "ACONTEXT_API_KEY": "none yet", "PATH": os.environ["PATH"]}
    process = subprocess.Popen(
        published.command(),
        env=here | dict(published.environment()),
        cwd="/",
        stdin=PIPE,
        stdout=PIPE,
        text=True,
    )
    with process:
        yield Sdk(published, process)
        assert process.stdin
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def _need_node() -> None:
    if not shutil.which("npm"):
        pytest.skip("Node is missing here")
