"""The engines that only space stands on, as its health looks at them."""

from acontext_server.kit.config import Settings
from acontext_server.kit.health import Engine, adapter_of, ask_endpoint
from acontext_server.space.vectors import Vectors


def vectors_engine(url: str, vectors: Vectors) -> Engine:
    """Look at what finds the nearest vectors."""
    return Engine(
        name="vectors",
        adapter=adapter_of(url),
        ask=vectors.ask_version,
        remedy="Start it, or mend ACONTEXT_VECTORS_URL.",
    )


def embedder_engine(settings: Settings) -> Engine:
    """Look at what makes vectors of texts."""

    async def ask() -> None:
        if adapter_of(settings.embedder_url) == "openai":
            from acontext_server.space.embedder.openai import key_of

            await ask_endpoint(settings.embedder_url, key_of(settings), settings)

    return Engine(
        name="embedder",
        adapter=adapter_of(settings.embedder_url),
        ask=ask,
        remedy="Look at the endpoint, or mend ACONTEXT_EMBEDDER_URL and ACONTEXT_EMBEDDER_KEY.",
        is_foreign=True,
    )
