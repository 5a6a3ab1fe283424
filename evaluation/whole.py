"""The whole evaluation: every file through the real services."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random

from evaluation import observing
from evaluation.conversations import Conversation, read
from evaluation.learning import LearningFigures
from evaluation.models import use_rows
from evaluation.retrieval import FOLDS, SEED, Fold, Ranks, folds
from evaluation.services import Services, at_once, open_services
from evaluation.table import Row, Target, share

KINDS = ("paraphrase", "indirect", "keywords")
NONE = Target(value=0, at_most=True)


async def rows(files: Mapping[str, Path]) -> list[Row]:
    """Start the system and measure everything that there is data for."""
    told: list[Row] = []
    async with open_services() as services:
        for name in ("SGD", "TAU"):
            if name in files:
                told += await _conversations(services, list(read(files[name])), files[name])
        if "QUERIES" in files:
            lines = [json.loads(line) for line in files["QUERIES"].read_text().splitlines()]
            told.append(Row(name=_name(files["QUERIES"]), cases=f"{len(lines)} skills"))
            told += await _queries(services, lines)
        told += use_rows(await services.token_use())
    return told


async def _conversations(
    services: Services, conversations: Sequence[Conversation], path: Path
) -> list[Row]:
    print(f"{_name(path)}: {len(conversations)} conversations …", file=sys.stderr)
    space_id = await services.create_space()
    runs = await services.learn(conversations, space_id)
    figures = LearningFigures(runs, await services.skills(space_id))
    for skill_id, leaked in figures.leaks:
        print(f"leak: {leaked} in skill {skill_id}", file=sys.stderr)
    told = [Row(name=_name(path), cases=f"{len(runs)} conversations")]
    told += observing.rows(conversations, [run.tasks for run in runs])
    told += _learned(figures)
    if figures.intents:
        told += await _retrieval(services, conversations)
    return told


def _learned(figures: LearningFigures) -> Iterator[Row]:
    skills, intents = len(figures.skills), len(figures.intents)
    yield Row(name="skills learned", value=skills, cases=f"{figures.versions} versions")
    yield Row(
        name="invented steps",
        value=len(figures.invented),
        cases=f"{figures.steps} steps",
        target=NONE,
    )
    yield share("leaks", figures.leaky, "skills", NONE)
    if intents:
        agreement, cases = figures.agreement
        yield Row(name="step agreement", value=agreement, cases=f"{cases} labelled tasks")
        yield Row(
            name="duplicates", value=skills / intents, cases=f"{skills} skills, {intents} intents"
        )
        yield Row(name="skills of two intents", value=figures.mixed, cases=f"{skills} skills")


async def _retrieval(services: Services, conversations: Sequence[Conversation]) -> list[Row]:
    ranks, strange = Ranks(), Ranks()
    for fold in folds(conversations):
        await _ask(services, fold, ranks, strange)
    told = _ranked(ranks, f"queries to {FOLDS} spaces", Target(value=0.55))
    return [
        *told,
        share("false answers, strange", strange.false_answers, "queries of nothing alike"),
    ]


async def _ask(services: Services, fold: Fold, ranks: Ranks, strange: Ranks) -> None:
    """Ask one space; strange to it is what has neither service nor intent's name with a skill."""
    space_id = await services.create_space()
    runs = await services.learn(fold.taught, space_id)
    figures = LearningFigures(runs, await services.skills(space_id))
    labels = {skill.id: figures.label(skill) for skill in figures.skills}
    found = await at_once(fold.asked, lambda one: services.search(space_id, one.query))
    for conversation, ids in zip(fold.asked, found, strict=True):
        wanted = conversation.tasks[0].label
        known = {label for label in labels.values() if label}
        labelled = [labels[skill_id] for skill_id in ids]
        ranks.add(labelled, wanted, known=wanted in known)
        if not set(wanted) & {name for label in known for name in label}:
            strange.add(labelled, wanted, known=False)


async def _queries(services: Services, lines: Sequence[Mapping[str, str]]) -> list[Row]:
    """Ask for skills that people wrote: all of them together, then each half for the other."""
    ranks = Ranks()
    everything = {line["id"]: line["use_when"] for line in lines}
    await _ask_written(services, everything, lines, ranks)
    shuffled = Random(SEED).sample(lines, len(lines))
    halves = shuffled[: len(lines) // 2], shuffled[len(lines) // 2 :]
    for written, asked in (halves, halves[::-1]):
        skills = {line["id"]: line["use_when"] for line in written}
        await _ask_written(services, skills, asked, ranks)
    return list(_ranked(ranks, "queries"))


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


async def _ask_written(
    services: Services,
    skills: Mapping[str, str],
    asked: Sequence[Mapping[str, str]],
    ranks: Ranks,
) -> None:
    space_id = await services.create_space()
    names = {made: name for name, made in (await services.write_skills(skills, space_id)).items()}
    queries = [(line["id"], line[kind]) for line in asked for kind in KINDS]
    found = await at_once(queries, lambda one: services.search(space_id, one[1]))
    for (wanted, _), ids in zip(queries, found, strict=True):
        ranks.add([names[made] for made in ids], wanted, known=wanted in skills)


def _ranked(ranks: Ranks, of: str, target: Target | None = None) -> Iterator[Row]:
    yield share("Recall@1", ranks.recall(1), of, target)
    yield share("Recall@3", ranks.recall(3), of)
    yield Row(name="MRR", value=ranks.mean_reciprocal_rank, cases=f"{len(ranks.ranks)} {of}")
    yield share("false answers", ranks.false_answers, "queries of what is withheld")
