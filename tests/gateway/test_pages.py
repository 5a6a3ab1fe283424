"""The dashboard's listener, in front of hand-made services and with hand-made pages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio.from_thread import start_blocking_portal

from acontext_server.gateway import pages, render
from acontext_server.gateway.pages import Dashboard, dashboard_of
from acontext_server.gateway.render import SERVICES
from acontext_server.kit.config import Settings
from acontext_server.kit.engines import Envoy, free_port
from tests.engines import Engines
from tests.gateway.backend import Backend, serve

KEY = "sk-ac-for-trying"


@pytest.fixture(scope="module")
def dashboard(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard with two files."""
    built = tmp_path_factory.mktemp("built")
    (built / "assets").mkdir()
    (built / "index.html").write_text("<!doctype html><title>the start page</title>")
    (built / "assets" / "a-1234.js").write_text("let all = 'that was said'; " * 100)
    port, shown = free_port(), f"127.0.0.1:{free_port()}"
    with (
        pytest.MonkeyPatch.context() as patch,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serve(Backend())) as it,
    ):
        patch.setattr(pages, "built_pages", lambda: built)
        command = render(
            engines.folder.data("dashboard"),
            listen=f"127.0.0.1:{port}",
            services=dict.fromkeys(SERVICES, it),
            dashboard=Dashboard(
                listen=shown,
                api_url="http://api.example:8029",
                development_key=KEY,
                operator_key_file="/data/.env",
            ),
        )
        engines.start(Envoy(command, host="127.0.0.1", port=port))
        yield shown


@pytest.fixture
def browser(dashboard: str) -> Iterator[httpx.Client]:
    """Whoever opens the page."""
    with httpx.Client(base_url=f"http://{dashboard}", timeout=30) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/sessions", "/skills/0198c0de?query=a%20b", "/index.html"])
def test_every_page_is_the_start_page_with_a_policy(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    assert "the start page" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "img-src 'self' blob: http://api.example:8029 data:" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_assets_are_kept_for_good_and_packed(browser: httpx.Client, encoding: str) -> None:
    answer = browser.get("/assets/a-1234.js", headers={"accept-encoding": encoding})
    assert answer.text.startswith("let all = 'that was said';")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers.get("content-encoding", "identity") == encoding


def test_an_asset_of_another_build_is_missing(browser: httpx.Client) -> None:
    assert browser.get("/assets/b-5678.js").status_code == 404


def test_the_page_learns_where_programs_go(browser: httpx.Client) -> None:
    facts = browser.get("/dashboard.json").json()
    assert facts == {
        "apiUrl": "http://api.example:8029",
        "developmentKey": KEY,
        "operatorKeyFile": "/data/.env",
    }


def test_the_api_answers_at_the_same_address(browser: httpx.Client) -> None:
    assert browser.get("/health").json() == {"code": 0, "msg": "ok"}
    unknown = browser.get("/api/v1/nothing-like-it")
    assert (unknown.status_code, unknown.json()["code"]) == (404, 404)


def test_other_origins_may_not_read(browser: httpx.Client) -> None:
    answer = browser.get("/dashboard.json", headers={"origin": "http://elsewhere.example"})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("said", "is_for_trying"),
    [({}, True), ({"host": "0.0.0.0"}, False), ({"root_api_key": "sk-ac-of-our-own"}, False)],
)
def test_only_a_system_for_trying_out_tells_of_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: dict[str, Any], is_for_trying: bool
) -> None:
    monkeypatch.setattr(pages, "built_pages", lambda: tmp_path)
    shown = dashboard_of(Settings(data_folder=tmp_path, **said))
    assert shown is not None
    known = Settings.model_fields["root_api_key"].default
    told = (shown.development_key, shown.operator_key_file)
    assert told == ((known, str(tmp_path / ".env")) if is_for_trying else ("", ""))
