"""Does a line sent again replace the stored one in Spectrum, or add to it? No one has documented it, so each company checks once.

One line of an exported change order of a test company is sent a second time, someone looks at its amount in Spectrum
and records what it shows. Since that line may then stand there twice, the company has to be marked as a test company of Spectrum,
under the very code under which the line was exported. Only "replaces" lets the portal send a line of unknown outcome again by itself.
"""

import uuid
from typing import Any

import peewee

from portal import clock
from portal.db import Model, UtcField, transaction
from portal.domain import change_orders, companies, events, keys, outbox, people
from portal.domain.change_orders import ChangeOrder, Overtaken, Status
from portal.domain.companies import ADDS, REPLACES, Company
from portal.domain.exporting import calls, exports, readback
from portal.domain.exporting.calls import Call
from portal.domain.exporting.exports import Export, LineOutcome
from portal.domain.exporting.readback import Read
from portal.domain.lanes import ONE_CALL, Lane
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import NotPermitted, User
from portal.domain.recovery import resolutions
from portal.spectrum import records

CHECK = "check"  # the kind of its attempt, which says nothing about the state of the line
LOOKED_THROUGH, OFFERED = 50, 10  # newest exports
NO_TEST_COMPANY = (
    "This sends a line that is in Spectrum a second time, and its amount may be doubled there. "
    "It is done only in a company that an administrator has marked as a test company of Spectrum."
)
STOPPED = "The worker stopped during the check. Look in Spectrum before you check again."


class NotNow(Exception):
    """The check, or its record, is out of turn; the text says what to do first. Nothing was recorded."""


class ResendCheck(Model):
    """One line sent again. `said` tells what came back, and, where Spectrum is read back, what it holds then."""

    export = peewee.ForeignKeyField(Export, on_delete="RESTRICT", backref="+")
    asked_by = peewee.ForeignKeyField(User, on_delete="RESTRICT", backref="+")
    asked_at = UtcField(default=clock.now)
    finished_at = UtcField(null=True)
    sent = peewee.BooleanField(default=False)
    said = peewee.TextField(default="")


def candidates() -> list[ChangeOrder]:
    """Change orders of one line that the portal exported to the test company, the newest first; none while no company is marked as one."""
    company = companies.current()
    if not company.test_company:
        return []
    query = change_orders.complete().where(ChangeOrder.status == Status.EXPORTED, ~ChangeOrder.manual, ChangeOrder.export.is_null(False))
    newest = list(query.order_by(ChangeOrder.decided_at.desc()).limit(LOOKED_THROUGH))
    kept = {export.id: export for export in Export.select().where(Export.id.in_([one.export for one in newest]))}
    return [one for one in newest if one.export in kept and len(kept[one.export].lines) == 1 and _is_here(kept[one.export], company)][
        :OFFERED
    ]


def latest() -> ResendCheck | None:
    found: ResendCheck | None = ResendCheck.select(ResendCheck, Export).join(Export).order_by(ResendCheck.id.desc()).first()
    return found


def ask(id: int, by: User, code: str) -> ResendCheck:
    """Have the one line of an exported change order sent again. `code`: of the test company, as the person typed it.

    Raises NotPermitted, NotNow, Overtaken when it is not exported, or ValueError for another code.
    """
    with transaction():
        by, change_order = _administrator(by), change_orders.hold(id)
        company = companies.hold()
        if not company.test_company:
            raise NotNow(NO_TEST_COMPANY)
        if keys.canonical(code) != keys.canonical(company.code):
            raise ValueError("That is not the code of the test company. Type it as it stands under Spectrum codes.")
        if change_order.state is not Status.EXPORTED or change_order.export is None or change_order.manual:
            raise Overtaken(change_order)
        export = Export.get_by_id(change_order.export)
        if len(export.lines) != 1:
            raise NotNow("Choose a change order of exactly one line.")
        if not _is_here(export, company):
            raise NotNow(f"It was exported to another company than {company.code}. Choose one that was exported to the test company.")
        running = latest()
        if running and running.finished_at is None:
            raise NotNow("A check is under way. Wait for it.")
        if Lane.is_paused(change_order.company.lane):
            raise NotNow("Exports are paused. Resume them first.")
        check = ResendCheck.create(export=export, asked_by=by)
        outbox.promise(f"resend-check:{check.id}", change_order.company.lane, Task.RESEND_CHECK, check.id)
        events.record("company", change_order.company.id, "resending check asked for", by, number=export.number)
        return check


