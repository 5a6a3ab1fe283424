"""The media type of bytes, told from the bytes; names only refine what is plain text.

Binary formats are puremagic's business, which knows thousands of signatures. It guesses at
text too ("BM means…" is a bitmap to it), so text is told apart here, before it is asked.
"""

import re

import orjson
import puremagic

BINARY = "application/octet-stream"

# Bytes that no text has, as the WHATWG's MIME sniffing standard lists them.
_BINARY_BYTE = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_SNIFFED = 1024 * 1024
_LONGEST_JSON = 16 * 1024 * 1024
_LEAST_CONFIDENCE = 0.2
_CONFIRMED_BY_NAME = 0.9

_ASCII_SIGNATURES = (
    (b"%PDF-", "application/pdf"),
    (b"{\\rtf", "application/rtf"),
    (b"%!PS-Adobe", "application/postscript"),
)
_MARKUP = (
    ((b"<!doctype html", b"<html", b"<head", b"<body"), "text/html"),
    ((b"<svg", b"<!doctype svg"), "image/svg+xml"),
    ((b"<?xml",), "text/xml"),
)
_NAMED_ALIKE = {
    "application/x-gzip": "application/gzip",
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "image/x-ms-bmp": "image/bmp",
    "video/avi": "video/x-msvideo",
}
_BY_EXTENSION = {
    "astro": "text/x-astro",
    "bash": "text/x-shellscript",
    "c": "text/x-c",
    "cmake": "text/x-cmake",
    "cpp": "text/x-c++",
    "cs": "text/x-csharp",
    "css": "text/css",
    "csv": "text/csv",
    "dockerfile": "text/x-dockerfile",
    "go": "text/x-go",
    "gql": "application/graphql",
    "graphql": "application/graphql",
    "h": "text/x-c",
    "hpp": "text/x-c++",
    "htm": "text/html",
    "html": "text/html",
    "ics": "text/calendar",
    "java": "text/x-java",
    "js": "text/javascript",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "jsx": "text/jsx",
    "kt": "text/x-kotlin",
    "lua": "text/x-lua",
    "m": "text/x-objective-c",
    "makefile": "text/x-makefile",
    "markdown": "text/markdown",
    "md": "text/markdown",
    "mjs": "text/javascript",
    "php": "text/x-php",
    "pl": "text/x-perl",
    "proto": "text/x-protobuf",
    "py": "text/x-python",
    "r": "text/x-r",
    "rb": "text/x-ruby",
    "rs": "text/x-rust",
    "scala": "text/x-scala",
    "sh": "text/x-shellscript",
    "sql": "application/sql",
    "svelte": "text/x-svelte",
    "svg": "image/svg+xml",
    "swift": "text/x-swift",
    "tex": "text/x-tex",
    "thrift": "text/x-thrift",
    "toml": "application/toml",
    "ts": "text/typescript",
    "tsv": "text/tab-separated-values",
    "tsx": "text/tsx",
    "vim": "text/x-vim",
    "vue": "text/x-vue",
    "xml": "text/xml",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "zsh": "text/x-shellscript",
}


def extension_of(filename: str) -> str:
    """Return what follows the last dot, in lower case, or nothing."""
    return filename.rpartition(".")[2].lower() if "." in filename else ""


def mime_of(data: bytes, filename: str = "", *, cut: bool = False) -> str:
    """Tell the media type, with its charset if that is known to be UTF-8.

    `cut` says that `data` is only the beginning, which may end within a character.
    """
    for signature, mime in _ASCII_SIGNATURES:
        if data.startswith(signature):
            return mime
    if _BINARY_BYTE.search(data, 0, _SNIFFED):
        return _binary(data, filename)
    if not _is_utf8(data, cut=cut):
        # No control bytes: an older charset, unless a signature says otherwise.
        found = _binary(data, filename)
        return _text(data, filename) if found == BINARY else found
    mime = _text(data, filename)
    return mime if mime == "application/json" and _is_json(data) else f"{mime}; charset=utf-8"


def _binary(data: bytes, filename: str) -> str:
    try:
        matches = puremagic.magic_string(data[: puremagic.main.max_head], filename or None)
    except (puremagic.PureError, ValueError):
        return BINARY
    best = next((match for match in matches if match.mime_type), None)
    if best is None or best.confidence < _LEAST_CONFIDENCE:
        return BINARY
    if data.startswith(b"PK\x03\x04") and best.confidence < _CONFIRMED_BY_NAME:
        # Many formats are ZIP archives inside, and only the name says which.
        return "application/zip"
    mime = str(best.mime_type)
    return _NAMED_ALIKE.get(mime, mime)


def _text(data: bytes, filename: str) -> str:
    by_name = _BY_EXTENSION.get(extension_of(filename))
    if by_name:
        return by_name
    head = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith(b"<?xml") and b"<svg" in head:
        return "image/svg+xml"
    for beginnings, mime in _MARKUP:
        if head.startswith(beginnings):
            return mime
    return "application/json" if head[:1] in (b"{", b"[") and _is_json(data) else "text/plain"


def _is_utf8(data: bytes, *, cut: bool) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return cut and error.reason == "unexpected end of data"
    return True


def _is_json(data: bytes) -> bool:
    if len(data) > _LONGEST_JSON:
        return False
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True
