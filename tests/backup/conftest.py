"""A portal with some history, and the commands that back it up and restore it."""

import json

import pytest
from click.testing import CliRunner

import config
from portal.cli import main
from portal.domain.audit import heads

BACKUP_KEY = "for-backups-in-tests-0c41-and-nothing-else"


@pytest.fixture
def data(tmp_path):
    """The data folder."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def command(database_url, data):
    """Runs `portal ...`; answers what it printed as JSON, or all of it where it did not end with `status`."""

    def run(*arguments, status=0, key=BACKUP_KEY, **settings):
        none = dict.fromkeys((*config.Settings.model_fields, *(f"{name}_FILE" for name in config.SECRETS)))
        given = {"DATABASE_URL": database_url, "PORTAL_DATA": str(data), "BACKUP_KEY": key, **settings}
        answer = CliRunner().invoke(main, [str(one) for one in arguments], env=none | given)
        assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
        assert answer.exit_code == status, answer.output
        return json.loads(answer.stdout) if "--json" in arguments and answer.stdout else answer.output

    return run


@pytest.fixture
def history(make_change_order, ana, ben, eve, data):
    """Some change orders in several states, and a head of the audit trail that was written out."""
    for state in ("ready", "exported", "failed", "rejected"):
        make_change_order(state)
    heads.write_head(data / heads.HEADS)
