"""Generated: acontext.health.v1."""

from .health_pb2 import (
    EngineHealth as EngineHealth,
    Health as Health,
    ServiceHealth as ServiceHealth,
)
from .health_service_pb2 import (
    GetHealthRequest as GetHealthRequest,
    GetHealthResponse as GetHealthResponse,
    GetServiceHealthRequest as GetServiceHealthRequest,
    GetServiceHealthResponse as GetServiceHealthResponse,
)
from .health_service_pb2_grpc import (
    HealthServiceServicer as HealthServiceServicer,
    HealthServiceStub as HealthServiceStub,
    add_HealthServiceServicer_to_server as add_HealthServiceServicer_to_server,
)
