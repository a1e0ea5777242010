"""A portal that others reach does not start carelessly: everything that is wrong is told at once; and keys can be changed under it."""

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner
from itsdangerous import URLSafeTimedSerializer

import config
from portal import create_app, db, preflight
from portal.cli import main
from portal.crypto import Sealer
from portal.demo import samples
from portal.domain import companies, events
from portal.domain.people import User
from portal.domain.settings import spectrum_sign_in
from portal.domain.settings.spectrum_sign_in import Connection
from portal.web import form_tokens
from tests.conftest import KEY, PASSWORD, sign_in
from tests.processes import ROOT, environment

NEW_KEY = "1f60-another-for-tests-88d2-of-no-use-elsewhere"
KEPT = ("authorization_id", "client_secret", "token")


@pytest.fixture
def fit(database, database_url, tmp_path):
    """The environment of a portal that may start where others reach it."""
    return {
        "PORTAL_URL": "https://cco.example.test",
        "SPECTRUM_URL": "https://spectrum.example.test:8482",
        "SECRET_KEY": KEY,
        "DATABASE_URL": database_url,
        "PORTAL_DATA": str(tmp_path),
        "REDIS_URL": "redis://127.0.0.1:6379/0",
        "SMTP_HOST": "localhost",
        "TRUSTED_PROXIES": "1",
    }


@pytest.fixture
def portal(fit):
    """The command line in that environment, with changes."""

    def run(*arguments, **changes):
        return CliRunner().invoke(main, list(arguments), env=fit | changes)

    run.database_url = fit["DATABASE_URL"]
    return run


@pytest.fixture
def file(tmp_path):
    """The file of a database that is there."""
    file = tmp_path / "own.db"
    file.touch(0o600)
    return file


def faults(environ):
    return preflight.faults(config.load(environ))


def test_a_portal_in_order_may_start_where_others_reach_it(fit):
    assert faults(fit) == []
    assert create_app(config.load(fit))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SECRET_KEY", "", "SECRET_KEY: is not set."),
        ("SECRET_KEY", "x" * 64, "SECRET_KEY: can be guessed"),
        ("SECRET_KEY", "abcdefghijk" * 5, "SECRET_KEY: can be guessed"),
        ("SECRET_KEY", "0123456789abcdef" * 2 + "0123", "SECRET_KEY: can be guessed"),
        ("SECRET_KEY", "my very own SECRET key that I typed", "SECRET_KEY: can be guessed"),
        ("SECRET_KEY_FALLBACKS", f"{'7' * 40}", "SECRET_KEY_FALLBACKS: can be guessed"),
        ("PORTAL_URL", "http://cco.example.test", "PORTAL_URL: http://cco.example.test is not https://"),
        ("PORTAL_URL", "http://127.0.0.1.example.test:80", "is not https://"),
        ("SPECTRUM_URL", "http://127.0.0.1:8482", "SPECTRUM_URL: is plain http"),
        ("REDIS_URL", "redis://redis.example.test:6379/0", "REDIS_URL: what is due would cross the network to redis.example.test"),
        ("SMTP_HOST", "mail.example.test", "SMTP_TLS: is off, so mail would cross the network to mail.example.test in the open."),
    ],
)
def test_a_setting_that_is_careless_is_one_sentence(fit, name, value, sentence):
    (fault,) = faults(fit | {name: value})

    assert sentence in fault


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://portal@db.example.test/portal", True),
        ("postgresql://portal@db.example.test/portal?sslmode=require", True),
        ("postgresql://portal@db.example.test/portal?connect_timeout=1&sslmode=verify-full", False),
        ("postgresql://portal@127.0.0.1:1/portal", False),
        ("postgresql:///portal", False),
    ],
)
def test_a_database_on_another_machine_has_to_prove_who_it_is(fit, url, told):
    """Only what is said of the URL: none of these databases is there."""
    settings = config.load(fit | {"DATABASE_URL": url})

    assert [fault.partition(":")[0] for fault in preflight._of_servers(settings)] == ["DATABASE_URL"] * told


@pytest.mark.parametrize("url", ["rediss://redis.example.test:6379/0", "redis://127.0.0.1:6379/0", "unix:///run/redis.sock?db=0"])
def test_redis_may_be_reached_in_these_ways(fit, url):
    assert faults(fit | {"REDIS_URL": url}) == []


