"""An agent of Agno plans two trips; what it learned on the first makes the second better."""

import os

from acontext import AcontextClient
from agno.agent import Agent, Message
from agno.models.openai.like import OpenAILike
from dotenv import load_dotenv

from memory import show_tasks, wait_until_learned
from trip import book_hotel, find_connections

load_dotenv()
INSTRUCTIONS = "You plan trips. Use your tools, and answer in two sentences at most."

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
    agent = planner(f"{INSTRUCTIONS}\n\n{skills}".strip())
    history: list[Message] = []
    for line in said:
        print(f"\nuser: {line}")
        run = agent.run([*history, Message(role="user", content=line)])
        print(f"agent: {run.content}")
        talk = [message for message in run.messages if message.role != "system"]
        new = [message.to_dict() for message in talk[len(history) :]]
        acontext.sessions.store_messages(session.id, new)
        history = talk
    return session.id


def planner(instructions: str) -> Agent:
    """Make the agent, on any OpenAI-compatible endpoint."""
    model = OpenAILike(
        id=os.environ["OPENAI_MODEL"],
        api_key=os.environ["OPENAI_API_KEY"],
        base_url=os.environ["OPENAI_BASE_URL"],
    )
    return Agent(
        model=model,
        instructions=instructions,
        tools=[find_connections, book_hotel],
        telemetry=False,
    )


if __name__ == "__main__":
    main()
