"""Embeddings over the OpenAI API, and a space that uses them."""

import asyncio
import json
import math
from typing import Any

import pytest

from acontext_server.kit.bus import Bus
from acontext_server.kit.config import Settings
from acontext_server.kit.errors import Unavailable
from acontext_server.space.embedder import open_embedder
from tests.model.endpoint import RESET, Endpoint, Reply, error, vector_of
from tests.services import Platform
from tests.space.neighbours import Neighbours
from tests.space.running import Space

MODEL = "scripted-embedder"


def embedding(endpoint: Endpoint, **chosen: Any) -> Settings:
    settings = Settings(
        embedder_url=endpoint.url, embedder_model=MODEL, model_url="rules:", model_retries=0
    )
    return settings.model_copy(update=chosen)


def vectors(*found: tuple[int, list[float]]) -> Reply:
    data = [{"index": index, "embedding": vector} for index, vector in found]
    return Reply(json.dumps({"object": "list", "data": data}).encode())


async def test_vectors_come_in_the_order_of_their_texts_and_of_length_one(
    endpoint: Endpoint,
) -> None:
    texts = [f"word{number} text" for number in range(200)]
    async with open_embedder(embedding(endpoint)) as embedder:
        found = await embedder.embed(texts)
    assert embedder.space.id == "scripted-embedder@openai/64"
    assert [len(request["input"]) for request in endpoint.asked] == [1, 96, 96, 8]
    for text, vector in zip(texts, found, strict=True):
        assert math.isclose(math.hypot(*vector), 1, abs_tol=1e-6)
        length = math.hypot(*vector_of(text))
        assert vector == pytest.approx([value / length for value in vector_of(text)])


async def test_nothing_is_asked_for_no_texts_and_a_blank_for_an_empty_one(
    endpoint: Endpoint,
) -> None:
    async with open_embedder(embedding(endpoint)) as embedder:
        assert await embedder.embed([]) == []
        await embedder.embed([""])
    assert [request["input"] for request in endpoint.asked] == [["dimension"], [" "]]


@pytest.mark.parametrize(
    "answer",
    [
        error(500),
        RESET,
        Reply(b"{}"),
        vectors((0, [1.0] * 64)),
        vectors((0, [1.0] * 64), (0, [1.0] * 64)),
        vectors((0, [1.0] * 64), (1, [0.0] * 64)),
        vectors((0, [1.0] * 3), (1, [1.0] * 3)),
    ],
    ids=["500", "reset", "nothing", "one short", "one twice", "no direction", "other dimension"],
)
async def test_what_is_no_pair_of_vectors_is_unavailable(endpoint: Endpoint, answer: Reply) -> None:
    async with open_embedder(embedding(endpoint)) as embedder:
        endpoint.script(answer, model=MODEL)
        with pytest.raises(Unavailable):
            await embedder.embed(["a", "b"])


async def test_an_endpoint_that_is_away_is_told_at_the_start(endpoint: Endpoint) -> None:
    endpoint.script(error(401), model=MODEL)
    with pytest.raises(Unavailable):
        async with open_embedder(embedding(endpoint)):
            pass


async def test_keys_go_only_where_they_belong(endpoint: Endpoint) -> None:
    async def key_sent(**chosen: Any) -> str:
        async with open_embedder(embedding(endpoint, **chosen)):
            return endpoint.headers[-1]["authorization"]

    other = "openai://127.0.0.1:1/v1?secure=false"
    assert await key_sent(embedder_key="sk-e") == "Bearer sk-e"
    assert await key_sent(model_url=endpoint.url, model_key="sk-m") == "Bearer sk-m"
    assert await key_sent(model_url=other, model_key="sk-m") == "Bearer none"
    assert await key_sent(openai_api_key="sk-own") == "Bearer none"


async def test_a_space_finds_its_skills_by_them(
    settings: Settings, endpoint: Endpoint, neighbours: Neighbours, bus: Bus
) -> None:
    chosen = {"embedder_url": endpoint.url, "embedder_model": MODEL}
    platform = Platform(settings.model_copy(update=chosen))
    await platform.start("space")
    try:
        space = Space(platform, neighbours, bus)
        space_id = await space.create()
        page = await space.create_block(space_id, "page", title="github")
        for title in ("star a repo", "book a table"):
            props = {"preferences": "", "tool_sops": [{"tool_name": "do", "action": title}]}
            await space.create_block(space_id, "sop", parent_id=page, title=title, props=props)
        async with asyncio.timeout(30):
            found = await space.found(space_id, "star a repo")
        assert found[0].title == "star a repo"
        assert endpoint.asked_of(MODEL)
    finally:
        await platform.stop_all()
