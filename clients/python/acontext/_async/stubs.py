"""The generated stubs of every service on one channel."""

from typing import TYPE_CHECKING

from ..disk import v1 as disk
from ..health import v1 as health
from ..observer import v1 as observer
from ..session import v1 as session
from ..space import v1 as space

if TYPE_CHECKING:
    from .line import Channel


class AsyncStubs:
    """A stub for each service."""

    def __init__(self, channel: "Channel") -> None:
        self.health = health.HealthServiceStub(channel)
        self.projects = session.ProjectServiceStub(channel)
        self.sessions = session.SessionServiceStub(channel)
        self.disks = disk.DiskServiceStub(channel)
        self.tasks = observer.TaskServiceStub(channel)
        self.runs = observer.RunServiceStub(channel)
        self.spaces = space.SpaceServiceStub(channel)
        self.skills = space.SkillServiceStub(channel)
