"""Conversations of many kinds, each with what observing must make of it."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from acontext_server.observer.agents.transcript import Text, ToolCall, ToolResult
from acontext_server.observer.domain import TaskState
from tests.observer.dialogue import (
    Line,
    agent,
    descriptions,
    listed,
    observed,
    statuses,
    tool,
    user,
)


def does(name: str, answer: str, *, call_id: str, **arguments: str) -> list[Line]:
    """A call without a word, and its answer."""
    return [agent("", call=name, call_id=call_id, **arguments), tool(answer, call_id=call_id)]


def only(lines: Sequence[Line]) -> TaskState:
    [task] = listed(observed(lines))
    return task


WORKED_PLAN = [
    user("Our signup form loses data when the network drops. Can you sort it out?"),
    agent(
        "Here's what I'll do:\n"
        "1. Reproduce the data loss with a test\n"
        "2. Store drafts in local storage\n"
        "3. Update the docs"
    ),
    user("Yes, that works. Please keep the bundle small, no new dependencies."),
    *does("run_tests", "1 failed: signup", call_id="1", pattern="signup data loss"),
    agent("I reproduced it: signup.spec.ts fails when offline."),
    *does("edit_file", "ok", call_id="2", path="src/signup.ts", content="localStorage draft"),
    agent("Drafts are now kept in local storage."),
    *does("edit_file", "ok", call_id="3", path="docs/signup.md"),
    agent("I updated docs/signup.md. All done."),
    user("Great work, thanks!"),
]


def test_a_numbered_plan_is_worked_through_step_by_step() -> None:
    assert statuses(WORKED_PLAN) == ["success"] * 3
    assert descriptions(WORKED_PLAN)[1] == "Store drafts in local storage"


@pytest.mark.parametrize(
    "plan",
    [
        "My plan:\n- Pull the spend from the API\n- Sum it up by campaign\n- Send the report",
        "Here is how I'll do it:\n* Pull the spend\n* Group by campaign\n* Send a report",
        "First I'll pull the spend from the API, then group it by campaign, and finally send it.",
        "My plan:\n### 1. Pull the spend\n### 2. Group it by campaign\n### 3. Send the report",
        "Steps:\n**1. Pull the spend**\n   - with paging\n**2. Group it**\n**3. Send the report**",
    ],
)
def test_a_plan_is_a_plan_in_bullets_headings_and_prose_too(plan: str) -> None:
    lines = [user("We need a weekly report of our ad spend."), agent(plan), user("Sounds good.")]
    assert len(statuses(lines)) == 3
    assert statuses(lines) == ["pending"] * 3


def test_a_list_of_findings_is_no_plan() -> None:
    findings = agent("I'll tell you what I found:\n- The API is slow\n- The cache is off")
    lines = [user("Please review our API."), findings, user("Okay.")]
    assert descriptions(lines) == ["Review our API"]


@pytest.mark.parametrize(
    "request_",
    [
        "Please check the disk usage on db-1, restart nginx on web-2 and archive the old logs.",
        "Check the disk usage on db-1. Also restart nginx on web-2. And then archive the old logs.",
        "Please:\n- check the disk usage on db-1\n- restart nginx on web-2\n- archive the old logs",
    ],
)
def test_several_requests_in_one_message_are_one_task_each(request_: str) -> None:
    assert [said.casefold() for said in descriptions([user(request_)])] == [
        "check the disk usage on db-1",
        "restart nginx on web-2",
        "archive the old logs",
    ]


def test_a_request_with_how_it_is_meant_is_one_task() -> None:
    lines = [user("Write a letter to Acme and send it to them. Use a formal tone.")]
    assert len(statuses(lines)) == 1


def test_silent_work_on_several_requests_is_told_apart_by_its_calls() -> None:
    lines = [
        user(
            "Please fix the typo in the README. Also add a license file. And publish version 1.2."
        ),
        *does("edit_file", "ok", call_id="1", path="README.md"),
        *does("create_file", "ok", call_id="2", path="LICENSE"),
        *does("publish", "published", call_id="3", version="1.2"),
        agent("README fixed, LICENSE added, 1.2 published."),
    ]
    assert statuses(lines) == ["success"] * 3


@pytest.mark.parametrize(
    "answer", ["Fixed.", "I fixed it.", "Done! Anything else?", "Login works now."]
)
@pytest.mark.parametrize(
    "thanks",
    ["Thanks!", "Great, thank you. Works now.", "That fixed it, thank you!", "Awesome, thx!"],
)
def test_a_request_after_thanks_is_a_second_task(answer: str, thanks: str) -> None:
    again = user("Please fix the billing page, and always write tests first.")
    lines = [user("Please fix the login page."), agent(answer), user(thanks), again]
    assert statuses(lines) == ["success", "pending"]
    assert descriptions(lines)[1].startswith("Fix the billing page")


def test_a_request_after_thanks_is_a_second_task_although_nothing_was_seen_of_the_first() -> None:
    first, again = user("Please fix the login page."), user("Please fix the billing page.")
    assert statuses([first, user("Thanks!"), again]) == ["pending", "pending"]
    unanswered = agent(call="edit_file", path="login.tsx")
    assert statuses([first, unanswered, user("Thanks!"), again]) == ["running", "pending"]


def test_errors_and_retries_are_one_task_that_succeeds() -> None:
    task = only(
        [
            user("Deploy the api service to staging."),
            agent(call="deploy", service="api"),
            tool("Error: image not found", is_error=True),
            agent("The image is missing, I build it first.", call="build", call_id="2"),
            tool("built", call_id="2"),
            *does("deploy", "ok", call_id="3", service="api"),
            agent("The api service runs on https://staging.example.com now."),
        ]
    )
    assert task.status == "success"
    assert "image not found" in " ".join(task.progresses)
    assert "https://staging.example.com" in task.progresses[-1]


def test_a_correction_is_no_other_task_and_says_what_was_meant() -> None:
    task = only(
        [
            user("Rename the column user_name to username."),
            *does("run_sql", "ok", call_id="1", sql="ALTER TABLE users …"),
            agent("I renamed the column in users."),
            user("That's wrong, I meant the accounts table, not users. Revert it please."),
            *does("run_sql", "ok", call_id="2", sql="ALTER TABLE accounts …"),
            agent("Sorry. I reverted users and renamed the column in accounts."),
            user("Perfect."),
        ]
    )
    assert task.status == "success"
    assert task.preferences == ("user meant the accounts table, not users",)


def test_giving_up_after_an_error_is_a_failure() -> None:
    lines = [
        user("Get the logs of pod web-1."),
        *does("kubectl_logs", "error: Unauthorized", call_id="1", pod="web-1"),
        agent("The cluster refuses my credentials. Do you have a kubeconfig?"),
        user("No. Forget it, I'll look myself."),
        agent("Okay."),
    ]
    assert statuses(lines) == ["failed"]


def test_a_change_of_mind_keeps_what_the_task_is_about() -> None:
    task = only(
        [
            user("I'd like a birthday card for my mother with roses."),
            agent("Lovely! Any text?"),
            user("Happy birthday, mum. Actually, make it tulips instead of roses."),
        ]
    )
    assert task.description.startswith("A birthday card for my mother")
    assert "tulips instead of roses" in task.description


def test_a_revision_of_what_was_delivered_is_the_same_task() -> None:
    delivered = [
        user("Write me a summary of the report."),
        *does("read_report", "long", call_id="1"),
        agent("Here is the summary: …"),
    ]
    revised = [*delivered, user("Could you make it shorter?")]
    assert statuses(delivered) == ["success"]
    assert statuses(revised) == ["running"]
    assert statuses([*revised, agent("Shorter: …")]) == ["success"]


@pytest.mark.parametrize(
    "lines",
    [
        [user("Hey, how are you?"), agent("Fine! How can I help?"), user("Just testing. Bye!")],
        [user("Hola!"), agent("Hello!"), user("Merci beaucoup, ciao!")],
        [user("Danke schön!")],
    ],
)
def test_small_talk_in_any_language_is_nothing_at_all(lines: list[Line]) -> None:
    tasks = observed(lines)
    assert listed(tasks) == []
    assert all(not task.preferences for task in tasks.tasks.values())


def test_politeness_in_another_language_is_no_preference() -> None:
    task = only(
        [
            user("Hola! Could you please translate this letter into German? Merci beaucoup!"),
            *does("translate", "Sehr geehrte …", call_id="1", to="German"),
            agent("Here is the translation: Sehr geehrte …"),
            user("Danke schön!"),
        ]
    )
    assert task.status == "success"
    assert task.preferences == ()


def test_a_declined_offer_adds_nothing() -> None:
    lines = [
        user("Find the opening hours of the town hall."),
        *does("search", "9 to 5", call_id="1", query="town hall"),
        agent("It is open from 9 to 5. Would you like me to book an appointment?"),
        user("No thanks, that's all."),
    ]
    assert statuses(lines) == ["success"]


def test_parallel_calls_keep_the_task_running_until_the_last_answer() -> None:
    calls = tuple(
        ToolCall(id=f"p{number}", name="search", arguments=json.dumps({"q": query}))
        for number, query in enumerate(("iPhone price", "Pixel price"))
    )
    asked: list[Line] = [
        user("Compare the prices of iPhone and Pixel."),
        ("assistant", (Text(text="I'll look up both."), *calls)),
        tool("799", call_id="p0"),
    ]
    report = agent("The iPhone costs $799, the Pixel $699.")
    assert statuses([*asked, report]) == ["running"]
    assert statuses([*asked, tool("699", call_id="p1"), report]) == ["success"]


def test_a_result_and_words_in_one_message_are_both_read() -> None:
    """As Anthropic's format has it: results stand in a message of the user."""
    both = (
        ToolResult(call_id="1", name="", text="42 rows"),
        Text(text="Also, please draw a chart of the prices."),
    )
    lines: list[Line] = [
        user("Count the rows of orders."),
        agent("I count them.", call="query", call_id="1"),
        ("user", both),
    ]
    assert descriptions(lines) == ["Count the rows of orders", "Draw a chart of the prices"]


