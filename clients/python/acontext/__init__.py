"""Acontext: store what an agent says and makes, see its tasks, learn skills from them.

Names are imported when they are first used, so that services take the stubs without the client.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import edits as edits
    from . import errors as errors
    from . import types as types
    from ._async.blocks import AsyncBlocksAPI as AsyncBlocksAPI
    from ._async.client import AcontextAsyncClient as AcontextAsyncClient
    from ._async.disks import AsyncDiskArtifactsAPI as AsyncDiskArtifactsAPI
    from ._async.disks import AsyncDisksAPI as AsyncDisksAPI
    from ._async.sessions import AsyncSessionsAPI as AsyncSessionsAPI
    from ._async.spaces import AsyncSpacesAPI as AsyncSpacesAPI
    from ._async.toolkit import AsyncToolkit as AsyncToolkit
    from ._sync.blocks import BlocksAPI as BlocksAPI
    from ._sync.client import AcontextClient as AcontextClient
    from ._sync.disks import DiskArtifactsAPI as DiskArtifactsAPI
    from ._sync.disks import DisksAPI as DisksAPI
    from ._sync.sessions import SessionsAPI as SessionsAPI
    from ._sync.spaces import SpacesAPI as SpacesAPI
    from ._sync.toolkit import Toolkit as Toolkit
    from .errors import AcontextError as AcontextError
    from .errors import APIError as APIError
    from .errors import TransportError as TransportError
    from .messages import AcontextMessage as AcontextMessage
    from .messages import MessagePart as MessagePart
    from .messages import build_acontext_message as build_acontext_message
    from .types import ProjectSettings as ProjectSettings
    from .types import Sop as Sop
    from .types import Task as Task
    from .types import TaskData as TaskData
    from .types import ToolSop as ToolSop
    from .uploads import FileUpload as FileUpload

    __version__: str

_HOMES = {
    "AcontextAsyncClient": "_async.client",
    "AcontextClient": "_sync.client",
    "AcontextError": "errors",
    "AcontextMessage": "messages",
    "APIError": "errors",
    "AsyncBlocksAPI": "_async.blocks",
    "AsyncDiskArtifactsAPI": "_async.disks",
    "AsyncDisksAPI": "_async.disks",
    "AsyncSessionsAPI": "_async.sessions",
    "AsyncSpacesAPI": "_async.spaces",
    "AsyncToolkit": "_async.toolkit",
    "BlocksAPI": "_sync.blocks",
    "DiskArtifactsAPI": "_sync.disks",
    "DisksAPI": "_sync.disks",
    "FileUpload": "uploads",
    "MessagePart": "messages",
    "ProjectSettings": "types",
    "SessionsAPI": "_sync.sessions",
    "Sop": "types",
    "SpacesAPI": "_sync.spaces",
    "Task": "types",
    "TaskData": "types",
    "Toolkit": "_sync.toolkit",
    "ToolSop": "types",
    "TransportError": "errors",
    "build_acontext_message": "messages",
}
_MODULES = ("edits", "errors", "types")

__all__ = [*_HOMES, *_MODULES, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name == "__version__":
        return import_module("._settings", __name__).version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
