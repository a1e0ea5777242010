"""The server process: loopback, a thread per connection, and connections that can be torn."""

import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Request

DISCARD = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


def reset(request: Request) -> NoReturn:
    """Tear the connection of this request, so that its client sees a reset instead of an answer."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, DISCARD)
    raise ConnectionResetError("told to")


class Handler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: the journal tells more, and a proxy's log has no place for an Authorization ID."""


class Server(ThreadedWSGIServer):
    daemon_threads = True

    def shutdown_request(self, request: Any) -> None:
        self.close_request(request)  # without the polite end that would come before a reset


def run(app: Any, port: int, on_stop: Callable[[], None]) -> None:
    """Serve on 127.0.0.1 until SIGTERM or SIGINT; port 0 takes a free one. Says where on stderr."""
    server = Server("127.0.0.1", port, app, Handler)

    def stop(*_: Any) -> None:
        on_stop()
        threading.Thread(target=server.shutdown, daemon=True).start()  # it waits for the loop this signal interrupts

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"Spectrum simulator on http://127.0.0.1:{server.port}", file=sys.stderr, flush=True)
    server.serve_forever(poll_interval=0.1)
