"""Nobody removes bytes while a backup copies them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import func, select

from acontext_server.kit.database import Raw, Tx
from acontext_server.kit.errors import Unavailable

_KEY = 0x62797465
"""Of an advisory lock: who removes bytes shares it, who copies all of them has it alone."""


async def may_remove(tx: Tx) -> bool:
    """Say whether bytes may be removed until the transaction ends; if not, later they may."""
    return bool(await tx.scalar(select(func.pg_try_advisory_xact_lock_shared(_KEY))))


async def insist_on_removing(tx: Tx) -> None:
    """Raise Unavailable while bytes must stay, so that the caller comes again."""
    if not await may_remove(tx):
        raise Unavailable("backup")


@asynccontextmanager
async def bytes_stay(connection: Raw) -> AsyncIterator[None]:
    """Keep all bytes that are there, after those that are just being removed are gone."""
    await connection.execute("select pg_advisory_lock(%s)", [_KEY])
    try:
        yield
    finally:
        await connection.execute("select pg_advisory_unlock(%s)", [_KEY])
