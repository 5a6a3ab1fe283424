"""Merging and placing: one skill per purpose, and a place that is found again."""

from uuid import UUID

import pytest

from acontext_server.space.domain.merging import Known, Verdict, merge
from acontext_server.space.domain.placing import Page, fitting_page, page_title
from acontext_server.space.domain.skills import Sop, Step

KNOWN = UUID(int=7)


def sop(*tools: str, preferences: str = "", use_when: str = "star a repo") -> Sop:
    return Sop(use_when, preferences, tuple(Step(tool, f"{tool} it") for tool in tools))


def known(said: Sop, distance: float, **fields: object) -> Known:
    return Known(KNOWN, said, distance, **fields)  # type: ignore[arg-type]  # named in each test


@pytest.mark.parametrize(
    ("lesson", "there", "distance", "verdict"),
    [
        (sop("a", "b"), sop("a", "b"), 0.0, Verdict.SAME),
        (sop("a", "b"), sop("a", "b", use_when="STAR a repo!"), 0.5, Verdict.SAME),
        (sop("a", "b"), sop("a", "b", use_when="other"), 0.55, Verdict.SAME),
        (sop("a", "b"), sop("a", "b", use_when="other"), 0.7, Verdict.NEW),
        (sop("a"), sop("a", "b"), 0.1, Verdict.IMPROVED),
        (sop("c"), sop("a", "b"), 0.1, Verdict.IMPROVED),
        (sop("c"), sop("a", "b"), 0.4, Verdict.NEW),
        (sop("a", "x", "b"), sop("a", "b"), 0.1, Verdict.SAME),
        (sop(preferences="be brief"), sop("a"), 0.3, Verdict.IMPROVED),
        (sop(preferences="be brief"), sop("a"), 0.5, Verdict.NEW),
        (
            sop("a", preferences="user wants the repo not forked"),
            sop("a", preferences="user wants the repo forked"),
            0.1,
            Verdict.SUPERSEDED,
        ),
    ],
)
def test_a_lesson_is_merged_by_purpose_tools_and_preferences(
    lesson: Sop, there: Sop, distance: float, verdict: Verdict
) -> None:
    assert merge(lesson, [known(there, distance)]).verdict is verdict


def test_what_contradicts_takes_the_place_of_what_it_contradicts() -> None:
    old = sop("a", preferences="be quick. user wants the repo forked")
    new = sop("a", preferences="user wants the repo not forked")

    merged = merge(new, [known(old, 0.1)])

    assert merged.sop.preferences == "be quick. user wants the repo not forked"


def test_two_ways_do_not_replace_each_other_for_ever() -> None:
    one, other = sop("a", "b"), sop("c", "d")

    assert merge(one, [known(other, 0.1, former=(one,))]).verdict is Verdict.SAME


def test_a_task_completed_anew_supersedes_what_it_taught_alone() -> None:
    merged = merge(sop("c"), [known(sop("a"), 1.5, taught_by_same_task=True)])

    assert (merged.verdict, merged.skill_id) == (Verdict.SUPERSEDED, KNOWN)
    assert merged.sop == sop("c")


def test_a_skill_stands_beside_its_like_or_under_a_fitting_title() -> None:
    near, far = Page(UUID(int=1), "cooking", 0.4), Page(UUID(int=2), "github_repos", 1.2)

    assert fitting_page("bake a pie", [far, near]) == near
    assert fitting_page("find a github repos owner", [far]) == far
    assert fitting_page("bake a pie", [far]) is None


@pytest.mark.parametrize(
    ("use_when", "taken", "title"),
    [
        ("Find a hotel in the city (search hotel)", set(), "find_hotel_city"),
        ("Find a hotel in the city", {"find_hotel_city"}, "find_hotel_city_2"),
        ("star the user's new repo on github now", set(), "star_user's_new_repo"),
        ("to be or not to be", set(), "skills"),
    ],
)
def test_titles_are_short_and_unique(use_when: str, taken: set[str], title: str) -> None:
    made = page_title(use_when, taken)

    assert made == title.replace("'", "")
    assert len(made.split("_")) <= 5
