"""The tree of a space, over gRPC on a real PostgreSQL."""

import random
from collections.abc import Awaitable
from typing import Any
from uuid import uuid4

import pytest

from acontext.space import v1 as pb
from tests.space.running import Space, eventually, reason

STEP = {"tool_name": " goto ", "action": "open the page"}
SOP = {"preferences": "be quick", "tool_sops": [STEP]}


async def titles(space: Space, space_id: str, parent_id: str | None = None) -> list[str]:
    request = pb.ListBlocksRequest(space_id=space_id, parent_id=parent_id)
    found = await space.spaces.ListBlocks(request, metadata=space.key)
    assert [one.sort for one in found.items] == sorted(one.sort for one in found.items)
    return [one.title for one in found.items]


async def block(space: Space, space_id: str, block_id: str) -> pb.Block:
    request = pb.GetBlockRequest(space_id=space_id, block_id=block_id)
    return (await space.spaces.GetBlock(request, metadata=space.key)).block


@pytest.mark.parametrize(
    ("kind", "parent", "refused"),
    [
        ("folder", None, None),
        ("page", None, None),
        ("sop", None, "INVALID_BLOCK"),
        ("text", None, "INVALID_BLOCK"),
        ("folder", "folder", None),
        ("page", "folder", None),
        ("sop", "folder", "INVALID_BLOCK"),
        ("text", "folder", "INVALID_BLOCK"),
        ("folder", "page", "INVALID_BLOCK"),
        ("page", "page", "INVALID_BLOCK"),
        ("sop", "page", None),
        ("text", "page", None),
        ("text", "text", "INVALID_BLOCK"),
    ],
)
async def test_each_type_has_its_place(
    space: Space, kind: str, parent: str | None, refused: str | None
) -> None:
    space_id = await space.create()
    parent_id = None
    if parent == "text":
        page = await space.create_block(space_id, "page", title="page")
        parent_id = await space.create_block(space_id, "text", title="text", parent_id=page)
    elif parent is not None:
        parent_id = await space.create_block(space_id, parent, title="above")
    props = SOP if kind == "sop" else {}

    made = space.create_block(space_id, kind, title="new", parent_id=parent_id, props=props)

    assert await reason(made) == refused


@pytest.mark.parametrize(
    "props",
    [
        {},
        {"preferences": " ", "tool_sops": []},
        {"tool_sops": [{"tool_name": " ", "action": "open"}]},
        {"tool_sops": [{"tool_name": "goto"}]},
        {"tool_sops": [{"tool_name": 7, "action": "open"}]},
        {"tool_sops": "goto"},
        {"preferences": 7},
    ],
)
async def test_a_sop_without_meaning_is_refused(space: Space, props: dict[str, Any]) -> None:
    space_id = await space.create()
    page = await space.create_block(space_id, "page", title="page")

    made = space.create_block(space_id, "sop", title="when", parent_id=page, props=props)

    assert await reason(made) == "INVALID_BLOCK"


async def test_titles_of_pages_are_names_and_folders_know_their_path(space: Space) -> None:
    space_id = await space.create()
    top = await space.create_block(space_id, "folder", title="my tools")
    inner = await space.create_block(space_id, "folder", title="git hub", parent_id=top)
    slash = space.create_block(space_id, "page", title="a/b")

    assert (await block(space, space_id, inner)).props["path"] == "my_tools/git_hub"
    assert await reason(slash) == "INVALID_BLOCK"

    rename = pb.UpdateBlockRequest(space_id=space_id, block_id=top, title="all tools")
    await space.spaces.UpdateBlock(rename, metadata=space.key)
    request = pb.ListBlocksRequest(space_id=space_id, parent_id=top)
    listed = await space.spaces.ListBlocks(request, metadata=space.key)
    assert listed.items[0].props["path"] == "all_tools/git_hub"


async def test_steps_are_numbered_and_what_a_get_gave_a_put_takes(space: Space) -> None:
    space_id = await space.create()
    page = await space.create_block(space_id, "page", title="page")
    sop = await space.create_block(space_id, "sop", title="when", parent_id=page, props=SOP)

    first = await block(space, space_id, sop)
    put = pb.UpdateBlockRequest(space_id=space_id, block_id=sop, props=first.props)
    await space.spaces.UpdateBlock(put, metadata=space.key)
    second = await block(space, space_id, sop)

    assert first.props == second.props
    step = second.props.fields["tool_sops"].list_value.values[0].struct_value
    assert dict(step) == {"order": 0, "tool_name": "goto", "action": "open the page"}


