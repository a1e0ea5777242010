"""The examples for a server say what the documentation promises of them."""

import configparser
import re
import subprocess
import sys

import pytest

from tests.conftest import KEY
from tests.processes import ROOT, environment

DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))


def nginx():
    """The example without its comments, its blanks evened out."""
    lines = [line.split("#")[0] for line in (DEPLOY / "nginx.conf").read_text().splitlines()]
    return " ".join(" ".join(lines).split())


def unit(path):
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read_string(path.read_text())
    return parser


def test_only_pages_are_led_from_http_to_https():
    plain = nginx().partition("listen 443")[0]

    assert "location / { if ($request_method !~ ^(GET|HEAD)$) { return 403; } return 301 https://cco.example.com$request_uri; }" in plain
    assert "location /api/ { return 403; }" in plain
    assert "location ~ ^/(healthz|readyz|version)$ { return 403; }" in plain
    assert plain.count("return 301") == 1


def test_the_proxy_speaks_tls_12_or_newer_and_limits_what_it_takes():
    said = nginx()

    assert re.findall(r"ssl_protocols ([^;]+);", said) == ["TLSv1.2 TLSv1.3"]
    assert not re.findall(r"(?:CBC|RC4|3DES|MD5|NULL)", said)
    assert "ssl_reject_handshake on;" in said
    assert re.findall(r"client_max_body_size (\w+);", said) == ["1m", "12m"]
    assert {"client_body_timeout", "client_header_timeout", "large_client_header_buffers", "send_timeout"} <= set(said.split())


def test_the_proxy_overwrites_what_a_browser_says_of_itself():
    said = nginx()

    assert "proxy_set_header X-Forwarded-For $remote_addr;" in said
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in said
    assert "proxy_set_header Host $host;" in said
    assert "$proxy_add_x_forwarded_for" not in said


def test_the_proxy_keeps_no_log_of_links_for_passwords():
    assert "location /password/ { access_log off; proxy_pass http://portal; }" in nginx()


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_every_unit_is_private_and_may_do_little(path):
    service = unit(path)["Service"]

    assert service["User"] == "portal"
    assert service["UMask"] == "0077"
    assert {service[name] for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices")} == {"yes"}
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service["Restart"] == "always"


def test_the_units_are_the_processes_of_the_documentation():
    started = {path.stem: unit(path)["Service"]["ExecStart"] for path in UNITS}

    assert sorted(started) == ["portal-keeper", "portal-web", "portal-worker@"]
    assert started["portal-worker@"].endswith("worker.py %i")
    assert started["portal-web"].endswith("gunicorn -c deploy/gunicorn.conf.py --no-control-socket 'portal:create_app()'")
    assert "portal check" in (DEPLOY / "portal-web.service").read_text()


def gunicorn(*arguments, **settings):
    command = [sys.executable, "-m", "gunicorn", "-c", str(DEPLOY / "gunicorn.conf.py"), *arguments, "portal:create_app()"]
    return subprocess.run(command, cwd=ROOT, env=environment(SECRET_KEY=KEY, **settings), capture_output=True, text=True, timeout=60)


def test_the_configuration_of_the_web_server_can_be_read(tmp_path):
    done = gunicorn("--check-config", PORTAL_DATA=tmp_path)

    assert done.returncode == 0, done.stderr


def test_the_web_server_does_not_listen_to_others_while_the_address_says_nobody_comes(tmp_path):
    done = gunicorn("--bind", "0.0.0.0:0", "--no-control-socket", PORTAL_DATA=tmp_path)

    assert done.returncode != 0
    assert "PORTAL_URL: names this machine alone, but the web server was told to listen on 0.0.0.0. Set PORTAL_URL." in done.stderr
