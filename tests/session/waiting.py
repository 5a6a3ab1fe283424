"""Waiting for what happens beside the calls."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(question: Callable[[], Awaitable[T]], answer: T, seconds: float = 10) -> None:
    """Ask until the answer is right, or show the last wrong one."""
    end = time.monotonic() + seconds
    while (given := await question()) != answer:
        assert time.monotonic() < end, f"still {given!r}, not {answer!r}"
        await asyncio.sleep(0.05)
