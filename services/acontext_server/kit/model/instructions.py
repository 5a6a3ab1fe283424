"""Instructions of agents: text files that people read, with a version that runs name."""

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Instructions:
    """What an agent is told of its work."""

    text: str
    version: str
    """The file's own number, and a digest, since numbers are forgotten."""


def read_instructions(file: Path) -> Instructions:
    """Read a file whose first line is `# <name> <number>`."""
    written = file.read_text(encoding="utf-8")
    title, _, text = written.partition("\n")
    name = "-".join(title.removeprefix("#").split())
    return Instructions(text.strip(), f"{name}+{hashlib.sha256(text.encode()).hexdigest()[:8]}")