def test_an_agent_that_speaks_before_it_calls_has_one_task() -> None:
    task = only(
        [
            user("Find out why the nightly job failed."),
            agent("Let me have a look at the logs."),
            *does("read_logs", "OOM killed at 03:12", call_id="1", job="nightly"),
            agent("It ran out of memory at 03:12."),
        ]
    )
    assert task.status == "success"
    assert "03:12" in task.progresses[-1]


def test_a_yes_that_is_asked_for_before_an_act_leaves_the_task_running() -> None:
    asked = [
        user("Hi, I want a refund for order #W123, the lamp arrived broken."),
        agent("I'm sorry to hear that. Could you give me your email?"),
        user("It's jo@example.com"),
        *does("get_order", '{"state": "delivered"}', call_id="1", order="#W123"),
        agent("The lamp can be refunded to your account, $45. Do you confirm (yes/no)?"),
    ]
    done = [
        user("Yes"),
        *does("return_items", "ok", call_id="2", order="#W123"),
        agent("Your return is requested, you get $45 back. Is there anything else?"),
    ]
    other = [
        user("Yes, can you also change the address of my other order #W765?"),
        *does("get_order", '{"state": "shipped"}', call_id="3", order="#W765"),
        agent("I'm sorry, it is shipped already, so its address cannot be changed."),
    ]
    assert statuses(asked) == ["running"]
    assert statuses([*asked, *done]) == ["success"]
    assert statuses([*asked, *done, *other]) == ["success", "failed"]


