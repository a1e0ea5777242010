"""A mail server that dies after the final dot: at most one copy more, and everybody can see that it is a copy."""

import email
import socket
import threading

import pytest

from portal.background import tasks
from portal.domain.lanes import MAIL
from portal.domain.outbox import Dispatch
from portal.domain.review import decisions
from tests.conftest import sign_in


class ForgetfulServer:
    """Takes mail; after each of the first `deaths` it hangs up where its answer should come. `taken` is what it keeps."""

    def __init__(self, deaths):
        self.deaths, self.taken = deaths, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # closed by the test
            with connection, connection.makefile("rwb") as talk:
                self.talk(talk)

    def talk(self, talk):
        def say(text):
            talk.write(f"{text}\r\n".encode())
            talk.flush()

        say("220 ready")
        while line := talk.readline():
            if not line.upper().startswith(b"DATA"):
                say("221 bye" if line.upper().startswith(b"QUIT") else "250 fine")
                continue
            say("354 go on")
            self.taken.append(email.message_from_bytes(b"".join(iter(talk.readline, b".\r\n"))))
            if len(self.taken) <= self.deaths:
                return
            say("250 kept")

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


@pytest.fixture
def forgetful():
    server = ForgetfulServer(deaths=1)
    yield server
    server.close()


def test_a_server_that_dies_after_the_final_dot_gets_one_copy_more_under_the_same_message_id(
    make_change_order, ana, make_app, forgetful, clock
):
    """F54"""
    app = make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=forgetful.port)
    change_order = make_change_order()
    decisions.reject(change_order.id, by=ana, version=change_order.version, reason="Wrong cost type on line 1")

    for _ in range(3):
        with app.app_context():
            tasks.drain(MAIL)
        clock.tick(minutes=5)

    assert Dispatch.get().finished_at is not None
    assert len(forgetful.taken) == 2
    assert len({mail["Message-ID"] for mail in forgetful.taken}) == 1


def test_a_mail_server_that_is_away_holds_up_no_decision(client, make_change_order, ana, make_app):
    """F53"""
    change_order = make_change_order()
    sign_in(client, ana)

    answer = client.post(f"/change-orders/{change_order.id}/rejection", data={"version": change_order.version, "reason": "Wrong cost type"})
    with make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=9).app_context():
        tasks.drain(MAIL)

    assert answer.status_code == 303
    assert client.get("/change-orders?view=returned").status_code == 200
    assert Dispatch.get().finished_at is None
