"""Tools for agents: what a model is told of them, and what they do."""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._definitions import Definition, definitions
from ..errors import APIError
from ..types.disk import Artifact
from .agents import function_tool
from .disks import AsyncDisksAPI
from .skills import skills_text
from .spaces import AsyncSpacesAPI

Arguments = Mapping[str, Any]
Act = Callable[[Arguments], Awaitable[str]]

_LINES = 100
_EXPIRE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class AsyncTool:
    """A tool with what it does."""

    definition: Definition
    act: Act


class AsyncToolkit:
    """Tools of which a model chooses."""

    def __init__(self, tools: Sequence[AsyncTool]) -> None:
        self._tools = {tool.definition.name: tool for tool in tools}

    def __iter__(self) -> Iterator[Any]:
        return iter(self.openai())

    @property
    def names(self) -> list[str]:
        """What the tools are called."""
        return list(self._tools)

    def openai(self) -> list[Any]:
        """Define them for OpenAI's chat completions: `tools=client.tools.disk(disk_id)`."""
        return [tool.definition.openai() for tool in self._tools.values()]

    def anthropic(self) -> list[Any]:
        """Define them for Anthropic's messages."""
        return [tool.definition.anthropic() for tool in self._tools.values()]

    def gemini(self) -> list[Any]:
        """Declare them as functions for Gemini."""
        return [tool.definition.gemini() for tool in self._tools.values()]

    def agents(self) -> list[Any]:
        """Make them tools of the OpenAI Agents SDK, which has to be installed."""
        return [function_tool(tool.definition, self.call) for tool in self._tools.values()]

    async def call(self, name: str, arguments: Arguments | str) -> str:
        """Do what the model asked for, and return what to tell it.

        The arguments are a dict, or the JSON text that OpenAI's models send. What goes wrong is
        told too, so that the model can do better; only a broken line raises.
        """
        tool = self._tools.get(name)
        if tool is None:
            return f"There is no tool {name!r}; there are {', '.join(self._tools)}."
        try:
            given = json.loads(arguments) if isinstance(arguments, str) else arguments
        except ValueError as error:
            return f"The arguments are no JSON: {error}"
        missing = [one for one in tool.definition.required if given.get(one) is None]
        if missing:
            return f"{name} needs {', '.join(missing)}."
        return await told(tool.act, given)


async def told(act: Act, arguments: Arguments) -> str:
    """Act, and turn a refusal into words for the model."""
    try:
        return await act(arguments)
    except APIError as refusal:
        return f"That did not work: {refusal.message or refusal.reason}"


class NoText(APIError):
    """The file is no text, or too much of it."""


class DiskTools:
    """What an agent does on one disk."""

    def __init__(self, disks: AsyncDisksAPI, disk_id: str) -> None:
        self._artifacts = disks.artifacts
        self._disk_id = disk_id

    def tools(self) -> list[AsyncTool]:
        """Give each definition its deed."""
        return [AsyncTool(one, getattr(self, one.name)) for one in definitions("disk")]

    async def write_file(self, given: Arguments) -> str:
        """Write a file."""
        content = str(given["content"]).encode()
        made = await self._artifacts.upsert(
            self._disk_id, file=(str(given["filename"]), content), file_path=_directory(given)
        )
        return f"File '{made.filename}' written successfully to '{made.path}'"

    async def read_file(self, given: Arguments) -> str:
        """Read some lines of a file."""
        lines = (await self._text(given)).split("\n")
        first = min(max(int(given.get("line_offset") or 0), 0), len(lines) - 1)
        last = min(first + int(given.get("line_limit") or _LINES), len(lines))
        place = f"{_directory(given)}{given['filename']}"
        return "\n".join(
            [f"[{place} - showing L{first}-{last} of {len(lines)} lines]", *lines[first:last]]
        )

    async def replace_string(self, given: Arguments) -> str:
        """Replace every occurrence of a string in a file."""
        text = await self._text(given)
        old, name = str(given["old_string"]), given["filename"]
        if not (found := text.count(old) if old else 0):
            return f"String '{old}' not found in file '{name}'"
        changed = text.replace(old, str(given["new_string"]))
        await self.write_file({**given, "content": changed})
        return f"Found {found} old_string in {_directory(given)}{name} and replaced it."

    async def list_artifacts(self, given: Arguments) -> str:
        """List a directory."""
        directory = _directory(given)
        listed = await self._artifacts.list(self._disk_id, path=directory)
        if not listed.artifacts and not listed.directories:
            return f"No files or directories found in '{directory}'"
        directories = [f"{name}/" for name in listed.directories] or ["[NO DIR]"]
        files = [one.filename for one in listed.artifacts] or ["[NO FILE]"]
        return "\n".join(
            [f"[Listing in {directory}]", "Directories:", *directories, "Files:", *files]
        )

    async def grep_artifacts(self, given: Arguments) -> str:
        """Find files by their text."""
        found = await self._artifacts.grep_artifacts(
            self._disk_id, query=str(given["query"]), limit=int(given.get("limit") or 100)
        )
        return _found(found, given["query"])

    async def glob_artifacts(self, given: Arguments) -> str:
        """Find files by their path."""
        found = await self._artifacts.glob_artifacts(
            self._disk_id, query=str(given["query"]), limit=int(given.get("limit") or 100)
        )
        return _found(found, given["query"])

    async def download_file(self, given: Arguments) -> str:
        """Make a URL for a file."""
        seconds = int(given.get("expire") or _EXPIRE_SECONDS)
        found = await self._artifacts.get(
            self._disk_id,
            file_path=_directory(given),
            filename=str(given["filename"]),
            with_public_url=True,
            with_content=False,
            expire=seconds,
        )
        place = f"{_directory(given)}{given['filename']}"
        return f"Public download URL for '{place}' (expires in {seconds}s):\n{found.public_url}"

    async def _text(self, given: Arguments) -> str:
        found = await self._artifacts.get(
            self._disk_id,
            file_path=_directory(given),
            filename=str(given["filename"]),
            with_public_url=False,
            with_content=True,
        )
        if found.content is None:
            raise NoText(status_code=400, message=f"{given['filename']} has no text")
        return found.content.raw


class SkillTools:
    """What an agent asks one space."""

    def __init__(self, spaces: AsyncSpacesAPI, space_id: str, session_id: str | None) -> None:
        self._spaces = spaces
        self._space_id = space_id
        self._session_id = session_id

    def tools(self) -> list[AsyncTool]:
        """Give each definition its deed."""
        return [AsyncTool(one, getattr(self, one.name)) for one in definitions("skill")]

    async def search_skills(self, given: Arguments) -> str:
        """Find what was learned for a task."""
        found = await self._spaces.experience_search(
            self._space_id,
            query=str(given["query"]),
            limit=int(given.get("limit") or 3),
            session_id=self._session_id,
        )
        return skills_text(found) or "Nothing relevant was learned yet."


def _directory(given: Arguments) -> str:
    path = str(given.get("file_path") or "").strip("/")
    return f"/{path}/" if path else "/"


def _found(artifacts: Sequence[Artifact], query: object) -> str:
    if not artifacts:
        return f"No files found for '{query}'"
    places = [f"{one.path}{one.filename}" for one in artifacts]
    return "\n".join([f"Found {len(places)} file(s) for '{query}':", *places])
