"""The dashboard's built pages as routes of the gateway: one for each file, held in Envoy's memory.

They are a few dozen files that never change while it runs, so no file server is needed.
"""

import gzip
import json
import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from acontext_server.kit.config import Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1")
LARGEST_FILE = 8 * 2**20
_START_PAGE = "index.html"
_HASHED = "assets/"
"""What is below has the hash of its content in its name."""
UNTRANSCODED = {
    "envoy.filters.http.grpc_json_transcoder": {
        "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
        "disabled": True,
    }
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """What the dashboard's listener needs to know."""

    listen: str
    """`host:port`."""
    api_url: str
    """How clients reach the gateway; snippets name it, and public URLs of files begin with it."""
    files_url: str = ""
    """Where public URLs of files lead, if elsewhere."""
    development_key: str = ""
    """Offered to whoever opens the page: only for a key that is no secret, on loopback."""
    operator_key_file: str = ""
    """Where the operator's key is kept, told in the same case; the key itself never is."""


def built_pages() -> Path | None:
    """Find what `make dashboard` built into this package, if it did."""
    folder = Path(str(resources.files(__package__))) / "dashboard"
    return folder if (folder / _START_PAGE).is_file() else None


def dashboard_of(settings: Settings) -> Dashboard | None:
    """Say what the settings make of the dashboard; None without a port, or if it was not built."""
    if settings.dashboard_port == 0 or built_pages() is None:
        return None
    known = Settings.model_fields["root_api_key"].default
    is_for_trying = settings.host in LOOPBACK and settings.root_api_key == known
    return Dashboard(
        listen=f"{settings.host}:{settings.dashboard_port}",
        api_url=settings.base_url,
        files_url=_public_url_of_files(settings.blobs_url),
        development_key=known if is_for_trying else "",
        operator_key_file=str(settings.data_folder.resolve() / ".env") if is_for_trying else "",
    )


def _public_url_of_files(blobs_url: str) -> str:
    """Say where an S3 that signs its own URLs is reached."""
    parts = urlsplit(blobs_url)
    if parts.scheme != "s3":
        return ""
    said = parse_qs(parts.query)
    scheme = "http" if said.get("secure") == ["false"] else "https"
    return said.get("public", [f"{scheme}://{parts.netloc.rpartition('@')[2]}"])[0]


def routes(dashboard: Dashboard, pages: Path, folder: Path) -> list[object]:
    """Give the routes of all pages; what Envoy reads beside them is written into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = {
        "apiUrl": dashboard.api_url,
        "developmentKey": dashboard.development_key,
        "operatorKeyFile": dashboard.operator_key_file,
    }
    (folder / "dashboard.json").write_text(json.dumps(facts))
    policy = _content_security_policy(dashboard)
    found: list[object] = [_of_file({"path": "/dashboard.json"}, folder / "dashboard.json", policy)]
    for file in sorted(pages.rglob("*")):
        if file.is_file() and file.name != _START_PAGE:
            name = file.relative_to(pages).as_posix()
            found += _both_ways({"path": f"/{name}"}, file, folder, policy, name=name)
    found.append(_missing())
    # Every other path is a page that the browser draws itself.
    found += _both_ways({"prefix": "/"}, pages / _START_PAGE, folder, policy, name=_START_PAGE)
    return found


def _both_ways(
    match: Mapping[str, object], file: Path, folder: Path, policy: str, *, name: str
) -> Iterator[object]:
    packed = folder / f"{name.replace('/', '.')}.gz"
    packed.write_bytes(gzip.compress(file.read_bytes(), mtime=0))
    takes_gzip = {"name": "accept-encoding", "string_match": {"contains": "gzip"}}
    hashed = name.startswith(_HASHED)
    packed_match = {**match, "headers": [takes_gzip]}
    yield _of_file(packed_match, packed, policy, like=file, encoding="gzip", forever=hashed)
    yield _of_file(match, file, policy, forever=hashed)


def _of_file(
    match: Mapping[str, object],
    file: Path,
    policy: str,
    *,
    like: Path | None = None,
    encoding: str = "",
    forever: bool = False,
) -> dict[str, object]:
    headers = {
        "content-type": _type_of(like or file),
        "cache-control": "public, max-age=31536000, immutable" if forever else "no-cache",
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "vary": "accept-encoding",
    }
    if encoding:
        headers["content-encoding"] = encoding
    return {
        "match": dict(match),
        "direct_response": {"status": 200, "body": {"filename": str(file.resolve())}},
        "response_headers_to_add": _headers(headers),
        "typed_per_filter_config": UNTRANSCODED,
    }


def _missing() -> dict[str, object]:
    # A page of an older build asks for files that are gone; it must not get the start page.
    return {
        "match": {"prefix": f"/{_HASHED}"},
        "direct_response": {"status": 404, "body": {"inline_string": "no such file"}},
        "typed_per_filter_config": UNTRANSCODED,
    }


def _headers(headers: Mapping[str, str]) -> Sequence[object]:
    return [
        {
            "header": {"key": key, "value": value},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }
        for key, value in headers.items()
    ]


def _type_of(file: Path) -> str:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    is_text = kind.startswith("text/") or kind in {"application/json", "text/javascript"}
    return f"{kind}; charset=utf-8" if is_text else kind


def _content_security_policy(dashboard: Dashboard) -> str:
    origins = {_origin(url) for url in (dashboard.api_url, dashboard.files_url) if url}
    files = " ".join(["'self'", "blob:", *sorted(origins)])
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            # The accessible components and charts set styles on elements; no sheet of a user's.
            "style-src 'self' 'unsafe-inline'",
            f"img-src {files} data:",
            f"media-src {files}",
            "font-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
