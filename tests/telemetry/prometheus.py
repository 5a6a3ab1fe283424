"""A real Prometheus that reads our metrics every second and judges our rules by them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import yaml

from acontext_server.kit.engines import Command, Folder, free_port
from tests.engines import find_or_skip

RULES = Path("deploy/prometheus/alerts.yml")


def read_rules() -> Any:
    """Give what stands in the file of alerts."""
    return yaml.safe_load(RULES.read_text())


class Prometheus:
    """A Prometheus server; alerts fire at once, as it has no minutes to wait."""

    name = "prometheus"

    def __init__(self, folder: Folder, *, target: str) -> None:
        self._binary = find_or_skip("prometheus")
        self._home = folder.data(self.name)
        self._target = target
        self._port = free_port()

    async def prepare(self) -> Command:
        """Write its configuration: our rules to the letter, but for how long they must hold."""
        self._home.mkdir(parents=True, exist_ok=True)
        rules = read_rules()
        for rule in rules["groups"][0]["rules"]:
            rule.pop("for", None)
        (self._home / "alerts.yml").write_text(yaml.safe_dump(rules))
        configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["alerts.yml"],
            "scrape_configs": [
                {"job_name": "acontext", "static_configs": [{"targets": [self._target]}]}
            ],
        }
        (self._home / "prometheus.yml").write_text(yaml.safe_dump(configuration))
        return Command(
            argv=[
                self._binary,
                f"--config.file={self._home / 'prometheus.yml'}",
                f"--storage.tsdb.path={self._home / 'data'}",
                f"--web.listen-address=127.0.0.1:{self._port}",
                "--log.level=warn",
            ]
        )

    async def is_ready(self) -> bool:
        """Ask its readiness route."""
        try:
            async with httpx.AsyncClient(timeout=2) as client:
                return (await client.get(f"{self._url}/-/ready")).status_code == 200
        except httpx.HTTPError:
            return False

    async def firing(self) -> Sequence[Mapping[str, str]]:
        """Give the labels of the alerts that fire."""
        alerts = (await self._asked("alerts"))["alerts"]
        return [one["labels"] for one in alerts if one["state"] == "firing"]

    async def values(self, expression: str) -> Sequence[float]:
        """Evaluate an expression now."""
        found = await self._asked("query", query=expression)
        return [float(one["value"][1]) for one in found["result"]]

    async def names(self) -> set[str]:
        """Give the names of all metrics, as their families are called."""
        families = await self._asked("metadata")
        return set(families) | {f"{name}_total" for name in families}

    async def _asked(self, what: str, **asked: str) -> Any:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.get(f"{self._url}/api/v1/{what}", params=asked)
        told = answer.json()
        assert told["status"] == "success", told
        return told["data"]

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self._port}"
