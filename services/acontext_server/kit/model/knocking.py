"""Finding out whether an endpoint of models is there, at no cost: it is asked what it has."""

from openai import APIStatusError

from acontext_server.kit.config import Settings
from acontext_server.kit.errors import Unavailable
from acontext_server.kit.model import ModelFailed
from acontext_server.kit.model.openai import model_errors, open_client

SECONDS = 2.5
_REFUSES = (401, 403)


async def knock(url: str, key: str, settings: Settings) -> None:
    """Return when the endpoint of an `openai:` URL answers and takes the key; else Unavailable.

    Not every endpoint lists its models, so any other answer will do.
    """
    async with open_client(url, key, settings) as client:
        asked = client.with_options(timeout=SECONDS, max_retries=0)
        try:
            with model_errors(key):
                await asked.models.list()
        except ModelFailed as error:
            if _is_answer(error.__cause__):
                return
            raise Unavailable("the endpoint") from error


def _is_answer(cause: BaseException | None) -> bool:
    if not isinstance(cause, APIStatusError):
        return False
    return cause.status_code not in _REFUSES and cause.status_code < 500
