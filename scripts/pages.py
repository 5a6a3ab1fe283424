"""Write the pages of docs/ that say what the program says: commands, settings, errors."""

import ast
import inspect
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import click

from acontext import errors
from acontext._settings import DEFAULT_BASE_URL, DEFAULT_TIMEOUT, version
from acontext.command.main import cli
from acontext_server.kit.config import Settings

DOCS = Path("docs")
_REASON = re.compile(r"((?:  //.*\n)+)  ERROR_REASON_(\w+) = [1-9]\d*;")


def main() -> None:
    """Write all."""
    for name, text in written().items():
        (DOCS / name).write_text(text)


def written() -> dict[str, str]:
    """Give the pages as they should be, by name."""
    return {
        "command-line.md": command_page(),
        "configuration.md": configuration_page(),
        "errors.md": error_page(),
    }


def command_page() -> str:
    """Tell every command as its own `--help` does."""
    lines = [
        "# The command line",
        "",
        "After `make wheels` in a clone, "
        f"`pip install acontext=={version()} --find-links dist` brings `acontext`; "
        f"`'acontext[server]=={version()}'` also what `acontext up` runs. Every command that lists "
        "or shows takes `--json`. Without a terminal there are no colours, and lines are not "
        "broken.",
        "",
        "<!-- Written by scripts/pages.py from --help. -->",
    ]
    for path, command in _commands("acontext", cli):
        lines += ["", f"## {path}", "", "```", _help(path, command), "```"]
    return "\n".join([*lines, ""])


def _commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _commands(f"{path} {name}", command.commands[name])


def _help(path: str, command: click.Command) -> str:
    context = click.Context(
        command,
        info_name=path,
        terminal_width=80,
        help_option_names=cli.context_settings["help_option_names"],
    )
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def error_page() -> str:
    """Tell every reason of every service, with the class that the Python SDK raises."""
    lines = [
        "# Errors by reason",
        "",
        "Every error has one stable reason. JSON callers read it in `error`, gRPC callers in "
        "`google.rpc.ErrorInfo`; the SDKs have a class for each. Fields that break a rule are "
        "named in `google.rpc.BadRequest`, and in `violations` of the SDKs' errors. `request_id` "
        "is what our logs know a call by.",
        "",
        "```python",
        "from acontext import AcontextClient, errors",
        "",
        "client = AcontextClient()",
        "try:",
        '    client.sessions.get("0198c0de-0000-7000-8000-000000000000")',
        "except errors.SessionNotFound as missing:",
        "    print(missing.reason, missing.metadata, missing.request_id)",
        "except errors.TransportError as nobody:",
        "    print(nobody)",
        "```",
        "",
        "<!-- Written by scripts/pages.py from proto/. -->",
        "",
        "| reason | class in Python | services | what it means |",
        "| --- | --- | --- | --- |",
    ]
    for reason, (services, told) in sorted(_reasons().items()):
        lines.append(f"| `{reason}` | `{_class(reason)}` | {', '.join(services)} | {told} |")
    return "\n".join([*lines, ""])


def _reasons() -> dict[str, tuple[list[str], str]]:
    found: dict[str, tuple[list[str], str]] = {}
    for file in sorted(Path("proto").glob("acontext/*/v1/*_errors.proto")):
        for comment, reason in _REASON.findall(file.read_text()):
            told = [line.strip().removeprefix("//") for line in comment.splitlines()]
            sentence = " ".join(line.strip() for line in told if not line.startswith("     {"))
            services, _ = found.setdefault(reason, ([], sentence))
            services.append(file.parts[2])
    return found


def _class(reason: str) -> str:
    name = "".join(word.capitalize() for word in reason.split("_"))
    return name if hasattr(errors, name) else "APIError"


_CLIENT_SETTINGS = (
    ("ACONTEXT_API_KEY", "", "Key of the project."),
    ("ACONTEXT_BASE_URL", DEFAULT_BASE_URL, "Where Acontext is; https means TLS."),
    ("ACONTEXT_TIMEOUT", f"{DEFAULT_TIMEOUT:g}", "Seconds for a call with all its retries."),
    ("ACONTEXT_USER_AGENT", "", "What the client calls itself."),
)


def configuration_page() -> str:
    """Tell every setting of the clients and of the services."""
    lines = [
        "# Configuration",
        "",
        "## Clients",
        "",
        "Arguments of `AcontextClient` win over the environment.",
        "",
        "<!-- Written by scripts/pages.py from the programs. -->",
        "",
        "| variable | default | meaning |",
        "| --- | --- | --- |",
        *(f"| `{name}` | {_code(default)} | {told} |" for name, default, told in _CLIENT_SETTINGS),
        "",
        "## Services",
        "",
        "The first that says something wins: the environment, `.env`, `config.yaml` (there without "
        "the prefix, in lower case), the default. What is no setting is refused by name when the "
        "system starts.",
        "",
        "| variable | default | meaning |",
        "| --- | --- | --- |",
    ]
    told = _told_settings()
    for name, field in Settings.model_fields.items():
        variable = field.validation_alias or f"ACONTEXT_{name.upper()}"
        default = "" if field.default in ("", None) else str(field.default)
        lines.append(f"| `{variable}` | {_code(default)} | {told.get(name, '')} |")
    return "\n".join([*lines, ""])


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _told_settings() -> dict[str, str]:
    """Read what stands below each setting in the source."""
    tree = ast.parse(inspect.getsource(Settings))
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef)).body
    told: dict[str, str] = {}
    for setting, text in pairwise(body):
        match setting, text:
            case ast.AnnAssign(target=name), ast.Expr(value=ast.Constant(value=str(sentence))):
                told[ast.unparse(name)] = " ".join(sentence.split())
    return told


if __name__ == "__main__":
    main()
