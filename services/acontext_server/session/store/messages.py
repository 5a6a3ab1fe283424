"""The log of messages: the hottest rows, written in batches and read by their sequence.

These statements go through psycopg itself, which costs a third of what SQLAlchemy does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias

from acontext_server.kit.database import Raw, Tx, array_of, fetch
from acontext_server.kit.ids import ProjectId
from acontext_server.session.content import Role
from acontext_server.session.domain import (
    MAX_ANSWER_BYTES,
    Log,
    MessageId,
    SessionId,
    TaskId,
)

LogKey: TypeAlias = tuple[ProjectId, SessionId]

_MICROSECOND = timedelta(microseconds=1)


class NewMessage(NamedTuple):
    """A message that is ready to be written, but for its place."""

    id: MessageId
    key: LogKey
    role: Role
    content: bytes
    size: int
    tokens: int
    uses_tools: bool


class StoredMessage(NamedTuple):
    """A row of the log, its content still packed; a tuple, since they are made by the thousand."""

    id: MessageId
    session_id: SessionId
    sequence: int
    parent_id: MessageId | None
    role: Role
    content: bytes
    size: int
    tokens: int
    created_at: datetime
    task_id: TaskId | None = None
    failure: str | None = None
    observed_at: datetime | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing of its content is kept beside the row."""
        return self.size == len(self.content)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring messages of a log, oldest first."""

    log: Log
    messages: Sequence[StoredMessage]
    more: bool
    """Whether more lie beyond in the direction read."""


_LOG_COLUMNS = """
       log.last_sequence, log.last_message_id, log.last_stored_at, log.observed_through,
       log.running_through, log.tokens, log.tracked
"""

_LOCK = f"""
SELECT project_id, session_id, {_LOG_COLUMNS}
FROM session.log
WHERE (project_id, session_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))
ORDER BY session_id
FOR UPDATE
"""

_LOCK_FREE = f"{_LOCK} SKIP LOCKED"

_EXISTING = """
SELECT project_id, session_id FROM session.log
WHERE (project_id, session_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))
"""

# Contents go in binary, all else as literals (`array_of`). Clocks of several processes differ, the
# order of a log must not: a message is later than the one before it. What can be counted beforehand
# comes along: sorting and windows cost as much as writing a few messages. Only logs come back;
# `_End` counts again what follows from them for each message.
_APPEND = f"""
WITH wanted AS (
    SELECT * FROM unnest(%(projects)s::uuid[], %(sessions)s::uuid[], %(firsts)s::int[],
                         %(counts)s::int[], %(sums)s::int[], %(last_ids)s::uuid[])
        WITH ORDINALITY AS wanted (project_id, session_id, first, count, sum, last_id, log)
), log AS (
    SELECT wanted.*,
           greatest(%(now)b::timestamptz, log.last_stored_at + interval '1 microsecond')
               AS begins_at,
           {_LOG_COLUMNS}
    FROM session.log
    JOIN wanted USING (project_id, session_id)
    ORDER BY log.session_id
    FOR UPDATE OF log {{skip}}
), written AS (
    INSERT INTO session.message (project_id, session_id, sequence, message_id, parent_id, role,
                                 content, size, tokens, uses_tools, created_at)
    SELECT log.project_id, log.session_id, log.last_sequence + 1 + place - first, new.message_id,
           CASE WHEN place = first THEN log.last_message_id ELSE (%(ids)s::uuid[])[place - 1] END,
           new.role, new.content, new.size, new.tokens, new.uses_tools,
           log.begins_at + (place - first) * interval '1 microsecond'
    FROM unnest(%(logs)s::int[], %(ids)s::uuid[], %(roles)s::text[], %(contents)b::bytea[],
                %(sizes)s::int[], %(tokens)s::int[], %(uses_tools)s::bool[])
        WITH ORDINALITY AS new (log, message_id, role, content, size, tokens, uses_tools, place)
    JOIN log USING (log)
), moved AS (
    UPDATE session.log
    SET last_sequence = log.last_sequence + ended.count, last_message_id = ended.last_id,
        last_stored_at = ended.begins_at + (ended.count - 1) * interval '1 microsecond',
        tokens = log.tokens + ended.sum,
        waiting_since = CASE WHEN log.tracked THEN coalesce(log.waiting_since, ended.begins_at) END
    FROM log ended
    WHERE log.project_id = ended.project_id AND log.session_id = ended.session_id
)
SELECT log.project_id, log.session_id, log.begins_at, {_LOG_COLUMNS} FROM log
"""

_APPEND_WAITING = _APPEND.format(skip="")
_APPEND_FREE = _APPEND.format(skip="SKIP LOCKED")

_COLUMNS = """
       m.message_id, m.session_id, m.sequence, m.parent_id, m.role, m.content, m.size, m.tokens,
       m.created_at, o.task_id, o.failure, o.updated_at