def test_progress_is_milestones_rather_than_calls() -> None:
    looking = [
        line
        for number in range(8)
        for line in does("read_file", "…", call_id=f"r{number}", path=f"src/part{number}.py")
    ]
    listing = does("list_files", "src", call_id="l", path=".")
    lines = [
        user("Find the memory leak."),
        *listing,
        *looking,
        agent("The leak is in src/part3.py: listeners are never removed."),
    ]
    assert only(lines).progresses == ("The leak is in src/part3.py: listeners are never removed.",)


@pytest.mark.parametrize(
    ("said", "preference"),
    [
        ("I want you to use React.", "user wants the agent to use React"),
        ("I don't want any telemetry.", "user does not want any telemetry"),
        ("Don't use pip here.", "user does not want the agent to use pip here"),
        ("Please keep the bundle small.", "user wants the agent to keep the bundle small"),
        ("The tests should run on every push.", "user expects the tests to run on every push"),
        ("My server is at 10.0.0.5.", "user's server is at 10.0.0.5"),
        ("I'm vegetarian.", "user is vegetarian"),
        (
            "I prefer bullet points and want sources cited.",
            "user prefers bullet points and wants sources cited",
        ),
        ("Let's first ask my boss.", "user expects the agent to first ask their boss"),
        ("Play Call Me Maybe.", "user wants the agent to play Call Me Maybe"),
    ],
)
def test_a_preference_is_told_in_the_third_person(said: str, preference: str) -> None:
    lines = [user("Please build the dashboard."), agent("Anything I should know?"), user(said)]
    assert only(lines).preferences == (preference,)


