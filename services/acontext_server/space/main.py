"""The composition root of space."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from grpc import aio

from acontext.space import v1 as pb
from acontext_server.kit import rpc
from acontext_server.kit.auth import Keys, Signer
from acontext_server.kit.bus import open_bus
from acontext_server.kit.config import Settings
from acontext_server.kit.database import open_database
from acontext_server.kit.health import Inspection, model_engine
from acontext_server.kit.ids import uuid7
from acontext_server.kit.model import Models, open_models
from acontext_server.kit.outbox import Outbox
from acontext_server.kit.paging import Cursors
from acontext_server.space import events
from acontext_server.space.agents import Distiller
from acontext_server.space.agents.librarian import ModelLibrarian
from acontext_server.space.agents.model import ModelDistiller
from acontext_server.space.agents.rules import RulesDistiller
from acontext_server.space.agents.searcher import ModelSearcher
from acontext_server.space.app.blocks import BlockApp
from acontext_server.space.app.index import Indexer
from acontext_server.space.app.learning import LearningApp
from acontext_server.space.app.library import Library
from acontext_server.space.app.skills import SkillApp
from acontext_server.space.app.spaces import SpaceApp
from acontext_server.space.domain.experience import DifficultyRule
from acontext_server.space.domain.spaces import LearningSettings
from acontext_server.space.embedder import open_embedder
from acontext_server.space.health import embedder_engine, vectors_engine
from acontext_server.space.peers import Peers
from acontext_server.space.service import SkillServicer, SpaceServicer
from acontext_server.space.store import tables
from acontext_server.space.vectors import open_vectors


def now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


def _distiller(models: Models | None, settings: Settings) -> Distiller:
    if models is None:
        return RulesDistiller()
    return ModelDistiller(models, rounds=settings.model_rounds)


def _librarian(models: Models | None, settings: Settings) -> ModelLibrarian | None:
    """Without a model lessons are placed by the rules."""
    return ModelLibrarian(models, rounds=settings.model_rounds, new_id=uuid7) if models else None


def _defaults(settings: Settings) -> LearningSettings:
    """What holds for projects that say nothing else."""
    rules = tuple(
        DifficultyRule(rule.text, is_critical=rule.weight == "critical")
        for rule in settings.difficulty_rules
    )
    return LearningSettings(
        minimum_difficulty=settings.minimum_difficulty,
        confirmation=settings.confirmation,
        difficulty_rules=rules,
        token_budget=settings.monthly_token_budget,
    )


@asynccontextmanager
async def open_service(settings: Settings) -> AsyncIterator[rpc.Service]:
    """Wire space on the engines that the settings name."""
    async with AsyncExitStack() as running:
        enter = running.enter_async_context
        database = await enter(open_database(settings.database_url, pool=settings.database_pool))
        bus = await enter(
            open_bus(
                settings.nats_url, prefix=settings.nats_prefix, replicas=settings.nats_replicas
            )
        )
        signer = Signer(settings.secret_for("services"))
        session = await enter(rpc.open_channel(settings.session_address))
        identities = rpc.Identities(session, signer)
        peers = Peers(
            session,
            await enter(rpc.open_channel(settings.observer_address)),
            signer=signer,
            defaults=_defaults(settings),
        )
        embedder = await enter(open_embedder(settings))
        vectors = await enter(
            open_vectors(
                settings.vectors_url,
                database_url=settings.database_url,
                embedding_space=embedder.space,
            )
        )
        models = await enter(open_models(settings))
        outbox = Outbox(events.SERVICE, tables.outbox, database, bus)
        announce = events.announcer(outbox, now=now, new_id=uuid7)
        cursors = Cursors(settings.secret_for("cursors"))
        library = Library(embedder=embedder, vectors=vectors, now=now, new_id=uuid7)
        indexer = Indexer(database, embedder=embedder, vectors=vectors, now=now)
        await indexer.check()
        spaces = SpaceApp(
            database,
            announce=announce,
            identities=identities,
            vectors=vectors,
            cursors=cursors,
            now=now,
            new_id=uuid7,
        )
        skills = SkillApp(
            database,
            announce=announce,
            peers=peers,
            embedder=embedder,
            vectors=vectors,
            library=library,
            cursors=cursors,
            now=now,
            new_id=uuid7,
            searcher=ModelSearcher(models) if models else None,
        )
        learning = LearningApp(
            database,
            announce=announce,
            peers=peers,
            distiller=_distiller(models, settings),
            librarian=_librarian(models, settings),
            library=library,
            indexer=indexer,
            now=now,
            new_id=uuid7,
        )
        blocks = BlockApp(database, announce=announce, now=now, new_id=uuid7)

        def add_spaces(server: aio.Server) -> None:
            pb.add_SpaceServiceServicer_to_server(SpaceServicer(spaces, blocks, skills), server)

        def add_skills(server: aio.Server) -> None:
            pb.add_SkillServiceServicer_to_server(SkillServicer(skills, learning, indexer), server)

        keys = Keys(identities.resolve_key)
        yield rpc.Service(
            name=events.SERVICE,
            address=settings.space_address,
            keys=keys,
            servicers=[add_spaces, add_skills],
            inspection=Inspection(
                service=events.SERVICE,
                database=database,
                bus=bus,
                outbox=outbox,
                engines=[
                    vectors_engine(settings.vectors_url, vectors),
                    embedder_engine(settings),
                    model_engine(settings),
                ],
                pauses=learning.failures,
            ),
            beside=[
                outbox.run,
                indexer.run,
                learning.run,
                spaces.forget_requests,
                *events.listeners(bus, spaces, learning, keys.forget),
            ],
        )


if __name__ == "__main__":
    rpc.main(open_service)