@pytest.mark.parametrize("value", ["1", "true"])
def test_debugging_is_refused(fit, monkeypatch, value):
    monkeypatch.setenv("FLASK_DEBUG", value)

    (fault,) = faults(fit)
    assert "FLASK_DEBUG: is on" in fault


def test_everything_is_told_at_once_and_nothing_starts(fit, tmp_path):
    tmp_path.chmod(0o755)
    careless = config.load(fit | {"SECRET_KEY": "x" * 32, "PORTAL_URL": "http://cco.example.test"})

    with pytest.raises(config.ConfigError) as refused:
        create_app(careless)

    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == ["PORTAL_URL", "SECRET_KEY", "PORTAL_DATA"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost:8000", "https://localhost", "http://[::1]:8000", ""])
def test_a_laptop_is_not_asked_all_that(fit, tmp_path, url):
    tmp_path.chmod(0o755)

    assert faults(fit | {"PORTAL_URL": url, "SECRET_KEY": "x" * 32, "SPECTRUM_URL": ""}) == []


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o666])
def test_a_database_that_everybody_can_get_at_is_refused(fit, file, mode):
    file.chmod(mode)

    (fault,) = faults(fit | {"DATABASE_URL": f"sqlite:///{file}"})

    assert fault == f"DATABASE_URL: everybody on this machine can get at {file} (mode {mode:o}). Close it: chmod o= {file}"


def test_a_log_of_the_database_that_everybody_can_get_at_is_refused(fit, file):
    log = file.with_name("own.db-wal")
    log.touch()
    log.chmod(0o644)

    (fault,) = faults(fit | {"DATABASE_URL": f"sqlite:///{file}"})

    assert str(log) in fault


@pytest.mark.parametrize(("mode", "told"), [(0o777, True), (0o703, True), (0o1777, False), (0o755, False)])
def test_a_folder_where_everybody_could_replace_the_database_is_refused(fit, file, tmp_path, mode, told):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    file = file.rename(folder / "own.db")
    folder.chmod(mode)

    found = faults(fit | {"DATABASE_URL": f"sqlite:///{file}"})

    sentence = f"DATABASE_URL: everybody on this machine can replace what is in {folder}. Close it: chmod o-w {folder}"
    assert found == ([sentence] if told else [])


def test_a_folder_of_data_and_the_file_of_a_secret_that_everybody_can_read_are_refused(fit, tmp_path):
    secret = tmp_path / "secret_key"
    secret.write_text(KEY)
    secret.chmod(0o644)
    tmp_path.chmod(0o755)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("redis://")
    elsewhere.chmod(0o604)

    found = faults(fit | {"SECRET_KEY": "", "SECRET_KEY_FILE": str(secret), "REDIS_URL_FILE": str(elsewhere)})

    told = [(fault.partition(":")[0], fault.rpartition(" ")[2]) for fault in found]
    assert told == [
        ("PORTAL_DATA", str(tmp_path)),
        ("PORTAL_DATA", str(secret)),
        ("A secret", str(secret)),
        ("A secret", str(elsewhere)),
    ]


@pytest.mark.parametrize("url", ["https://cco.example.test", "http://127.0.0.1:8000"])
def test_a_database_that_is_a_folder_or_read_only_is_refused_anywhere(fit, tmp_path, file, url):
    file.chmod(0o400)

    (folder,) = faults(fit | {"PORTAL_URL": url, "DATABASE_URL": f"sqlite:///{tmp_path}"})
    (read_only,) = faults(fit | {"PORTAL_URL": url, "DATABASE_URL": f"sqlite:///{file}"})

    assert folder == f"DATABASE_URL: {tmp_path} is a folder. Name a file in it."
    assert f"DATABASE_URL: {file} is read-only." in read_only


def test_a_database_in_a_place_that_cannot_be_is_told(fit, file):
    (fault,) = faults(fit | {"DATABASE_URL": f"sqlite:///{file}/portal.db"})

    assert f"DATABASE_URL: cannot get at {file}/portal.db (Not a directory)" in fault


@pytest.fixture
def sampled(database):
    samples.load()


def test_sample_people_are_for_laptops_only(fit, sampled):
    (fault,) = faults(fit)

    assert "Sample accounts are open, with a password everybody knows: ana@example.test, ben@example.test" in fault
    assert faults(fit | {"PORTAL_URL": "http://127.0.0.1:8000"}) == []


