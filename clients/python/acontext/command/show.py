"""What the system knows: sessions, messages, tasks, skills, files, keys."""

import builtins
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import click
from rich.text import Text
from rich.tree import Tree

from .._sync.client import AcontextClient
from ..types import Message, Sop, Task, TaskChange, ToolSop
from .output import as_json, connected, print_json, print_json_line, screen, short_time, table

_LIMIT = click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="How many at most."
)


@click.command()
@click.argument("session_id", required=False)
@click.option("--user", help="Only this user's.")
@click.option("--space", "space_id", help="Only those that this space learns from.")
@_LIMIT
@as_json
@connected
def sessions(
    client: AcontextClient,
    session_id: str | None,
    user: str | None,
    space_id: str | None,
    limit: int,
    in_json: bool,
) -> None:
    """List sessions, newest first, or show one."""
    if session_id:
        session = client.sessions.get(session_id)
        status = client.sessions.messages_observing_status(session_id)
        told = session.model_dump() | {"observing": status.model_dump()}
        if in_json:
            print_json(told)
        else:
            table(["", ""], told.items(), empty="")
        return
    found = client.sessions.list_all(user=user, space_id=space_id, time_desc=True)
    rows = builtins.list(islice(found, limit))
    if in_json:
        print_json(rows)
        return
    table(
        ["id", "created", "space"],
        ([one.id, short_time(one.created_at), one.space_id] for one in rows),
        empty="There are no sessions.",
    )


@click.command()
@click.argument("session_id")
@click.option("--watch", is_flag=True, help="Go on with each new message until Ctrl-C.")
@_LIMIT
@as_json
@connected
def messages(
    client: AcontextClient, session_id: str, watch: bool, limit: int, in_json: bool
) -> None:
    """Show the newest messages of a session, oldest first."""
    page = client.sessions.get_messages(
        session_id, limit=min(limit, 200), time_desc=True, format="acontext"
    )
    if in_json and not watch:
        print_json(page.items)
        return
    for message in page.items:
        _message(message, in_json)
    if watch:
        last = page.items[-1].sequence if page.items else 0
        for message in client.sessions.watch(session_id, after_sequence=last):
            _message(message, in_json)


def _message(message: Message, in_json: bool) -> None:
    if in_json:
        print_json_line(message)
        return
    line = Text(f"{message.sequence:>4} ", style="dim")
    line.append(f"{message.role:<10}", style="bold")
    line.append(" ".join(_part(part) for part in message.parts))
    screen().print(line)


def _part(part: Any) -> str:
    if part.text:
        return str(part.text)
    name = (part.meta or {}).get("name") or part.filename or ""
    arguments = (part.meta or {}).get("arguments", "")
    return f"[{part.type} {name} {arguments}".rstrip() + "]"


@click.command()
@click.argument("session_id", required=False)
@click.option("--watch", is_flag=True, help="Go on with each change until Ctrl-C.")
@_LIMIT
@as_json
@connected
def tasks(
    client: AcontextClient, session_id: str | None, watch: bool, limit: int, in_json: bool
) -> None:
    """Show the tasks of a session as a tree; with --watch and no session, of all."""
    if not session_id and not watch:
        raise click.UsageError("name a session, or --watch all of them")
    found = islice(client.sessions.list_all_tasks(session_id), limit) if session_id else ()
    if not watch and in_json:
        print_json(found)
        return
    if session_id and not watch:
        _tree(session_id, found)
        return
    for change in client.tasks.watch(session_id=session_id, cursor="" if session_id else None):
        _change(change, in_json)


def _tree(session_id: str, found: Iterable[Task]) -> None:
    tree = Tree(f"session {session_id}")
    for task in found:
        branch = tree.add(_task_line(task))
        for line in task.data.progresses or ():
            branch.add(Text(line))
        for line in task.data.user_preferences or ():
            branch.add(Text(f"prefers: {line}", style="italic"))
    screen().print(tree)


def _task_line(task: Task) -> Text:
    colours = {"success": "green", "failed": "red", "running": "yellow"}
    line = Text(f"{task.order}. ")
    line.append(f"{task.status:<8}", style=colours.get(task.status, ""))
    return line.append(f" {task.data.task_description}")


def _change(change: TaskChange, in_json: bool) -> None:
    if in_json:
        print_json_line(change)
        return
    line = Text(f"{short_time(change.occurred_at)}  {change.task.session_id}  ", style="dim")
    line.append_text(_task_line(change.task))
    screen().print(line.append("  (removed)" if change.removed else ""))


