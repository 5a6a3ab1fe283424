"""The embedder and the ranking, measured on queries that people wrote for skills."""

import json
import math
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from acontext_server.kit.config import Settings
from acontext_server.kit.database import Database, open_database
from acontext_server.kit.engines import Postgres
from acontext_server.space.embedder import Embedder, UnknownEmbedder, Vector, open_embedder
from acontext_server.space.ranking import Cut, WordHits, embedded_text, rank
from tests.engines import new_database

QUERIES = Path(__file__).parents[3] / "shared/data/skill-queries/english-65.jsonl"
KINDS = ("paraphrase", "indirect", "keywords")


@pytest.fixture
async def embedder() -> AsyncIterator[Embedder]:
    async with open_embedder(Settings(embedder_url="local:")) as opened:
        yield opened


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    with new_database(postgres) as name:
        async with open_database(postgres.url_of(name), pool=1) as opened:
            yield opened


def cosine(one: Vector, other: Vector) -> float:
    return sum(left * right for left, right in zip(one, other, strict=True))


async def test_vectors_are_unit_vectors_that_do_not_depend_on_their_neighbours(
    embedder: Embedder,
) -> None:
    (alone,) = await embedder.embed(["star a repo"])
    beside = await embedder.embed(["a much longer text about something else", "star a repo"])

    assert len(alone) == embedder.space.dimension == 384
    assert math.isclose(cosine(alone, alone), 1, abs_tol=1e-5)
    assert beside[1] == alone


async def test_alike_texts_are_near(embedder: Embedder) -> None:
    star, like, pie = await embedder.embed(
        ["star a repo on github", "give a github repository a star", "bake an apple pie"]
    )

    assert cosine(star, like) > 0.8 > 0.2 > cosine(star, pie)


async def test_an_unknown_embedder_is_named() -> None:
    with pytest.raises(UnknownEmbedder, match="hub"):
        async with open_embedder(Settings(embedder_url="hub://model")):
            pass


def test_what_all_skills_begin_with_is_not_embedded() -> None:
    assert embedded_text("Use when the bill is due") == "the bill is due"
    assert embedded_text("Use this skill when paying") == "paying"
    assert embedded_text("whenever it rains") == "it rains"
    assert embedded_text("when") == "when"


def test_the_tool_that_did_the_work_is_embedded_before_the_words_of_a_user() -> None:
    assert embedded_text("Use when paying a bill (pay invoice)") == "pay invoice: paying a bill"
    assert embedded_text("pay (soon) a bill") == "pay (soon) a bill"


def test_what_is_near_to_all_must_be_nearer_unless_somebody_set_the_threshold() -> None:
    near, others = UUID(int=0), [UUID(int=number) for number in range(1, 10)]
    apart = {near: 0.55, **dict.fromkeys(others, 0.95)}
    crowded = {near: 0.55, **dict.fromkeys(others, 0.7)}
    calibrated = Cut(threshold=0.64, crowding=0.5)

    assert calibrated.allows(apart) == [near]
    assert calibrated.allows(crowded) == []
    assert Cut(0.64).allows(crowded) == [near]
    assert calibrated.allows({near: 0.63}) == [near]
    assert calibrated.allows({near: 0.65, others[0]: 1.4}) == []


def test_words_break_ties_and_the_threshold_is_on_the_distance() -> None:
    first, second, far = UUID(int=1), UUID(int=2), UUID(int=3)
    distances = {first: 0.4, second: 0.41, far: 0.9}
    hits = {
        second: WordHits(frozenset({"invoic"})),
        far: WordHits(frozenset({"invoic", "pay"})),
    }

    ranked = rank(distances, hits, stems={"invoic", "pay"}, total=3, cut=Cut(0.62), limit=10)

    assert [one.skill_id for one in ranked] == [second, first]
    assert [one.distance for one in ranked] == [0.41, 0.4]


async def test_the_right_skill_comes_first_for_three_queries_of_four(
    embedder: Embedder, database: Database
) -> None:
    if not QUERIES.exists():
        pytest.skip("the labelled queries are not beside this checkout")
    skills = [json.loads(line) for line in QUERIES.read_text().splitlines()]
    use_when = [skill["use_when"] for skill in skills]
    documents = await embedder.embed([embedded_text(text) for text in use_when])
    stems = await _stems(database, use_when)
    queries = [(gold, skill[kind]) for kind in KINDS for gold, skill in enumerate(skills)]
    asked = await embedder.embed([query for _, query in queries])
    asked_stems = await _stems(database, [query for _, query in queries])

    first, answered_without = 0, 0
    for (gold, _), vector, words in zip(queries, asked, asked_stems, strict=True):
        distances = {UUID(int=n): 1 - cosine(vector, one) for n, one in enumerate(documents)}
        hits = {UUID(int=n): WordHits(stems[n] & words) for n in range(len(skills))}
        best = rank(distances, hits, stems=words, total=len(skills), cut=Cut(2), limit=1)
        first += best[0].skill_id == UUID(int=gold)
        del distances[UUID(int=gold)]
        answered_without += bool(embedder.default_cut.allows(distances))

    assert first / len(queries) >= 0.74
    assert answered_without / len(queries) <= 0.22


async def _stems(database: Database, texts: list[str]) -> list[frozenset[str]]:
    async with database.transaction() as tx:
        found = [
            await tx.execute(select(func.tsvector_to_array(func.to_tsvector("english", text))))
            for text in texts
        ]
    return [frozenset(one.scalar_one()) for one in found]
