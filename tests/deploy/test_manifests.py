"""What deploys us says the same as the settings, and is what its own schema allows."""

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from dotenv import dotenv_values

from acontext_server.kit.config import Settings
from acontext_server.serve import GIVE_MEMORY_BACK, SERVICES
from tests.engines import find_or_skip

COMPOSE: dict[str, Any] = yaml.safe_load(Path("docker-compose.yml").read_text())
ENTRIES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = dotenv_values(".env.example")
KUBERNETES = Path("deploy/kubernetes")
SETTINGS = {f"ACONTEXT_{name.upper()}" for name in Settings.model_fields} | {"OPENAI_API_KEY"}
OURS = (*SERVICES, "setup", "gateway")

WITHIN_IMAGES = {"ACONTEXT_LISTEN_ADDRESS", "ACONTEXT_HOST", "ACONTEXT_PORT"}
"""The images say these themselves: a container's own ports are no choice of its user's."""
EMBEDDED_ONLY = {"ACONTEXT_DATA_FOLDER", "ACONTEXT_OPENAI_API_KEY"}
TUNED_IN_A_FILE = {
    "ACONTEXT_BUFFER_IDLE_SECONDS",
    "ACONTEXT_BUFFER_TURNS",
    "ACONTEXT_CONFIRMATION",
    "ACONTEXT_DASHBOARD_PORT",
    "ACONTEXT_DATABASE_POOL",
    "ACONTEXT_DELETION_SECONDS",
    "ACONTEXT_DIFFICULTY_RULES",
    "ACONTEXT_EMBEDDER_THRESHOLD",
    "ACONTEXT_FAILURE_CRITERIA",
    "ACONTEXT_MAX_ARTIFACT_BYTES",
    "ACONTEXT_MINIMUM_DIFFICULTY",
    "ACONTEXT_MODEL_CONCURRENCY",
    "ACONTEXT_MODEL_EXTRA_BODY",
    "ACONTEXT_MODEL_HEADERS",
    "ACONTEXT_MODEL_MAX_TOKENS",
    "ACONTEXT_MODEL_NAMES",
    "ACONTEXT_MODEL_PRICES",
    "ACONTEXT_MODEL_RETRIES",
    "ACONTEXT_MODEL_ROUNDS",
    "ACONTEXT_MODEL_TIMEOUT_SECONDS",
    "ACONTEXT_MODEL_TOOLS",
    "ACONTEXT_MONTHLY_TOKEN_BUDGET",
    "ACONTEXT_NATS_PREFIX",
    "ACONTEXT_NATS_REPLICAS",
    "ACONTEXT_SUCCESS_CRITERIA",
    "ACONTEXT_SWEEP_SECONDS",
}
"""Set in an override file by those who tune; a new setting is named here or handed on."""


@pytest.mark.parametrize("name", OURS)
def test_compose_sets_nothing_that_is_no_setting(name: str) -> None:
    assert set(ENTRIES[name]["environment"]) - SETTINGS == set()


@pytest.mark.parametrize("name", OURS)
def test_compose_hands_on_every_setting_that_is_not_named_here(name: str) -> None:
    left_out = WITHIN_IMAGES | EMBEDDED_ONLY | TUNED_IN_A_FILE
    assert SETTINGS - set(ENTRIES[name]["environment"]) == left_out


def test_every_variable_of_compose_is_in_the_example() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", Path("docker-compose.yml").read_text()))
    handed_on = {name for name, value in ENTRIES["session"]["environment"].items() if value is None}
    known = set(re.findall(r"^#? ?([A-Z_]+)=", Path(".env.example").read_text(), re.MULTILINE))
    assert used - known == set()
    assert known - used - handed_on == set()


def test_the_settings_of_compose_are_valid_ones() -> None:
    told: dict[str, Any] = {}
    for name, value in ENTRIES["session"]["environment"].items():
        if value is not None:
            filled = re.sub(r"\$\{([A-Z_]+)[^}]*\}", lambda match: EXAMPLE[match[1]] or "", value)
            told[name.removeprefix("ACONTEXT_").lower()] = filled
    settings = Settings(_env_file=None, **told)  # type: ignore[call-arg]  # of pydantic
    assert settings.nats_url.startswith("nats://acontext:development-nats@")
    assert settings.addresses == {name: f"dns:///{name}:50051" for name in SERVICES}


def test_no_secret_has_a_default_in_compose() -> None:
    text = Path("docker-compose.yml").read_text()
    secrets = [name for name in EXAMPLE if re.search("PASSWORD|SECRET|KEY$", name)]
    for name in set(secrets) - {"OPENAI_API_KEY"}:
        assert f"${{{name}:-" not in text
        assert name not in text or f"${{{name}:?" in text or f"\n    {name}:\n" in text, name


