"""`portal support-bundle` holds in one file what support needs, and none of the secrets."""

import json
import stat
import zipfile

import pytest

import config
from tests.conftest import KEY
from tests.test_commands import run, told

SECRETS = {
    "SECRET_KEY": KEY,
    "SECRET_KEY_FALLBACKS": "0f1e2d3c4b5a69788796a5b4c3d2e1f0-older",
    "REDIS_URL": "redis://portal:r3dis-p%40ss@127.0.0.1:6379/0",
    "SPECTRUM_AUTHORIZATION_ID": "A1B2C3D4E5F6",
    "INFOLINK_PASSWORD": "inf0link-p@ss",
    "SMTP_PASSWORD": 'smtp "p@ss"',
    "METRICS_TOKEN": "a-token-for-scraping-0a1b2c3d4e5f6071",
    "HEARTBEAT_URL": "https://hc.example.test/ping/5e3c-1a7b",
    "BACKUP_KEY": "a-key-for-backups-00112233445566778899",
}
INSIDE = ("r3dis-p@ss", "r3dis-p%40ss", "ping/5e3c-1a7b")


@pytest.fixture
def bundle(database_url, tmp_path):
    """The texts of the bundle that the command writes, by name."""

    def make(*arguments, **changes):
        file = tmp_path / "bundle.zip"
        settings = SECRETS | {"DATABASE_URL": database_url, "PORTAL_DATA": tmp_path} | changes
        answer = run(" ".join(("support-bundle", str(file), *arguments)), **settings)
        assert answer.exit_code == 0, answer.output
        with zipfile.ZipFile(file) as opened:
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            return {name: opened.read(name).decode() for name in opened.namelist()}

    return make


def test_it_holds_versions_settings_states_and_log(bundle, healthy, make_change_order):
    make_change_order("failed")

    found = bundle()

    assert list(found) == ["README.txt", "versions.json", "settings.json", "status.json", "states.json", "log.txt"]
    assert json.loads(found["versions.json"])["packages"]["peewee"]
    assert json.loads(found["status.json"])["parts"]["keeper"]["status"] == "up"
    states = json.loads(found["states.json"])
    assert states["change_orders"] == {"failed": 1}
    assert [attempt["outcome"] for attempt in states["attempts"]] == ["refused"]
    assert "journalctl" in found["log.txt"]


def test_no_secret_is_in_it_not_even_in_a_line_of_the_log(bundle, healthy, tmp_path):
    log = tmp_path / "portal.log"
    log.write_text("".join(f"{json.dumps({'said': secret})}\n{secret}\n" for secret in (*SECRETS.values(), *INSIDE)))

    text = "".join(bundle(f"--log={log}").values())

    for secret in (*SECRETS.values(), *INSIDE):
        assert secret not in text
        assert json.dumps(secret)[1:-1] not in text
    assert "[METRICS_TOKEN]" in text


def test_of_a_secret_it_says_whether_it_is_set_and_of_the_rest_the_value(bundle, healthy):
    settings = json.loads(bundle(SMTP_HOST="mail.example.test")["settings.json"])

    assert settings.keys() == set(config.Settings.model_fields)
    assert {name: settings[name] for name in SECRETS} == dict.fromkeys(SECRETS, "set")
    assert settings["OIDC_CLIENT_SECRET"] == "empty"
    assert settings["SMTP_HOST"] == "mail.example.test"


def test_the_last_lines_of_the_log_are_enough(bundle, healthy, tmp_path):
    log = tmp_path / "portal.log"
    log.write_text("".join(f"line {number}\n" for number in range(2_500)))

    lines = bundle(f"--log={log}")["log.txt"].splitlines()

    assert (lines[0], lines[-1], len(lines)) == ("line 500", "line 2499", 2_000)


def test_nothing_of_a_change_order_is_in_it(bundle, healthy, make_change_order):
    make_change_order("unknown", title="Relocate duct bank")

    assert "duct bank" not in "".join(bundle().values())


def test_a_portal_that_has_lost_its_database_gets_a_bundle_too(bundle):
    found = bundle(DATABASE_URL="sqlite:////nonexistent/portal.db")

    assert json.loads(found["status.json"])["error"].startswith("The database cannot be used (unable to open")
    assert json.loads(found["versions.json"])["portal"]


def test_a_file_that_is_there_is_not_written_over(database_url, tmp_path, healthy):
    (tmp_path / "bundle.zip").write_text("mine")

    answer = run(f"support-bundle {tmp_path}/bundle.zip", DATABASE_URL=database_url, SECRET_KEY=KEY, PORTAL_DATA=tmp_path)

    assert told(answer).endswith("is there already. Choose another name.")
    assert (tmp_path / "bundle.zip").read_text() == "mine"
