"""Fixtures for all tests: a migrated database of one's own, the web application, a browser of sorts, and time that can be held still.

The people and things of the tests are in cast.py, real processes in processes.py.
"""

import gc
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
import structlog
from argon2 import PasswordHasher
from hypothesis import settings as hypothesis
from itsdangerous import TimestampSigner
from jinja2 import BytecodeCache
from werkzeug.routing import Rule
from werkzeug.serving import make_server

import config
from portal import clock as clocks
from portal import create_app, db
from portal.db import memory
from portal.domain import people
from portal.web import form_tokens
from tests.ports import free_port

pytest_plugins = [
    "tests.processes",
    "tests.databases",
    "tests.import_files",
    "tests.cast",
    "tests.worker",
    "tests.scene",
    "tests.oidc.process",
    "tests.attacks.options",
    "tests.today",
    "tests.lengths",
]

# The same examples every time, so that a run says something of the change at hand; `--hypothesis-profile=fresh` looks for new ones.
hypothesis.register_profile("steady", derandomize=True, database=None)
hypothesis.register_profile("fresh", print_blob=True)
hypothesis.load_profile("steady")

PASSWORD = "a long password for tests"
KEY = "b7d1-for-tests-93ac-of-no-use-5e08-elsewhere"
HTMX = {"HX-Request": "true"}


class Compiled(BytecodeCache):
    """Templates are compiled once for all applications of the run; the key is the template with its text."""

    def __init__(self):
        self.known = {}

    def load_bytecode(self, bucket):
        if known := self.known.get((bucket.key, bucket.checksum)):
            bucket.bytecode_from_string(known)

    def dump_bytecode(self, bucket):
        self.known[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


COMPILED = Compiled()


@pytest.fixture(scope="session", autouse=True)
def quick():
    """What is slow and means nothing in a test: password hashes, waiting for the disk, and compiling the addresses of each application."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", remembering(Rule._compile_builder))
        patch.setattr(people, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        patch.setitem(db.SQLITE_PRAGMAS, "synchronous", "off")
        yield


@pytest.fixture(scope="session", autouse=True)
def fewer_collections():
    """The garbage collector passes over what collecting the tests made, and comes less often: a sixth of the processor's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def nothing_stale():
    """Whatever a page takes from memory is worked out again and compared: no test passes on something stale."""
    memory.verify_all(on=True)
    yield
    memory.verify_all(on=False)


def remembering(compile_builder):
    """The same address, with the same converters and defaults, is compiled once for all applications of the run."""
    known = {}

    def compiled(rule, append_unknown=True):
        kinds = tuple((name, type(converter)) for name, converter in rule._converters.items())
        key = rule.rule, str(rule._trace), kinds, str(rule.defaults), append_unknown
        if key not in known:
            known[key] = compile_builder(rule, append_unknown)
        return known[key]

    return compiled


@pytest.fixture
def database(database_url):
    """An empty, migrated database, connected in the test's own thread."""
    db.init(database_url)
    db.database.connect()
    yield db.database
    db.database.close()


@pytest.fixture
def settings(database_url, tmp_path):
    """The settings of the application under test."""
    return config.load({"DATABASE_URL": database_url, "PORTAL_DATA": str(tmp_path), "SECRET_KEY": KEY})


@pytest.fixture
def make_app(settings, database):
    """The application with some settings of the test's own. CSRF tokens are asked for only with `csrf_client`."""

    def make(**changes):
        app = create_app(
            config.load({name: str(value) for name, value in settings.model_dump().items()} | {k: str(v) for k, v in changes.items()})
        )
        app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
        app.jinja_env.bytecode_cache = COMPILED
        return app

    return make


@pytest.fixture
def app(make_app):
    return make_app()


@pytest.fixture
def client(app, company):
    """A browser nobody is signed in at; `sign_in(client, ana)` changes that."""
    return app.test_client()


@pytest.fixture
def csrf_client(app, company):
    """A browser that has to send CSRF tokens as in production."""
    app.config["WTF_CSRF_ENABLED"] = True
    return app.test_client()


@pytest.fixture
def served_with():
    """Settings of the application that `served` serves; a module may have its own."""
    return {}


@pytest.fixture
def served(make_app, company, served_with):
    """The application on a port of its own, for a real browser, CSRF tokens and all; answers its address."""
    port = free_port()
    app = make_app(PORTAL_PORT=port, PORTAL_URL=f"http://127.0.0.1:{port}", **served_with)
    app.config["WTF_CSRF_ENABLED"] = True
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def plain_logs():
    """What a test says of logs, say by starting the application, does not last."""
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def steady_tokens(monkeypatch):
    """CSRF tokens carry their second, and each answer a mask of its own; without these a fragment equals its page at any time."""
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: 0)
    monkeypatch.setattr(form_tokens, "token_bytes", bytes)


def sign_in(client, person):
    """Sign the person in by the form; answers the client."""
    answer = client.post("/login", data={"email": person.email, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return client


def path_of(address):
    """Path, query and fragment of an address a test was led to."""
    return urlsplit(address)._replace(scheme="", netloc="").geturl()


class Clock:
    """The portal's time, standing still until told otherwise; the process has just started."""

    def __init__(self):
        self.moment, self.passed_s = clocks.now(), clocks.STARTED

    def now(self):
        return self.moment

    def steady(self):
        return self.passed_s

    def set(self, moment: datetime):
        self.moment = moment

    def tick(self, **passed: float):
        self.moment += timedelta(**passed)
        self.passed_s += timedelta(**passed).total_seconds()


@pytest.fixture
def clock(monkeypatch):
    """Time held still: `clock.tick(minutes=31)`; `clock.set(moment)`, as if the portal had been off until then."""
    clock = Clock()
    monkeypatch.setattr(clocks, "system", clock.now)
    monkeypatch.setattr(clocks, "steady", clock.steady)
    return clock


@contextmanager
def count_queries():
    """The SQL statements that the block sends, as a list."""
    sent, execute = [], type(db.database.obj).execute_sql

    def counting(self, sql, *arguments, **options):
        sent.append(sql)
        return execute(self, sql, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(db.database.obj), "execute_sql", counting)
        yield sent
