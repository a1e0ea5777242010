"""While exports are up, a watcher outside hears so every minute; it gets nothing else, and holds no keeper up."""

import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

import config
from portal.background import outside_heartbeat
from portal.background.outside_heartbeat import OutsideHeartbeat
from portal.domain import heartbeats
from portal.domain.processes import Process
from portal.domain.status import facts, verdict
from tests.processes import ROOT

CERTIFICATE = str(ROOT / "tests" / "spectrum" / "localhost.pem")
PING = "/ping/6a1d?run=1"


class Watcher:
    """A watcher behind TLS on this machine, which keeps what it got."""

    def __init__(self):
        watcher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                watcher.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(watcher.status)
                self.send_header("Location", f"{watcher.url}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Says nothing."""

        self.got, self.status = [], 200
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://localhost:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def watcher():
    running = Watcher()
    yield running
    running.stop()


@pytest.fixture
def tell(healthy, watcher):
    """The keeper's turn, and what is known of the call when it has ended."""
    heartbeat = OutsideHeartbeat(f"{watcher.url}{PING}", CERTIFICATE)
    return turn_of(heartbeat)


def turn_of(heartbeat):
    def tell():
        heartbeat()
        if heartbeat._call:
            heartbeat._call.join()
        heartbeat()
        return heartbeats.signs().get(heartbeats.OUTSIDE)

    return tell


def test_while_exports_are_up_the_watcher_hears_so(tell, watcher, clock):
    sign = tell()

    assert [path for path, _, _ in watcher.got] == [PING]
    assert (sign.at, sign.since) == (clock.now(), None)


def test_a_call_carries_no_data(tell, watcher):
    tell()

    [(_, headers, body)] = watcher.got
    assert body == b""
    assert headers.keys() == {"host", "user-agent", "accept-encoding"}
    assert headers["user-agent"] == "cco-portal"


def test_the_watcher_hears_at_most_once_a_minute(tell, watcher, clock, report_all):
    tell()
    clock.tick(seconds=59)
    tell()
    assert len(watcher.got) == 1

    clock.tick(seconds=2)
    report_all()
    tell()

    assert len(watcher.got) == 2


def test_while_exports_are_down_it_hears_nothing(tell, watcher):
    Process.delete().where(Process.kind == "exports").execute()

    assert tell() is None

    assert watcher.got == []


@pytest.mark.parametrize("status", [301, 302, 307, 404, 500])
def test_what_is_not_taken_is_told_and_no_redirect_is_followed(tell, watcher, status):
    watcher.status = status

    assert tell().fault == f"answered {status}"

    assert [path for path, _, _ in watcher.got] == [PING]


def test_what_is_taken_again_is_well(tell, watcher, clock, report_all):
    watcher.status = 500
    tell()
    watcher.status = 200
    clock.tick(seconds=61)
    report_all()

    assert tell().since is None


def test_a_watcher_whose_certificate_no_one_vouches_for_hears_nothing(healthy, watcher):
    tell = turn_of(OutsideHeartbeat(f"{watcher.url}{PING}", ""))

    assert "CERTIFICATE_VERIFY_FAILED" in tell().fault
    assert watcher.got == []


def test_a_proxy_of_the_environment_is_not_used(tell, watcher, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")

    assert tell().since is None


def test_a_watcher_that_never_answers_holds_no_keeper_up(healthy, clock, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        heartbeat = OutsideHeartbeat(f"https://localhost:{silent.getsockname()[1]}", CERTIFICATE)
        heartbeat()
        call = heartbeat._call
        accepted, _ = silent.accept()
        assert call.is_alive()

        clock.tick(seconds=outside_heartbeat.PATIENCE_S + 1)
        heartbeat()  # which waits for nothing
        accepted.close()
        call.join()

    assert heartbeats.signs()[heartbeats.OUTSIDE].fault == "no answer within 10 seconds"
    assert verdict.of(facts.gather()).worst.name == "outside heartbeat"


def test_an_answer_that_drips_in_is_given_up(healthy, clock):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with socket.create_server(("127.0.0.1", 0)) as server:
        heartbeat = OutsideHeartbeat(f"https://localhost:{server.getsockname()[1]}", CERTIFICATE)
        heartbeat()
        call = heartbeat._call
        accepted, _ = server.accept()
        with context.wrap_socket(accepted, server_side=True) as dripping:
            dripping.recv(4096)
            dripping.sendall(b"HTTP/1.1 200")

            clock.tick(seconds=outside_heartbeat.PATIENCE_S + 1)
            heartbeat()
            call.join()

    assert heartbeats.signs()[heartbeats.OUTSIDE].fault == "no answer within 10 seconds"


def test_without_an_address_nothing_is_called_and_nothing_is_watched(healthy):
    heartbeats.mark_bad(heartbeats.OUTSIDE, "answered 404")

    OutsideHeartbeat("", "")()

    assert heartbeats.OUTSIDE not in heartbeats.signs()


@pytest.mark.parametrize(
    "address", ["http://hc.example.test/ping", "hc.example.test", "https://", "https://me:secret@hc.example.test", "ftp://hc.example.test"]
)
def test_an_address_that_is_not_https_is_refused(address):
    with pytest.raises(config.ConfigError, match="HEARTBEAT_URL: must be an https:// address without a user name"):
        config.load({"HEARTBEAT_URL": address})
