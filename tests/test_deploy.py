"""The examples for a server say what the documentation promises of them."""

import configparser
import re
import subprocess
import sys

import pytest

import config
from portal.standalone import machine
from portal.web import headers
from tests.conftest import KEY
from tests.processes import ROOT, environment
from tests.programs import nginx as nginx_program
from tests.programs import systemd_analyze

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
    assert "location ~ ^/(healthz|readyz|version|metrics)$ { return 403; }" in plain
    assert plain.count("return 301") == 2


def test_figures_are_for_this_machine_only():
    assert "location ~ ^/(readyz|version|metrics)$ { allow 127.0.0.1; deny all; proxy_pass http://portal; }" in nginx()


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


def test_the_proxy_keeps_no_log_of_links():
    said = nginx()
    plain, _, secure = said.partition("listen 443")
    logged = re.findall(r"log_format portal '([^']+)'", said)[0]

    assert "location /password/ { access_log off; proxy_pass http://portal; }" in secure
    assert "location /password/ { access_log off; if" in plain
    assert not {"$request", "$request_uri", "$args", "$query_string", "$http_referer"} & set(re.findall(r"\$\w+", logged))
    for server in (plain, secure):
        assert "access_log /var/log/nginx/portal.log portal;" in server
        assert "error_log /var/log/nginx/portal-error.log crit;" in server


def test_pages_of_the_proxy_itself_carry_the_headers_of_the_portal():
    said = nginx()
    maps = dict(re.findall(r'map \$upstream_http_\w+ \$(own_\w+) { "" "([^"]+)"; default ""; }', said))

    added = {name: maps[value] for name, value in re.findall(r"add_header ([\w-]+) \$(own_\w+) always;", said)}

    assert added == headers.HEADERS | {"Strict-Transport-Security": headers.ONE_YEAR, "Cache-Control": "no-store"}
    assert said.count("add_header") == len(added), "one in a location would end the inheritance of all"
    assert "error_page 413 @too_large;" in said


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_every_unit_is_private_and_may_do_little(path):
    service = unit(path)["Service"]

    assert service["User"] == "portal"
    assert service["UMask"] == "0077"
    assert {service[name] for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices")} == {"yes"}
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service.get("Restart") == (None if path.stem == "portal-backup" else "always")


def test_the_units_are_the_processes_of_the_documentation():
    started = {path.stem: unit(path)["Service"]["ExecStart"] for path in UNITS}

    assert sorted(started) == ["portal-backup", "portal-keeper", "portal-web", "portal-worker@"]
    assert started["portal-worker@"].endswith("worker.py %i")
    assert started["portal-web"].endswith("gunicorn -c deploy/gunicorn.conf.py --no-control-socket 'portal:create_app()'")
    assert "portal check --settings" in (DEPLOY / "portal-web.service").read_text()


ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="systemd is of Linux")


def reads(program, *arguments):
    """The status of the program, and what it says of an example."""
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


@ON_LINUX
def test_systemd_takes_every_unit(tmp_path):
    """With another program in the place of the portal's, which is not installed here."""
    for path in (*UNITS, *DEPLOY.glob("*.timer")):
        (tmp_path / path.name).write_text(re.sub(r"/opt/portal/\.venv/bin/\w+", "/bin/true", path.read_text()))

    assert reads(systemd_analyze(), "verify", "--man=no", *sorted(tmp_path.iterdir())) == (0, "")


def test_nginx_takes_the_example(tmp_path):
    """With a certificate of the tests, logs nowhere, and ports that need no root."""
    example = re.sub(r"(ssl_certificate(?:_key)?) [^;]+;", rf"\1 {ROOT}/tests/spectrum/localhost.pem;", (DEPLOY / "nginx.conf").read_text())
    example = re.sub(r"/var/log/nginx/[\w.-]+", "/dev/null", re.sub(r"\b(80|443)(?=;| ssl)", r"4\1", example))
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\n{example}\n}}\n")

    status, said = reads(nginx_program(), "-t", "-e", "stderr", "-p", tmp_path, "-c", tmp_path / "nginx.conf")

    assert (status, [line for line in said.splitlines() if "successful" not in line and "syntax is ok" not in line]) == (0, [])


