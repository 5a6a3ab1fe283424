"""Backups from the command line.

python -m acontext_server.backup backup FILE           all of the installation of the settings
python -m acontext_server.backup restore FILE          into an empty one, before its first start
python -m acontext_server.backup export PROJECT FILE   one project
python -m acontext_server.backup import FILE           into an installation that may be running

FILE may be `-`. Without ACONTEXT_DATABASE_URL the installation is the folder of an embedded one,
whether it runs or not.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import psycopg

from acontext_server.backup.installation import fingerprint, open_installation
from acontext_server.backup.loading import load
from acontext_server.backup.manifest import Manifest, Refused, read_manifest
from acontext_server.backup.saving import save
from acontext_server.kit.config import Settings
from acontext_server.kit.engines import StartError
from acontext_server.kit.errors import ServiceError
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.misconfiguration import Misconfigured, read_settings
from acontext_server.kit.transfer import ArchiveBroken, ArchiveReader


def main(arguments: Sequence[str]) -> None:
    """Run one of the commands of this module."""
    try:
        told = _run(arguments, read_settings())
    except (Misconfigured, StartError, Refused, ArchiveBroken) as error:
        sys.exit(str(error))
    except ServiceError as error:
        sys.exit(error.message)
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except psycopg.OperationalError as error:
        sys.exit(f"The database cannot be used: {' '.join(str(error).split())}")
    print(told, file=sys.stderr)


def _run(arguments: Sequence[str], settings: Settings) -> str:
    match arguments:
        case ["backup", name]:
            return _write(settings, name, None)
        case ["export", project, name]:
            return _write(settings, name, _project(project))
        case ["restore" | "import" as command, "-"]:
            return asyncio.run(_read(settings, sys.stdin.buffer, whole=command == "restore"))
        case ["restore" | "import" as command, name]:
            with Path(name).open("rb") as file:
                return asyncio.run(_read(settings, file, whole=command == "restore"))
        case _:
            raise Refused(str(__doc__))


def _project(text: str) -> ProjectId:
    try:
        return ProjectId(UUID(text))
    except ValueError:
        raise Refused(f"{text!r} is no project's id") from None


def _write(settings: Settings, name: str, project_id: ProjectId | None) -> str:
    if name == "-":
        asyncio.run(_save(settings, sys.stdout.buffer, project_id))
        return "written"
    draft = Path(f"{name}.part")  # under its name only when it is whole
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        asyncio.run(_save(settings, file, project_id))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(name)
    return f"written to {name}"


async def _save(settings: Settings, file: BinaryIO, project_id: ProjectId | None) -> None:
    async with open_installation(settings) as opened:
        await save(opened, file, project_id)


async def _read(settings: Settings, file: BinaryIO, *, whole: bool) -> str:
    reader = ArchiveReader(file)
    manifest = await read_manifest(reader)
    if whole != (manifest.project_id is None):
        kind, command = ("one project", "import") if whole else ("an installation", "restore")
        raise Refused(f"the archive is of {kind}: use {command}")
    if whole and not settings.database_url:
        await asyncio.to_thread(_bring_secrets, settings.data_folder, manifest)
    async with open_installation(settings) as opened:
        carried = await load(opened, reader, manifest)
    told = f"{carried.rows} rows, {carried.blobs} files, {carried.vectors} vectors read"
    if not whole:
        return f"{told}; project {manifest.project_id} has no key here yet, see CreateApiKey"
    if fingerprint(opened) != manifest.secret:
        told += (
            "; keys were hashed with another ACONTEXT_INTERNAL_SECRET: set that one here,"
            " or rotate the keys"
        )
    return told


def _bring_secrets(folder: Path, manifest: Manifest) -> None:
    """Let a new folder have the secrets of the old one, without which no key would open it."""
    file = folder / ".env"
    if not manifest.kept_secrets or file.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text("".join(f"{name}={word}\n" for name, word in manifest.kept_secrets.items()))


if __name__ == "__main__":
    main(sys.argv[1:])