@pytest.mark.parametrize("nothing", ["That's wrong.", "No!", "Three things:", "Hmm, okay."])
def test_what_states_nothing_is_no_preference(nothing: str) -> None:
    lines = [user("Please build the dashboard."), agent("Anything I should know?"), user(nothing)]
    assert only(lines).preferences == ()


@pytest.mark.parametrize(
    ("older", "newer", "stays"),
    [
        ("Always use British spelling.", "No, always use American spelling.", False),
        ("Always use tabs in our code.", "Never use tabs in our code.", False),
        ("I want a window seat.", "Actually, I want an aisle seat instead.", False),
        ("Always write tests for Python.", "Always ask me before any push.", True),
    ],
)
def test_a_newer_preference_replaces_what_it_contradicts(
    older: str, newer: str, stays: bool
) -> None:
    asked = [user("Please build it."), agent("Anything I should know?")]
    preferences = only([*asked, user(older), agent("Noted."), user(newer)]).preferences
    assert len(preferences) == 1 + stays


def test_several_lasting_wishes_in_one_sentence_are_kept_apart() -> None:
    wish = user("I want you to always use uv, and please never push to main directly.")
    task = only([user("Please set up CI."), agent("Anything I should know?"), wish])
    assert task.preferences == (
        "user wants the agent to always use uv",
        "user wants the agent to never push to main directly",
    )


def test_a_plan_that_was_objected_to_leaves_nothing_behind() -> None:
    lines = [
        user("Plan a trip to Japan for me."),
        agent("My plan:\n1. Book flights to Tokyo\n2. Reserve a hotel in Shibuya"),
        user("No, not Tokyo, I'd rather start in Osaka."),
        agent("Then my plan is:\n1. Book flights to Osaka\n2. Reserve a hotel in Namba"),
        user("Perfect, go."),
    ]
    assert descriptions(lines) == ["Book flights to Osaka", "Reserve a hotel in Namba"]


def test_code_in_a_message_is_no_talk() -> None:
    task = only(
        [
            user("Fix this function:\n```python\ndef add(a, b):\n    return a - b\n```"),
            agent("I have fixed it:\n```python\nreturn a + b\n```"),
        ]
    )
    assert (task.description, task.status) == ("Fix this function", "success")
    assert task.preferences == ()


def test_a_long_run_of_a_coding_agent_is_told_in_few_lines() -> None:
    task = only(
        [
            user("Can you look into the flaky test in tests/test_sync.py and fix it?"),
            agent("I'll run it a few times.", call="bash", cmd="pytest --count 20"),
            tool("3 failed, 17 passed"),
            agent("Let me look at the code.", call="read_file", call_id="2", path="sync.py"),
            tool("…", call_id="2"),
            agent("Let me look at the lock.", call="read_file", call_id="3", path="lock.py"),
            tool("…", call_id="3"),
            agent("Found it: the lock is released too early.", call="edit", call_id="4"),
            tool("ok", call_id="4"),
            agent("Fixed: 50 of 50 runs pass."),
        ]
    )
    assert task.status == "success"
    assert task.progresses == (
        "I'll run it a few times.",
        "Found it: the lock is released too early.",
        "Fixed: 50 of 50 runs pass.",
    )


PASTED = {
    "fenced": "```\nERROR: please update the lockfile\n1. Install the module\n```",
    "log": "ERROR please update the lockfile\n2026-11-24 10:01 WARN create an issue",
    "trace": 'Traceback (most recent call last):\n  File "a.py", line 3\nKeyError: please add it',
    "quoted": "> Can you send me the invoice? Also, please change our address.\n> Always use PDF.",
    "tagged": '<reminder level="1">Please create tests. Always use tabs.</reminder>',
}


