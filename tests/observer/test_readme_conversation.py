"""The conversation of the README: a plan of three steps, the first of which is worked on."""

from acontext_server.observer.domain import PLANNING
from tests.observer.dialogue import agent, listed, messages, observed, statuses, tool, user

FIRST_FOUR = [
    user("Please build a landing page for the iPhone 15 Pro Max."),
    agent(
        "Sure, my plan is below:\n"
        "1. Search for the latest news about the iPhone 15 Pro Max\n"
        "2. Init a Next.js project for the landing page\n"
        "3. Deploy the landing page to the website"
    ),
    user(
        "That sounds good. Let's first collect the information and report to me "
        "before any landing page coding."
    ),
    agent(
        "Sure, I will first collect the information, then report to you before any coding.",
        call="search_news",
        query="iPhone 15 Pro Max news",
    ),
]
LAST_TWO = [
    tool('[{"title": "iPhone 15 Pro Max: titanium, USB-C and a 5x camera"}]'),
    agent(
        "I have collected the news: titanium frame, USB-C, a 5x camera. "
        "Shall I go on with the landing page?"
    ),
]


def test_an_agreed_plan_becomes_one_task_per_step_and_the_first_runs() -> None:
    tasks = listed(observed(FIRST_FOUR))
    assert [task.description for task in tasks] == [
        "Search for the latest news about the iPhone 15 Pro Max",
        "Init a Next.js project for the landing page",
        "Deploy the landing page to the website",
    ]
    assert [str(task.status) for task in tasks] == ["running", "pending", "pending"]


def test_a_report_completes_the_step_with_two_lines_of_progress_and_the_preference() -> None:
    first, *others = listed(observed(FIRST_FOUR + LAST_TWO))
    assert first.status == "success"
    assert len(first.progresses) == 2
    assert "titanium" in first.progresses[1]
    assert len(first.preferences) == 1
    assert "report to them before any landing page coding" in first.preferences[0]
    assert [str(task.status) for task in others] == ["pending", "pending"]


def test_the_request_and_the_plan_are_the_planning_section() -> None:
    tasks = observed(FIRST_FOUR)
    planning = [message.int for message, order in tasks.links.items() if order == PLANNING]
    assert planning == [message.sequence for message in messages(FIRST_FOUR)[:2]]


def test_before_anyone_agreed_there_is_only_what_the_user_asked_for() -> None:
    assert statuses(FIRST_FOUR[:1]) == ["pending"]
    assert len(statuses(FIRST_FOUR[:2])) == 1


def test_the_next_calls_are_for_the_next_step() -> None:
    going_on = [
        user("Yes, go ahead."),
        agent(call="create_project", call_id="c2", framework="next"),
    ]
    assert statuses(FIRST_FOUR + LAST_TWO + going_on) == ["success", "running", "pending"]


def test_a_call_tells_the_step_even_where_the_talk_around_it_names_a_later_one() -> None:
    talk = "Sure, I will first collect the message before any landing page coding."
    lines = [*FIRST_FOUR[:3], agent(talk, call="search_news", query="iPhone news")]
    assert statuses(lines) == ["running", "pending", "pending"]
