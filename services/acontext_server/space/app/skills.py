"""Finding skills, showing where they come from, and what a person decides about them."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from acontext_server.kit.database import Database, Tx
from acontext_server.kit.days import last_days
from acontext_server.kit.errors import InvalidRequest, Unavailable
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.paging import Cursors, Page
from acontext_server.space.agents.searcher import Found, ModelSearcher
from acontext_server.space.app import Announce, Listing, NewId, Now
from acontext_server.space.app.exploring import SpaceTree
from acontext_server.space.app.library import FARTHEST, Library, Taught
from acontext_server.space.app.runs import keep_run
from acontext_server.space.domain.blocks import (
    Block,
    BlockType,
    Skill,
    check_storable,
    props_for,
    sop_props,
    title_for,
)
from acontext_server.space.domain.errors import (
    ConfirmationNotFound,
    ModelRequired,
    RunNotFound,
    SessionNotFound,
    SkillNotFound,
    SpaceNotFound,
)
from acontext_server.space.domain.events import Event, SkillChanged
from acontext_server.space.domain.exporting import skill_file
from acontext_server.space.domain.learning import Run, WantedRuns
from acontext_server.space.domain.placing import page_title
from acontext_server.space.domain.skills import (
    Confirmation,
    Difficulty,
    Exposure,
    SkillStatistics,
    SkillUse,
    Sop,
    Step,
    Version,
)
from acontext_server.space.domain.spaces import PERSON, Space
from acontext_server.space.embedder import Embedder
from acontext_server.space.peers import Peers
from acontext_server.space.ranking import Cut, Ranked, rank
from acontext_server.space.store import blocks, learning, skills, spaces, statistics
from acontext_server.space.store.statistics import UseFilter
from acontext_server.space.vectors import Vectors

CANDIDATES = 200
FILTERED_CANDIDATES = 2_000
SHOWN_EXPOSURES = 100


@dataclass(frozen=True)
class Question:
    """What a search asks."""

    query: str
    mode: str = "fast"
    limit: int = 10
    threshold: float | None = None
    iterations: int = 16
    """Rounds of the model; agentic only."""
    session_id: UUID | None = None
    tool_name: str | None = None
    page_id: UUID | None = None

    @property
    def is_filtered(self) -> bool:
        """Say whether some neighbours may not be answered."""
        return self.tool_name is not None or self.page_id is not None

    def wants(self, block: Block) -> bool:
        """Apply the filters."""
        if self.page_id is not None and block.parent_id != self.page_id:
            return False
        if self.tool_name is None:
            return True
        tools = block.sop.tool_names if block.version else ()
        return skills.fold(self.tool_name) in map(skills.fold, tools)


@dataclass(frozen=True)
class Answer:
    """One block that fits."""

    block: Block
    distance: float


@dataclass(frozen=True)
class History:
    """A skill with all that is known of it."""

    skill: Skill
    versions: Sequence[Version]
    exposures: Sequence[Exposure]


class SkillApp:
    """The verbs of skills."""

    def __init__(
        self,
        database: Database,
        *,
        announce: Announce,
        peers: Peers,
        embedder: Embedder,
        vectors: Vectors,
        library: Library,
        cursors: Cursors,
        now: Now,
        new_id: NewId,
        searcher: ModelSearcher | None = None,
    ) -> None:
        self._database = database
        self._announce = announce
        self._peers = peers
        self._embedder = embedder
        self._vectors = vectors
        self._library = library
        self._cursors = cursors
        self._now = now
        self._new_id = new_id
        self._searcher = searcher

    async def search(
        self, project_id: ProjectId, space_id: UUID, question: Question
    ) -> Sequence[Answer]:
        """Find what fits a query, best first; nothing relevant is an answer too.

        With a session_id the answers are kept as exposures there.
        """
        if question.mode == "agentic":
            return await self._search_by_model(project_id, space_id, question)
        # Neither needs the other, and the embedder works in a thread.
        words, (vector,) = await asyncio.gather(
            self._words(project_id, space_id, question), self._embedder.embed([question.query])
        )
        limit = FILTERED_CANDIDATES if question.is_filtered else CANDIDATES
        distances = await self._vectors.query(project_id, space_id, vector, limit)
        ranked = rank(
            distances,
            words.hits,
            stems=words.stems,
            total=words.total,
            cut=await self._cut(project_id, words.configs, question),
            limit=len(distances),
        )
        found = await self._read(project_id, space_id, question, ranked)
        answered = [one for one in ranked if one.skill_id in found][: question.limit]
        await self._expose(project_id, question, answered, found)
        return [Answer(found[one.skill_id], one.distance) for one in answered]

    async def _search_by_model(
        self, project_id: ProjectId, space_id: UUID, question: Question
    ) -> Sequence[Answer]:
        searcher = self._searcher
        if searcher is None:
            raise ModelRequired
        async with self._database.transaction() as tx:
            await self._space(tx, project_id, space_id)
        await self._peers.check_budget(project_id)
        wishes = (await self._peers.settings(project_id)).wishes
        (vector,) = await self._embedder.embed([question.query])
        near = await self._vectors.query(project_id, space_id, vector, FILTERED_CANDIDATES)

        async def alike(query: str) -> Sequence[Block]:
            looked = Question(
                query,
                # The model reads what it is shown, and leaves out what is not relevant itself.
                threshold=FARTHEST,
                tool_name=question.tool_name,
                page_id=question.page_id,
            )
            return [one.block for one in await self.search(project_id, space_id, looked)]

        tree = SpaceTree(self._database, project_id, space_id, wanted=question.wants, alike=alike)
        started = time.monotonic()
        found = await searcher.search(
            question.query,
            tree,
            limit=question.limit,
            rounds=question.iterations,
            name=wishes.models.get("searcher", ""),
        )
        seconds = time.monotonic() - started
        await self._keep_run(project_id, space_id, question, searcher.version, found, seconds)
        if found.is_unanswered:
            raise Unavailable("model")
        ranked = [Ranked(one.id, near.get(one.id, FARTHEST), 0) for one in found.blocks]
        await self._expose(project_id, question, ranked, {one.id: one for one in found.blocks})
        return [Answer(one, near.get(one.id, FARTHEST)) for one in found.blocks]

    async def _keep_run(
        self,
        project_id: ProjectId,
        space_id: UUID,
        question: Question,
        version: str,
        found: Found,
        seconds: float,
    ) -> None:
        run = Run(
            id=self._new_id(),
            project_id=project_id,
            role="searcher",
            engine=found.engine,
            instruction_version=version,
            session_id=question.session_id,
            task_id=None,
            space_id=space_id,
            duration_seconds=seconds,
            outcome="failed" if found.error else "success",
            error=found.error or None,
            summary="; ".join(filter(None, (f"{len(found.blocks)} attached", found.work.note))),
            created_at=self._now(),
            rounds=found.work.rounds,
            tool_calls=found.work.tool_calls,
            input_tokens=found.work.usage.input_tokens,
            output_tokens=found.work.usage.output_tokens,
            cost=found.work.usage.cost,
        )
        async with self._database.transaction() as tx:
            await keep_run(tx, self._announce, run)

    async def _words(
        self, project_id: ProjectId, space_id: UUID, question: Question
    ) -> blocks.Matches:
        query = question.query.replace("\0", " ")
        async with self._database.raw() as connection:
            found = await blocks.match_words(connection, project_id, space_id, query)
        if found is None:
            raise SpaceNotFound(space_id)
        return found

    async def get_cut(self, project_id: ProjectId, space_id: UUID) -> tuple[Cut, str]:
        """Say up to which distance a search in a space answers, and who set it."""
        async with self._database.transaction() as tx:
            space = await self._space(tx, project_id, space_id)
        return await self._usual_cut(project_id, space.configs)

    async def _usual_cut(
        self, project_id: ProjectId, configs: Mapping[str, Any]
    ) -> tuple[Cut, str]:
        settings = await self._peers.settings(project_id)
        threshold = settings.overridden(configs).search_threshold
        if threshold is None:
            return self._embedder.default_cut, "embedder"
        own = replace(settings, search_threshold=None).overridden(configs).search_threshold
        return Cut(threshold), "project" if own is None else "space"

    async def _cut(
        self, project_id: ProjectId, configs: Mapping[str, Any], question: Question
    ) -> Cut:
        if question.threshold is not None:
            return Cut(question.threshold)
        cut, _ = await self._usual_cut(project_id, configs)
        return cut

    async def _read(
        self,
        project_id: ProjectId,
        space_id: UUID,
        question: Question,
        ranked: Sequence[Ranked],
    ) -> Mapping[UUID, Block]:
        """Read the best that are wanted and still there, until there are enough of them."""
        found: dict[UUID, Block] = {}
        step = FILTERED_CANDIDATES if question.is_filtered else question.limit
        async with self._database.raw() as connection:
            for start in range(0, len(ranked), step):
                ids = [one.skill_id for one in ranked[start : start + step]]
                read = await blocks.read_blocks(connection, project_id, space_id, ids)
                found |= {one: block for one, block in read.items() if question.wants(block)}
                if len(found) >= question.limit:
                    break
        return found

    async def _expose(
        self,
        project_id: ProjectId,
        question: Question,
        ranked: Sequence[Ranked],
        found: Mapping[UUID, Block],
    ) -> None:
        session_id = question.session_id
        if session_id is None:
            return
        if not await self._peers.session_exists(project_id, session_id):
            raise SessionNotFound(session_id)
        served = [
            (
                one.skill_id,
                Exposure(
                    id=self._new_id(),
                    session_id=session_id,
                    skill_version=found[one.skill_id].version,
                    rank=position,
                    distance=one.distance,
                    served_at=self._now(),
                ),
            )
            for position, one in enumerate(ranked, start=1)
            if found[one.skill_id].version
        ]
        async with self._database.transaction() as tx:
            await skills.insert_exposures(tx, project_id, served)

    async def list_skills(
        self, project_id: ProjectId, space_id: UUID, *, with_archived: bool, listing: Listing
    ) -> Page[Skill]:
        """Read a page of a space's skills."""
        scope = f"skills:{space_id}:{with_archived}:{listing.descending}"
        after = self._cursors.decode_time(scope, listing.cursor)
        async with self._database.transaction() as tx:
            await self._space(tx, project_id, space_id)
            rows = await skills.list_skills(
                tx,
                project_id,
                space_id,
                with_archived=with_archived,
                after=after,
                descending=listing.descending,
                limit=listing.limit,
            )
        return self._cursors.page(
            scope, rows, listing.limit, lambda one: (one.block.created_at, one.block.id)
        )

    async def get_skill(self, project_id: ProjectId, skill_id: UUID) -> History:
        """Read a skill with its versions, their sources and scores, and its exposures."""
        async with self._database.transaction() as tx:
            skill = await self._skill(tx, project_id, skill_id)
            said = await skills.versions(tx, project_id, skill_id)
            served = await skills.exposures(tx, project_id, skill_id, SHOWN_EXPOSURES)
        return History(skill, said, served)

    async def update_skill(
        self, project_id: ProjectId, skill_id: UUID, sop: Sop, fields: Collection[str]
    ) -> Skill:
        """Make a person's edit of some fields a version; learning then only proposes."""
        async with self._database.transaction() as tx:
            skill = await self._locked(tx, project_id, skill_id)
            edited = replace(skill.block.sop, **{name: getattr(sop, name) for name in fields})
            return await self._edited(tx, project_id, skill, edited, "edited")

    async def rollback_skill(self, project_id: ProjectId, skill_id: UUID, version: int) -> Skill:
        """Put an older version in force again, as a new one."""
        async with self._database.transaction() as tx:
            skill = await self._locked(tx, project_id, skill_id)
            said = await skills.versions(tx, project_id, skill_id)
            former = next((one.sop for one in said if one.version == version), None)
            if former is None:
                raise InvalidRequest.of("version", f"the skill has versions 1 to {said[0].version}")
            return await self._edited(tx, project_id, skill, former, "rolled_back")

    async def _locked(self, tx: Tx, project_id: ProjectId, skill_id: UUID) -> Skill:
        """Read a skill once nobody else changes its tree."""
        skill = await self._skill(tx, project_id, skill_id)
        await spaces.lock_tree(tx, project_id, skill.block.space_id)
        return await self._skill(tx, project_id, skill_id)

    async def _edited(
        self, tx: Tx, project_id: ProjectId, skill: Skill, sop: Sop, change: str
    ) -> Skill:
        taught = Taught(_checked(sop), Difficulty(), PERSON, None, by_person=True)
        event = await self._library.rewrite(tx, project_id, skill.block, taught, change)
        await self._announce(tx, project_id, [event])
        return await self._skill(tx, project_id, skill.block.id)

    async def export(self, project_id: ProjectId, space_id: UUID) -> Sequence[tuple[str, str]]:
        """Write every skill in force as a file, under the titles of its folders and page."""
        async with self._database.transaction() as tx:
            await self._space(tx, project_id, space_id)
            found = [
                (await blocks.ancestors(tx, project_id, block.id), block.sop)
                for block in await blocks.content_of(tx, project_id, space_id)
                if block.type is BlockType.SOP
            ]
        files: dict[str, str] = {}
        for above, sop in sorted(found, key=lambda one: one[1].use_when):
            folder = "/".join(title for _, _, title in above[:-1])
            name = page_title(sop.use_when, [path.split("/")[-2] for path in files])
            files[f"{folder}/{name}/SKILL.md"] = skill_file(name, sop)
        return list(files.items())

    async def archive_skill(
        self, project_id: ProjectId, skill_id: UUID, *, archived: bool
    ) -> Skill:
        """Take a skill out of every search, or put it back."""
        async with self._database.transaction() as tx:
            skill = await self._skill(tx, project_id, skill_id)
            block = replace(skill.block, archived=archived, updated_at=self._now())
            await blocks.update_block(tx, project_id, block)
            await blocks.intend(tx, project_id, block.space_id, [block.id], self._now())
            await self._tell(tx, project_id, block)
        return replace(skill, block=block)

    async def list_confirmations(
        self, project_id: ProjectId, space_id: UUID, listing: Listing
    ) -> Page[Confirmation]:
        """Read a page of what waits for a person."""
        scope = f"confirmations:{space_id}:{listing.descending}"
        after = self._cursors.decode_time(scope, listing.cursor)
        async with self._database.transaction() as tx:
            await self._space(tx, project_id, space_id)
            rows = await skills.list_confirmations(
                tx,
                project_id,
                space_id,
                after=after,
                descending=listing.descending,
                limit=listing.limit,
            )
        return self._cursors.page(scope, rows, listing.limit, lambda one: (one.created_at, one.id))

    async def resolve_confirmation(
        self,
        project_id: ProjectId,
        space_id: UUID,
        confirmation_id: UUID,
        *,
        save: bool,
        edited: Sop | None,
    ) -> Confirmation | None:
        """Learn what waits, or discard it: once, also when clicked twice."""
        waiting = await self._waiting(project_id, space_id, confirmation_id)
        sop = _checked(edited) if edited else waiting.sop
        near = await self._library.near(project_id, space_id, sop.use_when) if save else {}
        async with self._database.transaction() as tx:
            if not await spaces.lock_tree(tx, project_id, space_id):
                raise SpaceNotFound(space_id)
            taken = await skills.take_confirmation(tx, project_id, space_id, confirmation_id)
            if taken is None:
                raise ConfirmationNotFound(confirmation_id)
            if not save:
                return None
            author = PERSON if edited else taken.written_by
            taught = Taught(sop, taken.difficulty, author, taken.source, by_person=True)
            target = (
                await blocks.find_block(tx, project_id, taken.skill_id) if taken.skill_id else None
            )
            if target is not None:
                event = await self._library.rewrite(tx, project_id, target, taught, "improved")
                events: list[Event] = [event]
            else:
                events = await self._library.keep(tx, project_id, space_id, taught, near)
            await self._announce(tx, project_id, events)
        return replace(taken, sop=sop)

    async def _waiting(
        self, project_id: ProjectId, space_id: UUID, confirmation_id: UUID
    ) -> Confirmation:
        async with self._database.transaction() as tx:
            await self._space(tx, project_id, space_id)
            found = await skills.find_confirmation(tx, project_id, space_id, confirmation_id)
        if found is None:
            raise ConfirmationNotFound(confirmation_id)
        return found

    async def tool_names(self, project_id: ProjectId) -> Sequence[tuple[str, int]]:
        """Name the project's tools, with the steps that call each."""
        async with self._database.transaction() as tx:
            return await skills.tool_names(tx, project_id)

    async def get_statistics(
        self, project_id: ProjectId, *, days: int, time_zone: str
    ) -> SkillStatistics:
        """Count what a project learned and how it was used, per day up to now."""
        span = last_days(days, time_zone=time_zone, now=self._now())
        async with self._database.transaction() as tx:
            return await statistics.count(tx, project_id, span)

    async def rename_tools(self, project_id: ProjectId, renames: Sequence[tuple[str, str]]) -> None:
        """Rename tools in every step, one rename after the other; unknown ones are skipped."""
        check_storable("rename", [name for names in renames for name in names])
        if any(not new.strip() for _, new in renames):
            raise InvalidRequest.of("rename.new_name", "must not be empty")
        async with self._database.transaction() as tx:
            for old, new in renames:
                await self._rename(tx, project_id, skills.fold(old), new.strip())

    async def _rename(self, tx: Tx, project_id: ProjectId, old: str, new: str) -> None:
        folded = skills.fold(new)
        known = await skills.known_tools(tx, project_id, {old, folded})
        if old not in known:
            return
        merged = known.get(folded, new) if folded != old else new
        await skills.forget_tools(tx, project_id, {old})
        await skills.know_tools(tx, project_id, {merged})
        changed = await blocks.sops_with_tools(tx, project_id, {old})
        names = {old: merged}
        for block in changed:
            await self._renamed(tx, project_id, block, names)
        await skills.rename_in_versions(tx, project_id, [one.id for one in changed], names)

    async def _renamed(
        self, tx: Tx, project_id: ProjectId, block: Block, names: Mapping[str, str]
    ) -> None:
        props = sop_props(skills.renamed(block.sop, names))
        changed = replace(block, props=props, updated_at=self._now())
        await blocks.update_block(tx, project_id, changed)
        skill = await self._skill(tx, project_id, block.id)
        await blocks.reindex(tx, project_id, changed, skill.page_title, self._now())
        await self._tell(tx, project_id, changed)

    async def list_uses(
        self, project_id: ProjectId, which: UseFilter, listing: Listing
    ) -> Page[SkillUse]:
        """Read a page of when skills were learned, improved and served."""
        scope = f"uses:{project_id}:{which}:{listing.descending}"
        after = self._cursors.decode_time(scope, listing.cursor)
        async with self._database.transaction() as tx:
            rows = await statistics.list_uses(
                tx,
                project_id,
                which,
                after=after,
                descending=listing.descending,
                limit=listing.limit,
            )
        return self._cursors.page(scope, rows, listing.limit, lambda one: (one.used_at, one.id))

    async def get_run(self, project_id: ProjectId, run_id: UUID) -> Run:
        """Find a run."""
        async with self._database.transaction() as tx:
            run = await learning.find_run(tx, project_id, run_id)
        if run is None:
            raise RunNotFound(run_id)
        return run

    async def list_runs(
        self, project_id: ProjectId, wanted: WantedRuns, listing: Listing
    ) -> Page[Run]:
        """Read a page of what distilling, placing and searching by a model did."""
        scope = f"runs:{wanted}:{listing.descending}"
        after = self._cursors.decode_time(scope, listing.cursor)
        async with self._database.transaction() as tx:
            rows = await learning.list_runs(
                tx,
                project_id,
                wanted=wanted,
                after=after,
                descending=listing.descending,
                limit=listing.limit,
            )
        return self._cursors.page(scope, rows, listing.limit, lambda one: (one.created_at, one.id))

    async def _tell(self, tx: Tx, project_id: ProjectId, block: Block) -> None:
        event = SkillChanged(block.space_id, block.id, block.version)
        await self._announce(tx, project_id, [event])

    async def _space(self, tx: Tx, project_id: ProjectId, space_id: UUID) -> Space:
        space = await spaces.find_space(tx, project_id, space_id)
        if space is None:
            raise SpaceNotFound(space_id)
        return space

    async def _skill(self, tx: Tx, project_id: ProjectId, skill_id: UUID) -> Skill:
        skill = await skills.find_skill(tx, project_id, skill_id)
        if skill is None:
            raise SkillNotFound(skill_id)
        return skill


def _checked(sop: Sop) -> Sop:
    """Hold what a person wrote to the rules of a sop block."""
    props = props_for(BlockType.SOP, sop_props(sop))
    steps = tuple(Step(step["tool_name"], step["action"]) for step in props["tool_sops"])
    return Sop(title_for(BlockType.SOP, sop.use_when), props["preferences"], steps)