@pytest.mark.parametrize(
    ("sort", "order"),
    [(-5, "bacd"), (0, "bacd"), (1, "abcd"), (2, "acbd"), (3, "acdb"), (99, "acdb")],
)
async def test_a_position_is_clamped_and_the_others_shift(
    space: Space, sort: int, order: str
) -> None:
    space_id = await space.create()
    made = [await space.create_block(space_id, "page", title=name) for name in "abcd"]

    request = pb.SortBlockRequest(space_id=space_id, block_id=made[1], sort=sort)
    await space.spaces.SortBlock(request, metadata=space.key)

    assert "".join(await titles(space, space_id)) == order


async def test_moving_goes_to_the_end_or_a_position_or_the_root(space: Space) -> None:
    space_id = await space.create()
    folder = await space.create_block(space_id, "folder", title="folder")
    inside = [
        await space.create_block(space_id, "page", title=name, parent_id=folder) for name in "ab"
    ]
    page = await space.create_block(space_id, "page", title="c")

    async def move(block_id: str, **to: Any) -> None:
        request = pb.MoveBlockRequest(space_id=space_id, block_id=block_id, **to)
        await space.spaces.MoveBlock(request, metadata=space.key)

    await move(page, parent_id=folder)
    assert await titles(space, space_id, folder) == ["a", "b", "c"]
    await move(page, parent_id=folder, sort=0)
    assert await titles(space, space_id, folder) == ["c", "a", "b"]
    await move(inside[0])
    assert await titles(space, space_id, folder) == ["c", "b"]
    assert await titles(space, space_id) == ["folder", "a"]


async def test_a_folder_cannot_stand_in_itself_or_below(space: Space) -> None:
    space_id = await space.create()
    top = await space.create_block(space_id, "folder", title="top")
    below = await space.create_block(space_id, "folder", title="below", parent_id=top)

    for target in (top, below):
        request = pb.MoveBlockRequest(space_id=space_id, block_id=top, parent_id=target)
        moved = space.spaces.MoveBlock(request, metadata=space.key)
        assert await reason(moved) == "INVALID_BLOCK"


async def test_unknown_and_foreign_ids_are_not_found(space: Space) -> None:
    here, there = await space.create(), await space.create()
    page = await space.create_block(there, "page", title="page")
    unknown = str(uuid4())

    foreign = pb.GetBlockRequest(space_id=here, block_id=page)
    missing = pb.ListBlocksRequest(space_id=unknown)

    assert await reason(space.spaces.GetBlock(foreign, metadata=space.key)) == "BLOCK_NOT_FOUND"
    assert await reason(space.spaces.ListBlocks(missing, metadata=space.key)) == "SPACE_NOT_FOUND"
    made = space.create_block(here, "page", title="page", parent_id=unknown)
    assert await reason(made) == "BLOCK_NOT_FOUND"


async def test_deleting_a_folder_removes_what_is_below_and_closes_the_gap(space: Space) -> None:
    space_id = await space.create()
    folder = await space.create_block(space_id, "folder", title="a")
    page = await space.create_block(space_id, "page", title="p", parent_id=folder)
    sop = await space.create_block(
        space_id, "sop", title="bake an apple pie", parent_id=page, props=SOP
    )
    await space.create_block(space_id, "folder", title="b")
    await space.found(space_id, "bake an apple pie")

    request = pb.DeleteBlockRequest(space_id=space_id, block_id=folder)
    await space.spaces.DeleteBlock(request, metadata=space.key)

    gone = pb.GetBlockRequest(space_id=space_id, block_id=sop)
    assert await reason(space.spaces.GetBlock(gone, metadata=space.key)) == "BLOCK_NOT_FOUND"
    assert await space.search(space_id, "bake an apple pie") == []
    left = await space.spaces.ListBlocks(
        pb.ListBlocksRequest(space_id=space_id), metadata=space.key
    )
    assert [(one.title, one.sort) for one in left.items] == [("b", 0)]


