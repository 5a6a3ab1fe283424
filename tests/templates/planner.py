"""A model that plans trips, by a script: what it knows of its user it reads in the request."""

import json
from collections.abc import Sequence
from typing import Any

from tests.model.endpoint import Json, Reply, Step, completion

WISH = "never fly"
"""Words of a wish that the user states once, in the first conversation."""


def says(text: str) -> Step:
    """Say something."""
    return lambda body: completion({"content": text})


def uses(name: str, **arguments: Any) -> Step:
    """Call a tool; each call has an id of its own."""

    def step(body: Json) -> Reply:
        assert name in [tool["function"]["name"] for tool in body["tools"]]
        function = {"name": name, "arguments": json.dumps(arguments)}
        call = {"id": f"call_{len(body['messages'])}", "type": "function", "function": function}
        message = {"content": None, "tool_calls": [call]}
        return completion(message, finish_reason="tool_calls")

    return step


def proposes(city: str) -> Step:
    """Propose the plane, which is cheaper, unless the user does not fly."""

    def step(body: Json) -> Reply:
        by = "train for 60 euros" if WISH in json.dumps(body["messages"]) else "plane for 45 euros"
        return completion({"content": f"To {city} I propose the {by}. Shall I book a hotel?"})

    return step


def writes(city: str) -> Step:
    """Write a plan by plane, which is faster, unless the user does not fly."""

    def step(body: Json) -> Reply:
        by = "train" if WISH in json.dumps(body["messages"]) else "plane"
        content = f"# {city}\n\nGo by {by}.\n"
        name = f"{city.lower()}.md"
        return made(uses("write_file", file_path="/plans/", filename=name, content=content), body)

    return step


def made(step: Step, body: Json) -> Reply:
    return step if isinstance(step, Reply) else step(body)


TRIPS: Sequence[Step] = [
    uses("find_connections", origin="Madrid", destination="Lisbon"),
    proposes("Lisbon"),
    uses("book_hotel", city="Lisbon", nights=2),
    says("The hotel in Lisbon is booked for two nights. Your weekend is planned."),
    says("Have a good trip!"),
    uses("find_connections", origin="Madrid", destination="Porto"),
    proposes("Porto"),
    says("Have a good trip!"),
]
"""What the model says in the two conversations of a template, request by request."""

PLANS: Sequence[Step] = [
    writes("Lisbon"),
    uses("read_file", file_path="/plans/", filename="lisbon.md"),
    says("The plan for Lisbon is written, and I read it again."),
    uses("list_artifacts", file_path="/plans/"),
    uses("download_file", file_path="/plans/", filename="lisbon.md"),
    says("You have one plan, for Lisbon, and can download it there."),
    says("Have a good trip!"),
    writes("Porto"),
    uses("read_file", file_path="/plans/", filename="porto.md"),
    says("The plan for Porto is written, and I read it again."),
    says("Have a good trip!"),
]
"""The same for the template that keeps files."""
