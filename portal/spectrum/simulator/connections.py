"""Connections that are torn on purpose."""

import socket
import struct
from typing import NoReturn

from werkzeug.wrappers import Request

DISCARD = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


def reset(request: Request) -> NoReturn:
    """Tear the connection of this request, so that its client sees a reset instead of an answer."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, DISCARD)
    raise ConnectionResetError("told to")


def hang_up(request: Request) -> None:
    """Close the connection of this request without an answer; its work goes on."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
