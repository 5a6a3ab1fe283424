"""`MODEL_URL=… python -m evaluation.smoke`: the whole loop once, with the model that is named."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from grpc import aio

from acontext.observer import v1 as observer
from acontext.space import v1 as space
from acontext_server.demo.gateway import Gateway, open_gateway
from acontext_server.demo.story import CI_SETUP, first_user_turn
from acontext_server.kit.engines import StartError
from benchmarks.system import KEY, open_system
from evaluation.models import model_environment, use_rows
from evaluation.table import told

PATIENCE_SECONDS = 300.0
LOOK_AGAIN_SECONDS = 0.2
MOST_LOOKS = 50


def main() -> None:
    """Run the loop and print it; the status is 1 where a part of it was not done."""
    chosen = model_environment()
    try:
        sys.exit(asyncio.run(_smoke(dict(chosen))))
    except StartError as error:
        sys.exit(str(error))
    except aio.AioRpcError as error:
        sys.exit(f"The system did not answer: {error.code().name}, {error.details()}")


async def _smoke(chosen: dict[str, str]) -> int:
    with tempfile.TemporaryDirectory(prefix="acontext-smoke-") as folder:
        async with (
            open_system(Path(folder), chosen) as system,
            open_gateway(system.address, KEY) as gateway,
        ):
            return await _loop(gateway)


async def _loop(gateway: Gateway) -> int:
    space_id = await gateway.create_space()
    session_id = await gateway.create_session(space_id)
    await gateway.store(session_id, [json.dumps(one).encode() for one in CI_SETUP])
    flushed = await gateway.flush(session_id)
    left = await gateway.wait_until_learned([session_id], patience=PATIENCE_SECONDS)
    tasks = await gateway.list_tasks(session_id)
    for task in tasks:
        print(f"task {task.order} [{task.status}] {task.data.task_description}")
        print(*(f"  progress: {line}" for line in task.data.progresses), sep="\n")
        print(*(f"  preference: {line}" for line in task.data.user_preferences), sep="\n")
    for skill in await gateway.list_skills(space_id):
        print(f"skill: {skill.sop.use_when}\n  preferences: {skill.sop.preferences}")
        print(*(f"  {one.tool_name}: {one.action}" for one in skill.sop.tool_sops), sep="\n")
    is_answered = await _search(gateway, space_id)
    print(told(use_rows(await _use(gateway))))
    for run in await _failed_runs(gateway):
        print(f"a run of the {run.role} failed: {run.error}", file=sys.stderr)
    if flushed.status != 200 or left:
        print(f"flush {flushed.status} {flushed.errmsg}; {left} tasks not learned", file=sys.stderr)
    return 0 if tasks and not left and is_answered else 1


async def _search(gateway: Gateway, space_id: str) -> bool:
    """Print what the model finds; False when it does not answer."""
    try:
        cited = await gateway.search(space_id, first_user_turn(CI_SETUP), mode="agentic")
    except aio.AioRpcError as error:
        print(f"the search was not answered: {error.details()}", file=sys.stderr)
        return False
    print(*(f"found: {one.title}" for one in cited), sep="\n")
    return True


async def _failed_runs(gateway: Gateway) -> Sequence[observer.Run]:
    """Give the runs that tell why something was not done."""
    observing = observer.ListRunsRequest(outcome="failed")
    learning = space.ListLearningRunsRequest(outcome="failed")
    return [
        *(await gateway.runs.ListRuns(observing, metadata=gateway.as_project)).items,
        *(await gateway.skills.ListLearningRuns(learning, metadata=gateway.as_project)).items,
    ]


async def _use(gateway: Gateway) -> observer.TokenUse:
    """What models took; the search, which came last, is counted once its run was announced."""
    request = observer.GetTokenUseRequest()
    for _ in range(MOST_LOOKS):
        answer = await gateway.runs.GetTokenUse(request, metadata=gateway.as_project)
        if any(one.role == "searcher" for one in answer.token_use.roles):
            break
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return answer.token_use


if __name__ == "__main__":
    main()
