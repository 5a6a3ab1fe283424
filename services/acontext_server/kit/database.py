"""PostgreSQL: transactions, and what other rooms need to know of its errors."""

import asyncio
import select
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import Any, cast

import psycopg
from psycopg.errors import (
    DeadlockDetected,
    ProgramLimitExceeded,
    QueryCanceled,
    SerializationFailure,
)
from psycopg.pq import TransactionStatus
from psycopg.rows import AsyncRowFactory, tuple_row
from sqlalchemy import event, exc, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from acontext_server.kit.errors import Conflict, InvalidRequest, Unavailable
from acontext_server.kit.misconfiguration import Misconfigured

Tx = AsyncConnection
"""An open transaction; leaving `Database.transaction` commits it."""

Raw = psycopg.AsyncConnection[Any]
"""The driver's own connection, at a third of the cost: for the few hot statements."""

AfterCommit = Callable[[], None]

WAIT_SECONDS = 20
"""How long a caller waits for a connection."""

TIME_OUTS = {
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "300s",
    # A replica that vanished without a word must not keep its locks for two hours.
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
"""What the server ends by itself, whatever has become of us; `patient` lifts the first."""


class Database:
    """Connections of one service to its schema."""

    def __init__(self, engine: AsyncEngine, raw: "_RawPool") -> None:
        self._engine = engine
        self._raw = raw

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Open a transaction that commits when left and rolls back on any exception.

        Raises Unavailable when PostgreSQL does not answer, Conflict on a deadlock.
        """
        callbacks: list[AfterCommit] = []
        with _engine_errors():
            async with self._engine.begin() as connection:
                connection.info["after_commit"] = callbacks
                yield connection
        for callback in callbacks:
            callback()

    async def ask_version(self) -> str:
        """Ask the server for its version; raises Unavailable when it does not answer."""
        async with self.transaction() as tx:
            asked = await tx.execute(text("select current_setting('server_version')"))
        return str(asked.scalar_one())

    @asynccontextmanager
    async def raw(self) -> AsyncIterator[Raw]:
        """Borrow a connection on which every statement commits by itself.

        Its `transaction()` holds several together. Raises as our `transaction` does.
        """
        with _engine_errors():
            async with self._raw.borrow() as connection:
                yield connection


class _RawPool:
    """Connections of the driver itself.

    To borrow one from SQLAlchemy's pool costs as much as four statements; psycopg's own pool lets
    callers wait for a second and more where the server was restarted.
    """

    def __init__(self, url: str, size: int) -> None:
        self._url = url
        self._idle: list[Raw] = []
        self._free = asyncio.Semaphore(size)

    @asynccontextmanager
    async def borrow(self) -> AsyncIterator[Raw]:
        await self._turn()
        try:
            connection = await self._take() or await self._connect()
            try:
                yield connection
            finally:
                await self._give_back(connection)
        finally:
            self._free.release()

    async def _turn(self) -> None:
        if not self._free.locked():  # most of the time; to open a time-out costs more than the rest
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._free.acquire()
        except TimeoutError as error:
            raise Unavailable("database") from error

    async def _take(self) -> Raw | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed and not _has_ended(connection):
                return connection
            await connection.close()
        return None

    async def _connect(self) -> Raw:
        options: dict[str, Any] = connection_options(self._url)
        return await psycopg.AsyncConnection.connect(self._url, autocommit=True, **options)

    async def _give_back(self, connection: Raw) -> None:
        if connection.info.transaction_status is TransactionStatus.IDLE:
            self._idle.append(connection)
        else:  # broken, or left in the middle of something
            await connection.close()

    async def close(self) -> None:
        """Close what nobody has borrowed."""
        while self._idle:
            await self._idle.pop().close()


def after_commit(tx: Tx, callback: AfterCommit) -> None:
    """Call back once the transaction has committed, and never if it has not."""
    callbacks = cast("list[AfterCommit]", tx.info["after_commit"])  # set by transaction()
    if callback not in callbacks:
        callbacks.append(callback)


# psycopg takes text only as literals, and these constants are partly made of others.
_encoded = cache(str.encode)


async def fetch(
    tx: Tx | Raw,
    query: str,
    values: Sequence[Any] | Mapping[str, Any],
    *,
    row_factory: AsyncRowFactory[Any] = tuple_row,
) -> Sequence[Any]:
    """Execute a constant statement through the driver itself, and give the rows it returns.

    It costs a third of what SQLAlchemy does: for the few statements that every message, or every
    look for work, pays for.
    """
    connection = await _raw_connection(tx)
    # In text every content would be written and read as hexadecimal digits.
    async with connection.cursor(binary=True, row_factory=row_factory) as cursor:
        await cursor.execute(_encoded(query), values)
        has_rows = cursor.pgresult is not None and cursor.pgresult.nfields
        return await cursor.fetchall() if has_rows else ()


def array_of(values: Iterable[object]) -> str:
    """Write an array for a parameter `%(name)s::type[]`, of numbers, ids, single words and None.

    Nothing in it is quoted. psycopg looks at each element of a list for its type, and for what must
    be quoted, which costs six times as much.
    """
    written = ["NULL" if value is None else str(value) for value in values]
    return f"{{{','.join(written)}}}"


async def _raw_connection(tx: Tx | Raw) -> Raw:
    """Return the driver's own connection of a transaction."""
    if not isinstance(tx, AsyncConnection):
        return tx
    pooled = await tx.get_raw_connection()
    # SQLAlchemy types the driver's connection as Any.
    return cast("Raw", pooled.driver_connection)


async def patient(tx: Tx) -> None:
    """Let the statements of a transaction take as long as they need: for what removes a lot."""
    await tx.execute(text("set local statement_timeout = 0"))


def violated(error: exc.IntegrityError) -> str | None:
    """Name the constraint that a statement violated."""
    return error.orig.diag.constraint_name if isinstance(error.orig, psycopg.Error) else None


def driver_url(url: str) -> str:
    """Make a plain PostgreSQL URL name the driver that we use."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def refuse_encoding(connection: Any, *_: object) -> None:
    """Raise Misconfigured for a database that is not in UTF8, in which texts would be bytes."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise Misconfigured(
            f"ACONTEXT_DATABASE_URL: this database is in {encoding}, and texts of all the world "
            "need one in UTF8: createdb --template=template0 --encoding=UTF8"
        )


