"""Vectors in Weaviate: a collection per embedding space, a tenant per project."""

import re
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import structlog
import weaviate
from weaviate.classes.config import Configure, DataType, Property, VectorDistances
from weaviate.classes.data import DataObject
from weaviate.classes.init import Auth
from weaviate.classes.query import Filter, MetadataQuery
from weaviate.collections import CollectionAsync
from weaviate.exceptions import UnexpectedStatusCodeError, WeaviateBaseError

from acontext_server.kit.errors import Unavailable
from acontext_server.kit.ids import ProjectId
from acontext_server.space.embedder import EmbeddingSpace, Vector
from acontext_server.space.vectors import Kept

log = structlog.get_logger()

SPACE = "space_id"
PREFIX = "Skills_"
PAGE = 500


class WeaviateVectors:
    """The production engine."""

    def __init__(self, client: weaviate.WeaviateAsyncClient, collection: CollectionAsync) -> None:
        self._client = client
        self._collection = collection

    async def upsert(
        self, project_id: ProjectId, space_id: UUID, vectors: Mapping[UUID, Vector]
    ) -> None:
        keys = list(vectors)
        with _engine_errors():
            for start in range(0, len(keys), PAGE):
                batch = {key: vectors[key] for key in keys[start : start + PAGE]}
                await self._write(project_id, space_id, batch)

    async def _write(
        self, project_id: ProjectId, space_id: UUID, vectors: Mapping[UUID, Vector]
    ) -> None:
        objects = [
            DataObject(properties={SPACE: space_id}, uuid=key, vector=vector)
            for key, vector in vectors.items()
        ]
        # When Weaviate answers it has the objects on the disk, but what finds them by their vectors
        # only with the next write to the tenant: killed before, it never found the last ones, nor
        # when they were written again as they were. See docs/decisions/0024.
        await self.delete(project_id, vectors.keys())
        await self._insert(project_id, objects)
        await self._insert(project_id, objects[-1:])

    async def _insert(self, project_id: ProjectId, objects: Sequence[DataObject[Any, Any]]) -> None:
        # The first of a project makes its tenant.
        done = await self._of(project_id).data.insert_many(objects)
        if done.has_errors:
            log.warning("vectors_refused", error=next(iter(done.errors.values())).message)
            raise Unavailable("weaviate")

    async def delete(self, project_id: ProjectId, ids: Collection[UUID]) -> None:
        with _engine_errors():
            if ids and await self._exists(project_id):
                chosen = Filter.by_id().contains_any(list(ids))
                await self._of(project_id).data.delete_many(where=chosen)

    async def delete_project(self, project_id: ProjectId) -> None:
        with _engine_errors():
            for name in await self._client.collections.list_all(simple=True):
                if name.startswith(PREFIX):
                    await self._client.collections.get(name).tenants.remove([str(project_id)])

    async def query(
        self, project_id: ProjectId, space_id: UUID, vector: Vector, limit: int
    ) -> dict[UUID, float]:
        with _engine_errors():
            if not await self._exists(project_id):
                return {}
            found = await self._of(project_id).query.near_vector(
                vector,
                limit=limit,
                filters=Filter.by_property(SPACE).equal(space_id),
                return_metadata=MetadataQuery(distance=True),
                return_properties=[],
            )
        return {one.uuid: max(0.0, one.metadata.distance or 0.0) for one in found.objects}

    async def ask_version(self) -> str:
        with _engine_errors():
            return str((await self._client.get_meta())["version"])

    async def projects(self) -> AsyncIterator[ProjectId]:
        with _engine_errors():
            tenants = await self._collection.tenants.get()
        for name in tenants:
            yield ProjectId(UUID(name))

    async def scan(self, project_id: ProjectId) -> AsyncIterator[Sequence[Kept]]:
        after: UUID | None = None
        with _engine_errors():
            exists = await self._exists(project_id)
        while exists:
            with _engine_errors():
                page = await self._of(project_id).query.fetch_objects(
                    limit=PAGE, after=after, include_vector=True, return_properties=[SPACE]
                )
            if not page.objects:
                return
            after = page.objects[-1].uuid
            yield [_kept(one) for one in page.objects]

    async def drop(self, embedding_space: str) -> None:
        with _engine_errors():
            await self._client.collections.delete(collection_name(embedding_space))

    async def _exists(self, project_id: ProjectId) -> bool:
        return await self._collection.tenants.exists(str(project_id))

    def _of(self, project_id: ProjectId) -> CollectionAsync:
        return self._collection.with_tenant(str(project_id))


def _kept(found: Any) -> Kept:
    # The client types vectors as a union that depends on what was asked for, and gives ids as a
    # class of its own that nobody else can serialise.
    return Kept(
        id=UUID(int=found.uuid.int),
        space_id=UUID(int=found.properties[SPACE].int),
        vector=list(found.vector["default"]),
    )


def collection_name(embedding_space: str) -> str:
    """Name the collection after the only vectors that may stand in it."""
    return PREFIX + re.sub(r"\W", "_", embedding_space)


@asynccontextmanager
async def open_weaviate(
    url: str, embedding_space: EmbeddingSpace
) -> AsyncIterator[WeaviateVectors]:
    """Connect to `weaviate://[:key@]host:port?grpc=PORT[&secure=true]` and make the collection."""
    client = _client(url)
    with _engine_errors():
        await client.connect()
    try:
        name = collection_name(embedding_space.id)
        with _engine_errors():
            if not await client.collections.exists(name):
                await _create(client, name)
        yield WeaviateVectors(client, client.collections.get(name))
    finally:
        await client.close()


def _client(url: str) -> weaviate.WeaviateAsyncClient:
    parts = urlsplit(url)
    asked = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    host, secure = parts.hostname or "127.0.0.1", asked.get("secure") == "true"
    return weaviate.use_async_with_custom(
        http_host=host,
        http_port=parts.port or 8080,
        http_secure=secure,
        grpc_host=host,
        grpc_port=int(asked.get("grpc", "50051")),
        grpc_secure=secure,
        auth_credentials=Auth.api_key(parts.password) if parts.password else None,
    )


async def _create(client: weaviate.WeaviateAsyncClient, name: str) -> None:
    index = Configure.VectorIndex.flat(distance_metric=VectorDistances.COSINE)
    try:
        await client.collections.create(
            name,
            properties=[Property(name=SPACE, data_type=DataType.UUID)],
            vector_config=Configure.Vectors.self_provided(vector_index_config=index),
            multi_tenancy_config=Configure.multi_tenancy(enabled=True, auto_tenant_creation=True),
        )
    except UnexpectedStatusCodeError:
        if not await client.collections.exists(name):  # another process was not faster
            raise


@contextmanager
def _engine_errors() -> Iterator[None]:
    """Say Unavailable for whatever the client raises, or lets through of what is below it."""
    try:
        yield
    except (WeaviateBaseError, httpx.HTTPError) as error:
        raise Unavailable("weaviate") from error
