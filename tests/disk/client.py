"""Calling a running disk, and looking at what it keeps."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody

from acontext.disk import v1 as pb
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.rpc import reason_of
from tests.services import Platform

Metadata = Sequence[tuple[str, str]]


class DiskClient:
    """Calls disk for one project over a real channel."""

    def __init__(self, platform: Platform, project_id: ProjectId) -> None:
        self.platform = platform
        self.project_id = project_id
        self.metadata: Metadata = platform.as_service(project_id)
        # The generated stub has an asynchronous twin in its types only.
        self.stub: Any = pb.DiskServiceStub(platform.channel("disk"))

    async def call(self, rpc: str, request: object) -> Any:
        """Make a call with the project's credential."""
        return await getattr(self.stub, rpc)(request, metadata=self.metadata)

    async def new_disk(self) -> str:
        """Make a disk and give its id."""
        answer = await self.call("CreateDisk", pb.CreateDiskRequest())
        return str(answer.disk.id)

    async def upload(
        self, disk_id: str, file_path: str, data: bytes, *, piece: int = 100_000, meta: Any = None
    ) -> pb.Artifact:
        """Upload by the typed stream."""
        head = pb.UploadHead(disk_id=disk_id, file_path=file_path, meta=meta)

        async def pieces() -> AsyncIterator[pb.UploadArtifactRequest]:
            yield pb.UploadArtifactRequest(head=head)
            for start in range(0, len(data), piece):
                yield pb.UploadArtifactRequest(chunk=data[start : start + piece])

        answer: pb.UploadArtifactResponse = await self.call("UploadArtifact", pieces())
        return answer.artifact

    async def post(
        self,
        disk_id: str,
        body: bytes,
        *,
        content_type: str = "multipart/form-data; boundary=xyz",
        any_size: bool = False,
    ) -> pb.Artifact:
        """Upload a multipart body, cut as the gateway cuts it."""

        async def pieces() -> AsyncIterator[pb.UploadArtifactMultipartRequest]:
            first = HttpBody(content_type=content_type, data=body[:50_000])
            yield pb.UploadArtifactMultipartRequest(disk_id=disk_id, body=first, any_size=any_size)
            for start in range(50_000, len(body), 50_000):
                piece = HttpBody(data=body[start : start + 50_000])
                yield pb.UploadArtifactMultipartRequest(body=piece)

        answer: pb.UploadArtifactMultipartResponse
        answer = await self.call("UploadArtifactMultipart", pieces())
        return answer.artifact

    async def get(self, disk_id: str, file_path: str, **more: Any) -> pb.GetArtifactResponse:
        """Get an artifact."""
        request = pb.GetArtifactRequest(disk_id=disk_id, file_path=file_path, **more)
        answer: pb.GetArtifactResponse = await self.call("GetArtifact", request)
        return answer

    async def download(
        self, rpc: str, request: object, *, byte_range: str | None = None
    ) -> tuple[bytes, str, dict[str, str]]:
        """Read a stream of bytes: data, content type, and what HTTP would get as headers."""
        metadata = [*self.metadata, *([("range", byte_range)] if byte_range else [])]
        call = getattr(self.stub, rpc)(request, metadata=metadata)
        bodies = [answer.content async for answer in call]
        headers = {key: str(value) for key, value in await call.initial_metadata()}
        return b"".join(body.data for body in bodies), bodies[0].content_type, headers


def form(*parts: tuple[str, bytes]) -> bytes:
    """Make a multipart body of dispositions and data."""
    made = b""
    for disposition, data in parts:
        head = f"--xyz\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
        made += head.encode() + data + b"\r\n"
    return made + b"--xyz--\r\n"


def kept(folder: Path) -> list[str]:
    """Name the blobs that are kept below a test's folder, and what waits to become one."""
    blobs = folder / "blobs"
    return sorted(str(path.relative_to(blobs)) for path in blobs.rglob("*") if path.is_file())


async def refusal(call: Awaitable[object]) -> tuple[str, str, str]:
    """Wait for a call to fail, and say how: code, reason, message."""
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call
    error = failure.value
    return error.code().name, reason_of(error) or "", error.details() or ""
