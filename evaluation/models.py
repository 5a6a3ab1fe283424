"""The model that the environment names, for what is measured with one."""

import os
import sys
from collections.abc import Iterator, Mapping

from acontext.observer import v1 as observer
from evaluation.table import Row

MISSING = (
    "No model is named: give MODEL_URL=openai://HOST:PORT/v1 (?secure=false for plain HTTP) and"
    " ACONTEXT_MODEL_KEY, or OPENAI_API_KEY; MODEL_NAME=… chooses the model."
)


def model_environment() -> Mapping[str, str]:
    """Give the variables that make the system ask the named model, or end with a sentence."""
    named = {"MODEL_URL": "ACONTEXT_MODEL_URL", "MODEL_NAME": "ACONTEXT_MODEL_NAME"}
    chosen = {key: value for key, value in os.environ.items() if key.startswith("ACONTEXT_MODEL_")}
    chosen |= {name: os.environ[short] for short, name in named.items() if os.environ.get(short)}
    if not chosen.get("ACONTEXT_MODEL_URL") and os.environ.get("OPENAI_API_KEY"):
        chosen["ACONTEXT_MODEL_URL"] = "openai:"
    if not chosen.get("ACONTEXT_MODEL_URL", "rules:").startswith("openai:"):
        sys.exit(MISSING)
    return chosen


def use_rows(use: observer.TokenUse) -> Iterator[Row]:
    """Tell what models took, by role."""
    for one in use.roles:
        cost = f", cost {one.cost:.4f}" if one.HasField("cost") else ""
        cases = f"{one.runs} runs, {one.input_tokens:.0f} in, {one.output_tokens:.0f} out{cost}"
        yield Row(
            name=f"tokens, {one.role}", value=one.input_tokens + one.output_tokens, cases=cases
        )