"""

# The log stands in the first row, and in a row of its own where nothing of it is read: in each of
# fifty rows it would cost as much to take in as the messages.
_READ = """
SELECT {columns}, m.found, {log_columns}
FROM (SELECT *, 1 AS nth FROM session.log
      WHERE project_id = %(project)s AND session_id = %(session)s) log
FULL JOIN (SELECT m.*
           FROM (SELECT m.*, count(*) OVER () AS found,
                        row_number() OVER (ORDER BY m.sequence {order}) AS nth,
                        sum(m.size) OVER (ORDER BY m.sequence {order}) AS total
                 FROM (SELECT * FROM session.message
                       WHERE project_id = %(project)s AND session_id = %(session)s AND {beyond}
                       ORDER BY sequence {order} LIMIT %(limit)s) m) m
           WHERE m.total <= %(bytes)s OR m.total = m.size) m
    ON m.nth = log.nth
LEFT JOIN session.observation o
    ON o.project_id = m.project_id AND o.session_id = m.session_id AND o.sequence = m.sequence
ORDER BY m.sequence {order}
"""

_PARTS = {"columns": _COLUMNS, "log_columns": _LOG_COLUMNS}
_READ_UP = _READ.format(**_PARTS, order="ASC", beyond="sequence > %(position)s")
_READ_DOWN = _READ.format(**_PARTS, order="DESC", beyond="sequence < %(position)s")

_READ_IDS = f"""
SELECT {_COLUMNS}
FROM (SELECT *, sum(size) OVER (ORDER BY sequence) AS total FROM session.message
      WHERE project_id = %(project)s AND session_id = %(session)s
          AND message_id = ANY(%(ids)s::uuid[])) m
LEFT JOIN session.observation o
    ON o.project_id = m.project_id AND o.session_id = m.session_id AND o.sequence = m.sequence
WHERE m.total <= %(bytes)s OR m.total = m.size
ORDER BY m.sequence
"""

_LOG = f"""
SELECT {_LOG_COLUMNS} FROM session.log WHERE project_id = %s AND session_id = %s
"""

_WITH_TOOLS = """
SELECT role, content FROM session.message
WHERE project_id = %s AND session_id = %s AND uses_tools
ORDER BY sequence
"""


async def lock_logs(
    tx: Tx | Raw, keys: Iterable[LogKey], *, wait: bool = True
) -> dict[LogKey, Log]:
    """Lock the logs of sessions, always in the order of their ids; unknown ones are left out.

    Without waiting, those that others hold are left out too.
    """
    rows = await fetch(tx, _LOCK if wait else _LOCK_FREE, _columns(keys))
    return {(project_id, session_id): _log(*log) for project_id, session_id, *log in rows}


async def existing_logs(tx: Tx | Raw, keys: Iterable[LogKey]) -> set[LogKey]:
    """Say which of these logs there are, locked or not."""
    rows = await fetch(tx, _EXISTING, _columns(keys))
    return {(project_id, session_id) for project_id, session_id in rows}


def _columns(keys: Iterable[LogKey]) -> tuple[list[ProjectId], list[SessionId]]:
    wanted = list(keys)
    return [key[0] for key in wanted], [key[1] for key in wanted]


async def append(
    tx: Tx | Raw, messages: Sequence[NewMessage], now: datetime, *, wait: bool = True
) -> list[tuple[StoredMessage, Log] | None]:
    """Write messages behind the ends of their logs, those of each log in the order given.

    Gives each with its log as it was before. Those without a log are None, and without waiting
    those, too, whose log another transaction holds. One statement: it needs no other around it.
    """
    if not messages:
        return []
    by_log: dict[LogKey, list[NewMessage]] = {}
    for message in messages:
        by_log.setdefault(message.key, []).append(message)
    ordered = [message for of_log in by_log.values() for message in of_log]
    logs = [nth for nth, of_log in enumerate(by_log.values(), 1) for _ in of_log]
    counts = [len(of_log) for of_log in by_log.values()]
    firsts = [end - count + 1 for end, count in zip(accumulate(counts), counts, strict=True)]
    ids, _, roles, contents, sizes, tokens, uses_tools = zip(*ordered, strict=True)
    values = {
        "now": now,
        "projects": array_of([project_id.hex for project_id, _ in by_log]),
        "sessions": array_of([session_id.hex for _, session_id in by_log]),
        "firsts": array_of(firsts),
        "counts": array_of(counts),
        "sums": array_of(
            [sum([message.tokens for message in of_log]) for of_log in by_log.values()]
        ),
        "last_ids": array_of([of_log[-1].id.hex for of_log in by_log.values()]),
        "logs": array_of(logs),
        "ids": array_of([id_.hex for id_ in ids]),
        "roles": array_of([role.value for role in roles]),
        "contents": [*contents],
        "sizes": array_of(sizes),
        "tokens": array_of(tokens),
        "uses_tools": array_of(uses_tools),
    }
    rows = await fetch(tx, _APPEND_WAITING if wait else _APPEND_FREE, values)
    ends = {(project, session): _End(at, _log(*log)) for project, session, at, *log in rows}
    return [end.add(new) if (end := ends.get(new.key)) else None for new in messages]


class _End:
    """Where a log ends while messages are put behind it, as the statement does it."""

    def __init__(self, begins_at: datetime, log: Log) -> None:
        self._log = log
        self._sequence = log.last_sequence
        self._last_id = log.last_message_id
        self._free_at = begins_at

    def add(self, new: NewMessage) -> tuple[StoredMessage, Log]:
        self._sequence += 1
        message = StoredMessage(
            new.id,
            new.key[1],
            self._sequence,
            self._last_id,
            new.role,
            new.content,
            new.size,
            new.tokens,
            self._free_at,
        )
        self._last_id = new.id
        self._free_at += _MICROSECOND
        return message, self._log


async def find_log(tx: Tx | Raw, project_id: ProjectId, session_id: SessionId) -> Log | None:
    """Read where a session's log ends."""
    rows = await fetch(tx, _LOG, (project_id, session_id))
    return _log(*rows[0]) if rows else None


