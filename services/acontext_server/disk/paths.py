"""How artifacts are named, and how names are asked for."""

import re

from acontext_server.disk.domain import InvalidPath, InvalidPattern, Location

LONGEST_PATH = 2048
"""Bytes of a whole path; an index entry of PostgreSQL has room for little more."""
LONGEST_QUERY = 8192

_DOTS_ONLY = re.compile(r"\.+")
_STARS = re.compile(r"\*+")


def directory(text: str, *, field: str) -> str:
    """Give a directory its one form: `todo`, `/todo` and `/todo/` are all `/todo/`."""
    segments = [segment for segment in text.strip(" \t\r\n/").split("/") if segment]
    if ".." in text:
        raise InvalidPath(field, "must not contain `..`")
    for segment in segments:
        _check_name(segment, field)
    path = "".join(f"/{segment}" for segment in segments) + "/"
    _check_length(path, field)
    return path


def location(file_path: str, *, field: str = "file_path") -> Location:
    """Split directory and file name at the last slash."""
    before, _, filename = file_path.rpartition("/")
    return _location(before, filename, field=field)


def upload_location(directory_text: str, filename: str) -> Location:
    """Place an upload in a directory.

    A directory that ends in the upload's own name, without a slash, names the file itself.
    """
    before, _, last = directory_text.rpartition("/")
    inside = before if last == filename else directory_text
    return _location(inside, filename, field="file_path")


def check_query(query: str) -> None:
    """Refuse what no search can take."""
    if "\0" in query:
        raise InvalidPattern("must not contain NUL")
    if len(query) > LONGEST_QUERY:
        raise InvalidPattern(f"must not be longer than {LONGEST_QUERY} characters")


def like_pattern(glob: str) -> str:
    r"""Turn a glob into the pattern of SQL's LIKE with `\` as its escape."""
    check_query(glob)
    literal = glob.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return _STARS.sub("%", literal).replace("?", "_")


def _location(before: str, filename: str, *, field: str) -> Location:
    path = directory(before, field=field)
    if not filename.strip():
        raise InvalidPath(field, "must end in a file name")
    _check_name(filename, field)
    _check_length(path + filename, field)
    return Location(path=path, filename=filename)


def _check_name(name: str, field: str) -> None:
    if "\0" in name:
        raise InvalidPath(field, "must not contain NUL")
    if _DOTS_ONLY.fullmatch(name):
        raise InvalidPath(field, "must not have a segment of dots only")


def _check_length(path: str, field: str) -> None:
    if len(path.encode()) > LONGEST_PATH:
        raise InvalidPath(field, f"must not be longer than {LONGEST_PATH} bytes")
