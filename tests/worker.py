"""The worker's turn on a change order, with a Spectrum that gives the answers a test wants."""

from datetime import timedelta

import pytest

from portal import clock
from portal.background import tasks
from portal.domain import events, outbox
from portal.domain.change_orders import SUBJECT, Status, load
from portal.domain.exporting import quiet_window, send, verify
from portal.domain.exporting.exports import Export
from portal.domain.lanes import MAIL, Lane
from portal.domain.mail import letters
from portal.domain.outbox import Dispatch, Task
from portal.spectrum.records import NotSent, OutcomeUnknown, Receipt, Refused, Row, Stored, StoredLine, Unanswered
from tests.cast import signed

THREE_LINES = [("16-2000", "SUB", "4250.00"), ("16-2100", "SUB", "-250.00"), ("16-2300", "SUB", "12.34")]
GOOD = Receipt(200)
TIMEOUT = OutcomeUnknown("Spectrum did not answer.", http=None)
CLOSED = NotSent("Connection refused.")
BAD_PHASE = Refused("Spectrum refused.", http=200, rows=[Row("I", "Phase is not on the job", "CR_Phase_Code")], answer="<x/>")
NOT_US = Refused(
    "Spectrum rejected the portal's sign-in.", http=200, rows=[Row("A", "The Web Service is not authorized.", "Authorization_ID")]
)
BLIND = Unanswered("Spectrum's tables could not be read through Info-Link (Error).", cause="infolink")


class Answers:
    """A Spectrum that gives these answers in turn, and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, elements, guid):
        self.asked.append((dict(elements), guid))
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


class Tables:
    """What a reading finds: lines by position, or what is put there by hand; raises while `broken`."""

    def __init__(self):
        self.lines, self.broken, self.asked = [], False, []

    def put(self, *positions):
        elements = dict(Export.select().order_by(Export.id.desc()).get().lines)
        self.lines += [StoredLine.sent(elements[position]) for position in positions]

    def __call__(self, elements):
        self.asked.append(clock.now())
        if self.broken:
            raise BLIND
        return Stored("CR", "", tuple(self.lines)) if self.lines else None


@pytest.fixture
def tables():
    return Tables()


@pytest.fixture
def accepted(clock, make_change_order, ana):
    """Three lines, in the queue."""
    change_order = make_change_order(lines=THREE_LINES)
    signed(change_order.id, by=ana, version=change_order.version)
    return load(change_order.id)


@pytest.fixture
def doubtful(accepted):
    """Unknown: line 1 was sent and stored, nothing was heard of line 2, line 3 was never sent."""
    assert work(accepted, GOOD, TIMEOUT) == ["4250.00", "-250.00"]
    assert state(accepted) is Status.UNKNOWN
    return load(accepted.id)


def turn(change_order, *answers, read=None):
    """One worker's turn on what is due in the lane; answers what Spectrum was asked."""
    spectrum, lane = Answers(*answers), change_order.company.lane
    claim = Lane.take(lane, tasks.LEASE)
    assert claim is not None, "the lane is taken"
    for dispatch in outbox.due(lane, timedelta(minutes=1)):
        if dispatch.task == Task.READ_BACK:
            verify.answer(dispatch, claim, read)
        else:
            send.step(dispatch, claim, spectrum, read)
    Lane.release(lane, claim)
    return spectrum.asked


def work(change_order, *answers, read=None):
    """The same; answers the amounts that were sent."""
    return [elements["Change_Request_Amount"] for elements, _ in turn(change_order, *answers, read=read)]


def after_quiet(doubtful, tables, clock):
    """The worker's turn when the quiet window is over."""
    clock.set(quiet_window.until(Export.get()))
    return work(doubtful, read=tables)


def letter(dispatch):
    """What the mail lane would send for it."""
    claim = Lane.take(MAIL, tasks.LEASE)
    written = letters.begin(dispatch, claim)
    Lane.release(MAIL, claim)
    return written


def state(change_order):
    return load(change_order.id).state


def due(change_order):
    """The promise to send it."""
    return Dispatch.get(Dispatch.subject == load(change_order.id).export, Dispatch.task == Task.EXPORT)


def last_event(change_order):
    return events.history(SUBJECT, change_order.id)[-1]
