"""What every embedder does: the one in a wheel, and one behind an endpoint."""

import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from acontext_server.kit.config import Settings
from acontext_server.space.embedder import Embedder, open_embedder
from tests.model.endpoint import scripted_endpoint

TEXTS = [
    "star a repo on github",
    "book a table for two",
    "",
    "ü" * 20_000,
    "line\nbreaks\tand 文字",
]


@pytest.fixture(params=["local", "openai"])
async def settings(request: pytest.FixtureRequest) -> AsyncIterator[Settings]:
    async with AsyncExitStack() as running:
        url = "local:"
        if request.param == "openai":
            url = (await running.enter_async_context(scripted_endpoint())).url
        yield Settings(embedder_url=url, embedder_model="scripted", model_url="rules:")


@pytest.fixture
async def embedder(settings: Settings) -> AsyncIterator[Embedder]:
    async with open_embedder(settings) as opened:
        yield opened


async def test_each_text_gets_a_unit_vector_of_the_spaces_dimension(embedder: Embedder) -> None:
    vectors = await embedder.embed(TEXTS)
    assert len(vectors) == len(TEXTS)
    for vector in vectors:
        assert len(vector) == embedder.space.dimension
        assert math.isclose(math.hypot(*vector), 1, abs_tol=1e-5)


async def test_nothing_comes_of_no_texts(embedder: Embedder) -> None:
    assert await embedder.embed([]) == []


async def test_a_text_has_the_same_vector_whatever_stands_beside_it(embedder: Embedder) -> None:
    together = await embedder.embed([TEXTS[0], *TEXTS[1:] * 30, TEXTS[0]])
    (alone,) = await embedder.embed([TEXTS[0]])
    assert together[0] == pytest.approx(alone, abs=1e-5)
    assert together[-1] == pytest.approx(alone, abs=1e-5)


async def test_other_words_have_another_vector(embedder: Embedder) -> None:
    one, other = await embedder.embed(TEXTS[:2])
    assert sum(a * b for a, b in zip(one, other, strict=True)) < 0.9


async def test_the_space_is_named_alike_by_every_process(
    settings: Settings, embedder: Embedder
) -> None:
    async with open_embedder(settings) as another:
        assert another.space == embedder.space
        assert another.space.id == embedder.space.id
    assert embedder.space.id.endswith(f"/{embedder.space.dimension}")
