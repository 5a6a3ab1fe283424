"""NATS as production runs it: three servers that keep each other's streams, TLS, a password."""

import subprocess
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from acontext_server.kit.engines import free_port
from acontext_server.kit.engines.nats import executable

SIZE = 3


class Cluster:
    """Three servers on this machine."""

    def __init__(self, home: Path, *, tls: bool) -> None:
        self._home = home
        self._ports = [free_port() for _ in range(SIZE)]
        self._routes = [free_port() for _ in range(SIZE)]
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._tls = tls
        if tls:
            certify(home)

    @property
    def url(self) -> str:
        """Where clients connect."""
        return self.url_as("acontext", "p%40ss")

    def url_as(self, user: str, password: str) -> str:
        """Where somebody else connects."""
        places = ",".join(f"127.0.0.1:{port}" for port in self._ports)
        scheme, query = ("tls", f"?ca={self._home}/ca.pem") if self._tls else ("nats", "")
        return f"{scheme}://{user}:{password}@{places}{query}"

    def start(self, *numbers: int) -> None:
        """Start some of the servers."""
        for number in numbers:
            configuration = self._home / f"{number}.conf"
            configuration.write_text(self._configuration(number))
            command = [executable(), "--config", str(configuration)]
            with (self._home / f"{number}.log").open("ab") as log:
                self._running[number] = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self, *numbers: int) -> None:
        """Kill some of the servers."""
        for number in numbers:
            process = self._running.pop(number)
            process.kill()
            process.wait()

    def end(self) -> None:
        """Kill what runs."""
        self.kill(*list(self._running))

    def _configuration(self, number: int) -> str:
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in self._routes)
        files = f'cert_file: "{self._home}/own.pem", key_file: "{self._home}/own.key"'
        return f"""
            listen: "127.0.0.1:{self._ports[number]}"
            server_name: n{number}
            authorization {{ user: acontext, password: "p@ss" }}
            jetstream {{ store_dir: "{self._home}/n{number}", sync_interval: always }}
            cluster {{
              name: c, listen: "127.0.0.1:{self._routes[number]}", routes: [{routes}]
            }}
            {f"tls {{ {files} }}" if self._tls else ""}
        """


def certify(home: Path) -> None:
    """Make an authority of the test's own, which is also the certificate of 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of this test")])
    now = datetime.now(UTC)
    draft = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    draft = draft.not_valid_before(now - timedelta(hours=1)).not_valid_after(
        now + timedelta(days=1)
    )
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    authority = x509.BasicConstraints(ca=True, path_length=0)
    draft = draft.add_extension(here, critical=False).add_extension(authority, critical=True)
    pem = draft.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    for file in ("ca.pem", "own.pem"):
        (home / file).write_bytes(pem)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (home / "own.key").write_bytes(private)
    (home / "own.key").chmod(0o600)
