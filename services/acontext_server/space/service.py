"""The gRPC servicers of space: proto to domain and back."""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio

from acontext.observer import v1 as observer
from acontext.space import v1 as pb
from acontext_server.kit.auth import caller
from acontext_server.kit.days import DEFAULT_DAYS
from acontext_server.kit.errors import InvalidRequest
from acontext_server.kit.moments import read_moment
from acontext_server.kit.paging import Page
from acontext_server.kit.requests import digest_of
from acontext_server.kit.telemetry.metrics import count_search
from acontext_server.space.app import Listing, RequestKey
from acontext_server.space.app.blocks import BlockApp
from acontext_server.space.app.index import Indexer
from acontext_server.space.app.learning import LearningApp
from acontext_server.space.app.skills import Answer, History, Question, SkillApp
from acontext_server.space.app.spaces import SpaceApp
from acontext_server.space.domain.blocks import (
    Block,
    BlockType,
    Skill,
    found_props,
    shown_props,
    sop_props,
)
from acontext_server.space.domain.learning import Run, WantedRuns
from acontext_server.space.domain.skills import (
    POINTS,
    Confirmation,
    Difficulty,
    Exposure,
    Reason,
    SkillUse,
    Sop,
    Source,
    Step,
    Version,
)
from acontext_server.space.domain.spaces import Space
from acontext_server.space.store.statistics import UseFilter

Context = aio.ServicerContext[Any, Any]
DEFAULT_LIMIT = 20


class SpaceServicer(pb.SpaceServiceServicer):
    """Spaces and their trees."""

    def __init__(self, spaces: SpaceApp, blocks: BlockApp, skills: SkillApp) -> None:
        self._spaces = spaces
        self._blocks = blocks
        self._skills = skills

    async def CreateSpace(
        self, request: pb.CreateSpaceRequest, context: Context
    ) -> pb.CreateSpaceResponse:
        space = await self._spaces.create_space(
            caller().project_id,
            user=request.user or None,
            configs=plain_json("configs", request.configs),
            request=_request_key("CreateSpace", request),
        )
        return pb.CreateSpaceResponse(space=_space(space))

    async def GetSpace(self, request: pb.GetSpaceRequest, context: Context) -> pb.GetSpaceResponse:
        space = await self._spaces.get_space(caller().project_id, UUID(request.space_id))
        return pb.GetSpaceResponse(space=_space(space))

    async def ListSpaces(
        self, request: pb.ListSpacesRequest, context: Context
    ) -> pb.ListSpacesResponse:
        page = await self._spaces.list_spaces(
            caller().project_id, request.user or None, _listing(request)
        )
        return pb.ListSpacesResponse(items=map(_space, page.items), **_ends(page))

    async def DeleteSpace(
        self, request: pb.DeleteSpaceRequest, context: Context
    ) -> pb.DeleteSpaceResponse:
        await self._spaces.delete_space(caller().project_id, UUID(request.space_id))
        return pb.DeleteSpaceResponse()

    async def UpdateSpaceConfigs(
        self, request: pb.UpdateSpaceConfigsRequest, context: Context
    ) -> pb.UpdateSpaceConfigsResponse:
        configs = plain_json("configs", request.configs)
        await self._spaces.update_configs(caller().project_id, UUID(request.space_id), configs)
        return pb.UpdateSpaceConfigsResponse()

    async def ListBlocks(
        self, request: pb.ListBlocksRequest, context: Context
    ) -> pb.ListBlocksResponse:
        found = await self._blocks.list_blocks(
            caller().project_id,
            UUID(request.space_id),
            _id(request, "parent_id"),
            BlockType(request.type) if request.HasField("type") else None,
        )
        return pb.ListBlocksResponse(items=map(_block, found))

    async def CreateBlock(
        self, request: pb.CreateBlockRequest, context: Context
    ) -> pb.CreateBlockResponse:
        block_id = await self._blocks.create_block(
            caller().project_id,
            UUID(request.space_id),
            kind=BlockType(request.type),
            parent_id=_id(request, "parent_id"),
            title=request.title,
            props=plain_json("props", request.props),
            request=_request_key("CreateBlock", request),
        )
        return pb.CreateBlockResponse(id=str(block_id))

    async def GetBlock(self, request: pb.GetBlockRequest, context: Context) -> pb.GetBlockResponse:
        block = await self._blocks.get_block(
            caller().project_id, UUID(request.space_id), UUID(request.block_id)
        )
        return pb.GetBlockResponse(block=_block(block))

    async def UpdateBlock(
        self, request: pb.UpdateBlockRequest, context: Context
    ) -> pb.UpdateBlockResponse:
        await self._blocks.update_block(
            caller().project_id,
            UUID(request.space_id),
            UUID(request.block_id),
            title=request.title or None,
            props=plain_json("props", request.props) if request.HasField("props") else None,
        )
        return pb.UpdateBlockResponse()

    async def MoveBlock(
        self, request: pb.MoveBlockRequest, context: Context
    ) -> pb.MoveBlockResponse:
        await self._blocks.move_block(
            caller().project_id,
            UUID(request.space_id),
            UUID(request.block_id),
            _id(request, "parent_id"),
            request.sort if request.HasField("sort") else None,
        )
        return pb.MoveBlockResponse()

    async def SortBlock(
        self, request: pb.SortBlockRequest, context: Context
    ) -> pb.SortBlockResponse:
        await self._blocks.sort_block(
            caller().project_id, UUID(request.space_id), UUID(request.block_id), request.sort
        )
        return pb.SortBlockResponse()

    async def DeleteBlock(
        self, request: pb.DeleteBlockRequest, context: Context
    ) -> pb.DeleteBlockResponse:
        await self._blocks.delete_block(
            caller().project_id, UUID(request.space_id), UUID(request.block_id)
        )
        return pb.DeleteBlockResponse()

    async def ExportSpace(
        self, request: pb.ExportSpaceRequest, context: Context
    ) -> AsyncIterator[pb.ExportSpaceResponse]:
        space_id = UUID(request.space_id)
        for path, text in await self._skills.export(caller().project_id, space_id):
            yield pb.ExportSpaceResponse(path=path, text=text)

    async def CountUserResources(
        self, request: pb.CountUserResourcesRequest, context: Context
    ) -> pb.CountUserResourcesResponse:
        count = await self._spaces.count_spaces(caller().project_id, UUID(request.user_id))
        return pb.CountUserResourcesResponse(spaces_count=count)


