"""Generated: acontext.observer.v1."""

from .observer_errors_pb2 import (
    ERROR_REASON_CONFLICT as ERROR_REASON_CONFLICT,
    ERROR_REASON_INTERNAL as ERROR_REASON_INTERNAL,
    ERROR_REASON_INVALID_CURSOR as ERROR_REASON_INVALID_CURSOR,
    ERROR_REASON_INVALID_REQUEST as ERROR_REASON_INVALID_REQUEST,
    ERROR_REASON_PERMISSION_DENIED as ERROR_REASON_PERMISSION_DENIED,
    ERROR_REASON_REQUEST_ID_REUSED as ERROR_REASON_REQUEST_ID_REUSED,
    ERROR_REASON_RUN_NOT_FOUND as ERROR_REASON_RUN_NOT_FOUND,
    ERROR_REASON_SESSION_NOT_FOUND as ERROR_REASON_SESSION_NOT_FOUND,
    ERROR_REASON_SESSION_NOT_TRACKED as ERROR_REASON_SESSION_NOT_TRACKED,
    ERROR_REASON_TASK_NOT_FOUND as ERROR_REASON_TASK_NOT_FOUND,
    ERROR_REASON_TOKEN_BUDGET_USED_UP as ERROR_REASON_TOKEN_BUDGET_USED_UP,
    ERROR_REASON_TOO_LARGE as ERROR_REASON_TOO_LARGE,
    ERROR_REASON_TRANSITION_REFUSED as ERROR_REASON_TRANSITION_REFUSED,
    ERROR_REASON_UNAUTHENTICATED as ERROR_REASON_UNAUTHENTICATED,
    ERROR_REASON_UNAVAILABLE as ERROR_REASON_UNAVAILABLE,
    ERROR_REASON_UNSPECIFIED as ERROR_REASON_UNSPECIFIED,
    ErrorReason as ErrorReason,
)
from .observer_events_pb2 import (
    ObserverEvent as ObserverEvent,
    ProjectForgotten as ProjectForgotten,
    TaskCompleted as TaskCompleted,
    TasksChanged as TasksChanged,
    UserForgotten as UserForgotten,
)
from .run_pb2 import (
    RoleUse as RoleUse,
    Run as Run,
    TokenUse as TokenUse,
)
from .run_service_pb2 import (
    GetRunRequest as GetRunRequest,
    GetRunResponse as GetRunResponse,
    GetTokenUseRequest as GetTokenUseRequest,
    GetTokenUseResponse as GetTokenUseResponse,
    ListRunsRequest as ListRunsRequest,
    ListRunsResponse as ListRunsResponse,
)
from .statistics_pb2 import (
    DayStatistics as DayStatistics,
)
from .task_pb2 import (
    Task as Task,
    TaskChange as TaskChange,
    TaskData as TaskData,
    TaskMessage as TaskMessage,
)
from .task_service_pb2 import (
    FlushSessionRequest as FlushSessionRequest,
    FlushSessionResponse as FlushSessionResponse,
    GetLearningStatusRequest as GetLearningStatusRequest,
    GetLearningStatusResponse as GetLearningStatusResponse,
    GetObservingStatusRequest as GetObservingStatusRequest,
    GetObservingStatusResponse as GetObservingStatusResponse,
    GetStatisticsRequest as GetStatisticsRequest,
    GetStatisticsResponse as GetStatisticsResponse,
    GetTaskContextRequest as GetTaskContextRequest,
    GetTaskContextResponse as GetTaskContextResponse,
    GetTaskRequest as GetTaskRequest,
    GetTaskResponse as GetTaskResponse,
    ListProjectTasksRequest as ListProjectTasksRequest,
    ListProjectTasksResponse as ListProjectTasksResponse,
    ListTasksRequest as ListTasksRequest,
    ListTasksResponse as ListTasksResponse,
    ReobserveSessionRequest as ReobserveSessionRequest,
    ReobserveSessionResponse as ReobserveSessionResponse,
    RetryFailedMessagesRequest as RetryFailedMessagesRequest,
    RetryFailedMessagesResponse as RetryFailedMessagesResponse,
    SetTaskOutcomeRequest as SetTaskOutcomeRequest,
    SetTaskOutcomeResponse as SetTaskOutcomeResponse,
    WatchTasksRequest as WatchTasksRequest,
    WatchTasksResponse as WatchTasksResponse,
)
from .run_service_pb2_grpc import (
    RunServiceServicer as RunServiceServicer,
    RunServiceStub as RunServiceStub,
    add_RunServiceServicer_to_server as add_RunServiceServicer_to_server,
)
from .task_service_pb2_grpc import (
    TaskServiceServicer as TaskServiceServicer,
    TaskServiceStub as TaskServiceStub,
    add_TaskServiceServicer_to_server as add_TaskServiceServicer_to_server,
)
