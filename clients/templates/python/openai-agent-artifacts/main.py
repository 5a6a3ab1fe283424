"""An agent keeps its travel plans as files on a disk, and plans better the second time."""

import os
from pathlib import Path

from acontext import AcontextClient
from agents import Agent, Runner, set_default_openai_api, set_tracing_disabled
from agents.models.chatcmpl_converter import Converter
from dotenv import load_dotenv

from memory import show_tasks, wait_until_learned

load_dotenv()
# What every OpenAI-compatible endpoint has; traces would go to OpenAI's own.
set_default_openai_api("chat_completions")
set_tracing_disabled(True)

INSTRUCTIONS = (
    "You plan trips and keep the plans as files in /plans/. Use your tools, and answer in two "
    "sentences at most."
)
LISBON = [
    "Please write a plan for a weekend in Lisbon. Remember that I always travel by train and never "
    "fly, and read the file again before you tell me that it is done.",
    "Which plans do I have, and where can I download this one?",
    "Perfect, thank you, that is all.",
]
PORTO = ["Please write a plan for a weekend in Porto.", "Perfect, thank you, that is all."]

acontext = AcontextClient()  # .env says where it is, and has the key


def main() -> None:
    """Plan a trip, look at what was observed and learned, plan another, fetch the files."""
    space, disk = acontext.spaces.create(), acontext.disks.create()
    first = converse(space.id, disk.id, LISBON)
    show_tasks(acontext, first)
    wait_until_learned(acontext, first)
    second = converse(space.id, disk.id, PORTO)
    show_tasks(acontext, second)
    fetch_plans(disk.id, Path("plans"))


def converse(space_id: str, disk_id: str, said: list[str]) -> str:
    """Hold a conversation with what the space has learned in mind, and store all of it."""
    session = acontext.sessions.create(space_id=space_id)
    skills = acontext.spaces.skills_prompt(space_id, said[0], session_id=session.id)
    print(f"\n=== {session.id}\n{skills or 'No skill fits yet.'}")
    agent = Agent(
        name="Trip planner",
        instructions=f"{INSTRUCTIONS}\n\n{skills}".strip(),
        tools=acontext.tools.disk(disk_id).agents(),
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


def fetch_plans(disk_id: str, folder: Path) -> None:
    """List the files that the agent wrote, and download each."""
    folder.mkdir(exist_ok=True)
    files = acontext.disks.artifacts
    for file in files.list(disk_id, path="/plans/").artifacts:
        plan = folder / file.filename
        files.download_to(disk_id, file_path=file.path, filename=file.filename, target=plan)
        print(f"\n{plan}:\n{plan.read_text()}")


if __name__ == "__main__":
    main()
