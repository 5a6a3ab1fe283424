"""Settings as a person writes them: what is wrong with them, said in a sentence."""

import difflib
import os
from collections.abc import Iterable
from pathlib import Path

import yaml
from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_settings.exceptions import SettingsError

from acontext_server.kit.config import Settings

_PREFIX = "ACONTEXT_"
_OF_CLIENTS = frozenset({"API_KEY", "BASE_URL", "TIMEOUT", "USER_AGENT"})
"""What SDKs read from the same environment."""
_DOTENV = Path(".env")
_YAML = Path("config.yaml")


class Misconfigured(Exception):
    """A setting that a person must mend; the text says which, where and how."""


def read_settings() -> Settings:
    """Read the settings; Misconfigured when a file or a value makes no sense."""
    _read_dotenv()
    _read_yaml()
    try:
        return Settings()
    except ValidationError as error:
        raise Misconfigured("\n".join(_told(error))) from error
    except SettingsError as error:
        raise Misconfigured(f"Settings: {error}; it must be JSON.") from error


def refuse_unknown() -> None:
    """Raise Misconfigured when something is set that we do not know: most likely misspelt.

    Only where a person starts the system; platforms put variables of theirs beside ours.
    """
    known = {name.upper() for name in Settings.model_fields}
    for where, names in (("the environment", os.environ), (str(_DOTENV), _read_dotenv())):
        ours = (name.upper() for name in names if name.upper().startswith(_PREFIX))
        set_here = {name.removeprefix(_PREFIX) for name in ours}
        _refuse(set_here - known - _OF_CLIENTS, known, where=where, prefix=_PREFIX)
    names_in_file = {name.upper() for name in _read_yaml()}
    _refuse(names_in_file - known - {"OPENAI_API_KEY"}, known, where=str(_YAML), prefix="")


def _refuse(unknown: Iterable[str], known: Iterable[str], *, where: str, prefix: str) -> None:
    for name in sorted(unknown):
        meant = difflib.get_close_matches(name, list(known), n=1)
        hint = f" Did you mean {_spelt(prefix + meant[0], prefix)}?" if meant else ""
        raise Misconfigured(f"{_spelt(prefix + name, prefix)} in {where} is no setting.{hint}")


def _spelt(name: str, prefix: str) -> str:
    return name if prefix else name.lower()


def _told(error: ValidationError) -> Iterable[str]:
    for one in error.errors(include_url=False, include_input=False):
        name = str(one["loc"][0]) if one["loc"] else "settings"
        variable = name if name.isupper() else _PREFIX + name.upper()
        yield f"{variable} (or {name.lower()} in {_YAML}): {one['msg']}."


def _read_dotenv() -> dict[str, str | None]:
    try:
        return dict(dotenv_values(_DOTENV)) if _DOTENV.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{_DOTENV} cannot be read: {error}.") from error


def _read_yaml() -> dict[str, object]:
    if not _YAML.is_file():
        return {}
    try:
        content = yaml.safe_load(_YAML.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        sentence = " ".join(str(error).split())
        raise Misconfigured(f"{_YAML} cannot be read: {sentence}.") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise Misconfigured(f"{_YAML} must hold lines of the form `port: 8029`.")
    return {str(name): value for name, value in content.items()}
