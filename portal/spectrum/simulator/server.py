"""The server process: loopback, a thread per connection, and connections that can be torn."""

import signal
import ssl
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from portal.secret_path import Doorstep


class Handler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: the journal tells more, and a proxy's log has no place for an Authorization ID."""


class Server(ThreadedWSGIServer):
    """Plain HTTP, or TLS 1.2 and later when there is a certificate. `refuses` decides for each connection whether to hang up at once."""

    daemon_threads = True
    tls: ssl.SSLContext | None = None
    refuses: Callable[[], bool]

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread, so that a slow handshake holds up no one."""
        try:
            if self.refuses():
                raise ConnectionRefusedError
            connection = self.tls.wrap_socket(request, server_side=True) if self.tls else request
        except OSError:
            request.close()
            return
        super().process_request_thread(connection, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.close_request(request)  # without the polite end that would come before a reset


def run(
    app: Callable[[dict[str, Any], Any], Iterable[bytes]],
    word: str,
    port: int,
    certificate: Path | None = None,
    key: Path | None = None,
    *,
    refuses: Callable[[], bool],
    stop: Callable[[], None],
) -> None:
    """Serve under /WORD on 127.0.0.1 until SIGTERM or SIGINT; port 0 takes a free one. Says where on stderr.

    refuses  says for each connection whether to hang up at once;  stop  ends all waiting, before the server stops.
    """
    server = Server("127.0.0.1", port, Doorstep(app, word), Handler)
    server.refuses = refuses
    if certificate:
        server.tls = server.ssl_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(certificate, key)

    def leave(*_: Any) -> None:
        stop()
        threading.Thread(target=server.shutdown, daemon=True).start()  # it waits for the loop this signal interrupts

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    print(f"Spectrum simulator on http{'s' if certificate else ''}://127.0.0.1:{server.port}/{word}", file=sys.stderr, flush=True)
    server.serve_forever(poll_interval=0.1)