async def test_search_follows_every_change_of_a_text(space: Space) -> None:
    space_id = await space.create()
    page = await space.create_block(space_id, "page", title="page")
    text = await space.create_block(space_id, "text", title="bake an apple pie", parent_id=page)
    (found,) = await space.found(space_id, "bake an apple pie")

    rename = pb.UpdateBlockRequest(space_id=space_id, block_id=text, title="repair a bicycle")
    await space.spaces.UpdateBlock(rename, metadata=space.key)

    (moved,) = await space.found(space_id, "how do I repair my bicycle")
    assert dict(found.props) == {"use_when": "bake an apple pie", "notes": ""}
    assert moved.block_id == text
    await eventually(lambda: space.search(space_id, "bake an apple pie"), lambda blocks: not blocks)


async def test_tools_are_known_by_name_and_renamed_everywhere(space: Space) -> None:
    space_id = await space.create()
    page = await space.create_block(space_id, "page", title="page")
    for name in ("goto", "Goto", "click"):
        props = {"tool_sops": [{"tool_name": name, "action": "do it"}]}
        await space.create_block(space_id, "sop", title=name, parent_id=page, props=props)

    async def known() -> list[tuple[str, int]]:
        answer = await space.skills.ListToolNames(pb.ListToolNamesRequest(), metadata=space.key)
        return [(one.name, one.sop_count) for one in answer.items]

    assert await known() == [("click", 1), ("goto", 2)]
    renames = [
        pb.ToolRename(old_name="GOTO", new_name="click"),
        pb.ToolRename(old_name="unknown", new_name="other"),
    ]
    await space.skills.RenameTools(pb.RenameToolsRequest(rename=renames), metadata=space.key)
    assert await known() == [("click", 3)]
    empty = pb.RenameToolsRequest(rename=[pb.ToolRename(old_name="click", new_name=" ")])
    assert await reason(space.skills.RenameTools(empty, metadata=space.key)) == "INVALID_REQUEST"


async def test_a_nul_is_the_callers_mistake(space: Space) -> None:
    space_id = await space.create()
    page = space.create_block(space_id, "page", title="a\0b")
    note = space.create_block(space_id, "page", title="a", props={"x": [{"y": "\0"}]})
    renames = pb.RenameToolsRequest(rename=[pb.ToolRename(old_name="\0", new_name="a")])

    refused: list[Awaitable[object]] = [
        page,
        note,
        space.skills.RenameTools(renames, metadata=space.key),
    ]
    assert [await reason(one) for one in refused] == ["INVALID_REQUEST"] * 3
    assert await reason(space.create(a="\0")) == "INVALID_REQUEST"
    assert await space.search(space_id, "a\0b") == []


async def test_a_retried_creation_gets_the_first_answer(space: Space) -> None:
    request_id = str(uuid4())
    request = pb.CreateSpaceRequest(request_id=request_id)

    first = await space.spaces.CreateSpace(request, metadata=space.key)
    second = await space.spaces.CreateSpace(request, metadata=space.key)
    other = pb.CreateSpaceRequest(request_id=request_id, user="somebody")

    assert first == second
    reused = space.spaces.CreateSpace(other, metadata=space.key)
    assert await reason(reused) == "REQUEST_ID_REUSED"


async def test_a_name_that_no_index_holds_is_the_callers_mistake(space: Space) -> None:
    space_id = await space.create()
    page = await space.create_block(space_id, "page", title="page")
    name = random.Random(7).randbytes(3000).hex()
    props = {"use_when": "x", "tool_sops": [{"tool_name": name, "action": "run it"}]}
    made = space.create_block(space_id, "sop", title="x", parent_id=page, props=props)
    assert await reason(made) == "INVALID_REQUEST"


@pytest.mark.parametrize(
    ("notes", "refused"), [("", None), ("note", None), (None, None), (5, "INVALID_BLOCK")]
)
async def test_notes_are_text(space: Space, notes: object, refused: str | None) -> None:
    space_id = await space.create()
    page = await space.create_block(space_id, "page", title="page")
    made = space.create_block(space_id, "text", title="x", parent_id=page, props={"notes": notes})
    assert await reason(made) == refused
