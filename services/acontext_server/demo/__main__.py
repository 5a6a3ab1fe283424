"""`python -m acontext_server.demo [FILE]`: the story, or the user's own conversations."""

import asyncio
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

from rich.console import Console

from acontext_server.demo.gateway import open_gateway
from acontext_server.demo.own import UnreadableFile, run_file
from acontext_server.demo.system import System, running_system
from acontext_server.demo.told import tell
from acontext_server.kit.engines import StartError
from acontext_server.kit.misconfiguration import Misconfigured


def main() -> None:
    """Run the demo; the exit status says whether everything came out as it should."""
    parser = ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="JSON lines with OpenAI `messages`")
    file: Path | None = parser.parse_args().file
    console = Console()
    try:
        good = asyncio.run(_demo(console, file))
    except (Misconfigured, StartError, UnreadableFile) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0 if good else 1)


async def _demo(console: Console, file: Path | None) -> bool:
    began = time.perf_counter()
    async with running_system(console) as system:
        seconds = time.perf_counter() - began
        console.print(f"[bold]Run[/]      {system.beforehand} after {seconds:.1f} s")
        async with open_gateway(system.address, system.key) as gateway:
            good = await (run_file(gateway, console, file) if file else tell(gateway, console))
        console.print(_where_next(system), highlight=False)
    return good


def _where_next(system: System) -> str:
    return (
        f"[bold]Next[/]     {system.afterwards} at http://{system.address}\n"
        f"         {system.dashboard}\n"
        "         README.md has a first program, proto/ the whole API\n"
        "         `make demo INPUT=your.jsonl` takes your own conversations"
    )


if __name__ == "__main__":
    main()
