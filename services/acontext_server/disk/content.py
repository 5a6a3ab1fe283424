"""Which artifacts have text that is handed out, and of what kind it is."""

import csv
import io

import orjson

from acontext_server.disk.domain import ContentType
from acontext_server.kit.mime import extension_of

LARGEST_CONTENT = 16 * 1024 * 1024
"""Bytes; larger files are downloaded."""
LARGEST_ANSWER = 60 * 1024 * 1024
"""Bytes of the text in JSON; an answer of more than 64 MiB does not pass the gateway."""

_ESCAPED_IN_JSON = bytes(range(0x20)) + b"\"\\'<>&\x7f"
_LONGEST_ESCAPE = len(r"\u0000")
_CODE = frozenset(
    [
        "go",
        "py",
        "js",
        "ts",
        "tsx",
        "jsx",
        "java",
        "c",
        "h",
        "cpp",
        "hpp",
        "cs",
        "php",
        "rb",
        "rs",
        "swift",
        "kt",
        "scala",
        "sh",
        "bash",
        "zsh",
        "sql",
        "r",
        "m",
        "pl",
        "lua",
        "vim",
        "dockerfile",
        "makefile",
        "cmake",
        "proto",
        "thrift",
        "graphql",
        "gql",
        "vue",
        "svelte",
        "astro",
    ]
)
_TEXT = frozenset(["txt", "md", "markdown", "log", "yml", "yaml", "xml", "html", "htm"])


def text_of(data: bytes) -> str:
    """Read bytes as UTF-8; what is none becomes U+FFFD."""
    return data.decode(errors="replace")


def searchable_text(data: bytes) -> str:
    """Read bytes as text that PostgreSQL takes, which is any without NUL."""
    return text_of(data).replace("\0", "\ufffd")


def content_type_of(filename: str, mime: str, data: bytes) -> ContentType | None:
    """Tell how a file is handed out as text: the first kind that fits its name or its mime.

    None if nothing fits, if what fits does not parse, or if the text is too large for an answer.
    """
    kind = _kind_of(extension_of(filename), mime.partition(";")[0])
    if kind is None or len(data) > LARGEST_CONTENT:
        return None
    text = text_of(data)
    return kind if _parses(kind, text) and _fits_in_answer(text) else None


def _kind_of(extension: str, mime: str) -> ContentType | None:
    if extension == "json" or mime == "application/json":
        return ContentType.JSON
    if extension == "csv" or mime == "text/csv":
        return ContentType.CSV
    if extension in _CODE:
        return ContentType.CODE
    if extension in _TEXT or mime.startswith("text/"):
        return ContentType.TEXT
    return None


def _parses(kind: ContentType, text: str) -> bool:
    if kind is ContentType.JSON:
        return _is_json(text)
    return kind is not ContentType.CSV or _is_csv(text)


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _is_csv(text: str) -> bool:
    csv.field_size_limit(LARGEST_CONTENT)
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), strict=True):
            pass
    except csv.Error:
        return False
    return True


def _fits_in_answer(text: str) -> bool:
    if len(text) * _LONGEST_ESCAPE <= LARGEST_ANSWER:
        return True
    utf8 = text.encode()
    escaped = len(utf8) - len(utf8.translate(None, _ESCAPED_IN_JSON))
    return len(utf8) + escaped * (_LONGEST_ESCAPE - 1) <= LARGEST_ANSWER
