"""What every index of vectors does, on the real engines."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from uuid import UUID, uuid4

import pytest

from acontext_server.kit.ids import ProjectId, uuid7
from acontext_server.space.embedder import EmbeddingSpace
from acontext_server.space.vectors import Vectors, open_vectors
from tests.engines import new_database

SPACE = EmbeddingSpace("test", "1", 3)
EAST, NORTH, WEST = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]
NORTH_EAST = [0.6, 0.8, 0.0]


@pytest.fixture(params=["pgvector", pytest.param("weaviate", marks=pytest.mark.engines)])
def urls(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    with ExitStack() as stack:
        if request.param == "weaviate":
            yield request.getfixturevalue("weaviate_url"), ""
            return
        server = request.getfixturevalue("postgres")
        name = stack.enter_context(new_database(server))
        yield "pgvector:", server.url_of(name)


@pytest.fixture
async def vectors(urls: tuple[str, str]) -> AsyncIterator[Vectors]:
    async with open_vectors(urls[0], database_url=urls[1], embedding_space=SPACE) as opened:
        yield opened


@pytest.fixture
async def project(vectors: Vectors) -> AsyncIterator[ProjectId]:
    mine = ProjectId(uuid4())
    yield mine
    await vectors.delete_project(mine)


async def test_the_nearest_come_with_their_cosine_distances(
    vectors: Vectors, project: ProjectId
) -> None:
    space, east, north, west = (uuid7() for _ in range(4))
    await vectors.upsert(project, space, {east: EAST, north: NORTH, west: WEST})

    found = await vectors.query(project, space, NORTH_EAST, limit=2)

    assert found == {north: pytest.approx(0.2, abs=1e-5), east: pytest.approx(0.4, abs=1e-5)}


async def test_the_opposite_is_2_away(vectors: Vectors, project: ProjectId) -> None:
    space, west = uuid7(), uuid7()
    await vectors.upsert(project, space, {west: WEST})

    assert await vectors.query(project, space, EAST, limit=1) == {west: pytest.approx(2.0)}


async def test_a_vector_kept_again_replaces_the_first(vectors: Vectors, project: ProjectId) -> None:
    space, one = uuid7(), uuid7()
    await vectors.upsert(project, space, {one: WEST})
    await vectors.upsert(project, space, {one: EAST})

    found = await vectors.query(project, space, EAST, limit=10)

    assert found == {one: pytest.approx(0.0, abs=1e-5)}


async def test_spaces_and_projects_do_not_see_each_other(
    vectors: Vectors, project: ProjectId
) -> None:
    here, there, one, other = (uuid7() for _ in range(4))
    await vectors.upsert(project, here, {one: EAST})
    await vectors.upsert(project, there, {other: EAST})
    stranger = ProjectId(uuid4())

    assert list(await vectors.query(project, here, EAST, limit=10)) == [one]
    assert await vectors.query(stranger, here, EAST, limit=10) == {}


async def test_what_is_deleted_is_not_found_and_unknown_ids_are_fine(
    vectors: Vectors, project: ProjectId
) -> None:
    space, kept, gone = uuid7(), uuid7(), uuid7()
    await vectors.upsert(project, space, {kept: EAST, gone: EAST})

    await vectors.delete(project, [gone, uuid7()])

    assert list(await vectors.query(project, space, EAST, limit=10)) == [kept]


async def test_deleting_in_a_project_that_has_nothing_is_fine(vectors: Vectors) -> None:
    nobody = ProjectId(uuid4())

    await vectors.delete(nobody, [uuid7()])
    await vectors.delete_project(nobody)

    assert await vectors.query(nobody, uuid7(), EAST, limit=1) == {}


async def test_a_deleted_project_is_empty_and_can_be_filled_again(
    vectors: Vectors, project: ProjectId
) -> None:
    space, before, after = uuid7(), uuid7(), uuid7()
    await vectors.upsert(project, space, {before: EAST})

    await vectors.delete_project(project)
    await vectors.upsert(project, space, {after: EAST})

    assert list(await vectors.query(project, space, EAST, limit=10)) == [after]


async def test_another_embedding_space_is_another_index(
    urls: tuple[str, str], vectors: Vectors, project: ProjectId
) -> None:
    space, one = uuid7(), uuid7()
    await vectors.upsert(project, space, {one: EAST})
    newer = EmbeddingSpace("test", "2", 3)

    async with open_vectors(urls[0], database_url=urls[1], embedding_space=newer) as other:
        assert await other.query(project, space, EAST, limit=10) == {}


async def test_the_engine_tells_its_version(vectors: Vectors) -> None:
    assert (await vectors.ask_version())[0].isdigit()


async def test_all_of_a_large_space_is_compared(vectors: Vectors, project: ProjectId) -> None:
    space, needle = uuid7(), uuid7()
    hay = {uuid7(): [0.001 * index, 1.0, 0.0] for index in range(400)}
    await vectors.upsert(project, space, hay)
    await vectors.upsert(project, space, {needle: EAST})

    found = await vectors.query(project, space, EAST, limit=200)

    assert len(found) == 200
    assert min(found, key=lambda one: found[one]) == needle


async def scanned(vectors: Vectors, project: ProjectId) -> dict[UUID, tuple[UUID, list[float]]]:
    return {
        one.id: (one.space_id, one.vector) async for page in vectors.scan(project) for one in page
    }


async def test_all_that_is_kept_can_be_read_back(vectors: Vectors, project: ProjectId) -> None:
    here, there = uuid7(), uuid7()
    kept = {uuid7(): [0.6, 0.8 - 0.0001 * index, 0.1] for index in range(1_100)}
    lone = uuid7()
    await vectors.upsert(project, here, kept)
    await vectors.upsert(project, there, {lone: EAST})

    found = await scanned(vectors, project)

    assert found.keys() == kept.keys() | {lone}
    assert found.pop(lone) == (there, EAST)
    assert {space for space, _ in found.values()} == {here}
    for key, vector in kept.items():
        assert found[key][1] == pytest.approx(vector, abs=1e-6)
    assert project in [one async for one in vectors.projects()]
    assert await scanned(vectors, ProjectId(uuid4())) == {}


async def test_a_deleted_project_is_gone_from_every_embedding_space(
    urls: tuple[str, str], vectors: Vectors, project: ProjectId
) -> None:
    newer = EmbeddingSpace("test", uuid4().hex, 3)
    async with open_vectors(urls[0], database_url=urls[1], embedding_space=newer) as other:
        for each in (vectors, other):
            await each.upsert(project, uuid7(), {uuid7(): EAST})

        await vectors.delete_project(project)

        assert await scanned(other, project) == {}
        assert project not in [one async for one in other.projects()]
        await vectors.drop(newer.id)


async def test_another_embedding_space_can_be_dropped(
    urls: tuple[str, str], vectors: Vectors, project: ProjectId
) -> None:
    space, one = uuid7(), uuid7()
    old = EmbeddingSpace("test", uuid4().hex, 3)
    async with open_vectors(urls[0], database_url=urls[1], embedding_space=old) as other:
        await other.upsert(project, space, {one: EAST})
    await vectors.upsert(project, space, {one: NORTH})

    await vectors.drop(old.id)
    await vectors.drop(old.id)

    assert list(await vectors.query(project, space, NORTH, limit=9)) == [one]
    async with open_vectors(urls[0], database_url=urls[1], embedding_space=old) as other:
        assert await scanned(other, project) == {}
        await vectors.drop(old.id)