def test_only_the_gateway_publishes_ports() -> None:
    assert [name for name, entry in ENTRIES.items() if "ports" in entry] == ["gateway"]
    assert len(ENTRIES["gateway"]["ports"]) == 2


def test_every_entry_is_healthy_or_ends_and_its_keys_stand_in_one_order() -> None:
    order = "image build command environment volumes read_only tmpfs cap_drop security_opt ports"
    keys = [*order.split(), "depends_on", "healthcheck", "restart"]
    for name, entry in ENTRIES.items():
        assert "test" in entry["healthcheck"] or name == "setup"
        own = [key for key in _written(name) if key != "<<"]
        assert own == sorted(own, key=keys.index), name


def _written(name: str) -> list[str]:
    text = Path("docker-compose.yml").read_text()
    block = re.search(rf"^  {name}:\n((?:    .*\n|\n)+)", text, re.MULTILINE)
    assert block
    return re.findall(r"^    ([a-z_<]+):", block[1], re.MULTILINE)


@pytest.mark.parametrize("name", OURS)
def test_what_is_ours_runs_without_rights_on_a_root_that_cannot_be_written(name: str) -> None:
    entry = ENTRIES[name]
    assert entry["read_only"]
    assert entry["cap_drop"] == ["ALL"]


def test_every_image_of_ours_is_a_target_of_the_dockerfile() -> None:
    targets = re.findall(r"^FROM .* AS (\w+)$", Path("deploy/Dockerfile").read_text(), re.MULTILINE)
    assert {ENTRIES[name]["build"]["target"] for name in OURS} <= set(targets)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What `kubectl apply --kustomize` would send, with the example's secrets."""
    folder = tmp_path_factory.mktemp("kubernetes") / "all"
    shutil.copytree(KUBERNETES, folder)
    shutil.copy(folder / "secret.env.example", folder / "secret.env")
    command = [find_or_skip("kustomize"), "build", str(folder)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return list(yaml.safe_load_all(built.stdout))


@pytest.mark.engines
def test_kubernetes_would_take_every_manifest(rendered: list[dict[str, Any]]) -> None:
    for manifest in rendered:
        kubernetes_validate.validate(manifest, "1.33", strict=True)
    kinds = Counter(one["kind"] for one in rendered)
    assert (kinds["Service"], kinds["Deployment"], kinds["Job"]) == (5, 5, 1)


@pytest.mark.engines
def test_everything_is_in_one_namespace_and_what_it_refers_to_is_there(
    rendered: list[dict[str, Any]],
) -> None:
    others = [one for one in rendered if one["kind"] != "Namespace"]
    assert {one["metadata"]["namespace"] for one in others} == {"acontext"}
    made = {(one["kind"], one["metadata"]["name"]) for one in others}
    for one in others:
        if one["kind"] in ("Deployment", "Job"):
            (container,) = one["spec"]["template"]["spec"]["containers"]
            assert container["image"] == f"acontext/{one['metadata']['name']}:dev"
            for source in container["envFrom"]:
                ((kind, reference),) = source.items()
                assert (kind[0].upper() + kind[1:].removesuffix("Ref"), reference["name"]) in made


def test_images_give_memory_back_as_processes_do() -> None:
    said = re.findall(r"(MALLOC_\w+)=(\d+)", Path("deploy/Dockerfile").read_text())
    assert dict(said) == GIVE_MEMORY_BACK


def manifests() -> Iterator[dict[str, Any]]:
    named = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    for file in named["resources"]:
        for manifest in yaml.safe_load_all((KUBERNETES / file).read_text()):
            if manifest:
                yield manifest


def pods() -> dict[str, dict[str, Any]]:
    kinds = {"Deployment", "Job"}
    return {
        one["metadata"]["name"]: one["spec"]["template"]["spec"]
        for one in manifests()
        if one["kind"] in kinds
    }


@pytest.mark.parametrize("name", OURS)
def test_a_pod_asks_for_little_may_do_little_and_is_probed(name: str) -> None:
    pod = pods()[name]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert {"requests", "limits"} == set(container["resources"])
    (volume,) = pod["volumes"]
    assert set(volume["emptyDir"]) == {"sizeLimit"}  # on the node's disk, not in its memory
    assert name == "setup" or {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container)


def test_kubernetes_sets_nothing_that_is_no_setting() -> None:
    told = {
        name
        for file in ("settings.env", "secret.env.example")
        for name in dotenv_values(KUBERNETES / file)
    }
    assert told - SETTINGS == set()


def test_the_board_is_in_one_piece() -> None:
    assert json.loads(Path("deploy/grafana/acontext.json").read_text())["uid"] == "acontext"
