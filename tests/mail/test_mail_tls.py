"""Where TLS is wanted, mail goes encrypted to the server that is meant, or not at all."""

import ssl
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

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
        self.mails.append((envelope.rcpt_tos, server.transport.get_extra_info("sslcontext") is not None))
        return "250 OK"


@pytest.fixture
def serve():
    """A mail server, with TLS to offer or without."""
    running = []

    def start(*, tls, how="tls_context", **more):
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
        server = Controller(Took(), hostname="127.0.0.1", port=free_port(), **{how: context}, **more)
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


def test_tls_on_connect_encrypts_from_the_first_byte(serve):
    server = serve(tls=True, how="ssl_context")

    send(server, SMTP_TLS="connect")

    assert server.handler.mails == [(["ana@example.test"], True)]


def test_tls_on_connect_to_a_server_nobody_vouches_for_sends_nothing(serve):
    server = serve(tls=True, how="ssl_context")

    with pytest.raises(mail.TryLater, match="mail server not available"):
        send(server, SMTP_TLS="connect", SMTP_CA_BUNDLE="")

    assert server.handler.mails == []


class Knows:
    """Lets the portal in with its password, and keeps what was tried."""

    def __init__(self):
        self.tried = []

    def __call__(self, server, session, envelope, mechanism, data):
        self.tried.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=self.tried[-1] == ("portal", "its password"), handled=False)


SIGN_IN = {"SMTP_USER": "portal", "SMTP_PASSWORD": "its password"}


@pytest.mark.parametrize("how", ["starttls", "connect"])
def test_the_portal_signs_in_where_a_user_is_set(serve, how):
    knows = Knows()
    offered = {"how": "ssl_context" if how == "connect" else "tls_context", "auth_require_tls": how == "starttls"}
    server = serve(tls=True, authenticator=knows, auth_required=True, **offered)

    send(server, SMTP_TLS=how, **SIGN_IN)

    assert server.handler.mails == [(["ana@example.test"], True)]
    assert set(knows.tried) == {("portal", "its password")}


def test_a_password_that_is_refused_refuses_all_mail(serve):
    server = serve(tls=True, authenticator=Knows(), auth_required=True)

    with pytest.raises(mail.RefusesUs, match="535"):
        send(server, **SIGN_IN | {"SMTP_PASSWORD": "another"})


def test_a_server_that_knows_no_signing_in_gets_neither_password_nor_mail(serve):
    server = serve(tls=True, auth_exclude_mechanism=["PLAIN", "LOGIN"])

    with pytest.raises(mail.RefusesUs, match="mail server not available"):
        send(server, **SIGN_IN)

    assert server.handler.mails == []


@pytest.mark.parametrize(
    ("value", "means"),
    [
        ("True", "starttls"),
        ("1", "starttls"),
        ("STARTTLS", "starttls"),
        ("connect", "connect"),
        ("False", "off"),
        ("0", "off"),
        ("", "off"),
    ],
)
def test_the_setting_takes_what_it_took_before(value, means):
    assert means == config.load({"SMTP_TLS": value}).SMTP_TLS


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"SMTP_USER": "portal"}, "also needs SMTP_PASSWORD"),
        (SIGN_IN | {"SMTP_HOST": "mail.example.test"}, "SMTP_TLS must be starttls or connect"),
        (SIGN_IN | {"SMTP_PASSWORD": "größer"}, "SMTP_PASSWORD: has characters that signing in"),
        ({"SMTP_TLS": "ssl"}, "SMTP_TLS: "),
    ],
)
def test_a_sign_in_that_could_not_work_is_refused_in_a_sentence(environ, sentence):
    with pytest.raises(config.ConfigError, match=sentence) as refused:
        config.load(environ)

    assert "its password" not in str(refused.value)


def test_the_password_may_stand_in_a_file(tmp_path):
    file = tmp_path / "password"
    file.write_text("its password\n")

    assert config.load({"SMTP_USER": "portal", "SMTP_PASSWORD_FILE": str(file)}).SMTP_PASSWORD == "its password"
