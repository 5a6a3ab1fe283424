"""Who calls is proved by a key or a signature, and believed for a moment only."""

import asyncio
import time

import pytest

from acontext_server.kit import auth
from acontext_server.kit.auth import Keys, Signer
from acontext_server.kit.errors import Unauthenticated, Unavailable
from acontext_server.kit.ids import ProjectId, uuid7

PROJECT = ProjectId(uuid7())


def test_a_signed_project_is_read_back_and_a_changed_one_refused() -> None:
    signer = Signer(b"secret")
    [(_, header)] = signer.metadata(PROJECT)
    assert signer.project_of(header) == PROJECT
    for forged in (header[:-1] + "0", header.replace("0", "1", 1), "", "a.b.c", "ä.1.2"):
        if forged != header:
            with pytest.raises(Unauthenticated):
                signer.project_of(forged)
    with pytest.raises(Unauthenticated):
        Signer(b"other").project_of(header)


def test_an_old_signature_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    signer = Signer(b"secret")
    [(_, header)] = signer.metadata(PROJECT)
    later = time.time() + auth.SIGNATURE_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(Unauthenticated):
        signer.project_of(header)


async def test_one_question_serves_all_who_ask_at_the_same_moment() -> None:
    asked = []

    async def resolve(secret: str) -> ProjectId | None:
        asked.append(secret)
        await asyncio.sleep(0.01)
        return PROJECT

    keys = Keys(resolve)
    found = await asyncio.gather(*[keys.project_of("sk-ac-good") for _ in range(16)])
    assert set(found) == {PROJECT}
    assert len(asked) == 1


async def test_an_owner_that_did_not_answer_is_asked_again() -> None:
    answers: list[ProjectId | Exception | None] = [Unavailable("session"), PROJECT]

    async def resolve(_: str) -> ProjectId | None:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    keys = Keys(resolve)
    with pytest.raises(Unavailable):
        await keys.project_of("sk-ac-good")
    assert await keys.project_of("sk-ac-good") == PROJECT


async def test_other_prefixes_are_never_asked_for() -> None:
    async def resolve(_: str) -> ProjectId | None:
        raise AssertionError("asked")

    with pytest.raises(Unauthenticated):
        await Keys(resolve).project_of("sk-proj-123")
