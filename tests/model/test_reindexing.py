"""Another embedder takes over while searches go on, on either index."""

import asyncio
from collections.abc import AsyncIterator
from itertools import cycle

import pytest

from acontext.space import v1 as pb
from acontext_server.kit.bus import Bus
from acontext_server.kit.config import Settings
from acontext_server.kit.engines import free_port
from acontext_server.kit.ids import uuid7
from acontext_server.space.domain.errors import EmbeddingSpaceMismatch
from acontext_server.space.reindex import open_indexer, reindex, retire
from tests.model.endpoint import Endpoint
from tests.services import Platform
from tests.space.neighbours import ROOT, Neighbours
from tests.space.running import Space, eventually

SKILLS = 40


@pytest.fixture(params=["pgvector", pytest.param("weaviate", marks=pytest.mark.engines)])
async def old(
    request: pytest.FixtureRequest, settings: Settings, neighbours: Neighbours, bus: Bus
) -> AsyncIterator[Space]:
    """A space with the local embedder."""
    if request.param == "weaviate":
        settings.vectors_url = request.getfixturevalue("weaviate_url")
    platform = Platform(settings)
    await platform.start("space")
    yield Space(platform, neighbours, bus)
    await platform.stop_all()
    async with open_indexer(settings) as indexer:
        await indexer.vectors.delete_project(ROOT)


async def write(space: Space, space_id: str, page: str, title: str) -> str:
    props = {"preferences": "", "tool_sops": [{"tool_name": "do", "action": title}]}
    return await space.create_block(space_id, "sop", parent_id=page, title=title, props=props)


async def first_is(space: Space, space_id: str, title: str) -> None:
    """Wait until a search for a title finds it first."""

    async def titles() -> list[str]:
        return [one.title for one in await space.search(space_id, title)]

    await eventually(titles, lambda found: found[:1] == [title])


async def vectors_of(settings: Settings) -> set[str]:
    async with open_indexer(settings) as indexer:
        return {str(one.id) async for page in indexer.vectors.scan(ROOT) for one in page}


async def test_another_embedder_takes_over_while_searches_go_on(
    old: Space, endpoint: Endpoint, neighbours: Neighbours, bus: Bus
) -> None:
    space_id = await old.create()
    page = await old.create_block(space_id, "page", title="errands")
    ids = {await write(old, space_id, page, f"errand number {index}") for index in range(SKILLS)}
    await old.found(space_id, "errand number 7")
    chosen = {
        "embedder_url": endpoint.url,
        "embedder_model": "another",
        "space_address": f"127.0.0.1:{free_port()}",
    }
    settings = old.platform.settings.model_copy(update=chosen)
    platform = Platform(settings)
    with pytest.raises(EmbeddingSpaceMismatch, match="reindex"):
        await platform.start("space")

    async def search_again_and_again() -> None:
        numbers = cycle(range(SKILLS))
        while not rebuilt.done():
            assert await old.search(space_id, f"errand number {next(numbers)}")

    rebuilt = asyncio.create_task(reindex(settings))
    searching = asyncio.create_task(search_again_and_again())
    late = await write(old, space_id, page, "an errand that came meanwhile")
    gone = ids.pop()
    request = pb.DeleteBlockRequest(space_id=space_id, block_id=gone)
    await old.spaces.DeleteBlock(request, metadata=old.key)
    assert await rebuilt >= SKILLS - 1
    await searching

    await platform.start("space")
    try:
        new = Space(platform, neighbours, bus)
        later = await write(new, space_id, page, "an errand for both")
        for each in (old, new):
            for title in ("an errand that came meanwhile", "an errand for both"):
                await first_is(each, space_id, title)
        await old.platform.stop("space")
        assert len(await retire(settings)) == 1
        await first_is(new, space_id, "an errand for both")
        assert await vectors_of(settings) == ids | {late, later}
    finally:
        await platform.stop_all()
    with pytest.raises(EmbeddingSpaceMismatch):
        await old.platform.start("space")


async def test_rebuilding_forgets_what_postgresql_does_not_know(old: Space) -> None:
    space_id = await old.create()
    page = await old.create_block(space_id, "page", title="errands")
    kept = await write(old, space_id, page, "the one errand")
    await old.found(space_id, "the one errand")
    settings = old.platform.settings
    async with open_indexer(settings) as indexer:
        ((first,),) = [page async for page in indexer.vectors.scan(ROOT)]
        await indexer.vectors.upsert(ROOT, first.space_id, {uuid7(): first.vector})
        await indexer.vectors.delete(ROOT, [first.id])

    assert await reindex(settings) == 1

    assert await vectors_of(settings) == {kept}
