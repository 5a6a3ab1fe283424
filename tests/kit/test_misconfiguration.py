"""What a person is told who starts the system with settings that make no sense."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from acontext_server.kit.engines import Postgres, free_port


def start(folder: Path, **variables: str) -> tuple[int, str]:
    """Start the whole system in a folder, and give its exit status and what it said."""
    environment = {"PATH": "", **variables}
    argv = [sys.executable, "-m", "acontext_server.all"]
    ended = subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"ACONTEXT_PORT": "abc"}, "ACONTEXT_PORT (or port in config.yaml): Input should be"),
        ({"ACONTEXT_PORT": "99999"}, "ACONTEXT_PORT (or port in config.yaml): Input should be"),
        ({"ACONTEXT_PROT": "1"}, "ACONTEXT_PROT in the environment is no setting. Did you mean"),
        ({"ACONTEXT_DATA_FOLDER": "/dev/null/x"}, "State cannot be kept in /dev/null/x: Not a dir"),
        ({"ACONTEXT_DATABASE_URL": "mysql://x"}, "ACONTEXT_DATABASE_URL (or database_url in"),
        ({"ACONTEXT_MODEL_NAMES": "x"}, "model_names"),
    ],
    ids=["no number", "no port", "unknown", "no folder", "no database of ours", "no JSON"],
)
def test_a_wrong_variable_is_named_in_a_sentence(
    tmp_path: Path, variables: dict[str, str], told: str
) -> None:
    status, said = start(tmp_path, **variables)
    assert (status, len(said.splitlines())) == (1, 1)
    assert told in said


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("config.yaml", b"port: [1,2", "config.yaml cannot be read: while parsing"),
        ("config.yaml", b"- port", "config.yaml must hold lines of the form"),
        ("config.yaml", b"\xff\xfe", "config.yaml cannot be read: "),
        ("config.yaml", b"prot: 1", "prot in config.yaml is no setting. Did you mean port?"),
        (".env", b"\xff=1", ".env cannot be read: "),
        (".env", b"ACONTEXT_PROT=1", "ACONTEXT_PROT in .env is no setting. Did you mean"),
        (".env", b"ACONTEXT_PORT=x", "ACONTEXT_PORT"),
    ],
)
def test_a_broken_file_is_named_in_a_sentence(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(content)
    status, said = start(tmp_path)
    assert (status, len(said.splitlines())) == (1, 1)
    assert told in said


def test_a_database_that_does_not_answer_is_told_in_a_sentence(tmp_path: Path) -> None:
    status, said = start(
        tmp_path,
        ACONTEXT_PORT=str(free_port()),
        ACONTEXT_DATABASE_URL="postgresql://a@127.0.0.1:1/x",
        ACONTEXT_NATS_URL="nats://x",
    )
    assert status == 1
    [*_, last] = said.splitlines()
    assert last.startswith("The database cannot be used: ")
    assert "Connection refused" in last


def set_up(folder: Path, database_url: str) -> tuple[int, str]:
    """Run what comes before every service, and give its exit status and what it said."""
    ended = subprocess.run(
        [sys.executable, "-m", "acontext_server.setup"],
        cwd=folder,
        env={"PATH": "", "ACONTEXT_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stderr


def test_a_database_of_bytes_is_refused_in_a_sentence(tmp_path: Path, postgres: Postgres) -> None:
    creation = "create database bytes encoding 'SQL_ASCII' template template0 locale 'C'"
    with psycopg.connect(postgres.url_of("postgres"), autocommit=True) as server:
        server.execute(f"{creation} locale_provider libc")
    status, said = set_up(tmp_path, postgres.url_of("bytes"))
    assert (status, len(said.splitlines())) == (1, 1)
    assert "this database is in SQL_ASCII, and texts of all the world need one in UTF8" in said


def test_setup_tells_in_a_sentence_of_a_database_that_does_not_answer(tmp_path: Path) -> None:
    status, said = set_up(tmp_path, "postgresql://a@127.0.0.1:1/x")
    assert (status, len(said.splitlines())) == (1, 1)
    assert said.startswith("The database cannot be used: ")
