"""Request ids of a whole batch, claimed in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from acontext_server.kit.database import Raw, Tx, fetch
from acontext_server.kit.ids import ProjectId
from acontext_server.session.domain import MessageId

RequestKey: TypeAlias = tuple[ProjectId, UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A request id that a message wants to be the answer of."""

    key: RequestKey
    digest: bytes
    message_id: MessageId


_CLAIM = """
INSERT INTO session.request (project_id, method, request_id, digest, answer_id)
SELECT project_id, 'StoreMessage', request_id, digest, answer_id
FROM unnest(%s::uuid[], %s::uuid[], %b::bytea[], %s::uuid[])
     AS claim (project_id, request_id, digest, answer_id)
ON CONFLICT DO NOTHING
"""

_ANSWERS = """
SELECT project_id, request_id, digest, answer_id FROM session.request
WHERE method = 'StoreMessage'
  AND (project_id, request_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))
"""

_RELEASE = """
DELETE FROM session.request
WHERE method = 'StoreMessage'
  AND (project_id, request_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))
"""


async def claim(tx: Tx | Raw, claims: Sequence[Claim]) -> dict[RequestKey, Claim]:
    """Claim request ids, and give for each the claim that was first.

    What another transaction claims at the same moment is waited for.
    """
    if not claims:
        return {}
    # In one order, so that two batches cannot wait for each other.
    ordered = sorted(claims, key=lambda claim: claim.key)
    projects = [claim.key[0] for claim in ordered]
    requests = [claim.key[1] for claim in ordered]
    digests = [claim.digest for claim in ordered]
    answers = [claim.message_id for claim in ordered]
    await fetch(tx, _CLAIM, (projects, requests, digests, answers))
    return {
        (project_id, request_id): Claim(
            key=(project_id, request_id), digest=digest, message_id=message_id
        )
        for project_id, request_id, digest, message_id in await fetch(
            tx, _ANSWERS, (projects, requests)
        )
    }


async def release(tx: Tx | Raw, keys: Sequence[RequestKey]) -> None:
    """Give request ids free again, within the transaction that claimed them."""
    if keys:
        await fetch(tx, _RELEASE, ([key[0] for key in keys], [key[1] for key in keys]))
