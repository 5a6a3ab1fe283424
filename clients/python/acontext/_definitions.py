"""What a model is told of each tool, in the forms of the providers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

_PLACE = {
    "file_path": ("string", "Folder of the file, such as `/notes/`; the root if it is left out."),
    "filename": ("string", "Name of the file, such as `report.md`."),
}
_LIMIT = {"limit": ("integer", "How many answers at most.")}


@dataclass(frozen=True, slots=True)
class Definition:
    """A tool's name, what it is for, and its arguments."""

    name: str
    description: str
    arguments: Mapping[str, tuple[str, str]]
    """Type and description of each."""
    required: Sequence[str]

    def schema(self) -> dict[str, Any]:
        """The arguments as JSON Schema."""
        properties = {
            name: {"type": kind, "description": told}
            for name, (kind, told) in self.arguments.items()
        }
        return {"type": "object", "properties": properties, "required": list(self.required)}

    def openai(self) -> dict[str, Any]:
        """For OpenAI's chat completions."""
        return {"type": "function", "function": self.gemini()}

    def anthropic(self) -> dict[str, Any]:
        """For Anthropic's messages."""
        return {
            "name": self.name,
            "description": self.description,
            "input_schema": self.schema(),
        }

    def gemini(self) -> dict[str, Any]:
        """For Gemini's function declarations."""
        return {"name": self.name, "description": self.description, "parameters": self.schema()}


_DISK = [
    Definition(
        "write_file",
        "Write a text file; one that is there is overwritten.",
        {**_PLACE, "content": ("string", "The whole text of the file.")},
        ["filename", "content"],
    ),
    Definition(
        "read_file",
        "Read a text file, or some lines of it.",
        {
            **_PLACE,
            "line_offset": ("integer", "First line to read, from 0."),
            "line_limit": ("integer", "How many lines at most; 100 if it is left out."),
        },
        ["filename"],
    ),
    Definition(
        "replace_string",
        "Replace every occurrence of a string in a text file.",
        {
            **_PLACE,
            "old_string": ("string", "What to replace, exactly as it is in the file."),
            "new_string": ("string", "What to put in its place."),
        },
        ["filename", "old_string", "new_string"],
    ),
    Definition(
        "list_artifacts",
        "List the files and folders in a folder.",
        {"file_path": ("string", "The folder, such as `/notes/`; `/` is the root.")},
        ["file_path"],
    ),
    Definition(
        "grep_artifacts",
        "Find text files whose text a regular expression matches.",
        {"query": ("string", "A PostgreSQL regular expression, case-sensitive."), **_LIMIT},
        ["query"],
    ),
    Definition(
        "glob_artifacts",
        "Find files by their path.",
        {"query": ("string", "A pattern such as `*.md`; `*` also matches slashes."), **_LIMIT},
        ["query"],
    ),
    Definition(
        "download_file",
        "Make a URL that opens a file without a key, to give to somebody.",
        {**_PLACE, "expire": ("integer", "Seconds for which the URL opens; 3600 if left out.")},
        ["filename"],
    ),
]
_SKILL = [
    Definition(
        "search_skills",
        "Find what worked in earlier tasks: when to use it, what the user prefers, which tool "
        "calls lead there. Ask before starting a task.",
        {"query": ("string", "The task, in a sentence."), **_LIMIT},
        ["query"],
    )
]


def definitions(kind: Literal["disk", "skill"]) -> Sequence[Definition]:
    """Give the definitions of the tools of a kind."""
    return _DISK if kind == "disk" else _SKILL
