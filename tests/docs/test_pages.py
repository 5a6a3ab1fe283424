"""Every snippet of docs/ runs, and the pages that a program writes are as it writes them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from scripts import pages
from tests.journeys.system import KEY, System

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TYPESCRIPT = ROOT / "clients" / "typescript"
PAGES = sorted(page.name for page in DOCS.glob("*.md"))
LANGUAGES = ("python", "ts", "curl", "grpcurl")
RESOURCES = ("sessions", "tasks", "disks", "spaces", "skills", "users", "projects")
TRANSLATIONS = ("README.es.md", "README.fr.md")
WORDS_OF_NO_PROGRAM = {"", "sh", "python", "ts"}


def snippets(page: str, language: str) -> Sequence[str]:
    """Give a page's snippets in a language, in order; shell snippets say theirs in a comment."""
    text = (DOCS / page).read_text()
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    assert {mark for mark, _ in fences} <= WORDS_OF_NO_PROGRAM, page
    if language in ("python", "ts"):
        return [body for mark, body in fences if mark == language]
    return [body for mark, body in fences if mark == "sh"]


def run(command: Sequence[str], system: System, cwd: Path) -> None:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | {"ACONTEXT_BASE_URL": system.url, "ACONTEXT_API_KEY": KEY},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr or done.stdout


def here(text: str, system: System) -> str:
    """Let a snippet speak to the system of this test."""
    return text.replace("localhost:8029", system.address)


def pages_with(language: str) -> Sequence[str]:
    return [page for page in PAGES if snippets(page, language)]


@pytest.mark.parametrize("page", pages_with("python"))
def test_python_snippets_run(page: str, system: System, tmp_path: Path) -> None:
    program = tmp_path / "snippets.py"
    program.write_text(here("\n".join(snippets(page, "python")), system))
    run([sys.executable, "-W", "error", str(program)], system, tmp_path)


@pytest.fixture(scope="module")
def typescript() -> Path:
    """Build the TypeScript client as it is now."""
    if not (TYPESCRIPT / "node_modules").exists():
        pytest.skip("what the TypeScript client is built with is not installed here")
    subprocess.run(["npm", "run", "--silent", "build"], cwd=TYPESCRIPT, check=True)
    return TYPESCRIPT


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_with("ts"))
def test_typescript_snippets_run(
    page: str, system: System, typescript: Path, tmp_path: Path
) -> None:
    package = tmp_path / "node_modules" / "@acontext" / "acontext"
    package.parent.mkdir(parents=True)
    package.symlink_to(typescript)
    program = tmp_path / "snippets.mjs"
    program.write_text(here("\n".join(snippets(page, "ts")), system))
    run(["node", str(program)], system, tmp_path)


@pytest.mark.parametrize("page", pages_with("sh"))
def test_shell_snippets_run(page: str, system: System, tmp_path: Path) -> None:
    wanted = {"curl", "jq"} | ({"grpcurl"} if shutil.which("grpcurl") else set())
    missing = [program for program in ("curl", "jq") if not shutil.which(program)]
    if missing:
        pytest.skip(f"{', '.join(missing)} is missing here")
    chosen = [
        body
        for body in snippets(page, "sh")
        if not body.startswith("# grpcurl") or "grpcurl" in wanted
    ]
    # An error of the API has to be one of the snippet's, so curl and jq must not hide it.
    head = 'set -euo pipefail\ncurl() { command curl --fail-with-body "$@"; }\n'
    program = tmp_path / "snippets.sh"
    program.write_text(head + here("\n".join(chosen), system))
    run(["bash", str(program)], system, tmp_path)


@pytest.mark.parametrize("name", RESOURCES)
def test_a_resource_is_shown_in_every_language(name: str) -> None:
    shell = snippets(f"{name}.md", "sh")
    assert snippets(f"{name}.md", "python")
    assert snippets(f"{name}.md", "ts")
    assert any(body.startswith("# curl") for body in shell)
    assert any(body.startswith("# grpcurl") for body in shell)


def test_written_pages_are_as_the_program_writes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name, text in pages.written().items():
        assert (DOCS / name).read_text() == text, f"{name}: run `make proto`"


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", (DOCS / page).read_text()):
            assert (DOCS / target).exists(), (page, target)


TABLE = re.compile(r"^<!-- (\w+) -->\n.*?^<!-- /\1 -->\n", re.M | re.S)
CODE = re.compile(r"^```.*?^```$", re.M | re.S)


def named(text: str) -> set[str]:
    """Give what a README names in any language: programs, versions, targets of links."""
    told = CODE.sub("", TABLE.sub("", text))
    words = re.findall(r"`([^`]+)`|\]\(([^)]+)\)", told)
    return {word for word in map("".join, words) if not word.startswith("README")}


@pytest.mark.parametrize("name", TRANSLATIONS)
def test_a_translation_says_what_the_readme_says(name: str) -> None:
    original, text = (ROOT / "README.md").read_text(), (ROOT / name).read_text()
    assert CODE.findall(text) == CODE.findall(original)
    assert named(text) <= named(original)  # it may be behind, never wrong
    tables = {table[1]: table[0] for table in TABLE.finditer(original)}
    assert tables.keys() == {"evaluation", "benchmarks"}
    assert not TABLE.search(text)
    for heading in ("how-good", "how-fast"):  # what is measured stands in one place
        assert f"](README.md#{heading})" in text
        assert f"## {heading.replace('-', ' ').capitalize()}\n" in original
    assert f"]({name})" in original.partition("\n## ")[0]
