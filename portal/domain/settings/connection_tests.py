"""Test connection: asked for on the settings page, done by the worker in the exports lane, told on the page again."""

from collections.abc import Callable

import peewee

from portal import clock
from portal.db import Model, UtcField, transaction
from portal.domain import events, outbox, people
from portal.domain.companies import Company, current
from portal.domain.lanes import ONE_CALL, Lane
from portal.domain.outbox import LOST_WORKERS, Dispatch, Task
from portal.domain.people import User
from portal.domain.settings import spectrum_sign_in
from portal.spectrum import records

# The connected client's test, handed in by the task: the version to name.
Test = Callable[[str], records.Reached]


class ConnectionTest(Model):
    """One test. `said` is what was found, `advice` what to do about it."""

    company = peewee.ForeignKeyField(Company, on_delete="RESTRICT", backref="+")
    asked_by = peewee.ForeignKeyField(User, null=True, on_delete="RESTRICT", backref="+")
    asked_at = UtcField(default=clock.now)
    finished_at = UtcField(null=True)
    ok = peewee.BooleanField(default=False)
    milliseconds = peewee.IntegerField(default=0)
    said = peewee.TextField(default="")
    advice = peewee.TextField(default="")


def ask(by: User) -> ConnectionTest:
    """Promise a test; the one under way, if there is one. Raises NotPermitted for anyone but an administrator."""
    with transaction():
        by = people.require_administrator(by, "tests the connection to Spectrum")
        company = current()
        running = latest(company)
        if running and running.finished_at is None:
            return running
        test = ConnectionTest.create(company=company, asked_by=by)
        outbox.promise(f"connection-test:{test.id}", company.lane, Task.CONNECTION_TEST, test.id)
        events.record("company", company.id, "connection test asked for", by)
        return test


def latest(company: Company) -> ConnectionTest | None:
    found: ConnectionTest | None = (
        ConnectionTest.select().where(ConnectionTest.company == company).order_by(ConnectionTest.id.desc()).first()
    )
    return found


def step(dispatch: Dispatch, claim: int, test: Test) -> None:
    """Ask, and write down what was found. A pause of exports does not matter here. Raises lanes.Lost."""
    with transaction():
        Lane.renew(dispatch.lane, claim, ONE_CALL)
        outbox.begin(dispatch, ONE_CALL)
        wanted = ConnectionTest.get_by_id(dispatch.subject)
    if wanted.finished_at is None:
        found = _unfinished() if dispatch.tries > LOST_WORKERS else _ask(test, spectrum_sign_in.of(wanted.company).version)
        _keep(wanted, found)
    outbox.finish(dispatch)


def _ask(test: Test, version: str) -> records.Reached:
    try:
        return test(version)
    except records.SpectrumError as error:  # a client that cannot even begin, for want of readable credentials
        return records.Reached(ok=False, reached=False, place="", seconds=0, said=str(error))


def _unfinished() -> records.Reached:
    said = f"The worker stopped {LOST_WORKERS} times during the test."
    return records.Reached(ok=False, reached=False, place="", seconds=0, said=said, advice="Support has to look at its log.")


def _keep(test: ConnectionTest, found: records.Reached) -> None:
    with transaction():
        ConnectionTest.update(
            finished_at=clock.now(), ok=found.ok, milliseconds=round(found.seconds * 1000), said=found.said, advice=found.advice
        ).where(ConnectionTest.id == test.id).execute()