def test_sample_people_who_are_closed_or_have_their_own_password_do_no_harm(fit, sampled, password_hash):
    User.update(active=False).where(User.email != "eve@example.test").execute()
    User.update(password=password_hash).where(User.email == "eve@example.test").execute()

    assert faults(fit) == []


def test_a_database_that_is_not_there_yet_is_for_readyz_to_tell(fit, tmp_path):
    assert faults(fit | {"DATABASE_URL": f"sqlite:///{tmp_path / 'later.db'}"}) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SECRET_KEY": "x"}, "SECRET_KEY: needs at least 32 characters"),
        ({"SECRET_KEY_FALLBACKS": "x " + "y" * 40}, "SECRET_KEY_FALLBACKS: needs at least 32 characters"),
        ({"SECRET_KEY": "", "SECRET_KEY_FILE": "/nowhere/key"}, "SECRET_KEY_FILE: cannot read /nowhere/key (No such file or directory)"),
        ({"SECRET_KEY": "", "SECRET_KEY_FILE": "/"}, "SECRET_KEY_FILE: cannot read / (Is a directory)"),
        ({"SPECTRUM_URL": "http://spectrum.example.test"}, "SPECTRUM_URL: must start with https://"),
        ({"PORTAL_REHEARSAL": "/tmp", "SPECTRUM_URL": "http://127.0.0.1:1"}, "PORTAL_REHEARSAL is set, which is for tests only"),
        ({"PORTAL_PORT": "0"}, "PORTAL_PORT: "),
        ({"TIME_ZONE": " "}, "TIME_ZONE: is not an IANA time zone"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT: "),
        (
            {"DATABASE_URL": "postgresql://portal:hunter2/xyz@db.example.test/portal"},
            "DATABASE_URL: cannot be read. Inside a password",
        ),
        ({"REDIS_URL": "rediss://:hunter2#xyz@redis.example.test:6379/0"}, "REDIS_URL: cannot be read. Inside a password"),
    ],
)
def test_an_environment_that_cannot_be_used_is_told_in_a_sentence(fit, changes, sentence):
    with pytest.raises(config.ConfigError) as refused:
        config.load(fit | changes)

    assert sentence in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_check_tells_all_of_it_and_ends_with_a_status(portal, company, tmp_path):
    fine, careless, laptop = (
        portal("check", "--settings"),
        portal("check", "--settings", SECRET_KEY="x" * 32),
        portal("check", "--settings", PORTAL_URL="", SECRET_KEY="x" * 32),
    )

    assert (fine.exit_code, fine.output) == (0, "Fit to start as a portal that others reach: PORTAL_URL is https://cco.example.test.\n")
    assert careless.exit_code == 1
    assert "FAULT    SECRET_KEY: can be guessed" in careless.output
    assert "Not fit to start as a portal that others reach" in careless.output
    assert (laptop.exit_code, "on this machine alone, whose rules are looser" in laptop.output) == (0, True)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SPECTRUM_URL", "", "SPECTRUM_URL: is not set, so no change order can be exported."),
        ("REDIS_URL", "", "REDIS_URL: is not set, so keeper and workers do not start."),
        ("REDIS_URL", "127.0.0.1:6379", "REDIS_URL: does not begin with redis://, rediss:// or unix://"),
        ("SMTP_HOST", "", "SMTP_HOST: is not set, so no mail goes out."),
        ("TRUSTED_PROXIES", "0", "TRUSTED_PROXIES: is 0, but https://cco.example.test needs a proxy in front of the portal"),
        ("DATABASE_URL", "sqlite:////nonexistent/portal.db", "DATABASE_URL: the database cannot be used (unable to open database file)."),
        ("SPECTRUM_CA_BUNDLE", "/nowhere/ca.pem", "SPECTRUM_CA_BUNDLE: /nowhere/ca.pem cannot be read (No such file or directory)."),
        ("SMTP_CA_BUNDLE", "/", "SMTP_CA_BUNDLE: / cannot be read (Is a directory)."),
        ("INFOLINK_CA", "/dev/null", "INFOLINK_CA: /dev/null holds no certificate."),
        ("OIDC_CA_BUNDLE", "pyproject.toml", "OIDC_CA_BUNDLE: pyproject.toml holds no certificate."),
        (
            "REDIS_URL",
            "rediss://127.0.0.1/0?ssl_ca_certs=/nowhere/ca.pem",
            "REDIS_URL: the file of ssl_ca_certs, /nowhere/ca.pem, cannot be",
        ),
    ],
)
def test_check_finds_what_is_missing_or_cannot_be_used_before_others_come(portal, company, name, value, sentence):
    answer = portal("check", "--settings", **{name: value})

    (fault,) = [line for line in answer.output.splitlines() if line.startswith("FAULT")]
    assert sentence in fault
    assert answer.exit_code == 1


