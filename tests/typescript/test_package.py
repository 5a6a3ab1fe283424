"""The packed client works in an empty home: under Node, in a Vite build, in a real browser."""

import gzip
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.sdk.sdk import node_home_with_sdk
from tests.typescript.browser import need_chromium, tell
from tests.typescript.packed import CLIENT, Package, home, inherited, node, run

pytestmark = pytest.mark.slow
Place = Callable[[], Mapping[str, str]]


def test_the_package_holds_what_runs_and_nothing_else(package: Package) -> None:
    odd = [path for path in package.files if not path.startswith("dist/")]
    assert sorted(odd) == ["README.md", "package.json"]
    assert {Path(path).name.partition(".")[2] for path in package.files} <= {
        "js",
        "d.ts",
        "json",
        "md",
    }
    print(f"{package.archive.name}: {package.size / 1024:.0f} KiB")


def test_every_method_works_under_node(installed: Path, place: Place) -> None:
    assert "methods were called" in node("tests/journeys/node.js", installed, place())


def test_the_shared_journey_passes_with_the_published_sdk(
    package: Package, place: Place, tmp_path: Path
) -> None:
    published = home(
        tmp_path, node_home_with_sdk("0.0.16") / "node_modules/@acontext/acontext", "zod@4"
    )
    assert "methods were called" in node("tests/journeys/published.js", published, place())


def test_every_method_works_in_a_browser(installed: Path, place: Place, tmp_path: Path) -> None:
    need_chromium()
    page = build_page(installed, tmp_path)
    given = place()
    told = tell(
        page,
        {
            "baseUrl": given["ACONTEXT_BASE_URL"],
            "apiKey": given["ACONTEXT_API_KEY"],
            "adminKey": given["ACONTEXT_ADMIN_KEY"],
        },
        tmp_path,
        seconds=180,
    )
    assert "methods were called" in told, told


def build_page(installed: Path, folder: Path) -> Path:
    """Bundle the journey as a page with Vite, and say how big it is."""
    script = '<script type="module" src="/tests/journeys/browser.js"></script>'
    (installed / "index.html").write_text(f"<!doctype html><title>journey</title>{script}")
    vite = CLIENT / "node_modules/.bin/vite"
    run([vite, "build", "--outDir", folder / "page", "--target", "es2023"], installed)
    scripts = b"".join(path.read_bytes() for path in (folder / "page").rglob("*.js"))
    whole, zipped = (len(one) / 1024 for one in (scripts, gzip.compress(scripts)))
    print(f"bundled: {whole:.0f} KiB, {zipped:.0f} KiB gzipped")
    return folder / "page"


@pytest.mark.parametrize(
    ("example", "told"),
    [
        ("loop", ["stored 10 messages", "flushed: 200", "task 1 success", "\nlearned:\n"]),
        ("typed", ["stored ", "gone: SESSION_NOT_FOUND"]),
        ("resources", ["pong", "2 messages", "- passport at /blobs/", "SESSION_NOT_FOUND"]),
    ],
)
def test_the_examples_do_what_they_say(
    example: str, told: list[str], installed: Path, place: Place
) -> None:
    said = node(f"examples/{example}.js", installed, place())
    assert [line for line in told if line not in said] == [], said


def test_an_example_ends_by_itself_when_nobody_answers(installed: Path) -> None:
    nowhere = {"ACONTEXT_BASE_URL": "http://127.0.0.1:1", "ACONTEXT_API_KEY": "sk-ac-x"}
    done = subprocess.run(
        ["node", "examples/loop.js"],
        cwd=installed,
        env=inherited() | nowhere,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "TransportError: fetch failed" in done.stderr