DEFAULT_ITERATIONS = 16
"""Rounds of a model that searches."""


class SkillServicer(pb.SkillServiceServicer):
    """Skills, confirmations, tool names and runs."""

    def __init__(self, skills: SkillApp, learning: LearningApp, indexer: Indexer) -> None:
        self._skills = skills
        self._learning = learning
        self._indexer = indexer

    async def SearchSkills(
        self, request: pb.SearchSkillsRequest, context: Context
    ) -> pb.SearchSkillsResponse:
        question = Question(
            query=request.query,
            mode=request.mode or "fast",
            limit=request.limit if request.HasField("limit") else 10,
            threshold=request.semantic_threshold
            if request.HasField("semantic_threshold")
            else None,
            iterations=request.max_iterations or DEFAULT_ITERATIONS,
            session_id=_id(request, "session_id"),
            tool_name=request.tool_name or None,
            page_id=_id(request, "page_id"),
        )
        found = await self._skills.search(caller().project_id, UUID(request.space_id), question)
        count_search(answered=bool(found))
        return pb.SearchSkillsResponse(cited_blocks=map(_cited, found))

    async def GetSearchThreshold(
        self, request: pb.GetSearchThresholdRequest, context: Context
    ) -> pb.GetSearchThresholdResponse:
        cut, set_by = await self._skills.get_cut(caller().project_id, UUID(request.space_id))
        return pb.GetSearchThresholdResponse(
            threshold=cut.threshold, crowding=cut.crowding, set_by=set_by
        )

    async def ListSkills(
        self, request: pb.ListSkillsRequest, context: Context
    ) -> pb.ListSkillsResponse:
        page = await self._skills.list_skills(
            caller().project_id,
            UUID(request.space_id),
            with_archived=request.with_archived,
            listing=_listing(request),
        )
        return pb.ListSkillsResponse(items=map(_skill, page.items), **_ends(page))

    async def GetSkill(self, request: pb.GetSkillRequest, context: Context) -> pb.GetSkillResponse:
        history = await self._skills.get_skill(caller().project_id, UUID(request.skill_id))
        return _history(history)

    async def UpdateSkill(
        self, request: pb.UpdateSkillRequest, context: Context
    ) -> pb.UpdateSkillResponse:
        skill = await self._skills.update_skill(
            caller().project_id,
            UUID(request.skill_id),
            _edited(request.sop),
            _masked(request),
        )
        return pb.UpdateSkillResponse(skill=_skill(skill))

    async def RollbackSkill(
        self, request: pb.RollbackSkillRequest, context: Context
    ) -> pb.RollbackSkillResponse:
        skill = await self._skills.rollback_skill(
            caller().project_id, UUID(request.skill_id), request.version
        )
        return pb.RollbackSkillResponse(skill=_skill(skill))

    async def ArchiveSkill(
        self, request: pb.ArchiveSkillRequest, context: Context
    ) -> pb.ArchiveSkillResponse:
        archived = request.archived if request.HasField("archived") else True
        skill = await self._skills.archive_skill(
            caller().project_id, UUID(request.skill_id), archived=archived
        )
        return pb.ArchiveSkillResponse(skill=_skill(skill))

    async def ListConfirmations(
        self, request: pb.ListConfirmationsRequest, context: Context
    ) -> pb.ListConfirmationsResponse:
        page = await self._skills.list_confirmations(
            caller().project_id, UUID(request.space_id), _listing(request)
        )
        return pb.ListConfirmationsResponse(items=map(_confirmation, page.items), **_ends(page))

    async def ResolveConfirmation(
        self, request: pb.ResolveConfirmationRequest, context: Context
    ) -> pb.ResolveConfirmationResponse:
        learned = await self._skills.resolve_confirmation(
            caller().project_id,
            UUID(request.space_id),
            UUID(request.confirmation_id),
            save=request.save,
            edited=_edited(request.edited) if request.HasField("edited") else None,
        )
        return pb.ResolveConfirmationResponse(
            confirmation=_confirmation(learned) if learned else None
        )

    async def ListToolNames(
        self, request: pb.ListToolNamesRequest, context: Context
    ) -> pb.ListToolNamesResponse:
        known = await self._skills.tool_names(caller().project_id)
        items = (pb.ToolName(name=name, sop_count=count) for name, count in known)
        return pb.ListToolNamesResponse(items=items)

    async def GetSkillStatistics(
        self, request: pb.GetSkillStatisticsRequest, context: Context
    ) -> pb.GetSkillStatisticsResponse:
        counted = await self._skills.get_statistics(
            caller().project_id,
            days=request.days or DEFAULT_DAYS,
            time_zone=request.time_zone or "UTC",
        )
        return pb.GetSkillStatisticsResponse(
            days=[pb.SkillDay(**asdict(day)) for day in counted.days],
            spaces=counted.spaces,
            skills=counted.skills,
            archived=counted.archived,
            confirmations=counted.confirmations,
        )

    async def RenameTools(
        self, request: pb.RenameToolsRequest, context: Context
    ) -> pb.RenameToolsResponse:
        renames = [(one.old_name, one.new_name) for one in request.rename]
        await self._skills.rename_tools(caller().project_id, renames)
        return pb.RenameToolsResponse(status=200)

    async def ListLearningRuns(
        self, request: pb.ListLearningRunsRequest, context: Context
    ) -> pb.ListLearningRunsResponse:
        wanted = WantedRuns(
            space_id=_id(request, "space_id"),
            session_id=_id(request, "session_id"),
            role=request.role,
            outcome=request.outcome,
        )
        page = await self._skills.list_runs(caller().project_id, wanted, _listing(request))
        return pb.ListLearningRunsResponse(items=map(_run, page.items), **_ends(page))

    async def RetryFailedLearning(
        self, request: pb.RetryFailedLearningRequest, context: Context
    ) -> pb.RetryFailedLearningResponse:
        count = await self._learning.retry_failed(
            caller().project_id, UUID(request.space_id), _id(request, "session_id")
        )
        return pb.RetryFailedLearningResponse(count=count)

    async def GetLearningRun(
        self, request: pb.GetLearningRunRequest, context: Context
    ) -> pb.GetLearningRunResponse:
        run = await self._skills.get_run(caller().project_id, UUID(request.run_id))
        return pb.GetLearningRunResponse(run=_run(run))

    async def ListSkillUses(
        self, request: pb.ListSkillUsesRequest, context: Context
    ) -> pb.ListSkillUsesResponse:
        which = UseFilter(
            kind=request.kind,
            used_after=read_moment(request, "used_after"),
            used_before=read_moment(request, "used_before"),
        )
        page = await self._skills.list_uses(caller().project_id, which, _listing(request))
        return pb.ListSkillUsesResponse(items=map(_use, page.items), **_ends(page))

    async def ReindexSkills(
        self, request: pb.ReindexSkillsRequest, context: Context
    ) -> pb.ReindexSkillsResponse:
        count = await self._indexer.rebuild()
        return pb.ReindexSkillsResponse(count=count, embedding_space=self._indexer.embedding_space)