@click.command()
@click.argument("space_or_skill_id")
@click.option("--history", is_flag=True, help="It is a skill's id: show its versions and uses.")
@_LIMIT
@as_json
@connected
def skills(
    client: AcontextClient, space_or_skill_id: str, history: bool, limit: int, in_json: bool
) -> None:
    """List the skills of a space, or show one with its history."""
    if history:
        told = client.spaces.skills.get(space_or_skill_id)
        if in_json:
            print_json(told)
            return
        tree = Tree(_skill_line(told.skill.sop.use_when, told.skill.version))
        _sop(tree.add("now"), told.skill.sop)
        for version in told.versions:
            branch = tree.add(
                f"version {version.version}: {version.change} by {version.written_by}"
            )
            for source in version.sources:
                branch.add(f"from task {source.task_id} of session {source.session_id}")
        for one in told.exposures:
            tree.add(f"served to {one.session_id}: {one.succeeded} succeeded, {one.failed} failed")
        screen().print(tree)
        return
    found = builtins.list(islice(client.spaces.skills.list_all(space_or_skill_id), limit))
    if in_json:
        print_json(found)
        return
    tree = Tree(f"space {space_or_skill_id}")
    for skill in found:
        _sop(tree.add(_skill_line(skill.sop.use_when, skill.version)).add(skill.id), skill.sop)
    screen().print(tree if found else "Nothing was learned yet.")


def _skill_line(use_when: str, version: int) -> Text:
    return Text(use_when, style="bold").append(f"  v{version}", style="dim")


def _sop(branch: Tree, sop: Sop) -> None:
    if sop.preferences:
        branch.add(Text(f"prefers: {sop.preferences}", style="italic"))
    for number, step in enumerate(sop.tool_sops, 1):
        branch.add(Text(f"{number}. {step.tool_name}: {step.action}"))


@click.command()
@click.argument("space_id")
@click.argument("query")
@_LIMIT
@as_json
@connected
def search(client: AcontextClient, space_id: str, query: str, limit: int, in_json: bool) -> None:
    """Find the skills of a space that fit a task, best first."""
    found = client.spaces.experience_search(space_id, query=query, limit=min(limit, 50))
    if in_json:
        print_json(found)
        return
    table(
        ["distance", "use when", "prefers", "tools"],
        (
            [
                f"{one.distance:.3f}",
                one.title,
                one.props.get("preferences"),
                ", ".join(step["tool_name"] for step in one.props.get("tool_sops", [])),
            ]
            for one in found.cited_blocks
        ),
        empty="Nothing relevant.",
    )


@click.group(invoke_without_command=True)
@_LIMIT
@as_json
@click.pass_context
def disks(context: click.Context, limit: int, in_json: bool) -> None:
    """List disks, newest first, or work with the files on one."""
    if context.invoked_subcommand:
        return
    with context.obj.client() as client:
        rows = builtins.list(islice(client.disks.list_all(time_desc=True), limit))
    if in_json:
        print_json(rows)
        return
    table(
        ["id", "created"],
        ([one.id, short_time(one.created_at)] for one in rows),
        empty="There are no disks.",
    )


@disks.command("ls")
@click.argument("disk_id")
@click.argument("path", default="/")
@as_json
@connected
def list_files(client: AcontextClient, disk_id: str, path: str, in_json: bool) -> None:
    """List a folder of a disk."""
    listed = client.disks.artifacts.list(disk_id, path=path)
    if in_json:
        print_json(listed)
        return
    rows = [[f"{name}/", None, None] for name in listed.directories]
    rows += [[one.filename, str(one.size), one.mime] for one in listed.artifacts]
    table(["name", "bytes", "kind"], rows, empty="Nothing there.")


@disks.command("get")
@click.argument("disk_id")
@click.argument("file_path")
@click.argument("target", type=click.Path(path_type=Path), required=False)
@connected
def get_file(client: AcontextClient, disk_id: str, file_path: str, target: Path | None) -> None:
    """Download a file, into TARGET or one of its own name here."""
    folder, _, name = file_path.rpartition("/")
    into = target or Path(name)
    size = client.disks.artifacts.download_to(
        disk_id, file_path=folder or "/", filename=name, target=into
    )
    screen(err=True).print(f"{into}: {size:,} bytes")