def connection_options(url: str) -> dict[str, object]:
    """Say what the driver adds to a URL: time-outs, unless the URL brings options of its own."""
    own = "options" in make_url(url).query
    options = " ".join(f"-c {name}={value}" for name, value in TIME_OUTS.items())
    return {"connect_timeout": 10} | ({} if own else {"options": options})


@asynccontextmanager
async def open_database(url: str, *, pool: int) -> AsyncIterator[Database]:
    """Open pools of connections, one for each way to use them, which are made when needed."""
    engine = create_async_engine(
        driver_url(url),
        pool_size=pool,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
        connect_args=connection_options(url),
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    raw = _RawPool(url, pool)
    try:
        yield Database(engine, raw)
    finally:
        await raw.close()
        await engine.dispose()


def _refuse_closed(pooled: Any, *_: object) -> None:
    if pooled.driver_connection.closed or _has_ended(pooled.driver_connection):
        raise exc.DisconnectionError("the server has closed this connection")


def _has_ended(connection: Raw) -> bool:
    # What the server closed while nobody used it can be read from: its end. To look costs a
    # microsecond, the pool's own ping a quarter of a millisecond in every transaction.
    idle = select.poll()
    idle.register(connection.fileno(), select.POLLIN)
    return bool(idle.poll(0))


def _too_long(error: BaseException) -> InvalidRequest:
    if "index row" in str(error):
        what = "a name or an identifier is too long to be looked up: some 2,700 bytes at most"
        return InvalidRequest(what)
    return InvalidRequest("a text is too long to be kept")


@contextmanager
def _engine_errors() -> Any:
    """Map what the driver raises when the engine, not the statement, is at fault."""
    try:
        yield
    except exc.DBAPIError as error:
        if isinstance(error.orig, DeadlockDetected | SerializationFailure):
            raise Conflict from error
        if isinstance(error.orig, QueryCanceled):
            raise Unavailable("database") from error
        if isinstance(error.orig, ProgramLimitExceeded):
            raise _too_long(error.orig) from error
        if isinstance(error.orig, psycopg.DataError) and "NUL" in str(error.orig):
            raise InvalidRequest("a text must not contain NUL (U+0000)") from error
        if error.connection_invalidated or isinstance(error, exc.OperationalError):
            raise Unavailable("database") from error
        raise
    except (DeadlockDetected, SerializationFailure) as error:
        raise Conflict from error
    except ProgramLimitExceeded as error:
        raise _too_long(error) from error
    except (exc.TimeoutError, psycopg.OperationalError) as error:
        raise Unavailable("database") from error
