"""What a service holds, in the words that carrying it needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import LiteralString

from sqlalchemy import MetaData, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """The tables of one service, and the bytes that they speak of."""

    service: str
    metadata: MetaData
    blobs: LiteralString | None = None
    """A query for the `project_id` and `sha256` of all bytes that are needed, each once."""
    of_the_installation: frozenset[str] = frozenset()
    """Tables that do not go along with a project."""
    of_a_project: Mapping[str, LiteralString] = field(default_factory=dict)
    """Which rows of a table go along with a project, where not all of them do."""

    def tables(self, *, whole: bool) -> list[Table]:
        """List what is carried, each table after those that it refers to."""
        return [
            table
            for table in self.metadata.sorted_tables
            if whole or table.name not in self.of_the_installation
        ]
