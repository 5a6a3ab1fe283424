"""`python -m acontext_server.gateway`: Envoy in front of services that run elsewhere."""

import os
import sys
import tempfile
from pathlib import Path

from acontext_server.gateway.pages import dashboard_of
from acontext_server.gateway.render import objects_of, render
from acontext_server.kit.misconfiguration import Misconfigured, read_settings


def main() -> None:
    """Write what Envoy reads into a folder of its own, and become Envoy."""
    try:
        settings = read_settings()
    except Misconfigured as error:
        sys.exit(str(error))
    command = render(
        Path(tempfile.mkdtemp(prefix="acontext-gateway-")),
        listen=f"{settings.host}:{settings.port}",
        services={name: _places(address) for name, address in settings.addresses.items()},
        dashboard=dashboard_of(settings),
        objects=objects_of(settings.blobs_url, settings.base_url),
    )
    os.execv(command[0], command)


def _places(address: str) -> str:
    """Say an address of gRPC's in Envoy's way."""
    return address.removeprefix("dns:///").removeprefix("ipv4:")


if __name__ == "__main__":
    main()
