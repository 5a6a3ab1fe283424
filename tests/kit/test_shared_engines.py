"""The engines that tests share."""

from urllib.request import urlopen

import psycopg
import pytest

from acontext_server.kit.engines import Postgres
from tests.engines import new_database


def test_a_database_is_a_copy_of_its_template_and_gone_afterwards(postgres: Postgres) -> None:
    with new_database(postgres) as template:
        with psycopg.connect(postgres.url_of(template)) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
        with (
            new_database(postgres, template=template) as copy,
            psycopg.connect(postgres.url_of(copy)) as connection,
        ):
            assert connection.execute("SELECT seven FROM kept").fetchone() == (7,)
    with psycopg.connect(postgres.url) as connection:
        left = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'test_%'")
        assert copy not in {name for (name,) in left}


@pytest.mark.engines
def test_minio_is_healthy(minio_url: str) -> None:
    address = minio_url.rpartition("@")[2]
    assert urlopen(f"http://{address}/minio/health/live", timeout=5).status == 200


@pytest.mark.engines
def test_weaviate_is_alive(weaviate_url: str) -> None:
    address = weaviate_url.removeprefix("weaviate://").partition("?")[0]
    assert urlopen(f"http://{address}/v1/.well-known/live", timeout=5).status == 200
