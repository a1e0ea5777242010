"""A server that gives the WSDL and then answers anything else with exactly the bytes it was told, right or wrong."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from portal.spectrum.simulator import wire


def http(body: bytes, status: str = "200 OK", content_type: str = "text/xml", **headers: str) -> bytes:
    """A whole HTTP answer."""
    given = {"Content-Type": content_type, "Content-Length": str(len(body)), **{k.replace("_", "-"): v for k, v in headers.items()}}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    return "\r\n".join(lines).encode() + body


class ScriptedServer:
    """What it does.

    answer  bytes for each POST and each other GET.    status  of the answer that brings the WSDL.
    read    how many bytes of a POST to take before hanging up; None: all, then answer.
    pause   seconds after each byte of an answer to a POST.
    """

    def __init__(
        self,
        answer: bytes = b"",
        wsdl: bytes | None = None,
        read: int | None = None,
        pause: float = 0,
        status: str = "200 OK",
        certificate: str = "",
    ) -> None:
        self.answer = answer
        self.wsdl = wsdl
        self.status = status
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificate else None
        if self.tls:
            self.tls.load_cert_chain(certificate)
        self.read = read
        self.pause = pause
        self.requests: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # closed by the test
            try:
                with self.tls.wrap_socket(connection, server_side=True) if self.tls else connection as plain:
                    self._handle(plain)
            except ssl.SSLError:
                connection.close()  # the client did not like the certificate

    def _handle(self, connection: socket.socket) -> None:
        if self.read is not None and connection.recv(1, socket.MSG_PEEK) == b"P":
            self.requests.append(connection.recv(self.read, socket.MSG_WAITALL) if self.read else b"")
            return  # what was not read makes this a reset
        request = _request(connection)
        self.requests.append(request)
        if request.startswith(b"GET /wsdls/"):
            document = wire.wsdl("ARChangeRequest", "http://inner.invalid:1").encode() if self.wsdl is None else self.wsdl
            connection.sendall(http(document, self.status))
        elif self.pause:
            self._drip(connection)
        else:
            connection.sendall(self.answer)

    def _drip(self, connection: socket.socket) -> None:
        for place in range(len(self.answer)):
            try:
                connection.sendall(self.answer[place : place + 1])
            except OSError:
                return  # the client hung up, as it should
            time.sleep(self.pause)


@contextmanager
def serving(server: ScriptedServer) -> Iterator[ScriptedServer]:
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        thread.join(5)


@contextmanager
def silent(certificate: str = "") -> Iterator[int]:
    """The port of a server that takes connections and says nothing; with a certificate it does shake hands."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            listener = context.wrap_socket(listener, server_side=True)
            threading.Thread(target=_shake_hands, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.close()


def _shake_hands(listener: socket.socket) -> None:
    try:
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.close()
    except OSError:
        return  # the client did not like the certificate, or the test is over


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (piece := connection.recv(65536)):
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
    while len(body) < length and (piece := connection.recv(65536)):
        body += piece
    return head + b"\r\n\r\n" + body
