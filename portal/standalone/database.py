"""The database of `portal up` before anything else uses it. No connection stays open: a copy of this process must not share one."""

import contextlib

import peewee

import config
from portal import db, preflight
from portal.demo import samples
from portal.domain.people import User
from portal.standalone import machine


def prepare(settings: config.Settings, with_samples: bool) -> None:
    """Migrations, and sample data for someone who has nothing yet.

    Raises Unusable, and ConfigError where others would reach a portal that is not fit for it.
    """
    try:
        db.init(settings.DATABASE_URL)
        db.database.connect()
    except (peewee.OperationalError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise machine.Unusable(f"DATABASE_URL: the database cannot be used ({reason}).") from None
    with contextlib.closing(db.database):
        db.migrate()
        preflight.ensure_fit(settings)
        if with_samples and not User.select().exists():
            samples.load()


def sample_accounts() -> list[dict[str, str]]:
    """The sample people who are in it."""
    with db.database.connection_context():
        here = {user.email for user in User.select(User.email)}
    return [account for account in samples.ACCOUNTS if account["email"] in here]
