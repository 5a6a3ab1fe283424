"""The signed, expiring name of one blob, for engines that cannot sign a URL themselves."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import orjson

from acontext_server.kit.blobs import BlobKey
from acontext_server.kit.ids import ProjectId

_PURPOSE = b"acontext public blob v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobToken:
    """What a public URL promises: these bytes, this type, this file name, until then."""

    key: BlobKey
    mime: str
    filename: str | None
    expires_at: datetime


class BlobTokens:
    """Signs tokens and reads back its own."""

    def __init__(self, secret: bytes) -> None:
        self._secret = hmac.digest(secret, _PURPOSE, hashlib.sha256)

    def sign(self, token: BlobToken) -> str:
        """Put a token into one URL-safe word."""
        fields = [str(token.key), token.mime, token.filename, int(token.expires_at.timestamp())]
        payload = orjson.dumps(fields)
        return f"{_encode(payload)}.{_encode(self._signature(payload))}"

    def verify(self, text: str, *, now: datetime) -> BlobToken | None:
        """Read a token, or say None: foreign, damaged and expired ones look the same."""
        payload, _, signature = text.partition(".")
        try:
            fields, claimed = _decode(payload), _decode(signature)
        except (binascii.Error, ValueError):
            return None
        if not hmac.compare_digest(self._signature(fields), claimed):
            return None
        token = _read(fields)
        return token if now < token.expires_at else None

    def _signature(self, payload: bytes) -> bytes:
        return hmac.digest(self._secret, payload, hashlib.sha256)


def _read(fields: bytes) -> BlobToken:
    key, mime, filename, expires_at = orjson.loads(fields)
    project_id, service, sha256 = key.split("/")
    return BlobToken(
        key=BlobKey(project_id=ProjectId(UUID(project_id)), service=service, sha256=sha256),
        mime=mime,
        filename=filename,
        expires_at=datetime.fromtimestamp(expires_at, UTC),
    )


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
