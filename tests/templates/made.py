"""Projects made from templates, installed from the registries but for what is ours."""

import asyncio
import json
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.typescript.packed import Package, inherited

RUN_SECONDS = 400


@dataclass(frozen=True, slots=True)
class Ours:
    """What no registry has yet."""

    wheel: Path
    package: Package


async def create(template: str, folder: Path) -> Path:
    """Let the command make a project."""
    name = "my-trip"
    command = [sys.executable, "-m", "acontext", "create", name, "--template-path", template]
    assert f"cd {name}" in await run(command, folder)
    return folder / name


async def install(project: Path, ours: Ours) -> list[str]:
    """Install what the project asks for, and give the command that starts it."""
    if (project / "package.json").exists():
        return await _install_node(project, ours)
    python = str(project / ".venv" / "bin" / "python")
    await run([sys.executable, "-m", "venv", ".venv"], project)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # Ours first: then the project's pin of it is satisfied, or pip says that it is not.
    await run([*pip, str(ours.wheel)], project)
    await run([*pip, "--requirement", "requirements.txt"], project)
    return [python, "main.py"]


async def _install_node(project: Path, ours: Ours) -> list[str]:
    manifest = project / "package.json"
    told = json.loads(manifest.read_text())
    version = re.sub(r".*acontext-(.*)\.tgz", r"\1", ours.package.archive.name)
    assert told["dependencies"]["@acontext/acontext"] == version
    told["dependencies"]["@acontext/acontext"] = f"file:{ours.package.archive}"
    manifest.write_text(json.dumps(told))
    await run(["npm", "install", "--silent", "--no-audit", "--no-fund"], project)
    await run(["npm", "run", "--silent", "types"], project)
    return ["npm", "start", "--silent"]


def configure(project: Path, **settings: str) -> None:
    """Fill in the example of an environment; every setting has to be one that it has."""
    text = (project / ".env.example").read_text()
    for name, value in settings.items():
        text, count = re.subn(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
        assert count == 1, f"{name} is not in .env.example"
    (project / ".env").write_text(text)


async def run(command: list[str], folder: Path, **environment: str) -> str:
    """Run a program to its good end and give what it said."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env={**_environment(), **environment}, stdout=PIPE, stderr=STDOUT
    )
    async with asyncio.timeout(RUN_SECONDS):
        said, _ = await process.communicate()
    assert process.returncode == 0, f"{command}\n{said.decode()}"
    return said.decode()


def _environment() -> Mapping[str, str]:
    kept = inherited()
    return {name: value for name, value in kept.items() if not name.startswith("OPENAI_")}