@pytest.mark.parametrize("pasted", PASTED.values(), ids=PASTED.keys())
def test_what_a_user_pastes_is_no_request_and_no_preference(pasted: str) -> None:
    task = only(
        [
            user(f"Please fix the build of web-1.\n\n{pasted}"),
            *does("run", "ok", call_id="1", command="make"),
            agent("The build passes again."),
        ]
    )
    assert (task.description, task.preferences) == ("Fix the build of web-1", ())


def test_a_message_that_is_wrapped_in_a_tag_is_still_said() -> None:
    assert descriptions([user("<query>Fix the login page.</query>")]) == ["Fix the login page"]


def test_the_spelling_of_a_chat_is_understood() -> None:
    assert descriptions([user("hey can u fix the typo pls")]) == ["Fix the typo"]


@pytest.mark.parametrize(
    "said",
    [
        "I need three things: rename the repo, archive the wiki and invite Jane.",
        "What I need:\n1. Rename the repo\n2. Archive the wiki\n3. Invite Jane\n\nUse the API.",
        "Could you rename the repo? I'd also like you to archive the wiki. Also invite Jane.",
    ],
)
def test_requests_are_told_apart_behind_a_lead_and_in_a_list(said: str) -> None:
    assert len(statuses([user(said)])) == 3


def test_a_wish_to_be_told_is_no_request_of_its_own() -> None:
    lines = [user("Could you analyse surveys.csv and tell me what the main reasons are?")]
    assert len(statuses(lines)) == 1


@pytest.mark.parametrize(
    "revision",
    [
        "Make it a bit friendlier, and sign with my name.",
        "Make the headline bigger and add a border.",
    ],
)
def test_a_revision_of_two_things_is_still_the_same_task(revision: str) -> None:
    task = only([user("Draft a letter to Acme."), agent("Here's a draft: …"), user(revision)])
    assert task.status == "running"
    assert "(then: make" in task.description


def test_a_change_of_requirement_in_the_middle_updates_the_description() -> None:
    task = only(
        [
            user("Create a spreadsheet of all our suppliers."),
            *does("query", "130 rows", call_id="1", entity="suppliers"),
            user("Actually, only those in Spain, and as a CSV rather than a spreadsheet."),
        ]
    )
    assert "only those in Spain" in task.description
    assert task.preferences == (
        "user wants only those in Spain, and as a CSV rather than a spreadsheet",
    )


def test_what_the_agent_regrets_or_cannot_do_after_an_error_has_failed() -> None:
    asked = user("Restore yesterday's backup of the customers table.")
    refused = does("list_backups", "Error: access denied", call_id="1")
    sorry = agent("I'm sorry, I couldn't restore it: there is no backup.")
    plain = agent("I can't restore it: I have no access to the backups.")
    assert statuses([asked, *does("list_backups", "[]", call_id="1"), sorry]) == ["failed"]
    assert statuses([asked, *refused, plain]) == ["failed"]
    assert statuses([asked, *refused, agent("I can't see any. Do you have a key?")]) == ["running"]


@pytest.mark.parametrize("said", ["Never mind.", "Ok, then leave it.", "No need."])
def test_leaving_it_is_giving_up(said: str) -> None:
    lines = [user("Book a meeting room."), agent("For how many people?"), user(said)]
    assert statuses(lines) == ["failed"]


def test_a_question_before_the_act_is_part_of_it() -> None:
    task = only(
        [
            user("I want to return a jacket I bought last week."),
            *does("get_order", '{"status": "delivered"}', call_id="1", order="A1"),
            agent("Found it. Shall I refund to the original card?"),
            user("Yes please."),
            *does("return_item", '{"ok": true}', call_id="2", order="A1"),
            agent("Your return is set up."),
        ]
    )
    assert task.status == "success"


def test_a_question_aside_is_answered_beside_the_work() -> None:
    lines = [
        user("Migrate the user service to TypeScript."),
        *does("edit_file", "ok", call_id="1", path="src/models.ts"),
        user("Quick question, what's the difference between interface and type?"),
        agent("An interface can be extended; a type alias can name unions."),
    ]
    assert statuses(lines) == ["running"]
    assert only(lines).progresses == ()


