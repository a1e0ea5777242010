"""Failed exports with one cause carry one, and a cause says when it was first seen and when it came back."""

import pytest

from portal.domain.change_orders import ChangeOrder, Status, load
from portal.domain.exporting import failure_causes
from portal.domain.exporting.failure_causes import FailureCause
from portal.domain.recovery import resolutions
from portal.spectrum.records import Refused, Row
from tests.cast import export


def refused(code, column, text):
    return Refused("Refused.", http=200, rows=[Row(code, text, column)], answer="<x/>")


def fail(change_order, answer):
    """The change order, queued before, as it failed."""
    export(change_order, answer)
    return load(change_order.id)


def retried(change_order, by):
    return resolutions.retry(change_order.id, by, change_order.version)


@pytest.mark.parametrize(
    ("said", "normalized"),
    [
        ("Phase 03-110 is not on job 2501.", "Phase … is not on job …."),
        ("Phase   03-110,  cost type S", "Phase …, cost type S"),
        ("The vendor “Acme Concrete” isn't linked, can't be.", "The vendor … isn't linked, can't be."),
        ("Customer 'NORTHSIDE' is missing", "Customer … is missing"),
        ("", ""),
    ],
)
def test_what_differs_from_failure_to_failure_is_left_out(said, normalized):
    assert failure_causes.normalized(said) == normalized


def test_failures_that_read_the_same_but_for_numbers_have_one_cause(make_change_order):
    one, two, other = (make_change_order("queued") for _ in range(3))

    fail(one, refused("I", "CR_Phase_Code", "Phase 03-110 is not on the job"))
    fail(two, refused("I", "CR_Phase_Code", "Phase 16-2000 is not on the job"))
    fail(other, refused("I", "Origination_Date", "Period 11 is closed"))

    causes = [load(each.id).cause for each in (one, two, other)]
    assert causes[0] == causes[1] != causes[2]
    assert FailureCause.get_by_id(causes[0]).title == "The phase and cost type may be missing on the job, or Complete."
    assert FailureCause.get_by_id(causes[0]).said == "Phase … is not on the job"


def test_a_failed_export_knows_when_it_failed(make_change_order, clock):
    failed = make_change_order("failed")

    assert failed.failed_at == clock.now()


def test_an_unknown_outcome_that_is_not_there_fails_by_a_cause_of_its_own(make_change_order, ana, clock):
    unknown = make_change_order("unknown")
    clock.tick(minutes=20)

    said = resolutions.mark_absent(unknown.id, ana, unknown.version, "Looked in the list")

    cause = FailureCause.get_by_id(load(said.id).cause)
    assert (cause.kind, cause.title) == ("temporary", resolutions.ABSENT)


def test_a_cause_of_which_nothing_was_left_is_back_when_another_change_order_fails_by_it(make_change_order, ana, clock):
    first, second = make_change_order("failed"), make_change_order("queued")
    cause = FailureCause.get_by_id(first.cause)
    retried(first, ana)
    clock.tick(hours=1)

    fail(second, refused("I", "CR_Phase_Code", "Phase is not on the job"))

    assert FailureCause.get_by_id(cause.id).returned_at == clock.now()


def test_a_retry_that_fails_in_the_same_way_brings_nothing_back(make_change_order, ana, clock):
    failed = make_change_order("failed")
    clock.tick(hours=1)
    retried(failed, ana)

    fail(failed, refused("I", "CR_Phase_Code", "Phase is not on the job"))

    assert FailureCause.get().returned_at is None


def test_one_more_while_others_are_left_brings_nothing_back(make_change_order, clock):
    make_change_order("failed")
    clock.tick(hours=1)

    make_change_order("failed")

    assert FailureCause.select().count() == 1
    assert FailureCause.get().returned_at is None
    assert ChangeOrder.select().where(ChangeOrder.status == Status.FAILED).count() == 2
