"""A project of your own from a template."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import click

from .output import Refused, as_json, print_json

_PACKAGED = Path(__file__).parents[1] / "templates"
_CHECKOUT = Path(__file__).parents[3] / "templates"
_TEXT = {".md", ".toml", ".json", ".py", ".ts", ".mjs", ".txt", ".example", ".yaml", ".yml", ""}
_LEFT_OUT = ("node_modules", ".venv", "__pycache__", ".env", "dist")
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9._-]{0,63}")
_NEXT = {
    "python": [
        "python -m venv .venv && . .venv/bin/activate",
        "pip install -r requirements.txt --find-links ACONTEXT/dist"
        "  # your clone, after `make wheels` there",
        "cp .env.example .env",
        "python main.py",
    ],
    "typescript": ["npm install", "cp .env.example .env", "npm start"],
}


@dataclass(frozen=True, slots=True)
class Template:
    """A small program that comes with the package."""

    name: str
    folder: Path

    @property
    def language(self) -> str:
        """Python or TypeScript."""
        return self.name.split("/")[0]

    @property
    def about(self) -> str:
        """The first sentence of its README."""
        lines = (self.folder / "README.md").read_text().splitlines()
        return next((line for line in lines if line and not line.startswith("#")), "")


def templates() -> list[Template]:
    """List the templates, by name."""
    home = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
    found = sorted(readme.parent for readme in home.glob("*/*/README.md"))
    return [Template(str(folder.relative_to(home)), folder) for folder in found]


@click.command()
@click.argument("name", required=False)
@click.option("--template-path", metavar="LANGUAGE/NAME", help="The template; asked for without.")
@click.option("--list", "listing", is_flag=True, help="Only list the templates.")
@as_json
def create(name: str | None, template_path: str | None, listing: bool, in_json: bool) -> None:
    """Make a folder NAME with a running example; it needs no network."""
    found = templates()
    if listing:
        _list(found, in_json)
        return
    if not name or not _NAME.fullmatch(name):
        raise click.UsageError("NAME is a letter, then letters, digits, `.`, `_` or `-`")
    if Path(name).exists():
        raise Refused(f"{name} is there already; choose another name")
    template = _chosen(found, template_path)
    _copy(template, Path(name))
    steps = [f"cd {name}", *_NEXT[template.language]]
    if in_json:
        print_json({"folder": name, "template": template.name, "next": steps})
        return
    click.echo(f"Made {name} from {template.name}. Now:")
    for step in steps:
        click.echo(f"  {step}")


def _list(found: list[Template], in_json: bool) -> None:
    if in_json:
        print_json([{"name": one.name, "about": one.about} for one in found])
        return
    for one in found:
        click.echo(f"{one.name:<32} {one.about}")


def _chosen(found: list[Template], wanted: str | None) -> Template:
    if not found:
        raise Refused("this installation has no templates")
    names = [one.name for one in found]
    if wanted is None:
        for number, one in enumerate(found, 1):
            click.echo(f"{number}. {one.name:<32} {one.about}", err=True)
        number = click.prompt("Which", type=click.IntRange(1, len(found)), err=True)
        return found[number - 1]
    if wanted not in names:
        raise Refused(f"there is no template {wanted}; there are: {', '.join(names)}")
    return found[names.index(wanted)]


def _copy(template: Template, target: Path) -> None:
    shutil.copytree(template.folder, target, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    own = template.name.split("/")[1]
    for file in target.rglob("*"):
        if file.is_file() and file.suffix in _TEXT:
            text = file.read_text()
            if own in text:
                file.write_text(text.replace(own, target.name))


COMMANDS = (create,)