def test_a_question_about_something_else_closes_what_was_answered_in_code() -> None:
    lines = [
        user("Write a function that tells palindromes."),
        agent("```python\ndef is_palindrome(s): …\n```"),
        user("What's the weather in Oslo?"),
        *does("get_weather", "-3", call_id="1", city="Oslo"),
        agent("It's -3°C in Oslo."),
    ]
    assert statuses(lines) == ["success", "success"]
    assert descriptions(lines)[1] == "What's the weather in Oslo"


def test_a_plan_with_bold_headings_is_a_plan_and_a_told_step_is_done() -> None:
    lines = [
        user("We're moving our blog to Hugo, can you take care of it?"),
        agent(
            "Here's how:\n- **Export** all posts\n- **Convert** the posts to Markdown\n"
            "- **Site**: set up Hugo with our theme\n\nI begin with the export.",
            call="bash",
            command="wp export",
        ),
        tool("214 posts"),
        agent("214 posts exported.", call="bash", call_id="2", command="run wp2md"),
        tool("ok", call_id="2"),
        agent("Converted the posts.", call="bash", call_id="3", command="hugo new site theme"),
        tool("ok", call_id="3"),
    ]
    assert statuses(lines) == ["success", "success", "running"]
    assert listed(observed(lines))[0].progresses[0] == "I begin with the export."


def test_chatter_states_nothing_for_the_plan() -> None:
    tasks = observed(
        [
            user("hey, what can you do?"),
            agent("I can read files."),
            user("Nothing really, just bored lol. Remember that I always want pnpm."),
        ]
    )
    [planning] = tasks.tasks.values()
    assert planning.preferences == ("user wants the agent to remember that they always want pnpm",)


def test_secrets_stand_in_no_task() -> None:
    key, password = "sk_test_9aF3kLmPq28RtYvX", "hunter2!"
    task = only(
        [
            user(f"Set up the webhook with {key}. My password is {password}."),
            *does("create_webhook", "ok", call_id="1", api_key=key, url="https://shop.example.com"),
            agent(f"The webhook is created with {key}."),
        ]
    )
    told = " ".join((task.description, *task.progresses, *task.preferences))
    assert "https://shop.example.com" in told
    assert key not in told
    assert password not in told


@pytest.mark.parametrize("lead", ["Follow these steps:", "You can do it like this, in steps:"])
def test_steps_that_the_user_is_to_take_are_no_plan(lead: str) -> None:
    steps = "1. Update the index\n2. Install the prerequisites\n3. Add the repository"
    lines = [user("How do I install it?"), agent(f"{lead}\n{steps}"), user("Thanks, that worked!")]
    assert statuses(lines) == []


def test_having_to_go_is_a_goodbye() -> None:
    lines = [user("Draft a letter."), agent("Here's a draft: …"), user("Actually I need to go.")]
    assert statuses(lines) == ["success"]


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("Refactor billing into smaller files and make sure all tests pass.", 1),
        ("Morning! Please reschedule the meeting to Thursday. Also find a place for lunch.", 2),
    ],
)
def test_how_it_is_to_be_is_no_work_of_its_own_and_a_greeting_none(said: str, asked: int) -> None:
    assert len(statuses([user(said)])) == asked


@pytest.mark.parametrize(
    ("name", "key", "text"), [("TodoWrite", "todos", "content"), ("update_plan", "plan", "step")]
)
def test_a_plan_that_is_kept_with_a_tool_is_followed(name: str, key: str, text: str) -> None:
    steps = ("Add a theme context", "Style the settings page", "Run the tests")

    def noted(*states: str, call_id: str) -> list[Line]:
        items: Any = [
            {text: step, "status": state} for step, state in zip(steps, states, strict=True)
        ]
        return [agent(call=name, call_id=call_id, **{key: items}), tool("ok", call_id=call_id)]

    lines = [
        user("Implement dark mode for the settings page."),
        *does("read_file", "…", call_id="0", path="app.tsx"),
        *noted("in_progress", "pending", "pending", call_id="1"),
        *does("edit_file", "ok", call_id="2", path="theme.tsx"),
        *noted("completed", "in_progress", "pending", call_id="3"),
        *does("edit_file", "ok", call_id="4", path="page.css"),
    ]
    assert descriptions(lines) == list(steps)
    assert statuses(lines) == ["success", "running", "pending"]
    done = [*noted("completed", "completed", "completed", call_id="5"), agent("Dark mode works.")]
    assert statuses([*lines, *done]) == ["success"] * 3
