"""A proxy that passes bytes on until it has passed enough, and then tears both connections."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

TEAR = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


class CuttingProxy:
    """What it does.

    limit       bytes of the client's that are passed on, None for all.
    talks_back  whether what the server says passes before the cut too, as TLS needs.
    passed      how many bytes of the client's went to the server over the last connection.
    """

    def __init__(self, target: int, talks_back: bool = False) -> None:
        self.target = target
        self.talks_back = talks_back
        self.limit: int | None = None
        self.passed = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return  # closed by the test
            with client, socket.create_connection(("127.0.0.1", self.target)) as server:
                self._pass_on(client, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        self.passed = 0
        back = threading.Thread(target=_answer, args=(server, client), daemon=True)
        if self.limit is None or self.talks_back:
            back.start()
        with contextlib.suppress(OSError):
            while self.limit is None or self.passed < self.limit:
                piece = client.recv(65536 if self.limit is None else self.limit - self.passed)
                if not piece:
                    break
                server.sendall(piece)
                self.passed += len(piece)
        if self.limit is None:
            back.join(10)
            return
        for one in (client, server):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, TEAR)


def _answer(server: socket.socket, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := server.recv(65536):
            client.sendall(piece)
        client.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def cutting(target: int, talks_back: bool = False) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(target, talks_back)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.listener.shutdown(socket.SHUT_RDWR)
        proxy.listener.close()
        thread.join(5)
