"""Distilling by rules: what a lesson keeps, and above all what it leaves out."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from acontext_server.space.agents.payload import parsed
from acontext_server.space.agents.rules import distil
from acontext_server.space.domain.experience import (
    Call,
    Experience,
    Lesson,
    Result,
    Text,
    Turn,
    without_served,
)
from acontext_server.space.domain.skills import Difficulty, Reason, Sop, Step, worth_keeping
from tests.space.neighbours import Message
from tests.space.running import answered, called, said


def experience(*messages: Message, about: str = "do it", **fields: Any) -> Experience:
    turns = (_turn(str(number), one) for number, one in enumerate(messages))
    return Experience(about, tuple(turns), **fields)


def _turn(number: str, message: Message) -> Turn:
    if message["role"] == "tool":
        return Turn(number, "user", (Result(message["tool_call_id"], message["content"]),))
    calls = [
        Call(one["id"], one["function"]["name"], parsed(one["function"]["arguments"]))
        for one in message.get("tool_calls") or []
    ]
    texts = [Text(message["content"])] if message["content"] else []
    return Turn(number, message["role"], (*texts, *calls))


def path(*tried: tuple[str, dict[str, Any], str]) -> list[Message]:
    """Calls with their answers."""
    messages: list[Message] = []
    for number, (name, arguments, answer) in enumerate(tried):
        messages += [called(name, str(number), **arguments), answered(str(number), answer)]
    return messages


def learned(*messages: Message, **fields: Any) -> Lesson:
    return distil(experience(*messages, **fields))


@pytest.mark.parametrize(
    ("tried", "kept"),
    [
        ([("a", {}, "ok"), ("b", {}, "ok")], ["a", "b"]),
        ([("a", {"x": 1}, "Error: no"), ("a", {"x": 2}, "ok")], ["a"]),
        ([("a", {}, '{"error": "no"}'), ("b", {}, "ok")], ["b"]),
        ([("a", {}, '{"status": "failed"}'), ("b", {}, "ok")], ["b"]),
        ([("a", {}, '{"success": false}'), ("b", {}, "ok")], ["b"]),
        ([("a", {}, "Traceback (most recent call last):"), ("b", {}, "ok")], ["b"]),
        ([("a", {}, "compiling\nexit code: 2"), ("b", {}, "exit code: 0")], ["b"]),
        ([("a", {"x": 1}, "ok"), ("a", {"x": 2}, "ok"), ("a", {"x": 3}, "ok")], ["a"]),
        (
            [(name, {"x": n}, "ok") for n in (1, 2) for name in "ab"] + [("c", {}, "ok")],
            ["a", "b", "c"],
        ),
        ([("a", {}, "ok"), ("b", {}, "ok"), ("a", {}, "ok")], ["a", "b"]),
        ([("a", {}, "no errors found"), ("b", {}, '{"error": null}')], ["a", "b"]),
    ],
)
def test_steps_are_the_shortest_path_that_worked(
    tried: list[tuple[str, dict[str, Any], str]], kept: list[str]
) -> None:
    assert list(learned(*path(*tried)).sop.tool_names) == kept


def test_a_call_that_was_never_answered_is_no_step() -> None:
    assert learned(called("deploy", "1")).sop.steps == ()


def test_an_action_says_where_its_values_come_from_and_none_of_them() -> None:
    lesson = learned(
        said("user", "Cancel my booking, I am omar_davis_3817."),
        *path(
            ("get_user", {"user_id": "omar_davis_3817"}, '{"bookings": ["JG7FMM"]}'),
            ("cancel", {"booking_id": "JG7FMM", "table": "public.bookings"}, "ok"),
        ),
    )

    assert [step.action for step in lesson.sop.steps] == [
        "get user with the user id the user gave",
        "cancel with the booking id from get_user and the table `public.bookings`",
    ]


@pytest.mark.parametrize(
    ("about", "use_when"),
    [
        ("Hi! I'd like to star the repo memobase on github.com", "star the repo on github.com"),
        ("Can you please find me a hotel in Oslo on March 3rd?", "find a hotel in the city"),
        ("I need 3 tickets for 45 dollars", "tickets"),
        ("Great. Could you write my report in Python 3?", "write the user's report in Python 3"),
    ],
)
def test_when_to_use_it_has_no_values_of_this_run(about: str, use_when: str) -> None:
    tried = path(
        ("goto", {"url": "https://github.com/memodb-io/memobase"}, "ok"),
        ("look", {"city": "Oslo"}, "ok"),
    )

    assert learned(*tried, about=about).sop.use_when == use_when


@pytest.mark.parametrize(
    "secret",
    [
        "ann.lee@example.com",
        "+49 170 1234567",
        "JG7FMM",
        "omar_davis_3817",
        "sk-ac-abcdefghijkl",
        "4111 1111 1111 1111",
        "0198c0de-0000-7000-8000-000000000001",
        "XEHMPV",
    ],
)
def test_nothing_personal_stands_in_a_skill(secret: str) -> None:
    lesson = learned(
        said("user", f"Always use reservation {secret}, remember that."),
        *path(("lookup", {"reservation_id": secret}, f'{{"id": "{secret}"}}')),
        about=f"look up reservation {secret} for the user",
        preferences=(f"user wants to always use {secret}", "user wants to always fly by day"),
    )

    sop = lesson.sop
    text = " ".join((sop.use_when, sop.preferences, *(step.action for step in sop.steps)))
    assert not re.search(re.escape(secret), text, re.IGNORECASE)
    assert sop.preferences == "user wants to always fly by day"


@pytest.mark.parametrize(
    ("preference", "kept"),
    [
        ("user expects a report before any landing page coding", True),
        ("use personal account. star but not fork", True),
        ("user wants to always be asked first", True),
        ("user prefers short answers without emojis", True),
        ("user wants to use certificates first, then gift cards", True),
        ("user agrees as long as it costs less than $500", False),
        ("user wants to always get at most 3 options", True),
        ("user wants to travel to Oslo on March 3rd", False),
        ("user prefers the second one", False),
        ("user prefers flights after 8 am", False),
        ("user prefers economy class seats", False),
        ("user does not remember their user id", False),
    ],
)
def test_only_lasting_preferences_are_kept(preference: str, kept: bool) -> None:
    tried = path(("book", {"cabin_class": "economy", "seats": 2}, "ok"))

    lesson = learned(*tried, preferences=(preference,))

    assert lesson.sop.preferences == (preference.rstrip(".") if kept else "")


def test_preferences_speak_of_the_user() -> None:
    lesson = learned(preferences=("user says: I'm open to any of my cities as long as it's cheap",))

    assert lesson.sop.preferences == (
        "user is open to any of the user's cities as long as it's cheap"
    )


def reasons(*messages: Message) -> set[Reason]:
    return set(learned(*messages).difficulty.evidence)


def test_an_avoidable_error_makes_a_task_harder_and_bad_luck_does_not() -> None:
    avoidable = path(("a", {"x": 1}, "Error: no such x"), ("a", {"x": 2}, "ok"))
    bad_luck = path(("a", {"x": 1}, "Error: try again"), ("a", {"x": 1}, "ok"))

    assert reasons(*avoidable) == {Reason.TOOL_ERROR}
    assert reasons(*bad_luck) == set()


def test_a_dead_end_makes_a_task_harder() -> None:
    assert reasons(*path(("a", {}, "Error: no"), ("b", {}, "ok"))) == {Reason.WRONG_STRATEGY}


@pytest.mark.parametrize(
    ("answer", "corrects"),
    [
        ("That's not what I asked for, use the other table.", True),
        ("No, don't delete it!", True),
        ("I said the second column.", True),
        ("No, that's all. Thanks!", False),
        ("No, I need two tickets.", False),
        ("Yes, sounds good.", False),
    ],
)
def test_a_correction_makes_a_task_harder(answer: str, corrects: bool) -> None:
    talk = [said("user", "Clean up."), said("assistant", "I dropped it."), said("user", answer)]

    assert (Reason.USER_CORRECTION in reasons(*talk)) is corrects


@pytest.mark.parametrize(
    ("request_", "states"),
    [
        ("From now on use metric units.", True),
        ("Please remember that I work at night.", True),
        ("I'm sorry, I don't remember my user ID.", False),
        ("Never mind.", False),
        ("I want to fly to Oslo tomorrow.", False),
        ("I've always had great experiences.", False),
    ],
)
def test_a_clear_preference_makes_a_task_harder(request_: str, states: bool) -> None:
    assert (Reason.STATED_PREFERENCE in reasons(said("user", request_))) is states


def test_an_easy_task_keeps_its_lasting_preferences_only() -> None:
    sop = Sop("star a repo", "never fork", (Step("goto", "open"),))
    easy, hard = Difficulty(), Difficulty({Reason.USER_CORRECTION: ("1",)})

    assert worth_keeping(sop, easy, 2) == Sop("star a repo", "never fork")
    assert worth_keeping(sop, hard, 2) == sop
    assert worth_keeping(sop, easy, 0) == sop
    assert worth_keeping(replace(sop, preferences=""), easy, 2) is None


def test_what_a_space_served_is_not_learned_again() -> None:
    served = "Always ask before any deletion."
    told = experience(
        called("search_skills", "search", query="clean up"),
        answered("search", '{"cited_blocks": [{"props": {"use_when": "clean up"}}]}'),
        said("user", f"{served} Please clean up."),
        *path(("sweep", {}, "ok")),
        preferences=(served, "user wants to always be told"),
    )

    lesson = distil(without_served(told, [served]))

    assert lesson.sop.tool_names == ("sweep",)
    assert lesson.sop.preferences == "user wants to always be told"
    assert Reason.STATED_PREFERENCE not in lesson.difficulty.evidence


def test_the_same_experience_gives_the_same_lesson() -> None:
    tried: Sequence[Message] = path(("a", {"x": 1}, "ok"), ("b", {"y": "z"}, "ok"))

    assert learned(*tried) == learned(*tried)