async def read_up(
    tx: Tx | Raw,
    project_id: ProjectId,
    session_id: SessionId,
    *,
    after: int,
    limit: int,
    max_bytes: int = MAX_ANSWER_BYTES,
) -> Stretch | None:
    """Read at most `limit` messages after a sequence; at least one, then no more than fit.

    None if there is no such log.
    """
    return await _read(tx, _READ_UP, (project_id, session_id), after, limit, max_bytes)


async def read_down(
    tx: Tx | Raw,
    project_id: ProjectId,
    session_id: SessionId,
    *,
    before: int,
    limit: int,
    max_bytes: int = MAX_ANSWER_BYTES,
) -> Stretch | None:
    """Read at most `limit` messages before a sequence, the newest, still oldest first."""
    down = await _read(tx, _READ_DOWN, (project_id, session_id), before, limit, max_bytes)
    return down and replace(down, messages=down.messages[::-1])


async def read_ids(
    tx: Tx | Raw, project_id: ProjectId, session_id: SessionId, ids: Sequence[MessageId]
) -> list[StoredMessage]:
    """Read these messages of a session, in the order of the log, as many as fit an answer."""
    values = {"project": project_id, "session": session_id, "ids": list(ids)}
    rows = await fetch(tx, _READ_IDS, {**values, "bytes": MAX_ANSWER_BYTES})
    return [_message(*row) for row in rows]


async def contents_with_tools(
    tx: Tx | Raw, project_id: ProjectId, session_id: SessionId
) -> list[tuple[Role, bytes]]:
    """Read what a session says by and to tools, oldest first."""
    rows = await fetch(tx, _WITH_TOOLS, (project_id, session_id))
    return [(Role(role), content) for role, content in rows]


async def _read(
    tx: Tx | Raw, query: str, key: LogKey, position: int, limit: int, max_bytes: int
) -> Stretch | None:
    values = {"project": key[0], "session": key[1], "position": position}
    # One more than asked for tells whether there are more.
    rows = await fetch(tx, query, {**values, "limit": limit + 1, "bytes": max_bytes})
    if not rows:
        return None
    of_message = len(StoredMessage._fields)
    found, *log = rows[0][of_message:]
    if found is None:
        return Stretch(_log(*log), [], more=False)
    messages = [_message(*row[:of_message]) for row in rows[:limit]]
    return Stretch(_log(*log), messages, more=found > len(messages))


def _log(
    last_sequence: int,
    last_message_id: MessageId | None,
    last_stored_at: datetime | None,
    observed_through: int,
    running_through: int,
    tokens: int,
    tracked: bool,
) -> Log:
    """Take the values of _LOG_COLUMNS."""
    return Log(
        last_sequence=last_sequence,
        last_message_id=last_message_id,
        last_stored_at=last_stored_at,
        observed_through=observed_through,
        running_through=running_through,
        tokens=tokens,
        tracked=tracked,
    )


def _message(
    id_: MessageId,
    session_id: SessionId,
    sequence: int,
    parent_id: MessageId | None,
    role: str,
    *rest: Any,
) -> StoredMessage:
    """Take the values of _COLUMNS."""
    return StoredMessage(id_, session_id, sequence, parent_id, Role(role), *rest)
