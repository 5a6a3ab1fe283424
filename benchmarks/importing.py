"""How long a program waits for its client before the first line of its own."""

import statistics
import subprocess
import sys

TIMES = 7
CLIENT = "from acontext import AcontextClient"
FLOOR = "import grpc"
"""What the client stands on, and cannot be quicker than."""


def told() -> str:
    """Say it in a sentence, beside its floor."""
    client, floor = _milliseconds(CLIENT), _milliseconds(FLOOR)
    return f"`{CLIENT}` takes {client:.0f} ms, `{FLOOR}` alone {floor:.0f} ms."


def _milliseconds(statement: str) -> float:
    """Take the median of fresh interpreters."""
    program = (
        f"import time; began = time.perf_counter(); {statement}; print(time.perf_counter() - began)"
    )
    command = [sys.executable, "-c", program]
    runs = [subprocess.run(command, check=True, capture_output=True) for _ in range(TIMES)]
    return statistics.median(float(run.stdout) for run in runs) * 1000
