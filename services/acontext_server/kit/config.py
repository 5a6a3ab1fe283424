"""Settings: one URL per engine, whose scheme picks the adapter.

Sources, the first wins: the environment (`ACONTEXT_…`), `.env`, `config.yaml`, the defaults here.
"""

import hashlib
import hmac
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)


class Price(BaseModel):
    """What a million tokens of a model cost."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached_input: float | None = Field(default=None, ge=0)
    """Of input that the endpoint had seen before; as other input when unset."""


class Rule(BaseModel):
    """What else makes a task hard."""

    text: str = Field(min_length=1, max_length=1000)
    weight: Literal["normal", "critical"] = "normal"


class Settings(BaseSettings):
    """All that can be set; unset engine URLs are filled by the embedded engines."""

    model_config = SettingsConfigDict(
        env_prefix="ACONTEXT_",
        env_file=".env",
        env_parse_none_str="null",
        yaml_file="config.yaml",
        extra="ignore",
        protected_namespaces=(),
    )

    data_folder: Path = Path("db")
    """Where an embedded run keeps all its state."""
    host: str = "127.0.0.1"
    """Address that the gateway listens on."""
    port: int = Field(default=8029, ge=1, le=65535)
    """Port of the gateway."""
    dashboard_port: int = Field(default=3000, ge=0, le=65535)
    """Port of the dashboard; 0 means none."""
    public_url: str = ""
    """How clients reach the gateway; made of host and port when empty."""

    database_url: str = Field(default="", pattern="^(postgresql://.+)?$")
    """`postgresql://…`; a unix socket is `postgresql://user@/name?host=/folder`, TLS is
    `?sslmode=verify-full&sslrootcert=/ca.pem`, and `?options=` replaces our time-outs."""
    database_pool: int = 10
    """Connections of one service process."""
    nats_url: str = Field(default="", pattern="^((nats|tls)://.+)?$")
    """`nats://user:password@host:port,host:port`; `tls://…?ca=/ca.pem` for an authority of one's
    own, `creds=/file.creds` instead of a user, `cert=` and `key=` for a client's certificate."""
    nats_prefix: str = "acontext"
    """First token of every subject and stream, so that installations can share a NATS."""
    nats_replicas: int = Field(default=1, ge=1, le=5)
    """Servers of a NATS cluster that keep each stream."""
    blobs_url: str = ""
    """`file:///folder` or `s3://key:secret@host:port/bucket?secure=false&public=URL`."""
    vectors_url: str = "pgvector:"
    embedder_url: str = "local:"
    embedder_key: str = Field(default="", repr=False)
    """Key of an `openai:` embedder; the model's when empty and both are at one endpoint."""
    embedder_model: str = "text-embedding-3-small"
    embedder_threshold: float = 0.6
    """Cosine distance beyond which an answer of this model's is noise."""

    model_url: str = "rules:"
    """`openai:` for OpenAI, `openai://host:port/v1?secure=false` for anything that speaks it."""
    model_key: str = Field(default="", repr=False)
    openai_api_key: str = Field(default="", validation_alias="OPENAI_API_KEY", repr=False)
    """Enough to use OpenAI's models; sent to nobody else."""
    model_name: str = "gpt-4.1"
    model_names: dict[str, str] = {}
    """A model of its own for a role: observer, distiller, librarian, searcher."""
    model_headers: dict[str, str] = Field(default={}, repr=False)
    """Sent with every request to the model's endpoint."""
    model_extra_body: dict[str, Any] = {}
    """Joined to every request for a completion, such as `{"reasoning_effort": "low"}`."""
    model_tools: Literal["auto", "tools", "schema"] = "auto"
    """`schema` asks for JSON by a schema where tools cannot be called; `auto` finds out."""
    model_max_tokens: int = 16384
    """Longest answer, thoughts included."""
    model_timeout_seconds: float = 120.0
    model_retries: int = 4
    model_concurrency: int = 8
    """Requests of one process at a time."""
    model_prices: dict[str, Price] = {}
    """By the model's name, such as `{"gpt-4.1": {"input": 2, "output": 8}}`; runs then cost."""
    model_rounds: int = Field(default=6, ge=1)
    """Rounds in which a run has to come to its end; an answer that brings it on by one call, as of
    models that make one at a time, is none."""
    monthly_token_budget: int | None = Field(default=None, ge=0)
    """Tokens of a project and month after which its models pause; unset is no limit."""

    listen_address: str = Field(default="", pattern="^(.+:[0-9]+)?$")
    """`host:port` of a process with one service; empty means that service's own address below."""
    session_address: str = "127.0.0.1:50051"
    """Where the others reach it: `host:port`, `dns:///name:port` or `ipv4:host:port,host:port`;
    several addresses share the calls."""
    disk_address: str = "127.0.0.1:50052"
    observer_address: str = "127.0.0.1:50053"
    space_address: str = "127.0.0.1:50054"

    root_api_key: str = "sk-ac-your-root-api-bearer-token"
    """Key of the project that is made at the first start."""
    admin_key: str = ""
    """The operator's key; empty means there is no operator."""
    internal_secret: str = Field(default="", repr=False)
    """What services sign their calls to each other with, and what keys are hashed with."""

    max_artifact_bytes: int = 5 * 1024**3
    buffer_turns: int = 16
    """Messages that wait before a session is observed without being quiet."""
    buffer_idle_seconds: float = 8.0
    sweep_seconds: float = 5.0
    """How often observer asks for sessions that no nudge told of."""
    deletion_seconds: float = 25.0
    """How long deleting a user or project waits for every service; then it goes on unwatched."""
    minimum_difficulty: int = 2
    confirmation: bool = False
    """Whether a learned skill waits for a person. This and what follows is what holds for projects
    that say nothing else themselves."""
    difficulty_rules: list[Rule] = []
    """What else makes a task hard, in one's own words; read by a model only."""
    success_criteria: str = Field(default="", max_length=4000)
    """When a task counts as success; read by a model only, as is the next."""
    failure_criteria: str = Field(default="", max_length=4000)
    log_level: str = "INFO"
    otlp_url: str = Field(default="", pattern="^(https?://.+)?$")
    """Where traces go by OTLP over gRPC, `http://host:4317`; empty: nowhere."""
    metrics_address: str = Field(default="", pattern=r"^(.+:\d+)?$")
    """`host:port` at which a service process answers Prometheus; empty: it does not.

    Where several processes run on it, each takes the port after the last one's.
    """

    @model_validator(mode="after")
    def _take_openai_key(self) -> Self:
        if self.openai_api_key and "model_url" not in self.model_fields_set:
            self.model_url = "openai:"
        if self.model_url == "openai:":
            self.model_key = self.model_key or self.openai_api_key
        return self

    @property
    def base_url(self) -> str:
        """Say how clients reach the gateway, without a trailing slash."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def addresses(self) -> dict[str, str]:
        """Say at which `host:port` each service serves."""
        return {
            "session": self.session_address,
            "disk": self.disk_address,
            "observer": self.observer_address,
            "space": self.space_address,
        }

    def secret_for(self, purpose: str) -> bytes:
        """Derive a secret of its own for each purpose, so that one never opens another."""
        if not self.internal_secret:
            raise ValueError("ACONTEXT_INTERNAL_SECRET is not set")
        return hmac.digest(self.internal_secret.encode(), purpose.encode(), hashlib.sha256)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        yaml = YamlConfigSettingsSource(settings_cls)
        return init_settings, env_settings, dotenv_settings, yaml
