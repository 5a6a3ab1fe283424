"""Keeping what agents did, and telling observer what their models took."""

from acontext_server.kit.database import Tx
from acontext_server.space.app import Announce
from acontext_server.space.domain.events import TokensSpent
from acontext_server.space.domain.learning import Run
from acontext_server.space.store import learning


async def keep_run(tx: Tx, announce: Announce, run: Run) -> None:
    """Keep a run; what it took counts against the month's budget."""
    await learning.insert_run(tx, run)
    if run.input_tokens or run.output_tokens:
        await announce(tx, run.project_id, [TokensSpent(run)])