@ON_LINUX
def test_a_unit_that_is_wrong_is_told(tmp_path):
    (tmp_path / "portal-web.service").write_text("[Service]\nExecStart=/nowhere/gunicorn\n")

    assert "/nowhere/gunicorn" in reads(systemd_analyze(), "verify", "--man=no", tmp_path / "portal-web.service")[1]


def test_an_example_for_nginx_that_is_wrong_is_told(tmp_path):
    (tmp_path / "nginx.conf").write_text("events {}\nhttp { server { listn 80; } }\n")

    assert 'unknown directive "listn"' in reads(nginx_program(), "-t", "-e", "stderr", "-p", tmp_path, "-c", tmp_path / "nginx.conf")[1]


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


def test_the_web_server_listens_where_the_settings_say(tmp_path):
    done = gunicorn("--print-config", PORTAL_DATA=tmp_path, PORTAL_PORT=8123)

    assert re.search(r"^bind\s+= \['127\.0\.0\.1:8123'\]$", done.stdout, re.MULTILINE), done.stdout + done.stderr


def test_a_setting_that_cannot_be_used_ends_the_web_server_with_its_sentence(tmp_path):
    done = gunicorn("--check-config", PORTAL_DATA=tmp_path, PORTAL_PORT="http")

    assert done.returncode != 0
    assert "PORTAL_PORT: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", [path for path in UNITS if path.stem != "portal-backup"], ids=lambda path: path.name)
def test_a_unit_that_waits_for_its_database_is_never_given_up(path):
    assert unit(path)["Unit"]["StartLimitIntervalSec"] == "0"


def read_me():
    return (DEPLOY / "README.md").read_text()


def test_what_the_instructions_name_is_there():
    named = set(re.findall(r"\bdeploy/[\w.*@-]+", read_me()))

    assert named == {"deploy/environment", "deploy/portal", "deploy/*.service", "deploy/nginx.conf", "deploy/portal-backup.timer"}
    assert all(list(ROOT.glob(name)) for name in named)
    enabled = [name for names in re.findall(r"systemctl enable --now ([^&\n]*)", read_me()) for name in names.split()]
    assert {name.split("@")[0].removesuffix(".timer") for name in enabled} == {path.stem.rstrip("@") for path in UNITS}


def test_the_shell_takes_every_command_of_the_instructions():
    for block in re.findall(r"```sh\n(.*?)```", read_me(), re.DOTALL):
        subprocess.run(["sh", "-n"], input=block, text=True, check=True)


def test_the_example_of_the_settings_names_only_what_there_is():
    names = re.findall(r"^(\w+)=", (DEPLOY / "environment").read_text(), re.MULTILINE)

    assert {name.removesuffix("_FILE") for name in names} <= set(config.Settings.model_fields)


def test_several_processes_on_sqlite_are_refused(tmp_path):
    done = gunicorn("--workers", "2", "--bind", "127.0.0.1:0", "--no-control-socket", PORTAL_DATA=tmp_path)

    assert done.returncode != 0
    assert "DATABASE_URL: SQLite takes one web process, not 2. Set workers = 1, or move to PostgreSQL." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_web_server_on_one_sqlite_database_is_refused(tmp_path):
    with machine.hold(tmp_path / "portal.db.web"):
        done = gunicorn("--bind", "127.0.0.1:0", "--no-control-socket", PORTAL_DATA=tmp_path)

    assert done.returncode != 0
    assert f"DATABASE_URL: another web server has {tmp_path / 'portal.db'} open, and SQLite takes one." in done.stderr
    assert "Traceback" not in done.stderr
