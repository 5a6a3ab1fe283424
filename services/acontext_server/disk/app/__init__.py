"""What can be done with disks and artifacts, and how unneeded bytes go."""

from acontext_server.disk.app.artifacts import ArtifactApp, Upload
from acontext_server.disk.app.disks import DiskApp
from acontext_server.disk.app.public import PublicApp, PublicFile
from acontext_server.disk.app.sweep import Sweep

__all__ = ["ArtifactApp", "DiskApp", "PublicApp", "PublicFile", "Sweep", "Upload"]
