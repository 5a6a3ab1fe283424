"""An agent of the OpenAI Agents SDK plans two trips, the second with what the first taught it."""

import os

from acontext import AcontextClient
from agents import Agent, Runner, function_tool, set_default_openai_api, set_tracing_disabled
from agents.models.chatcmpl_converter import Converter
from dotenv import load_dotenv

from memory import show_tasks, wait_until_learned
from trip import book_hotel, find_connections

load_dotenv()
# What every OpenAI-compatible endpoint has; traces would go to OpenAI's own.
set_default_openai_api("chat_completions")
set_tracing_disabled(True)

INSTRUCTIONS = "You plan trips. Use your tools, and answer in two sentences at most."
TOOLS = [function_tool(find_connections), function_tool(book_hotel)]

LISBON = [
    "Please plan a weekend in Lisbon, starting in Madrid. Remember that I always travel by train "
    "and never fly, and please show me the price before booking anything.",
    "Yes, please book the hotel.",
    "Perfect, thank you, that is all.",
]
PORTO = ["Please plan a weekend in Porto, starting in Madrid.", "Perfect, thank you, that is all."]

acontext = AcontextClient()  # .env says where it is, and has the key


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
    agent = Agent(
        name="Trip planner",
        instructions=f"{INSTRUCTIONS}\n\n{skills}".strip(),
        tools=TOOLS,
        model=os.environ["OPENAI_MODEL"],
    )
    items: list = []
    for line in said:
        print(f"\nuser: {line}")
        turn = [{"role": "user", "content": line}]
        store(session.id, turn)
        result = Runner.run_sync(agent, [*items, *turn])
        print(f"agent: {result.final_output}")
        store(session.id, [item.to_input_item() for item in result.new_items])
        items = result.to_input_list()
    return session.id


def store(session_id: str, items: list) -> None:
    """Store what the SDK calls items as the chat messages that they stand for."""
    messages = [dict(message) for message in Converter.items_to_messages(items)]
    acontext.sessions.store_messages(session_id, messages)


if __name__ == "__main__":
    main()
