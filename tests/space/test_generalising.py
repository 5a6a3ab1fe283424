"""What a lesson is for: the conditions of the task stay, the values of one run go."""

import pytest

from tests.space.running import said
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
            "Read a page on github.com and close the issue",
        ),
        ("Fix the bug in src/app/main.py", "Fix the bug in the file"),
        ("Add up the revenue per country for march", "Add up the revenue per country"),
        ("March through the list of orders", "March through the list of orders"),
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


def test_what_a_general_tool_was_told_to_do_stays_without_what_only_this_user_named() -> None:
    lesson = learned(
        said("user", "Rename the repo to atlas and deploy it to staging."),
        *path(
            ("bash", {"command": "git branch -m atlas"}, "ok"),
            ("bash", {"command": "kubectl config use-context staging"}, "ok"),
            ("click", {"selector": "button[aria-label=Deploy]"}, "ok"),
        ),
        about="Deploy the repo to staging",
    )
    assert [step.action for step in lesson.sop.steps] == [
        "bash with the command `git branch -m …`",
        "bash with the command `kubectl config use-context staging`",
        "click with the selector `button[aria-label=Deploy]`",
    ]


@pytest.mark.parametrize(
    "command",
    [
        "curl -u jo@example.com https://api.example.com",
        "export TOKEN=ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "run " + "x " * 100,
        "cat <<EOF\nfoo\nEOF",
    ],
)
def test_a_command_that_gives_something_away_or_is_a_program_is_not_kept(command: str) -> None:
    [step] = learned(*path(("bash", {"command": command}, "ok"))).sop.steps
    assert step.action == "bash with the command"


def test_an_identifier_that_the_user_did_not_say_stays_though_its_words_were_said() -> None:
    lesson = learned(
        said("user", "Create the monthly sales report."),
        *path(("query", {"report": "sales_monthly", "kind": "report"}, "ok")),
    )
    assert (
        lesson.sop.steps[0].action
        == "query with the report `sales_monthly` and the kind the user gave"
    )


def test_a_file_that_is_called_after_what_this_user_named_is_not_kept() -> None:
    lesson = learned(
        said("user", "Plan a trip to Lisbon and write it down."),
        *path(
            ("read_file", {"file_path": "templates/trip.md"}, "ok"),
            ("write_file", {"file_path": "trips/lisbon.md"}, "ok"),
        ),
        about="Plan a trip to Lisbon",
    )
    assert lesson.sop.use_when == "Plan a trip (write file)"
    assert [step.action for step in lesson.sop.steps] == [
        "read file with the file path `templates/trip.md`",
        "write file with the file path",
    ]


def test_tools_that_only_note_thoughts_are_no_steps() -> None:
    tried = path(
        ("think", {"thought": "hm"}, ""), ("TodoWrite", {"todos": []}, "ok"), ("a", {}, "ok")
    )
    assert learned(*tried).sop.tool_names == ("a",)


def test_a_general_tool_is_used_for_several_steps_and_each_step_once() -> None:
    tried = [
        ("bash", {"command": command}, "ok")
        for command in ("git add a.py", "git add b.py", "git commit -m x", "git push")
    ]
    actions = [step.action for step in learned(*path(*tried)).sop.steps]
    assert [action.split("`")[1].split()[1] for action in actions] == ["add", "commit", "push"]


@pytest.mark.parametrize(
    ("wish", "holds"),
    [
        ("user wants the cheapest option", True),
        ("user wants the cheapest flight from New York to Boston", False),
        ("please remember that it must be for 3 people", False),
        ("remember that I always want an invoice", True),
        ("user specifies Otherwise fine", False),
        ("user wants the agent to use Postgres instead of Redis", True),
    ],
)
def test_what_is_best_for_this_run_alone_is_no_lasting_preference(wish: str, holds: bool) -> None:
    lesson = learned(said("user", "Do it."), *path(("a", {}, "ok")), preferences=(wish,))
    assert bool(lesson.sop.preferences) == holds


def test_a_wish_that_was_observed_in_parts_is_not_said_twice() -> None:
    said_once = said("user", "From now on group them by feature, and don't mention refactorings.")
    observed = (
        "user wants the agent to group them by feature from now on",
        "user does not want the agent to mention refactorings",
    )
    lesson = learned(said_once, *path(("a", {}, "ok")), preferences=observed)
    assert lesson.sop.preferences == ". ".join(observed)
