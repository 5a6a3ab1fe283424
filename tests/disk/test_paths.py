"""Paths have one form, and globs are literal but for their wildcards."""

import pytest

from acontext_server.disk.domain import InvalidPath, InvalidPattern, Location
from acontext_server.disk.paths import directory, like_pattern, location, upload_location


@pytest.mark.parametrize("text", ["todo", "/todo", "todo/", "/todo/", "//todo//", " /todo/ "])
def test_a_directory_has_one_form(text: str) -> None:
    assert directory(text, field="path") == "/todo/"


@pytest.mark.parametrize("text", ["", "/", "//", " "])
def test_the_root_is_a_slash(text: str) -> None:
    assert directory(text, field="path") == "/"


@pytest.mark.parametrize(
    ("file_path", "path", "filename"),
    [
        ("/todo/todo.md", "/todo/", "todo.md"),
        ("todo/todo.md", "/todo/", "todo.md"),
        ("todo.md", "/", "todo.md"),
        ("/a b/ü/c d.md", "/a b/ü/", "c d.md"),
        ("/a/x..y.md", "/a/", "x..y.md"),
        ("/a//b/c", "/a/b/", "c"),
        ("/a/%2e%2e", "/a/", "%2e%2e"),
    ],
)
def test_a_file_path_splits_at_the_last_slash(file_path: str, path: str, filename: str) -> None:
    assert location(file_path) == Location(path=path, filename=filename)


@pytest.mark.parametrize(
    ("file_path", "rule"),
    [
        ("", "file name"),
        ("/", "file name"),
        ("/todo/", "file name"),
        ("/todo/ ", "file name"),
        ("../x", "`..`"),
        ("/a/../x", "`..`"),
        ("/a..b/x", "`..`"),
        ("/./x", "dots only"),
        ("/a/.", "dots only"),
        ("/a/..", "dots only"),
        ("/a/...", "dots only"),
        ("/a\0/x", "NUL"),
        ("/a/x\0", "NUL"),
        ("/" + "ü" * 1024, "2048 bytes"),
        ("/" + "a/" * 1100 + "x", "2048 bytes"),
    ],
)
def test_what_is_no_path_names_the_rule(file_path: str, rule: str) -> None:
    with pytest.raises(InvalidPath, match=rule) as refused:
        location(file_path)
    assert refused.value.metadata == {"field": "file_path"}


@pytest.mark.parametrize(
    ("file_path", "path"),
    [
        ("/", "/"),
        ("", "/"),
        ("/todo/", "/todo/"),
        ("todo", "/todo/"),
        ("/todo/a.md", "/todo/"),
        ("a.md", "/"),
        ("/todo/a.md/", "/todo/a.md/"),
        ("/todo/b.md", "/todo/b.md/"),
    ],
)
def test_an_upload_may_name_its_file_again(file_path: str, path: str) -> None:
    assert upload_location(file_path, "a.md") == Location(path=path, filename="a.md")


@pytest.mark.parametrize("filename", ["", " ", ".", "..", "a\0"])
def test_an_upload_needs_a_file_name(filename: str) -> None:
    with pytest.raises(InvalidPath):
        upload_location("/", filename)


@pytest.mark.parametrize(
    ("glob", "like"),
    [
        ("*.md", "%.md"),
        ("/docs/**/a?.md", "/docs/%/a_.md"),
        ("***", "%"),
        ("100%_[x]{y}\\", "100\\%\\_[x]{y}\\\\"),
    ],
)
def test_a_glob_has_two_wildcards(glob: str, like: str) -> None:
    assert like_pattern(glob) == like


def test_a_glob_has_no_nul() -> None:
    with pytest.raises(InvalidPattern):
        like_pattern("a\0")