@disks.command("put")
@click.argument("disk_id")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("path", default="/")
@as_json
@connected
def put_file(client: AcontextClient, disk_id: str, source: Path, path: str, in_json: bool) -> None:
    """Upload a file into a folder of a disk."""
    made = client.disks.artifacts.upsert(disk_id, file=(source.name, source), file_path=path)
    if in_json:
        print_json(made)
    else:
        screen(err=True).print(f"{made.path}{made.filename}: {made.size:,} bytes")


@click.command()
@click.argument("space_id")
@click.argument("confirmation_id", required=False)
@click.option("--save/--discard", default=None, help="Learn it, or drop it.")
@click.option("--use-when", help="Learn it with another occasion.")
@click.option("--preferences", help="Learn it with other preferences.")
@_LIMIT
@as_json
@connected
def confirm(
    client: AcontextClient,
    space_id: str,
    confirmation_id: str | None,
    save: bool | None,
    use_when: str | None,
    preferences: str | None,
    limit: int,
    in_json: bool,
) -> None:
    """List the skills that wait for a person, or settle one with --save or --discard."""
    if (confirmation_id is None) is not (save is None):
        raise click.UsageError("name a confirmation and say --save or --discard")
    if confirmation_id is None:
        page = client.spaces.get_unconfirmed_experiences(space_id, limit=min(limit, 200))
        if in_json:
            print_json(page.items)
            return
        table(
            ["id", "use when", "prefers"],
            ([one.id, *_proposal(one.experience_data)[:2]] for one in page.items),
            empty="Nothing waits.",
        )
        return
    edited = None
    if save and (use_when or preferences):
        edited = _edited(client, space_id, confirmation_id, use_when, preferences)
    kept = client.spaces.confirm_experience(
        space_id, confirmation_id, save=bool(save), edited=edited
    )
    if in_json:
        print_json(kept)
    else:
        screen(err=True).print("Learned." if save else "Discarded.")


def _proposal(data: dict[str, Any]) -> tuple[str, str, list[ToolSop]]:
    sop = data.get("data", {})
    steps = [
        ToolSop(tool_name=step["tool_name"], action=step["action"])
        for step in sop.get("tool_sops", [])
    ]
    return sop.get("use_when", ""), sop.get("preferences", ""), steps


def _edited(
    client: AcontextClient,
    space_id: str,
    confirmation_id: str,
    use_when: str | None,
    preferences: str | None,
) -> Sop | None:
    cursor: str | None = None
    while True:
        page = client.spaces.get_unconfirmed_experiences(space_id, limit=200, cursor=cursor)
        for one in page.items:
            if one.id == confirmation_id:
                proposed, preferred, steps = _proposal(one.experience_data)
                return Sop(
                    use_when=use_when or proposed,
                    preferences=preferences or preferred,
                    tool_sops=steps,
                )
        if not page.has_more:
            return None  # the call that follows says that there is none
        cursor = page.next_cursor


@click.group(invoke_without_command=True)
@as_json
@click.pass_context
def keys(context: click.Context, in_json: bool) -> None:
    """List the project's keys, or make and end one."""
    if context.invoked_subcommand:
        return
    with context.obj.client() as client:
        rows = client.keys.list()
    if in_json:
        print_json(rows)
        return
    table(
        ["id", "begins with", "created", "last used", "ends"],
        (
            [
                one.id,
                one.prefix,
                short_time(one.created_at),
                short_time(one.last_used_at or ""),
                short_time(one.expires_at or ""),
            ]
            for one in rows
        ),
        empty="There are no keys.",
    )


@keys.command("create")
@as_json
@connected
def create_key(client: AcontextClient, in_json: bool) -> None:
    """Make a key and print its secret, which is shown only now."""
    made = client.keys.create()
    if in_json:
        print_json(made)
    else:
        click.echo(made.secret)


@keys.command("rotate")
@click.argument("key_id")
@click.option("--overlap", default=0, show_default=True, help="Seconds that the old one works on.")
@as_json
@connected
def rotate_key(client: AcontextClient, key_id: str, overlap: int, in_json: bool) -> None:
    """Make a key in place of another and print its secret."""
    made = client.keys.rotate(key_id, overlap_seconds=overlap)
    if in_json:
        print_json(made)
    else:
        click.echo(made.secret)


@keys.command("revoke")
@click.argument("key_id")
@connected
def revoke_key(client: AcontextClient, key_id: str) -> None:
    """End a key."""
    client.keys.revoke(key_id)
    screen(err=True).print("Ended.")


COMMANDS = (sessions, messages, tasks, skills, search, disks, confirm, keys)
