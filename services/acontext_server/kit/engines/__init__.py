"""The engines of an embedded run: real servers from wheels, kept running by one process.

A program says how it is started and how it is asked whether it is ready; the supervisor starts
programs in order, starts again what died, and stops them in reverse. All state is in one folder.
"""

from acontext_server.kit.engines.envoy import Envoy
from acontext_server.kit.engines.folder import AlreadyRunning, Folder
from acontext_server.kit.engines.nats import Nats
from acontext_server.kit.engines.ports import PortTaken, free_port, refuse_taken_port
from acontext_server.kit.engines.postgres import Postgres
from acontext_server.kit.engines.process import Command, StartError
from acontext_server.kit.engines.supervisor import Program, ProgramFailed, Supervisor, supervise

__all__ = [
    "AlreadyRunning",
    "Command",
    "Envoy",
    "Folder",
    "Nats",
    "PortTaken",
    "Postgres",
    "Program",
    "ProgramFailed",
    "StartError",
    "Supervisor",
    "free_port",
    "refuse_taken_port",
    "supervise",
]
