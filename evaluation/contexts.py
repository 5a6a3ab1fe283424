"""`python -m evaluation.contexts`: what GetSessionContext makes of the longest conversations.

Each is stored and observed through the public API, then its context is asked for at a quarter of
its tokens. The status is 1 if a context is beyond its budget, a preference is missing, or a call is
without its result.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.json_format import MessageToDict
from rs_bpe.bpe import openai

from acontext.observer import v1 as observer
from acontext.session import v1 as session
from acontext_server.demo.gateway import Gateway, open_gateway
from benchmarks.system import KEY, open_system
from evaluation.__main__ import FILES
from evaluation.conversations import Conversation, read

LONGEST = 5
"""Conversations of each file."""
SHARE = 0.25

HEAD = ("conversation", "tokens", "budget", "used", "kept", "closed", "preferences", "calls", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A context beside what it was made of."""

    conversation: str
    whole: int
    """Tokens of the session."""
    budget: int
    used: int
    """Tokens of the context, counted anew."""
    claimed: int
    messages: tuple[int, int]
    """Kept, and all."""
    tasks: tuple[int, int]
    """Closed, and all."""
    preferences: tuple[int, int]
    """In the summary, and all."""
    calls: tuple[int, int]
    """Pairs of a call and its result, and all calls and results that are not such a pair."""

    @property
    def is_right(self) -> bool:
        """Whether the context is what was promised."""
        counted = self.used == self.claimed <= self.budget
        return counted and self.preferences[0] == self.preferences[1] and self.calls[1] == 0

    def cells(self) -> list[str]:
        """Tell it in a row of the table."""
        kept, told = ("/".join(map(str, one)) for one in (self.messages, self.preferences))
        closed = f"{self.tasks[0]}/{self.tasks[1]}"
        calls = f"{self.calls[0]}+{self.calls[1]}"
        numbers = map(str, (self.whole, self.budget, self.used))
        right = "" if self.is_right else "**wrong**"
        return [self.conversation, *numbers, kept, closed, told, calls, right]


def measured(
    conversation: Conversation,
    whole: int,
    budget: int,
    context: session.GetSessionContextResponse,
    tasks: Sequence[observer.Task],
) -> Measured:
    """Hold a context, asked for in our own form, against the tasks that were observed."""
    preferences = [one for task in tasks for one in task.data.user_preferences]
    told = [" ".join(one.split()) in context.summary for one in preferences]
    return Measured(
        conversation=conversation.id,
        whole=whole,
        budget=budget,
        used=_tokens(context),
        claimed=context.tokens,
        messages=(len(context.items), len(conversation.messages)),
        tasks=(sum(task.status in ("success", "failed") for task in tasks), len(tasks)),
        preferences=(sum(told), len(told)),
        calls=_calls(context.items),
    )


def _tokens(context: session.GetSessionContextResponse) -> int:
    texts = [f"{context.summary}\n"] if context.summary else []
    texts += ["".join(map(_told, message.parts)) for message in context.items]
    return sum(openai.o200k_base().count(text) for text in texts if text)


def _told(part: session.Part) -> str:
    text = f"{part.text}\n" if part.text else ""
    if part.type != "tool-call":
        return text
    meta = MessageToDict(part.meta)
    call = {name: meta[name] for name in ("arguments", "name")}
    return f"{text}{json.dumps(call, ensure_ascii=False, separators=(',', ':'))}\n"


def _calls(messages: Iterable[session.Message]) -> tuple[int, int]:
    parts = [part for message in messages for part in message.parts]
    calls = [str(part.meta["id"]) for part in parts if part.type == "tool-call"]
    results = [str(part.meta["tool_call_id"]) for part in parts if part.type == "tool-result"]
    pairs = (Counter(calls) & Counter(results)).total()  # conversations use their ids again
    return pairs, len(calls) + len(results) - 2 * pairs


def longest(file: Path) -> list[Conversation]:
    """Give the conversations with the most to say, the longest first."""
    return sorted(read(file), key=lambda one: len(json.dumps(one.messages)), reverse=True)[:LONGEST]


def told(rows: Iterable[Measured]) -> str:
    """Write the table."""
    lines = [list(HEAD), ["---"] * len(HEAD), *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (
        [cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines
    )
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


async def _measure(gateway: Gateway, space_id: str, conversation: Conversation) -> Measured:
    session_id = await gateway.create_session(space_id)
    await gateway.store(session_id, [json.dumps(one).encode() for one in conversation.messages])
    await gateway.flush(session_id)
    counted = await gateway.sessions.GetTokenCounts(
        session.GetTokenCountsRequest(session_id=session_id), metadata=gateway.as_project
    )
    budget = int(counted.total_tokens * SHARE)
    request = session.GetSessionContextRequest(session_id=session_id, token_budget=budget)
    context = await gateway.sessions.GetSessionContext(request, metadata=gateway.as_project)
    tasks = await gateway.list_tasks(session_id)
    return measured(conversation, counted.total_tokens, budget, context, tasks)


async def _rows() -> list[Measured]:
    files = [Path(os.environ.get(name) or FILES[name]) for name in ("SGD", "TAU")]
    with tempfile.TemporaryDirectory(prefix="acontext-contexts-") as folder:
        async with (
            open_system(Path(folder)) as system,
            open_gateway(system.address, KEY) as gateway,
        ):
            space_id = await gateway.create_space()
            chosen = [one for file in files for one in longest(file)]
            return [await _measure(gateway, space_id, one) for one in chosen]


def main() -> None:
    """Print the table."""
    rows = asyncio.run(_rows())
    print(told(rows))
    print("\nkept: messages; calls: with their result + without; closed: of all tasks")
    sys.exit(0 if all(row.is_right for row in rows) else 1)


if __name__ == "__main__":
    main()
