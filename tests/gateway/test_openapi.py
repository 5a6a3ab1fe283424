"""The OpenAPI document: that it is one, says what the contracts say, and is served."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from acontext_server.gateway import build, openapi

ROOT = Path(__file__).parents[2]
CONTRACTS = build.contracts()


@pytest.fixture(scope="module")
def document() -> Any:
    return openapi.document(CONTRACTS)


def test_the_document_is_openapi(document: Any) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


async def test_it_is_served_without_a_key(rest: httpx.AsyncClient, document: Any) -> None:
    answer = await rest.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == document