SOP_FIELDS = {"use_when": "use_when", "preferences": "preferences", "tool_sops": "steps"}
"""The paths of an update mask, with our own names."""


def _masked(request: pb.UpdateSkillRequest) -> list[str]:
    """Name the fields to change; an absent mask means all that are populated."""
    if not request.HasField("update_mask"):
        return [SOP_FIELDS[field.name] for field, _ in request.sop.ListFields()]
    unknown = [path for path in request.update_mask.paths if path not in SOP_FIELDS]
    if unknown:
        raise InvalidRequest.of("update_mask", f"unknown paths: {', '.join(unknown)}")
    return [SOP_FIELDS[path] for path in request.update_mask.paths]


def plain_json(field: str, struct: Struct) -> dict[str, Any]:
    """Read a Struct; whole numbers become ints again. JSON has no NaN and no infinity."""
    return {key: _plain(field, value) for key, value in struct.fields.items()}


def _plain(field: str, value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            return plain_json(field, value.struct_value)
        case "list_value":
            return [_plain(field, one) for one in value.list_value.values]
        case "number_value":
            return _number(field, value.number_value)
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _number(field: str, number: float) -> int | float:
    if not math.isfinite(number):
        raise InvalidRequest.of(field, "numbers are finite")
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _struct(value: Mapping[str, Any]) -> Struct:
    struct = Struct()
    struct.update(value)
    return struct


def _id(request: Message, field: str) -> UUID | None:
    return UUID(getattr(request, field)) if request.HasField(field) else None


def _listing(request: Any) -> Listing:
    return Listing(
        limit=request.limit if request.HasField("limit") else DEFAULT_LIMIT,
        cursor=request.cursor or None,
        descending=request.time_desc,
    )


def _ends(page: Page[Any]) -> dict[str, Any]:
    return {"next_cursor": page.next_cursor, "has_more": page.has_more}


def _request_key(method: str, request: Any) -> RequestKey | None:
    if not request.HasField("request_id"):
        return None
    digest = digest_of(request.SerializeToString(deterministic=True))
    return RequestKey(method, UUID(request.request_id), digest)


def _space(space: Space) -> pb.Space:
    return pb.Space(
        id=str(space.id),
        project_id=str(space.project_id),
        user_id=_text(space.user_id),
        configs=_struct(space.configs),
        created_at=_at(space.created_at),
        updated_at=_at(space.updated_at),
    )


def _at(time: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None


def _block(block: Block) -> pb.Block:
    return pb.Block(
        id=str(block.id),
        space_id=str(block.space_id),
        type=block.type,
        parent_id=_text(block.parent_id),
        title=block.title,
        props=_struct(shown_props(block)),
        sort=block.sort,
        is_archived=block.archived,
        created_at=_at(block.created_at),
        updated_at=_at(block.updated_at),
    )


def _cited(answer: Answer) -> pb.CitedBlock:
    block = answer.block
    return pb.CitedBlock(
        block_id=str(block.id),
        title=block.title,
        type=block.type,
        props=_struct(found_props(block)),
        distance=answer.distance,
        skill_version=block.version,
    )


def _skill(skill: Skill) -> pb.Skill:
    block = skill.block
    return pb.Skill(
        id=str(block.id),
        space_id=str(block.space_id),
        page_title=skill.page_title,
        sop=_sop(block.sop),
        version=block.version,
        archived=block.archived,
        created_at=_at(block.created_at),
        updated_at=_at(block.updated_at),
    )


def _sop(sop: Sop) -> pb.Sop:
    steps = (pb.ToolSop(tool_name=step.tool_name, action=step.action) for step in sop.steps)
    return pb.Sop(use_when=sop.use_when, preferences=sop.preferences, tool_sops=steps)


def _edited(sop: pb.Sop) -> Sop:
    steps = (Step(step.tool_name, step.action) for step in sop.tool_sops)
    return Sop(sop.use_when, sop.preferences, tuple(steps))


def _history(history: History) -> pb.GetSkillResponse:
    return pb.GetSkillResponse(
        skill=_skill(history.skill),
        versions=map(_version, history.versions),
        exposures=map(_exposure, history.exposures),
    )


def _version(version: Version) -> pb.SkillVersion:
    return pb.SkillVersion(
        version=version.version,
        sop=_sop(version.sop),
        written_by=version.written_by,
        change=version.change,
        difficulty=_difficulty(version.difficulty),
        sources=map(_source, version.sources),
        created_at=_at(version.created_at),
    )


def _difficulty(difficulty: Difficulty) -> pb.Difficulty:
    reasons = (_reason(reason, where) for reason, where in difficulty.evidence.items())
    return pb.Difficulty(score=difficulty.score, reasons=reasons)


def _reason(reason: Reason, where: Sequence[str]) -> pb.DifficultyReason:
    evidence = f"messages {', '.join(where)}"
    return pb.DifficultyReason(kind=reason, points=POINTS[reason], evidence=evidence)


def _source(source: Source) -> pb.SkillSource:
    return pb.SkillSource(
        task_id=str(source.task_id),
        session_id=str(source.session_id),
        message_ids=source.message_ids,
        run_id=_text(source.run_id),
    )


def _exposure(exposure: Exposure) -> pb.Exposure:
    return pb.Exposure(
        session_id=str(exposure.session_id),
        skill_version=exposure.skill_version,
        rank=exposure.rank,
        distance=exposure.distance,
        served_at=_at(exposure.served_at),
        succeeded=exposure.succeeded,
        failed=exposure.failed,
    )


def _confirmation(confirmation: Confirmation) -> pb.Confirmation:
    sop = confirmation.sop
    data = {"type": "sop", "data": {"use_when": sop.use_when, **sop_props(sop)}}
    return pb.Confirmation(
        id=str(confirmation.id),
        space_id=str(confirmation.space_id),
        task_id=_text(confirmation.source.task_id) if confirmation.source else None,
        experience_data=_struct(data),
        created_at=_at(confirmation.created_at),
        updated_at=_at(confirmation.created_at),
    )


def _use(use: SkillUse) -> pb.SkillUse:
    return pb.SkillUse(
        kind=use.kind,
        skill_id=str(use.skill_id),
        space_id=str(use.space_id),
        title=use.title,
        version=use.version,
        session_id=str(use.session_id) if use.session_id else None,
        used_at=_at(use.used_at),
    )


def _run(run: Run) -> observer.Run:
    return observer.Run(
        id=str(run.id),
        project_id=str(run.project_id),
        role=run.role,
        engine=run.engine,
        instruction_version=run.instruction_version,
        session_id=_text(run.session_id),
        task_id=_text(run.task_id),
        space_id=_text(run.space_id),
        rounds=run.rounds,
        tool_calls=run.tool_calls,
        input_tokens=run.input_tokens,
        output_tokens=run.output_tokens,
        cost=run.cost,
        duration_seconds=run.duration_seconds,
        outcome=run.outcome,
        error=run.error,
        created_at=_at(run.created_at),
        summary=run.summary,
    )
