"""A mail server that says at each step of the conversation what a test wants it to say."""

import email
import email.policy
import socket
import threading
from contextlib import suppress

import pytest

FINE = {
    "greeting": "220 ready",
    "EHLO": "250 mx.example.test",
    "HELO": "250 mx.example.test",
    "QUIT": "221 bye",
    "DATA": "354 go on",
    "dot": "250 kept",
}


class MailServer:
    """Knows no extension, so neither 8BITMIME nor SMTPUTF8. `says` has its answers by step; what it took is in `taken`, as bytes."""

    def __init__(self):
        self.says, self.taken, self.calls = dict(FINE), [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    @property
    def mails(self):
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.taken]

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # closed by the test
            self.calls += 1
            with suppress(ConnectionError), connection, connection.makefile("rwb") as talk:
                self.talk(talk)

    def talk(self, talk):
        if not self.say(talk, "greeting").startswith(b"2"):
            return
        while line := talk.readline():
            step = line.split()[0].upper().partition(b":")[0].decode()
            if self.say(talk, step).startswith(b"354"):
                self.taken.append(b"".join(iter(talk.readline, b".\r\n")))
                self.say(talk, "dot")
            if step == "QUIT":
                return

    def say(self, talk, step):
        said = self.says.get(step, "250 fine").encode()
        talk.write(said + b"\r\n")
        talk.flush()
        return said

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


@pytest.fixture
def mail_server():
    server = MailServer()
    yield server
    server.close()
