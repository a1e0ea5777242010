"""One draft with the people around it and the simulator's own rules for Spectrum, in this process: for walking through remedies."""

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

import pytest

from portal import clock, db
from portal.background import tasks
from portal.domain.change_orders import Status, load
from portal.domain.commitments import Commitment
from portal.domain.exporting.send import step
from portal.domain.lanes import Lane
from portal.domain.outbox import Dispatch, Task
from portal.domain.projects import correct_codes, sending
from portal.domain.recovery import resolutions, second_review
from portal.domain.review import decisions
from portal.domain.rules.findings import Blocked
from portal.domain.rules.spectrum_lists import Reading
from portal.domain.settings import company_settings
from portal.spectrum.records import Receipt, Refused
from portal.spectrum.simulator import services
from portal.spectrum.simulator.ledger import Ledger
from portal.spectrum.simulator.master import Master
from portal.spectrum.simulator.world import World
from tests.cast import signed
from tests.spectrum.process import write_master

CODES = {"code": "ABC", "cr_status": "CR", "cost_reimbursable": "N", "sub_status": "P"}
LINE = sending.LineDraft("16-2000", "SUB", Decimal("4250.00"))
GOOD = sending.Draft("001", "Relocate duct bank", "", [LINE])


class Scene:
    """The people, a draft of Dee's, and Spectrum."""

    def __init__(self, world, commitment, dee, ana, eve):
        self.world, self.master, self.commitment = world, world.master, commitment
        self.dee, self.ana, self.eve, self.answers = dee, ana, eve, []
        with db.transaction():
            self.id = sending.create(commitment, dee, GOOD).id

    @property
    def one(self):
        return load(self.id)

    def call(self, elements, guid):
        if self.answers:
            raise self.answers.pop(0)
        return answer(self.world, elements, guid)

    def edit(self, **changes):
        sending.edit(self.id, self.dee, self.one.version, replace(GOOD, **changes))

    def send(self):
        sending.send(self.id, self.dee, self.one.version)

    def accept(self, **typed):
        signed(self.id, self.ana, self.one.version, **typed)

    def turn(self):
        """The worker's."""
        claim = Lane.take(self.one.company.lane, tasks.LEASE)
        step(Dispatch.get(Dispatch.subject == self.one.export, Dispatch.task == Task.EXPORT), claim, self.call)
        Lane.release(self.one.company.lane, claim)

    def fail(self, *answers):
        """Sent, accepted, and refused: by these answers, else by the simulator's rules."""
        self.answers = list(answers)
        self.send()
        self.accept()
        self.turn()
        assert self.one.state is Status.FAILED

    def blocked_at_send(self):
        with pytest.raises(Blocked):
            self.send()

    def blocked_at_accept(self):
        self.send()
        with pytest.raises(Blocked):
            self.accept()

    def retry(self):
        resolutions.retry(self.id, self.ana, self.one.version)
        self.turn()

    def review_again(self):
        second_review.review_again(self.id, self.ana, self.one.version)

    def review(self):
        """Review again, and accept it as it is now."""
        self.review_again()
        self.accept()
        self.turn()

    def send_back(self, **changes):
        """Accounting rejects it; the project team corrects it and sends it again."""
        decisions.reject(self.id, self.ana, self.one.version, "Correct the line.")
        self.edit(**changes)
        self.through()

    def through(self):
        self.send()
        self.accept()
        self.turn()

    def settings(self, **changes):
        company_settings.change("spectrum", CODES | changes, self.eve, confirmed=9)

    def other(self, number, spectrum_number):
        """Another change order of the commitment, accepted under that number."""
        with db.transaction():
            other = sending.create(self.commitment, self.dee, replace(GOOD, number=number))
        sending.send(other.id, self.dee, load(other.id).version)
        signed(other.id, self.ana, load(other.id).version, number=spectrum_number)

    def correct(self, kind, code):
        held = Commitment.get_by_id(self.commitment.id)
        what = correct_codes.KINDS[kind]
        correct_codes.correct(held, kind, getattr(what.of(held), what.field), code, self.eve, confirmed=9)

    def listed(self, listing, model, of="", **row):
        """Spectrum's list was read, whole, with this row in it or without any."""
        company = self.one.company
        Reading.delete().execute()
        model.delete().execute()
        Reading.create(company=company, listing=listing, job=of, refresh=1, read_at=clock.now(), complete=True)
        if row:
            model.create(company=company, read_at=clock.now(), **row)


def answer(world, elements, guid):
    """What Spectrum answers to one line, which it stores if its rules allow."""
    values = defaultdict(str, elements) | {"Authorization_ID": "PORTALTEST", "GUID": guid}
    with world.ledger:
        rows = services.change_request(values, world)
    if any(row.code not in "GS" for row in rows):
        raise Refused("Refused.", http=200, rows=rows)
    return Receipt(200)


@pytest.fixture
def world(tmp_path):
    """Spectrum, with a small company."""
    made = World(Master.load(write_master(tmp_path / "master.json")), Ledger(tmp_path / "ledger"))
    yield made
    made.ledger.close()


@pytest.fixture
def scene(world, commitment, dee, ana, eve):
    return Scene(world, commitment, dee, ana, eve)


def assert_said(found, begins, fix):
    """Among the findings is one that blocks, begins so, and says so what to do."""
    assert [one for one in found if one.blocking and one.text.startswith(begins) and one.fix.startswith(fix)], [str(one) for one in found]
