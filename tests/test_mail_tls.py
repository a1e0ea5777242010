"""Where TLS is wanted, mail goes encrypted to the server that is meant, or not at all."""

import ssl
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller

import config
from portal import mail
from tests.ports import free_port
from tests.processes import ROOT

CERTIFICATE = ROOT / "tests" / "spectrum" / "localhost.pem"


class Took:
    """What the server took, and whether it came encrypted."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 -- the name aiosmtpd calls
        self.mails.append((envelope.rcpt_tos, session.ssl is not None))
        return "250 OK"


@pytest.fixture
def serve():
    """A mail server, with TLS to offer or without."""
    running = []

    def start(*, tls):
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
        server = Controller(Took(), hostname="127.0.0.1", port=free_port(), tls_context=context)
        server.start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


def send(server, **changes):
    values = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(server.port), "SMTP_TLS": "true", "SMTP_CA_BUNDLE": str(CERTIFICATE)} | changes
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "portal@example.test", "ana@example.test", "Hello"
    mail.send(config.load(values), message)


def test_mail_goes_encrypted_to_a_server_that_is_vouched_for(serve):
    server = serve(tls=True)

    send(server)

    assert server.handler.mails == [(["ana@example.test"], True)]


def test_a_server_that_does_not_offer_tls_gets_nothing(serve):
    server = serve(tls=False)

    with pytest.raises(mail.TryLater, match="mail server not available: STARTTLS"):
        send(server)

    assert server.handler.mails == []


@pytest.mark.parametrize("changes", [{"SMTP_CA_BUNDLE": ""}, {"SMTP_CA_BUNDLE": "/nowhere/authority.pem"}])
def test_a_certificate_nobody_vouches_for_gets_nothing(serve, changes):
    server = serve(tls=True)

    with pytest.raises(mail.TryLater, match="mail server not available"):
        send(server, **changes)

    assert server.handler.mails == []


def test_without_the_setting_mail_goes_as_it_always_did(serve):
    server = serve(tls=False)

    send(server, SMTP_TLS="false")

    assert server.handler.mails == [(["ana@example.test"], False)]
