"""Carrying what services keep out of an installation and into another, piece by piece.

A service says which tables are its own; the archive is one stream that is written and read once,
so neither side ever holds more than a piece.
"""

from acontext_server.kit.transfer.archive import (
    ArchiveBroken,
    ArchiveReader,
    ArchiveWriter,
    Stream,
    write_archive,
)
from acontext_server.kit.transfer.holdings import Holdings
from acontext_server.kit.transfer.sweeping import bytes_stay, insist_on_removing, may_remove
from acontext_server.kit.transfer.tables import copy_in, copy_out

__all__ = [
    "ArchiveBroken",
    "ArchiveReader",
    "ArchiveWriter",
    "Holdings",
    "Stream",
    "bytes_stay",
    "copy_in",
    "copy_out",
    "insist_on_removing",
    "may_remove",
    "write_archive",
]
