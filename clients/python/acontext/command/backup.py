"""Carrying an installation or a project to another: `acontext_server.backup` as commands."""

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from .local import FOLDER, environment_of_services

_FILE = click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))


@click.command()
@_FILE
@FOLDER
def backup(file: str, folder: Path) -> None:
    """Write all of an installation into FILE, whether it runs or not; - is stdout.

    With ACONTEXT_DATABASE_URL it is that of the settings, else the embedded one of the folder.
    """
    _carry(folder, "backup", file)


@click.command()
@_FILE
@FOLDER
def restore(file: str, folder: Path) -> None:
    """Read a backup into an empty installation, before its first start; - is stdin."""
    _carry(folder, "restore", file)


@click.command()
@click.argument("project_id")
@_FILE
@FOLDER
def export(project_id: str, file: str, folder: Path) -> None:
    """Write all of one project into FILE; - is stdout."""
    _carry(folder, "export", project_id, file)


@click.command("import")
@_FILE
@FOLDER
def import_(file: str, folder: Path) -> None:
    """Read an exported project into an installation, which may be running; - is stdin.

    It has no key there yet: the operator makes one.
    """
    _carry(folder, "import", file)


def _carry(folder: Path, *arguments: str) -> NoReturn:
    environment = environment_of_services(folder)
    command = [sys.executable, "-m", "acontext_server.backup", *arguments]
    os.execve(sys.executable, command, environment)  # the same Python, with our stdin and stdout


COMMANDS = (backup, restore, export, import_)
