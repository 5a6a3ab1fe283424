"""What a lesson is for: the conditions of the task stay, the values of one run go."""

import pytest

from tests.space.test_rules import learned, path


@pytest.mark.parametrize(
    ("about", "use_when"),
    [
        (
            "Set up CI for our Python repository harbor-labs/tidewatch: tests run on every push",
            "Set up CI for the user's Python repository: tests run on every push",
        ),
        ("Star the repo memodb-io/memobase on github.com", "Star the repo on github.com"),
        (
            "Read https://github.com/acme/api/issues/3 and close the issue",
            "Read github.com and close the issue",
        ),
        ("Fix the bug in src/app/main.py", "Fix the bug in the file"),
        ('Create a page titled "Spring results" in Notion', "Create a page in Notion"),
        (
            "Fix the input/output handling of our CI/CD",
            "Fix the input/output handling of the user's CI/CD",
        ),
    ],
)
def test_when_to_use_it_leaves_out_where_one_run_took_place(about: str, use_when: str) -> None:
    assert learned(*path(("run", {"x": 1}, "ok")), about=about).sop.use_when == use_when


def test_a_place_that_the_user_named_in_part_is_left_out_too() -> None:
    tried = path(("get_ride", {"destination": "12 San Pablo Avenue"}, "ok"))

    lesson = learned(*tried, about="Book a ride to San Pablo Avenue")

    assert lesson.sop.use_when == "Book a ride to the destination (get ride)"


def test_words_of_a_title_are_not_taken_for_a_name() -> None:
    tried = path(("open_pull_request", {"title": "Run the tests on every push"}, "ok"))

    lesson = learned(*tried, about="Let the tests run on every push")

    assert lesson.sop.use_when.startswith("Let the tests run on every push")


def test_a_request_that_only_points_is_told_by_the_tool_that_did_it() -> None:
    tried = path(("find_song", {}, "ok"), ("play_song", {}, "ok"))

    assert learned(*tried, about="Play it").sop.use_when == "play song"


def test_a_prohibition_told_in_the_third_person_holds_next_time() -> None:
    wish = "user does not want the agent to use pip here"

    assert learned(*path(("run", {}, "ok")), preferences=(wish,)).sop.preferences == wish
