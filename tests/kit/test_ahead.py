"""A coroutine that is begun before anybody awaits it."""

import asyncio
import gc
import weakref
from collections.abc import Callable

import pytest

from acontext_server.kit.rpc.ahead import Begun


def _future() -> asyncio.Future[str]:
    return asyncio.get_running_loop().create_future()


async def _noting(note: Callable[[str], None], *awaited: asyncio.Future[str]) -> str:
    try:
        note("begun")
        return "".join([await one for one in awaited])
    except asyncio.CancelledError:
        note("cancelled")
        raise
    finally:
        note("ended")


async def test_it_runs_up_to_its_first_wait_at_once() -> None:
    told: list[str] = []
    first, second = _future(), _future()
    begun = Begun(_noting(told.append, first, second))
    assert told == ["begun"]
    first.set_result("a")
    asyncio.get_running_loop().call_soon(second.set_result, "b")
    assert await begun == "ab"
    assert told == ["begun", "ended"]


async def test_what_never_waits_gives_its_result_when_awaited() -> None:
    assert await Begun(_noting(lambda _: None)) == ""


async def test_its_error_is_raised_where_it_is_awaited() -> None:
    async def fail() -> None:
        raise LookupError("nothing there")

    begun = Begun(fail())
    with pytest.raises(LookupError, match="nothing there"):
        await begun


async def test_an_error_of_what_it_waits_for_reaches_it() -> None:
    waits_for = _future()
    begun = Begun(_noting(lambda _: None, waits_for))
    waits_for.set_exception(LookupError("too late"))
    with pytest.raises(LookupError, match="too late"):
        await begun


async def test_who_is_cancelled_while_awaiting_it_cancels_it() -> None:
    told: list[str] = []
    begun = Begun(_noting(told.append, _future()))

    async def wait() -> str:
        return await begun

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert told == ["begun", "cancelled", "ended"]


async def test_closing_ends_what_nobody_awaits() -> None:
    told: list[str] = []
    Begun(_noting(told.append, _future())).close()
    assert told == ["begun", "ended"]


async def test_its_result_is_kept_by_nobody() -> None:
    class Piece:
        pass

    async def read() -> Piece:
        await asyncio.sleep(0)
        return Piece()

    gc.disable()  # which would find what goes round in a circle, but too late for a gibibyte
    try:
        begun = Begun(read())
        left = weakref.ref(await begun)
        assert left() is None
    finally:
        gc.enable()
