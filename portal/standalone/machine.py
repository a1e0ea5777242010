"""What `portal up` needs from this machine before it starts anything: a folder of its own, a key, free ports."""

import contextlib
import fcntl
import json
import os
import secrets
import socket
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

import config

HOST = "127.0.0.1"
LOCK = "up.lock"  # in the data folder
PORTS = ("simulator", "smtp", "mail")


class Unusable(Exception):
    """The machine cannot give us what we were told to use; the text says what and why."""


@contextlib.contextmanager
def data_folder(folder: Path) -> Iterator[Path]:
    """Make `folder` if need be and hold it against a second `portal up`. All that is made from now on is private to its owner.

    Raises Unusable when it is no folder, cannot be written to, or is held already.
    """
    os.umask(0o077)
    lock = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not folder.stat().st_mode & 0o200:  # root could write all the same; someone meant it
            raise PermissionError(0, "it is read-only")
        file = hold(lock)
    except BlockingIOError:
        message = f"PORTAL_DATA: {folder} is in use by another `portal up`. Stop that one, or set PORTAL_DATA to another folder."
        raise Unusable(message) from None
    except FileExistsError:
        raise Unusable(f"PORTAL_DATA: {folder} is not a folder. Name another one.") from None
    except OSError as error:
        raise Unusable(f"PORTAL_DATA: cannot write to {folder} ({error.strerror}). Name a folder that can be written to.") from None
    os.register_at_fork(after_in_child=file.close)  # a copy of this process that outlives it keeps no one away
    with file:
        yield folder


def hold(lock: Path) -> IO[str]:
    """The file, locked as long as it is open here or in a child. Raises BlockingIOError where someone else holds it, or OSError."""
    file = lock.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


def secret_key(folder: Path) -> str:
    """The key of this installation, made the first time."""
    file = folder / config.KEY_FILE
    if not file.exists():
        file.write_text(secrets.token_hex(32))
    return file.read_text().strip()


def ports(folder: Path) -> dict[str, int]:
    """A port of this machine for each helper; the same as last time where that is still free, so that links stay good."""
    file = folder / "ports.json"
    known: dict[str, int] = {}
    with contextlib.suppress(FileNotFoundError, ValueError):
        known = json.loads(file.read_text())
    chosen: dict[str, int] = {}
    for name in PORTS:
        port = known.get(name)
        chosen[name] = port if port and is_free(port) else free_port(besides=chosen.values())
    file.write_text(json.dumps(chosen))
    return chosen


def is_free(port: int) -> bool:
    """Whether no one listens on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(besides: Collection[int] = ()) -> int:
    """Some port no one listens on, other than those in `besides`: the kernel may name one twice that no one took yet."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return free_port(besides) if port in besides else port


def check_port(port: int) -> None:
    """Raises Unusable when the web server could not listen on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise Unusable(f"PORTAL_PORT: this user may not use port {port}. Set PORTAL_PORT to one above 1023.") from None
        except OSError as error:
            raise Unusable(f"PORTAL_PORT: port {port} is in use ({error.strerror}). Set PORTAL_PORT to a free one.") from None
