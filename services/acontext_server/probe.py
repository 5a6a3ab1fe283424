"""`python -m acontext_server.probe [NAME]`: ask the service of this container how it is.

Without a name whether it is ready, with `live` whether it lives; status 1 if not. For orchestrators
that cannot ask gRPC themselves.
"""

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from acontext_server.kit.config import Settings

SECONDS = 8.0


def main(name: str) -> None:
    """Ask, and end with the status that the answer means."""
    port = Settings().listen_address.rpartition(":")[2]
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        probe = health_pb2_grpc.HealthStub(channel)
        asked = health_pb2.HealthCheckRequest(service=name)
        try:
            answer = probe.Check(asked, timeout=SECONDS)
        except grpc.RpcError as error:
            sys.exit(f"does not answer: {error}")
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        sys.exit("is not ready")


if __name__ == "__main__":
    main(sys.argv[1] if sys.argv[1:] else "")
