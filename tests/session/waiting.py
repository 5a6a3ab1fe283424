"""Waiting for what happens beside the calls."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def eventually(
    question: Callable[[], Awaitable[object]], answer: object, seconds: float = 10
) -> None:
    """Ask until the answer is right, or show the last wrong one."""
    end = time.monotonic() + seconds
    while (given := await question()) != answer:
        assert time.monotonic() < end, f"still {given!r}, not {answer!r}"
        await asyncio.sleep(0.05)
