"""An agent plans two trips; what it learned on the first makes the second better."""

import json
import os

from acontext import AcontextClient
from dotenv import load_dotenv
from openai import OpenAI

from memory import show_tasks, wait_until_learned
from trip import book_hotel, find_connections

load_dotenv()
MODEL = os.environ["OPENAI_MODEL"]
INSTRUCTIONS = "You plan trips. Use your tools, and answer in two sentences at most."

LISBON = [
    "Please plan a weekend in Lisbon, starting in Madrid. Remember that I always travel by train "
    "and never fly, and please show me the price before booking anything.",
    "Yes, please book the hotel.",
    "Perfect, thank you, that is all.",
]
PORTO = ["Please plan a weekend in Porto, starting in Madrid.", "Perfect, thank you, that is all."]


def tool(name: str, description: str, **properties: str) -> dict:
    """Describe a tool to the model."""
    typed = {key: {"type": kind} for key, kind in properties.items()}
    schema = {"type": "object", "properties": typed, "required": list(typed)}
    function = {"name": name, "description": description, "parameters": schema}
    return {"type": "function", "function": function}


FUNCTIONS = {"find_connections": find_connections, "book_hotel": book_hotel}
TOOLS = [
    tool("find_connections", find_connections.__doc__, origin="string", destination="string"),
    tool("book_hotel", book_hotel.__doc__, city="string", nights="integer"),
]

acontext = AcontextClient()  # .env says where it is, and has the key
openai = OpenAI()


def main() -> None:
    """Plan a trip, look at what was observed and learned, and plan another."""
    space = acontext.spaces.create()
    first = converse(space.id, LISBON)
    show_tasks(acontext, first)
    wait_until_learned(acontext, first)
    second = converse(space.id, PORTO)
    show_tasks(acontext, second)


def converse(space_id: str, said: list[str]) -> str:
    """Hold a conversation with what the space has learned in mind, and store all of it."""
    session = acontext.sessions.create(space_id=space_id)
    skills = acontext.spaces.skills_prompt(space_id, said[0], session_id=session.id)
    print(f"\n=== {session.id}\n{skills or 'No skill fits yet.'}")
    messages = [{"role": "system", "content": f"{INSTRUCTIONS}\n\n{skills}".strip()}]

    def note(message: dict) -> None:
        messages.append(message)
        acontext.sessions.store_message(session.id, blob=message)

    for line in said:
        print(f"\nuser: {line}")
        note({"role": "user", "content": line})
        while calls := answer(messages, note):
            for call in calls:
                result = FUNCTIONS[call.function.name](**json.loads(call.function.arguments))
                note({"role": "tool", "tool_call_id": call.id, "content": result})
    return session.id


def answer(messages: list[dict], note) -> list:
    """Let the model say the next thing, and give the tools that it wants to use."""
    completion = openai.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)
    reply = completion.choices[0].message
    note(reply.model_dump(exclude_none=True))
    if reply.content:
        print(f"agent: {reply.content}")
    return reply.tool_calls or []


if __name__ == "__main__":
    main()