def test_what_another_process_needs_keeps_none_from_starting(fit):
    assert create_app(config.load(fit | {"REDIS_URL": "", "SMTP_HOST": "", "SPECTRUM_URL": "", "TRUSTED_PROXIES": "0"}))


def test_an_authority_that_cannot_be_read_is_told_on_a_laptop_too(fit):
    (fault,) = faults(fit | {"PORTAL_URL": "", "SMTP_CA_BUNDLE": "/nowhere/ca.pem"})

    assert "SMTP_CA_BUNDLE: /nowhere/ca.pem cannot be read" in fault


def test_check_of_a_database_without_tables_says_so(portal, tmp_path):
    answer = portal("check", "--settings", DATABASE_URL=f"sqlite:///{tmp_path / 'later.db'}")

    assert "NOTE     The database cannot be read yet" in answer.output


def test_a_worker_says_it_too_and_does_not_start(fit):
    env = environment(**fit | {"SECRET_KEY": "x" * 32, "REDIS_URL": "redis://127.0.0.1:1"})

    done = subprocess.run([sys.executable, "worker.py", "mail"], cwd=ROOT, env=env, capture_output=True, text=True)

    assert done.returncode == 2
    assert done.stderr.startswith("SECRET_KEY: can be guessed")


# Another SECRET_KEY


@pytest.fixture
def kept(company):
    """What an administrator entered and a worker bought, sealed under the key of yesterday."""
    return Connection.create(company=company, enhanced=True, **{name: Sealer(KEY).seal(f"the {name}") for name in KEPT})


def test_who_is_signed_in_stays_so_under_a_new_key_while_the_old_one_is_named(make_app, ana):
    cookie = sign_in(make_app().test_client(), ana).get_cookie("portal-8000").value

    def answered(**keys):
        client = make_app(**keys).test_client()
        client.set_cookie("portal-8000", cookie)
        return client.get("/change-orders").status_code

    assert answered(SECRET_KEY=NEW_KEY, SECRET_KEY_FALLBACKS=f"{'3e' * 20} {KEY}") == 200
    assert answered(SECRET_KEY=NEW_KEY) == 303


def test_a_form_that_is_open_can_be_sent_under_a_new_key_while_the_old_one_is_named(make_app, company, ana):
    before = make_app().test_client()
    before.application.config["WTF_CSRF_ENABLED"] = True
    (token,) = re.findall(r'name="csrf_token" value="([^"]+)"', before.get("/login").text)

    def answered(**keys):
        client = make_app(**keys).test_client()
        client.application.config["WTF_CSRF_ENABLED"] = True
        client.set_cookie("portal-8000", before.get_cookie("portal-8000").value)
        return client.post("/login", data={"email": ana.email, "password": PASSWORD, "csrf_token": token}).status_code

    assert answered(SECRET_KEY=NEW_KEY, SECRET_KEY_FALLBACKS=KEY) == 303
    assert answered(SECRET_KEY=NEW_KEY) == 400


def test_a_new_form_is_signed_with_the_new_key(make_app, company):
    app = make_app(SECRET_KEY=NEW_KEY, SECRET_KEY_FALLBACKS=KEY)
    app.config["WTF_CSRF_ENABLED"] = True
    (token,) = re.findall(r'name="csrf_token" value="([^"]+)"', app.test_client().get("/login").text)

    assert URLSafeTimedSerializer(NEW_KEY, salt="wtf-csrf-token").loads(form_tokens.unmask(token))


def test_settings_that_are_printed_show_no_secret(fit):
    secrets = {name: f"the-secret-{name}" for name in config.SECRETS} | {
        "SECRET_KEY": f"the-secret-{KEY}",
        "SECRET_KEY_FALLBACKS": f"the-secret-{KEY}",
        "BACKUP_KEY": f"the-secret-{KEY}",
        "METRICS_TOKEN": f"the-secret-{KEY}",
        "HEARTBEAT_URL": "https://hc.example.test/the-secret-HEARTBEAT_URL",
        "DATABASE_URL": "postgresql://the-secret-DATABASE_URL",
    }
    provider = {"OIDC_ISSUER": "https://id.example.test", "OIDC_CLIENT_ID": "portal"}

    settings = config.load(fit | secrets | {"SPECTRUM_AUTHORIZATION_ID": "the-secret-ID"} | provider)

    assert "OIDC_ISSUER" in repr(settings)
    assert "the-secret" not in f"{settings!r} {settings}"


