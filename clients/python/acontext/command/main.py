"""`acontext`: what there is to say, and how it ends."""

import json
import sys

import click

from ..errors import AcontextError, APIError, NotFound, TransportError, Unauthenticated
from . import backup, create, docker, doctor, local, show, store
from .output import Refused, state

OK, FAILED, USAGE, SILENT, MISSING, INTERRUPTED = 0, 1, 2, 3, 4, 130


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Ends with 0 when it went well, 1 when it did not, 2 for a wrong command, 3 when nobody "
    "answers, 4 when what was named does not exist. `acontext completion SHELL` prints what the "
    "shell needs to complete names.",
)
@click.option("--base-url", metavar="URL", help="Where Acontext is; ACONTEXT_BASE_URL.")
@click.option("--api-key", metavar="KEY", help="The project's key; ACONTEXT_API_KEY.")
@click.pass_context
def cli(context: click.Context, base_url: str | None, api_key: str | None) -> None:
    """Acontext: store what an agent says and makes, see its tasks, learn skills from them."""
    context.obj = state(base_url, api_key)


for part in (local, docker, create, show, store, doctor, backup):
    for command in part.COMMANDS:
        cli.add_command(command)


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands and options.

    For example: acontext completion bash >> ~/.bashrc
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind  # one of the choices
    click.echo(kind(cli, {}, "acontext", "_ACONTEXT_COMPLETE").source())


def main() -> None:
    """Run a command; whatever went wrong is said in a sentence on stderr."""
    try:
        status = cli.main(prog_name="acontext", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (AcontextError, Refused, ValueError, OSError) as error:
        _say(error)
        sys.exit(_status(error))
    sys.exit(status if isinstance(status, int) else OK)


def _status(error: Exception) -> int:
    if isinstance(error, NotFound):
        return MISSING
    return SILENT if isinstance(error, TransportError) else FAILED


def _say(error: Exception) -> None:
    if "--json" not in sys.argv:
        click.echo(f"acontext: {_sentence(error)}", err=True)
        return
    told: dict[str, object] = {"message": _sentence(error)}
    if isinstance(error, APIError):
        told |= {"reason": error.reason, "field": error.field, "request_id": error.request_id}
    click.echo(json.dumps({"error": told}, ensure_ascii=False), err=True)


def _sentence(error: Exception) -> str:
    if isinstance(error, TransportError):
        why = str(error).rpartition(": ")[2]  # behind what gRPC says of every address
        return f"nobody answers ({why}). `acontext up` starts it, `acontext doctor` looks."
    if isinstance(error, Unauthenticated):
        return (
            f"{error}. The key opens nothing here: give another by ACONTEXT_API_KEY or --api-key."
        )
    return ": ".join([*getattr(error, "__notes__", ()), str(error)])
