"""The gRPC servicer of disk."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from google.api.httpbody_pb2 import HttpBody
from grpc import aio

from acontext.disk import v1 as pb
from acontext_server.disk import paths
from acontext_server.disk.app import ArtifactApp, DiskApp, PublicApp
from acontext_server.disk.domain import Artifact, DiskId, UserId, read_meta
from acontext_server.disk.wire.downloads import Asked, headers_of
from acontext_server.disk.wire.messages import artifact_to_proto, disk_to_proto
from acontext_server.disk.wire.uploads import (
    FormPieces,
    Pieces,
    head_of,
    read_multipart,
    read_pieces,
)
from acontext_server.kit.auth import caller
from acontext_server.kit.rpc import metadata_of

Context = aio.ServicerContext[Any, Any]

DISKS_ON_A_PAGE = 20
ARTIFACTS_FOUND = 100
METHOD_KEY = "x-envoy-original-method"
"""Metadata in which the gateway says by which HTTP method it was asked."""
URL_SECONDS = 3600


class DiskServicer(pb.DiskServiceServicer):
    """Serves disks, artifacts, and the public URLs of all files."""

    def __init__(
        self, disks: DiskApp, artifacts: ArtifactApp, public: PublicApp, *, largest_artifact: int
    ) -> None:
        self._disks = disks
        self._artifacts = artifacts
        self._public = public
        self._largest_artifact = largest_artifact

    async def CreateDisk(
        self, request: pb.CreateDiskRequest, context: Context
    ) -> pb.CreateDiskResponse:
        request_id = UUID(request.request_id) if request.request_id else None
        disk = await self._disks.create_disk(
            caller().project_id, user=request.user or None, request_id=request_id
        )
        return pb.CreateDiskResponse(disk=disk_to_proto(disk))

    async def ListDisks(
        self, request: pb.ListDisksRequest, context: Context
    ) -> pb.ListDisksResponse:
        page = await self._disks.list_disks(
            caller().project_id,
            user=request.user or None,
            limit=request.limit if request.HasField("limit") else DISKS_ON_A_PAGE,
            cursor=request.cursor or None,
            descending=request.time_desc,
        )
        return pb.ListDisksResponse(
            items=[disk_to_proto(disk) for disk in page.items],
            next_cursor=page.next_cursor,
            has_more=page.has_more,
        )

    async def DeleteDisk(
        self, request: pb.DeleteDiskRequest, context: Context
    ) -> pb.DeleteDiskResponse:
        await self._disks.delete_disk(caller().project_id, _disk_id(request.disk_id))
        return pb.DeleteDiskResponse()

    async def UploadArtifact(
        self, request_iterator: Pieces, context: Context
    ) -> pb.UploadArtifactResponse:
        project_id = caller().project_id
        disk_id, head = await head_of(request_iterator)
        await self._artifacts.check_disk(project_id, disk_id)
        async with read_pieces(
            disk_id,
            head,
            request_iterator,
            spool=self._artifacts.spool,
            limit=self._largest_artifact,
        ) as upload:
            artifact = await self._artifacts.upload_artifact(project_id, upload)
        return pb.UploadArtifactResponse(artifact=artifact_to_proto(artifact))

    async def UploadArtifactMultipart(
        self, request_iterator: FormPieces, context: Context
    ) -> pb.UploadArtifactMultipartResponse:
        async with read_multipart(
            request_iterator, spool=self._artifacts.spool, limit=self._largest_artifact
        ) as upload:
            artifact = await self._artifacts.upload_artifact(caller().project_id, upload)
        return pb.UploadArtifactMultipartResponse(artifact=artifact_to_proto(artifact))

    async def GetArtifact(
        self, request: pb.GetArtifactRequest, context: Context
    ) -> pb.GetArtifactResponse:
        artifact = await self._find(request.disk_id, request.file_path)
        response = pb.GetArtifactResponse(artifact=artifact_to_proto(artifact))
        if request.with_public_url or not request.HasField("with_public_url"):
            expires_in = request.expire if request.HasField("expire") else URL_SECONDS
            response.public_url = self._artifacts.public_url(
                caller().project_id, artifact, timedelta(seconds=expires_in)
            )
        if request.with_content or not request.HasField("with_content"):
            text = await self._artifacts.read_text(caller().project_id, artifact)
            if text is not None:
                response.content.type = str(artifact.file.content_type)
                response.content.raw = text
        return response

    async def DownloadArtifact(
        self, request: pb.DownloadArtifactRequest, context: Context
    ) -> AsyncIterator[pb.DownloadArtifactResponse]:
        artifact = await self._find(request.disk_id, request.file_path)
        file, span = artifact.file, Asked.by_request(request, artifact.file.size)
        if not (request.HasField("offset") or request.HasField("length")):
            span = Asked.by_header(metadata_of(context, "range"), file.size)
        headers = headers_of(
            span, sha256=file.sha256, mime=file.mime, filename=artifact.location.filename
        )
        async with self._artifacts.open_artifact(
            caller().project_id, artifact, offset=span.span.offset, length=span.span.length
        ) as chunks:
            await context.send_initial_metadata(headers)
            async for content in _bodies(context, file.mime, chunks):
                yield pb.DownloadArtifactResponse(content=content)

    async def ListArtifacts(
        self, request: pb.ListArtifactsRequest, context: Context
    ) -> pb.ListArtifactsResponse:
        path = paths.directory(request.path, field="path")
        artifacts, directories = await self._artifacts.list_artifacts(
            caller().project_id, _disk_id(request.disk_id), path
        )
        return pb.ListArtifactsResponse(
            artifacts=[artifact_to_proto(artifact) for artifact in artifacts],
            directories=directories,
        )

    async def UpdateArtifact(
        self, request: pb.UpdateArtifactRequest, context: Context
    ) -> pb.UpdateArtifactResponse:
        artifact = await self._artifacts.update_artifact(
            caller().project_id,
            _disk_id(request.disk_id),
            paths.location(request.file_path),
            read_meta(request.meta),
        )
        return pb.UpdateArtifactResponse(artifact=artifact_to_proto(artifact))

    async def DeleteArtifact(
        self, request: pb.DeleteArtifactRequest, context: Context
    ) -> pb.DeleteArtifactResponse:
        location = paths.location(request.file_path)
        await self._artifacts.delete_artifact(
            caller().project_id, _disk_id(request.disk_id), location
        )
        return pb.DeleteArtifactResponse()

    async def GrepArtifacts(
        self, request: pb.GrepArtifactsRequest, context: Context
    ) -> pb.GrepArtifactsResponse:
        found = await self._artifacts.grep_artifacts(
            caller().project_id,
            _disk_id(request.disk_id),
            request.query,
            request.limit or ARTIFACTS_FOUND,
        )
        return pb.GrepArtifactsResponse(items=[artifact_to_proto(artifact) for artifact in found])

    async def GlobArtifacts(
        self, request: pb.GlobArtifactsRequest, context: Context
    ) -> pb.GlobArtifactsResponse:
        found = await self._artifacts.glob_artifacts(
            caller().project_id,
            _disk_id(request.disk_id),
            request.query,
            request.limit or ARTIFACTS_FOUND,
        )
        return pb.GlobArtifactsResponse(items=[artifact_to_proto(artifact) for artifact in found])

    async def GetBlob(
        self, request: pb.GetBlobRequest, context: Context
    ) -> AsyncIterator[pb.GetBlobResponse]:
        file = await self._public.find(request.token)
        token, asked = file.token, Asked.by_header(metadata_of(context, "range"), file.size)
        headers = headers_of(
            asked, sha256=token.key.sha256, mime=token.mime, filename=token.filename
        )
        async with self._public.open(
            file, offset=asked.span.offset, length=asked.span.length
        ) as chunks:
            await context.send_initial_metadata(headers)
            async for content in _bodies(context, token.mime, chunks):
                yield pb.GetBlobResponse(content=content)

    async def GetDiskStatistics(
        self, request: pb.GetDiskStatisticsRequest, context: Context
    ) -> pb.GetDiskStatisticsResponse:
        counted = await self._disks.get_statistics(caller().project_id)
        return pb.GetDiskStatisticsResponse(
            disks=counted.disks, artifacts=counted.artifacts, bytes=counted.bytes
        )

    async def CountUserResources(
        self, request: pb.CountUserResourcesRequest, context: Context
    ) -> pb.CountUserResourcesResponse:
        count = await self._disks.count_disks(caller().project_id, UserId(UUID(request.user_id)))
        return pb.CountUserResourcesResponse(disks_count=count)

    async def _find(self, disk_id: str, file_path: str) -> Artifact:
        return await self._artifacts.get_artifact(
            caller().project_id, _disk_id(disk_id), paths.location(file_path)
        )


def _disk_id(text: str) -> DiskId:
    return DiskId(UUID(text))


async def _bodies(
    context: Context, mime: str, chunks: AsyncIterator[bytes]
) -> AsyncIterator[HttpBody]:
    # The type travels in a message of its own, so that an empty file has one too.
    yield HttpBody(content_type=mime)
    if metadata_of(context, METHOD_KEY) == "HEAD":
        return
    async for chunk in chunks:
        yield HttpBody(data=chunk)