def test_whoever_signs_or_seals_knows_the_older_keys_too():
    """By Settings.keys. These four ask whether there is a key, or make the first one."""
    alone = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "portal").rglob("*.py")
        if re.search(r"""\.SECRET_KEY\b|\[.SECRET_KEY.\]""", path.read_text())
    }

    assert alone == {"portal/__init__.py", "portal/cli/check.py", "portal/standalone/stack.py", "portal/preflight.py"}


def test_a_new_cookie_is_signed_with_the_new_key(make_app, ana):
    cookie = sign_in(make_app(SECRET_KEY=NEW_KEY, SECRET_KEY_FALLBACKS=KEY).test_client(), ana).get_cookie("portal-8000").value

    alone = make_app(SECRET_KEY=NEW_KEY).test_client()
    alone.set_cookie("portal-8000", cookie)

    assert alone.get("/change-orders").status_code == 200


def test_what_an_older_key_sealed_opens_while_that_key_is_named():
    sealed = Sealer(KEY).seal("text")

    assert Sealer(NEW_KEY, "0" * 32, KEY).open(sealed) == "text"
    assert not Sealer(NEW_KEY, KEY).is_present(sealed)
    assert Sealer(NEW_KEY).is_present(Sealer(NEW_KEY, KEY).seal("text"))
    assert Sealer(NEW_KEY).is_present("")


def test_a_key_is_changed_without_entering_anything_again(portal, kept, company):
    under_both = {"SECRET_KEY": NEW_KEY, "SECRET_KEY_FALLBACKS": KEY}

    waiting = portal("check", "--settings", **under_both)
    done, again = portal("reseal", **under_both), portal("reseal", **under_both)

    assert "Still sealed under an older key: Authorization ID, client secret, token of Spectrum. Run `portal reseal`" in waiting.output
    assert (done.exit_code, done.output) == (0, "Resealed: Authorization ID, client secret, token of Spectrum.\n")
    assert again.output == "Everything is sealed under the present SECRET_KEY already.\n"
    assert "NOTE" not in portal("check", "--settings", SECRET_KEY=NEW_KEY).output
    db.init(portal.database_url)
    assert spectrum_sign_in.credentials(companies.current(), Sealer(NEW_KEY)).client_secret == "the client_secret"
    assert [event.facts for event in events.history("company", company.id)] == [{"secrets": list(KEPT)}]


def test_who_reseals_is_in_the_audit_trail(portal, kept, company, eve, ben):
    under_both = {"SECRET_KEY": NEW_KEY, "SECRET_KEY_FALLBACKS": KEY}

    refused, done = (portal("reseal", "--as", person.email, **under_both) for person in (ben, eve))

    db.init(portal.database_url)
    (event,) = events.history("company", company.id)
    assert (refused.exit_code, done.exit_code, event.actor) == (2, 0, eve)


def test_a_key_that_was_lost_is_told_and_nothing_is_overwritten(portal, kept):
    checked, resealed = portal("check", "--settings", SECRET_KEY=NEW_KEY), portal("reseal", SECRET_KEY=NEW_KEY)

    assert "NOTE     Stored secrets were sealed with a key that is neither SECRET_KEY nor in SECRET_KEY_FALLBACKS." in checked.output
    assert (resealed.exit_code, "SECRET_KEY has changed" in resealed.output) == (2, True)
    db.init(portal.database_url)
    assert Connection.get().client_secret == kept.client_secret


@pytest.mark.parametrize("command", [["db", "migrate"], ["users", "list"]])
def test_a_database_made_by_a_command_is_its_owners_alone(tmp_path, command):
    env = environment(PORTAL_DATA=tmp_path, SECRET_KEY=KEY)
    for arguments in (["db", "migrate"], command):
        subprocess.run([sys.executable, "-m", "portal.cli", *arguments], cwd=ROOT, env=env, umask=0o022, check=True, capture_output=True)

    made = [path for path in tmp_path.iterdir() if path.name.startswith("portal.db")]

    assert made
    assert {path.stat().st_mode & 0o777 for path in made} == {0o600}
