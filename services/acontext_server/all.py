"""`python -m acontext_server.all`: every service on embedded engines, one command, one folder.

An engine whose URL is set is used as it is; the others run here, as children of this process.
"""

import asyncio
import secrets
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from alembic.util import CommandError
from dotenv import dotenv_values
from sqlalchemy.exc import DBAPIError

from acontext_server.gateway.pages import dashboard_of
from acontext_server.gateway.render import render
from acontext_server.kit import migrations
from acontext_server.kit.config import Settings
from acontext_server.kit.engines import (
    Envoy,
    Nats,
    Postgres,
    Program,
    StartError,
    Supervisor,
    free_port,
    refuse_taken_port,
    supervise,
)
from acontext_server.kit.misconfiguration import Misconfigured, read_settings, refuse_unknown
from acontext_server.serve import SERVICES, ServiceProcess, address_of

PROCESSES = (("session",), ("disk", "observer", "space"))
"""Session has a process of its own: one interpreter lock for all would make storing wait."""


SECRETS = ("admin_key", "internal_secret")


def main() -> None:
    """Run until Ctrl-C or SIGTERM; what a person must mend is said in a sentence, with status 1."""
    try:
        refuse_unknown()
        asyncio.run(_run(read_settings()))
    except (Misconfigured, StartError) as error:
        sys.exit(str(error))
    except asyncio.CancelledError:
        _say("stopped")


async def _run(settings: Settings) -> None:
    began = time.perf_counter()
    _let_signals_cancel()
    async with supervise(settings.data_folder, notify=_say) as supervisor:
        refuse_taken_port(settings.port, host=settings.host, setting="ACONTEXT_PORT")
        if dashboard_of(settings):
            refuse_taken_port(
                settings.dashboard_port, host=settings.host, setting="ACONTEXT_DASHBOARD_PORT"
            )
        settings = await start(supervisor, settings)
        print(_welcome(settings, time.perf_counter() - began), flush=True)
        await asyncio.Event().wait()


def _let_signals_cancel() -> None:
    task = asyncio.current_task()
    assert task  # asyncio.run has made one
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


async def start(supervisor: Supervisor, settings: Settings) -> Settings:
    """Start engines, bring the schemas up to date, start services and gateway.

    Gives the settings that all of them run with.
    """
    settings = complete(settings, supervisor.folder.path)
    settings = await _start_engines(supervisor, settings)
    await asyncio.to_thread(_migrate, settings.database_url)
    await supervisor.start(
        *(
            ServiceProcess(names, _watched(settings, number))
            for number, names in enumerate(PROCESSES)
        )
    )
    services = {name: address_of(name, settings) for name in SERVICES}
    listen = f"{settings.host}:{settings.port}"
    command = render(
        supervisor.folder.data("envoy"),
        listen=listen,
        services=services,
        dashboard=dashboard_of(settings),
    )
    await supervisor.start(Envoy(command, host=settings.host, port=settings.port))
    return settings


def _watched(settings: Settings, number: int) -> Settings:
    """Give the processes ports for their metrics that follow one another."""
    host, _, port = settings.metrics_address.rpartition(":")
    address = f"{host}:{int(port) + number}" if port else ""
    return settings.model_copy(update={"metrics_address": address})


def complete(settings: Settings, folder: Path) -> Settings:
    """Fill in what an embedded run decides itself: secrets, files and addresses."""
    chosen: dict[str, object] = {f"{name}_address": f"127.0.0.1:{free_port()}" for name in SERVICES}
    chosen["public_url"] = settings.base_url
    chosen["blobs_url"] = settings.blobs_url or (folder / "blobs").as_uri()
    kept = _kept_secrets(folder / ".env")
    chosen |= {name: getattr(settings, name) or kept[name] for name in SECRETS}
    return settings.model_copy(update=chosen)


def _kept_secrets(file: Path) -> Mapping[str, str]:
    """Read the secrets of a folder, made at its first start: its keys are hashed with one."""
    if not file.exists():
        lines = [f"ACONTEXT_{name.upper()}={secrets.token_urlsafe(32)}\n" for name in SECRETS]
        draft = file.with_name(".env.new")
        draft.touch(mode=0o600)
        draft.write_text("".join(lines))
        draft.replace(file)
    kept = dotenv_values(file)
    return {name: kept.get(f"ACONTEXT_{name.upper()}") or "" for name in SECRETS}


async def _start_engines(supervisor: Supervisor, settings: Settings) -> Settings:
    engines: list[Program] = []
    chosen = {}
    if not settings.database_url:
        engines.append(postgres := Postgres(supervisor.folder))
        chosen["database_url"] = postgres.url
    if not settings.nats_url:
        engines.append(nats := Nats(supervisor.folder))
        chosen["nats_url"] = nats.url
    await supervisor.start(*engines)
    return settings.model_copy(update=chosen)


def _migrate(url: str) -> None:
    try:
        for service in SERVICES:
            migrations.upgrade(url, service)
    except CommandError as error:
        raise StartError(
            f"The database cannot be brought up to date: {error}. "
            "A newer Acontext may have been here; use that, or another folder."
        ) from error
    except DBAPIError as error:
        raise StartError(f"The database cannot be used: {_one_line(error.orig)}") from error


def _one_line(error: object) -> str:
    return " ".join(str(error).split())


def _welcome(settings: Settings, seconds: float) -> str:
    folder = settings.data_folder
    return (
        f"Acontext is ready after {seconds:.1f} s; Ctrl-C stops it.\n"
        f"  API    {settings.base_url}  (JSON under /api/v1, gRPC, gRPC-Web, reflection)\n"
        f"  look   {_where_to_look(settings)}\n"
        f"  key    {settings.root_api_key}\n"
        f"  state  {folder}  (logs in {folder}/log, the operator's key in {folder}/.env)"
    )


def _where_to_look(settings: Settings) -> str:
    if dashboard_of(settings):
        return f"http://{settings.host}:{settings.dashboard_port}  (the dashboard)"
    if settings.dashboard_port:
        return "the dashboard is not built; `make dashboard` builds it"
    return "no dashboard, as ACONTEXT_DASHBOARD_PORT=0 says"


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
