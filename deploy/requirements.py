"""Print what our two distributions need, but for each other."""

import tomllib
from pathlib import Path

for folder in ("clients/python", "services"):
    project = tomllib.loads(Path(folder, "pyproject.toml").read_text())["project"]
    print(
        *(one for one in project["dependencies"] if one.partition("==")[0] != "acontext"), sep="\n"
    )
