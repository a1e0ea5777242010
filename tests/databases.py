"""The databases of the tests: each test that touches one has an empty, migrated one of its own.

Every test runs on SQLite. What a database may answer differently runs on PostgreSQL too: a module says so by
`pytestmark = pytest.mark.databases_differ("locks")`. `--database both` runs everything on both, but for LOOKS;
`--database sqlite` or `--database postgresql` keeps to one of them.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from portal import db
from tests.processes import Postgres, running

SQLITE, POSTGRESQL, BOTH, DIFFERING = "sqlite", "postgresql", "both", "differing"
DIFFERS = "databases_differ"
MEMORY, ROOM = Path("/dev/shm"), 2**30
# In the browser, deciding and resolving run on both. These are about pages whose data the tests over HTTP run on both for.
LOOKS = {
    f"tests.browser.test_{name}"
    for name in (
        "audit",
        "connection",
        "every_page",
        "fallback_and_help",
        "identity_provider",
        "imports",
        "lines_by_keyboard",
        "lost_connection",
        "lost_database",
        "mail",
        "people",
        "preview",
        "settings",
        "sign_in_pages",
        "tokens",
        "typed_text",
        "without_javascript",
    )
}
LOOKS |= {"tests.oidc.test_forged_answers", "tests.oidc.test_provider_trouble"}  # refused before anything is looked up
LOOKS |= {"tests.attacks.test_routes", "tests.attacks.test_markup_everywhere"}  # 50,000 requests, and templates
LOOKS |= {"tests.web.test_route_matrix"}  # the same rights from the same rows; what they let happen: test_state_matrix
SHAPE = """
    SELECT (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_attribute WHERE attnum > 0),
           (SELECT count(*) FROM pg_class)"""
ALONE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
QUIET = "SET LOCAL session_replication_role = replica"  # no trigger may object to a DELETE
SEQUENCES = "SELECT sequencename, coalesce(last_value, 1), last_value IS NOT NULL FROM pg_sequences"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database", choices=[SQLITE, POSTGRESQL, BOTH, DIFFERING], default=DIFFERING, help="what the tests keep their data in"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{DIFFERS}(why): runs on SQLite and on PostgreSQL, since they may answer differently")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        metafunc.parametrize("database_kind", kinds(metafunc, metafunc.config.getoption("--database")))


def kinds(metafunc: pytest.Metafunc, chosen: str) -> list[str]:
    """The databases that a test runs on."""
    if chosen == DIFFERING:
        return [SQLITE, POSTGRESQL] if metafunc.definition.get_closest_marker(DIFFERS) else [SQLITE]
    able = [SQLITE] if metafunc.module.__name__ in LOOKS else [SQLITE, POSTGRESQL]
    return [kind for kind in able if chosen in (kind, BOTH)]


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """`sqlite` or `postgresql`."""
    return str(request.param)


def migrate(url: str) -> str:
    db.init(url)
    with db.connected():
        db.migrate()
    if not db.is_sqlite():
        db.database.close_idle()  # of a database that may be copied
    return url


def _has_room() -> bool:
    return MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="cco-pg-", dir=MEMORY if _has_room() else "/tmp") as name:
        server = Postgres(Path(name))
        server.create()
        with running(server):
            yield server


@pytest.fixture
def postgres(postgres_server: Postgres) -> str:
    """The URL of an empty PostgreSQL database."""
    return postgres_server.new_database()


@pytest.fixture
def empty_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any table."""
    return str(request.getfixturevalue("postgres")) if database_kind == POSTGRESQL else f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture(scope="session")
def migrated_file(quick: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database to copy."""
    file = tmp_path_factory.mktemp("migrated") / "portal.db"
    migrate(f"sqlite:///{file}")
    file.chmod(0o600)  # as the portal wants it where others could read it
    return file


class Reused:
    """A migrated PostgreSQL database that is emptied before each test, which takes a tenth of the time of making another one."""

    def __init__(self, server: Postgres) -> None:
        migrate(server.new_database("migrated"))
        with db.connected():
            self.rows = {table: db.database.execute_sql(f'SELECT * FROM "{table}"').fetchall() for table in db.database.get_tables()}
            restart = [f"SELECT setval('{name}', {at}, {used})" for name, at, used in db.database.execute_sql(SEQUENCES).fetchall()]
        db.database.close_idle()
        self.script = ";".join([QUIET, *(f'DELETE FROM "{table}"' for table in self.rows), *restart])
        self.server, self.url, self.connection = server, "", None
        self.renew()

    def renew(self) -> None:
        """Another copy: a test changed the tables themselves."""
        if self.connection:
            self.connection.close()
        self.url = self.server.new_database(template="migrated")
        self.connection = psycopg.connect(self.url, autocommit=True)
        self.shape = self.connection.execute(SHAPE).fetchone()

    def emptied(self) -> str:
        """Its URL; whoever was still connected is not any more."""
        if self.connection.execute(SHAPE).fetchone() != self.shape:
            self.renew()
        with self.connection.transaction(), self.connection.cursor() as cursor:
            cursor.execute(ALONE)
            cursor.execute(self.script.encode())
            for table, rows in self.rows.items():
                for row in rows:
                    cursor.execute(f'INSERT INTO "{table}" VALUES ({", ".join(["%s"] * len(row))})'.encode(), row)
        return self.url


@pytest.fixture(scope="session")
def reused(postgres_server: Postgres) -> Iterator[Reused]:
    reused = Reused(postgres_server)
    yield reused
    reused.connection.close()


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty, migrated database; several processes may open it."""
    if database_kind == POSTGRESQL:
        return str(request.getfixturevalue("reused").emptied())
    return f"sqlite:///{shutil.copy(request.getfixturevalue('migrated_file'), tmp_path / 'portal.db')}"
