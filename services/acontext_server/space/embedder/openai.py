"""Embeddings over the OpenAI API, from OpenAI or anything that speaks it."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import numpy as np
import structlog
from openai import AsyncOpenAI
from pydantic import BaseModel, ValidationError

from acontext_server.kit.config import Settings
from acontext_server.kit.errors import Unavailable
from acontext_server.kit.model import ModelFailed
from acontext_server.kit.model.openai import base_url, model_errors, open_client, slot
from acontext_server.space.embedder import EmbeddingSpace, Vector
from acontext_server.space.ranking import Cut

log = structlog.get_logger()

BATCH = 96
LONGEST_TEXT = 8_000
"""Characters; endpoints refuse a text that is longer than their model reads."""


class _Item(BaseModel):
    index: int
    embedding: list[float]


class _Embeddings(BaseModel):
    data: list[_Item]


@asynccontextmanager
async def open_openai_embedder(settings: Settings) -> AsyncIterator["OpenAIEmbedder"]:
    """Open the embedder and ask how many numbers its vectors have."""
    async with open_client(settings.embedder_url, key_of(settings), settings) as client:
        embedder = OpenAIEmbedder(client, settings)
        await embedder.probe()
        yield embedder


def key_of(settings: Settings) -> str:
    """Choose the key; one goes to the endpoint that it is for, and to no other."""
    if settings.embedder_key:
        return settings.embedder_key
    if settings.embedder_url == "openai:" and settings.openai_api_key:
        return settings.openai_api_key
    is_models = settings.model_url.startswith("openai:")
    shared = is_models and base_url(settings.model_url) == base_url(settings.embedder_url)
    return settings.model_key if shared else ""


class OpenAIEmbedder:
    """Asks an endpoint; Unavailable when it does not answer."""

    def __init__(self, client: AsyncOpenAI, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self.default_cut = Cut(settings.embedder_threshold)
        self.space = EmbeddingSpace(settings.embedder_model, "openai", 0)

    async def probe(self) -> None:
        """Find out the dimension, which belongs to the name of the embedding space."""
        (vector,) = await self._embed(["dimension"])
        self.space = EmbeddingSpace(self._settings.embedder_model, "openai", len(vector))

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        vectors: list[Vector] = []
        for start in range(0, len(texts), BATCH):
            vectors += await self._embed(texts[start : start + BATCH])
        if any(len(vector) != self.space.dimension for vector in vectors):
            log.error("embedder_broke", error="vectors of another dimension than before")
            raise Unavailable("embedder")
        return vectors

    async def _embed(self, texts: Sequence[str]) -> list[Vector]:
        # An empty text is refused everywhere.
        given = [text[:LONGEST_TEXT] or " " for text in texts]
        with _unavailable():
            async with slot(self._settings):
                with model_errors(self._client.api_key):
                    raw = await self._client.embeddings.with_raw_response.create(
                        model=self._settings.embedder_model, input=given, encoding_format="float"
                    )
            return _read(raw.content, len(texts))


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except ModelFailed as error:
        log.warning("embedder_failed", error=str(error))
        raise Unavailable("embedder") from error


def _read(body: bytes, count: int) -> list[Vector]:
    try:
        found = {one.index: one.embedding for one in _Embeddings.model_validate_json(body).data}
    except ValidationError as error:
        raise ModelFailed("the answer holds no embeddings") from error
    if sorted(found) != list(range(count)):
        raise ModelFailed(f"{len(found)} embeddings came for {count} texts")
    return [_unit(found[index]) for index in range(count)]


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0:
        raise ModelFailed("an embedding has no direction")
    return [value / length for value in vector]
