"""A portal in which an incident happens, and the page that is followed in it."""

import pytest
from click.testing import CliRunner

import config
from portal.cli import main
from tests.docs.incident import Incident
from tests.faults.conftest import file_url, simulator, simulator_process  # noqa: F401
from tests.mail_server import mail_server  # noqa: F401
from tests.pages import soup, words
from tests.status.conftest import healthy, report_all  # noqa: F401


@pytest.fixture
def portal_settings(database_url, tmp_path, settings):
    """What the commands of a page are run with; a test adds its own."""
    return {
        "DATABASE_URL": database_url,
        "PORTAL_DATA": str(tmp_path),
        "SECRET_KEY": settings.SECRET_KEY,
        "BACKUP_KEY": f"backups {settings.SECRET_KEY}",
    }


@pytest.fixture
def portal(portal_settings):
    """Runs `portal ...` in this process."""
    none = dict.fromkeys((*config.Settings.model_fields, *(f"{name}_FILE" for name in config.SECRETS)))

    def run(*arguments, typed=""):
        answer = CliRunner().invoke(main, [str(one) for one in arguments], env=none | portal_settings, input=typed)
        assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
        return answer

    return run


@pytest.fixture
def incident(portal, client):
    """Opens an incident page; what it says to do was done when the test ends."""
    opened = []

    def open(page):
        opened.append(Incident(page, portal, client))
        return opened[-1]

    yield open
    for one in opened:
        one.assert_followed()


@pytest.fixture
def told(client):
    """What a person reads at these addresses."""
    return lambda *addresses: " ".join(words(soup(client.get(one, follow_redirects=True))) for one in addresses)


@pytest.fixture
def later(clock, report_all):  # noqa: F811
    """Time passes in a portal whose processes go on reporting."""

    def pass_by(**passed):
        clock.tick(**passed)
        report_all()

    return pass_by


@pytest.fixture
def connected(portal_settings, simulator, healthy, tmp_path, monkeypatch):  # noqa: F811
    """A portal in which everything runs and that sends to Spectrum; files are written to a folder of the test."""
    monkeypatch.chdir(tmp_path)
    portal_settings["SPECTRUM_URL"] = simulator.url
    return portal_settings
