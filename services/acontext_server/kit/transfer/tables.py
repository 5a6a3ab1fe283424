"""Rows as PostgreSQL's own COPY text, which every version of it reads."""

from collections.abc import AsyncIterator, Sequence
from typing import LiteralString

from psycopg import sql
from sqlalchemy import Table

from acontext_server.kit.database import Raw
from acontext_server.kit.ids import ProjectId


async def copy_out(
    connection: Raw,
    table: Table,
    project_id: ProjectId | None,
    *,
    where: LiteralString | None = None,
) -> AsyncIterator[bytes]:
    """Read a table, or the rows of one project, by the columns that the code declares."""
    condition: sql.Composable = sql.SQL("true")
    if project_id is not None:
        condition = sql.SQL("project_id = {}").format(sql.Literal(project_id))
        if where:
            condition = sql.SQL("{} and ({})").format(condition, sql.SQL(where))
    statement = sql.SQL("copy (select {} from {} where {}) to stdout").format(
        _columns([column.name for column in table.columns]), _name(table), condition
    )
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        async for chunk in copy:
            yield bytes(chunk)


async def copy_in(
    connection: Raw, table: str, columns: Sequence[str], chunks: AsyncIterator[bytes]
) -> int:
    """Write rows into a table `schema.name`, and return how many there were."""
    schema, _, name = table.partition(".")
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(schema, name), _columns(columns)
    )
    async with connection.cursor() as cursor:
        async with cursor.copy(statement) as copy:
            async for chunk in chunks:
                await copy.write(chunk)
        return cursor.rowcount


def _columns(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _name(table: Table) -> sql.Identifier:
    return sql.Identifier(table.schema or "public", table.name)
