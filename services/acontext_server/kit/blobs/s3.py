"""Blobs in a bucket of anything that speaks S3; tried against MinIO."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, quote, unquote, urlsplit

from minio import Minio
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error
from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from acontext_server.kit.blobs import (
    BlobKey,
    BlobMissing,
    BlobStat,
    PublicUrl,
    Spool,
)
from acontext_server.kit.errors import Unavailable
from acontext_server.kit.ids import ProjectId

_CHUNK = 512 * 1024
_PARALLEL = 16
_PARTS_AT_ONCE = 2
"""Parts of one upload that are in memory, of 5 MiB each up to 50 GiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Address:
    """What `s3://access:secret@host:port/bucket?secure=&region=&public=` says."""

    access_key: str
    secret_key: str
    endpoint: str
    bucket: str
    region: str
    secure: bool
    public_endpoint: str
    """Where clients reach the engine, when that is another address than ours."""
    public_secure: bool

    @classmethod
    def parse(cls, url: str) -> "S3Address":
        """Read the URL; `public` is an http or https URL and left out if clients share ours."""
        parts = urlsplit(url)
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        secure = options.get("secure", "true") == "true"
        endpoint = parts.netloc.rpartition("@")[2]
        public = urlsplit(options.get("public") or f"{'https' if secure else 'http'}://{endpoint}")
        return cls(
            access_key=unquote(parts.username or ""),
            secret_key=unquote(parts.password or ""),
            endpoint=endpoint,
            bucket=parts.path.strip("/"),
            region=options.get("region", "us-east-1"),
            secure=secure,
            public_endpoint=public.netloc,
            public_secure=public.scheme == "https",
        )


class S3Blobs:
    """Keeps each blob as the object `project/service/sha256`."""

    def __init__(self, client: Minio, signer: Minio, *, bucket: str) -> None:
        self._client = client
        self._signer = signer
        self._bucket = bucket

    def spool(self) -> Spool:
        return Spool()

    async def put(self, key: BlobKey, spool: Spool) -> None:
        if not await self.stat(key):
            await asyncio.to_thread(self._put, key, spool)

    @asynccontextmanager
    async def open(
        self, key: BlobKey, *, offset: int = 0, length: int | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        found = await self.stat(key)
        if found is None:
            raise BlobMissing(key)
        count = found.size - offset if length is None else min(length, found.size - offset)
        if count <= 0:
            yield _nothing()
            return
        response = await asyncio.to_thread(self._get, key, offset, count)
        try:
            yield _chunks(response)
        finally:
            # Whoever stops early must not drain gigabytes to reuse the connection.
            response.close()
            response.release_conn()

    async def stat(self, key: BlobKey) -> BlobStat | None:
        try:
            return await asyncio.to_thread(self._stat, key)
        except BlobMissing:
            return None

    async def delete(self, key: BlobKey) -> None:
        await asyncio.to_thread(self._delete, key)

    async def delete_all(self, project_id: ProjectId, service: str) -> None:
        await asyncio.to_thread(self._delete_all, f"{project_id}/{service}/")

    async def ask_version(self) -> str | None:
        if not await asyncio.to_thread(self._has_bucket):
            raise Unavailable("blobs")
        return None

    def public_url(
        self, key: BlobKey, *, expires_in: timedelta, mime: str, filename: str | None = None
    ) -> PublicUrl:
        now = datetime.now(UTC).replace(microsecond=0)
        headers: dict[str, str | list[str] | tuple[str]] = {"response-content-type": mime}
        if filename:
            headers["response-content-disposition"] = f"inline; filename*=UTF-8''{quote(filename)}"
        url = self._signer.presigned_get_object(
            self._bucket,
            str(key),
            expires=expires_in,
            response_headers=headers,
            request_date=now,
        )
        return PublicUrl(url=url, expires_at=now + expires_in)

    def _put(self, key: BlobKey, spool: Spool) -> None:
        with _errors(key), spool.open() as data:
            self._client.put_object(
                self._bucket, str(key), data, spool.size, num_parallel_uploads=_PARTS_AT_ONCE
            )

    def _get(self, key: BlobKey, offset: int, length: int) -> BaseHTTPResponse:
        with _errors(key):
            return self._client.get_object(self._bucket, str(key), offset, length)

    def _stat(self, key: BlobKey) -> BlobStat:
        with _errors(key):
            found = self._client.stat_object(self._bucket, str(key))
        assert found.size is not None
        assert found.last_modified is not None
        return BlobStat(size=found.size, modified_at=found.last_modified)

    def _delete(self, key: BlobKey) -> None:
        with _errors(key):
            self._client.remove_object(self._bucket, str(key))

    def _has_bucket(self) -> bool:
        with _errors():
            return self._client.bucket_exists(self._bucket)

    def _delete_all(self, prefix: str) -> None:
        with _errors():
            found = self._client.list_objects(self._bucket, prefix, recursive=True)
            names = [DeleteObject(item.object_name) for item in found if item.object_name]
            if list(self._client.remove_objects(self._bucket, names)):
                raise Unavailable("blobs")


@asynccontextmanager
async def open_s3_blobs(url: str) -> AsyncIterator[S3Blobs]:
    """Open a bucket, made if it is missing and we may."""
    address = S3Address.parse(url)
    pool = PoolManager(
        maxsize=_PARALLEL,
        timeout=Timeout(connect=5, read=60),
        retries=Retry(total=3, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]),
    )
    client = _client(address, address.endpoint, secure=address.secure, pool=pool)
    signer = _client(address, address.public_endpoint, secure=address.public_secure, pool=pool)
    await asyncio.to_thread(_make_bucket, client, address.bucket)
    try:
        yield S3Blobs(client, signer, bucket=address.bucket)
    finally:
        pool.clear()


def _client(address: S3Address, endpoint: str, *, secure: bool, pool: PoolManager) -> Minio:
    # A region that is given is not asked for over the network, which the public address may
    # not even be reachable for.
    return Minio(
        endpoint,
        access_key=address.access_key,
        secret_key=address.secret_key,
        secure=secure,
        region=address.region,
        http_client=pool,
    )


def _make_bucket(client: Minio, bucket: str) -> None:
    with _errors():
        if client.bucket_exists(bucket):
            return
        try:
            client.make_bucket(bucket)
        except S3Error as error:
            if error.code != "BucketAlreadyOwnedByYou":
                raise


@contextmanager
def _errors(key: BlobKey | None = None) -> Iterator[None]:
    try:
        yield
    except S3Error as error:
        if key and error.code == "NoSuchKey":
            raise BlobMissing(key) from None
        raise Unavailable("blobs") from error
    except (MinioException, HTTPError) as error:
        raise Unavailable("blobs") from error


async def _chunks(response: BaseHTTPResponse) -> AsyncIterator[bytes]:
    with _errors():
        while chunk := await asyncio.to_thread(response.read, _CHUNK):
            yield chunk


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
