"""Generated: acontext.disk.v1."""

from .artifact_pb2 import (
    Artifact as Artifact,
    FileContent as FileContent,
)
from .disk_errors_pb2 import (
    ERROR_REASON_ARTIFACT_NOT_FOUND as ERROR_REASON_ARTIFACT_NOT_FOUND,
    ERROR_REASON_BLOB_NOT_FOUND as ERROR_REASON_BLOB_NOT_FOUND,
    ERROR_REASON_CONFLICT as ERROR_REASON_CONFLICT,
    ERROR_REASON_DISK_NOT_FOUND as ERROR_REASON_DISK_NOT_FOUND,
    ERROR_REASON_INTERNAL as ERROR_REASON_INTERNAL,
    ERROR_REASON_INVALID_CURSOR as ERROR_REASON_INVALID_CURSOR,
    ERROR_REASON_INVALID_META as ERROR_REASON_INVALID_META,
    ERROR_REASON_INVALID_PATH as ERROR_REASON_INVALID_PATH,
    ERROR_REASON_INVALID_PATTERN as ERROR_REASON_INVALID_PATTERN,
    ERROR_REASON_INVALID_REQUEST as ERROR_REASON_INVALID_REQUEST,
    ERROR_REASON_INVALID_UPLOAD as ERROR_REASON_INVALID_UPLOAD,
    ERROR_REASON_PERMISSION_DENIED as ERROR_REASON_PERMISSION_DENIED,
    ERROR_REASON_RANGE_NOT_SATISFIABLE as ERROR_REASON_RANGE_NOT_SATISFIABLE,
    ERROR_REASON_REQUEST_ID_REUSED as ERROR_REASON_REQUEST_ID_REUSED,
    ERROR_REASON_TOO_LARGE as ERROR_REASON_TOO_LARGE,
    ERROR_REASON_UNAUTHENTICATED as ERROR_REASON_UNAUTHENTICATED,
    ERROR_REASON_UNAVAILABLE as ERROR_REASON_UNAVAILABLE,
    ERROR_REASON_UNSPECIFIED as ERROR_REASON_UNSPECIFIED,
    ErrorReason as ErrorReason,
)
from .disk_events_pb2 import (
    ArtifactChanged as ArtifactChanged,
    DiskDeleted as DiskDeleted,
    DiskEvent as DiskEvent,
    ProjectForgotten as ProjectForgotten,
    UserForgotten as UserForgotten,
)
from .disk_pb2 import (
    Disk as Disk,
)
from .disk_service_pb2 import (
    CountUserResourcesRequest as CountUserResourcesRequest,
    CountUserResourcesResponse as CountUserResourcesResponse,
    CreateDiskRequest as CreateDiskRequest,
    CreateDiskResponse as CreateDiskResponse,
    DeleteArtifactRequest as DeleteArtifactRequest,
    DeleteArtifactResponse as DeleteArtifactResponse,
    DeleteDiskRequest as DeleteDiskRequest,
    DeleteDiskResponse as DeleteDiskResponse,
    DownloadArtifactRequest as DownloadArtifactRequest,
    DownloadArtifactResponse as DownloadArtifactResponse,
    GetArtifactRequest as GetArtifactRequest,
    GetArtifactResponse as GetArtifactResponse,
    GetBlobRequest as GetBlobRequest,
    GetBlobResponse as GetBlobResponse,
    GlobArtifactsRequest as GlobArtifactsRequest,
    GlobArtifactsResponse as GlobArtifactsResponse,
    GrepArtifactsRequest as GrepArtifactsRequest,
    GrepArtifactsResponse as GrepArtifactsResponse,
    ListArtifactsRequest as ListArtifactsRequest,
    ListArtifactsResponse as ListArtifactsResponse,
    ListDisksRequest as ListDisksRequest,
    ListDisksResponse as ListDisksResponse,
    UpdateArtifactRequest as UpdateArtifactRequest,
    UpdateArtifactResponse as UpdateArtifactResponse,
    UploadArtifactMultipartRequest as UploadArtifactMultipartRequest,
    UploadArtifactMultipartResponse as UploadArtifactMultipartResponse,
    UploadArtifactRequest as UploadArtifactRequest,
    UploadArtifactResponse as UploadArtifactResponse,
    UploadHead as UploadHead,
)
from .disk_service_pb2_grpc import (
    DiskServiceServicer as DiskServiceServicer,
    DiskServiceStub as DiskServiceStub,
    add_DiskServiceServicer_to_server as add_DiskServiceServicer_to_server,
)