def record(verdict: str, by: User) -> Company:
    """Keep what someone saw in Spectrum after the latest check: replaces or adds. Raises NotPermitted, NotNow, ValueError.

    From then on unknown outcomes that waited for a person are looked after by the portal.
    """
    if verdict not in (REPLACES, ADDS):
        raise ValueError("Say whether the amount stayed the same or doubled.")
    with transaction():
        by, company, check = _administrator(by), companies.current(), latest()
        if check is None or not check.sent:
            raise NotNow("Send one line again first, and look at it in Spectrum.")
        Company.update(resending=verdict).where(Company.id == company.id).execute()
        if verdict == REPLACES:
            unknown = ChangeOrder.select().where(ChangeOrder.status == Status.UNKNOWN, ChangeOrder.export.is_null(False))
            for change_order in unknown:
                outbox.reopen(exports.key(change_order.export or 0))
        events.record("company", company.id, "resending recorded", by, old=company.resending, new=verdict, number=check.export.number)
        return companies.current()


def step(dispatch: Dispatch, claim: int, call: Call, read: Read | None) -> None:
    """Send the line once, whatever becomes of it. Raises lanes.Lost."""
    with transaction():
        Lane.renew(dispatch.lane, claim, ONE_CALL)
        outbox.begin(dispatch, ONE_CALL)
        check = ResendCheck.select(ResendCheck, Export).join(Export).where(ResendCheck.id == dispatch.subject).get()
        if dispatch.tries > 1:
            exports.close_lost(check.export)
            _keep(dispatch, check, STOPPED)
            return
        company = companies.current()
        if not (company.test_company and _is_here(check.export, company)):
            _keep(dispatch, check, f"Nothing was sent: the company is no test company any more. {NO_TEST_COMPANY}")
            return
        line, elements = check.export.lines[0]
        attempt = exports.open_attempt(check.export, line, claim, str(uuid.uuid4()), CHECK)
    outcome, answer = calls.make(call, elements, attempt.guid)
    calls.write_down(attempt, outcome, answer)
    said = _said(check.export, outcome, answer, read)
    with transaction():
        _keep(dispatch, check, said, sent=outcome is LineOutcome.SENT)


def _said(export: Export, outcome: LineOutcome, answer: Any, read: Read | None) -> str:
    if outcome is not LineOutcome.SENT:
        return f"Spectrum did not confirm the line: {answer} This check decides nothing."
    reading = readback.look(export, read) if read else None
    seen = readback.in_words(export, reading) if reading else f"Look at {export.number} in Spectrum now."
    return f"Spectrum took the line again. {seen} The portal sent {records.StoredLine.sent(export.lines[0][1]).amount:,.2f}, twice."


def _keep(dispatch: Dispatch, check: ResendCheck, said: str, *, sent: bool = False) -> None:
    ResendCheck.update(finished_at=clock.now(), said=said, sent=sent).where(ResendCheck.id == check.id).execute()
    outbox.finish(dispatch)


def _is_here(export: Export, company: Company) -> bool:
    """Whether it was exported to the company under its present code."""
    return keys.canonical(export.lines[0][1]["Company_Code"]) == keys.canonical(company.code)


def _administrator(by: User) -> User:
    by = people.as_held(by)
    if not resolutions.may_undo(by):
        raise NotPermitted(resolutions.ONLY_ADMIN)
    return by
