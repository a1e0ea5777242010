"""Spectrum numbers: whose each is under the key of company, job and customer, and what happens when that key changes."""

import json
import threading

import pytest
from bs4 import BeautifulSoup
from playhouse import migrations
from playhouse.migrate import SchemaMigrator

from portal import db
from portal.domain import events
from portal.domain.change_orders import Status, load
from portal.domain.commitments import Commitment
from portal.domain.companies import Company
from portal.domain.exporting.exports import Export
from portal.domain.projects import sending
from portal.domain.recovery import resolutions
from portal.domain.review import decisions, lists
from portal.domain.rules import checks, findings, spectrum_numbers
from portal.domain.rules.findings import Blocked
from portal.domain.rules.spectrum_numbers import SpectrumNumber, Taken
from portal.domain.wording import Wording
from portal.spectrum.records import NotSent, Receipt, Refused, Row
from tests.cast import export, seen, signed
from tests.conftest import HTMX, sign_in

pytestmark = pytest.mark.databases_differ("locks and races")

BAD_PHASE = Refused("Refused.", http=200, rows=[Row("I", "Phase is not on the job", "CR_Phase_Code")])


def accept(change_order, by, number="", **more):
    return signed(change_order.id, by, load(change_order.id).version, number=number, **more)


def recall(change_order, by):
    return decisions.recall(change_order.id, by, load(change_order.id).version)


def keep_books_as(code):
    Company.update(code=code).execute()


def taken():
    return {(row.company, row.number): row.change_order_id for row in SpectrumNumber.select()}


@pytest.fixture
def pair(make_change_order):
    """Two that wait, on one job and customer."""
    return make_change_order(), make_change_order()


@pytest.fixture
def robbed(pair, company, ana):
    """X-1 was the first one's under the old company code; under the present one it is the second one's."""
    first, second = pair
    accept(first, ana, "X-1")
    recall(first, ana)
    keep_books_as("XYZ")
    accept(second, ana, "X-1")
    return load(first.id), load(second.id)


@pytest.fixture
def robbed_after_sending(pair, company, ana, dee):
    """As `robbed`, but the first one was sent under its number, refused, and came back."""
    first, second = pair
    export(accept(first, ana, "X-1"), BAD_PHASE)
    decisions.reject(first.id, ana, load(first.id).version, "Wrong phase")
    sending.send(first.id, dee, load(first.id).version)
    keep_books_as("XYZ")
    accept(second, ana, "X-1")
    return load(first.id), load(second.id)


def test_a_number_is_taken_again_under_the_present_company_so_that_nobody_else_gets_it(pair, company, ana, lee):
    first, second = pair
    keep_books_as("TST")
    accept(first, ana, "X-1")
    recall(first, ana)
    keep_books_as("ABC")
    accept(first, ana)

    with pytest.raises(Blocked, match=r"X-1 is already used in Spectrum for job 24-117 by CCO 001 of SC-014\."):
        accept(second, lee, "X-1")

    assert taken() == {("TST", "X-1"): first.id, ("ABC", "X-1"): first.id}


@pytest.mark.parametrize("part", ["number", "customer"])
def test_a_number_is_taken_again_under_another_job_number_or_customer(pair, job, ana, lee, part):
    first, second = pair
    accept(first, ana, "X-1")
    recall(first, ana)
    setattr(job, part, "OTHER")
    job.save()
    accept(first, ana)

    with pytest.raises(Blocked, match="X-1 is already used"):
        accept(second, lee, "X-1")


def test_the_spelling_of_a_key_makes_no_other_number(pair, job, ana, lee):
    first, second = pair
    accept(first, ana, "x-1")
    job.customer = "Northside"
    job.save()

    with pytest.raises(Blocked, match="X-1 is already used"):
        accept(second, lee, " x-1 ")

    assert {(row.customer, row.number) for row in SpectrumNumber.select()} == {("NORTHSIDE", "X-1")}


def test_a_number_follows_its_change_order_under_another_company_while_it_is_free_there(change_order, ana, company):
    accept(change_order, ana, "X-1")
    recall(change_order, ana)
    keep_books_as("XYZ")

    assert spectrum_numbers.propose(load(change_order.id)) == spectrum_numbers.kept(load(change_order.id)) == "X-1"
    with pytest.raises(Blocked, match="has the Spectrum number X-1 for good"):
        accept(change_order, ana, "X-2")


def test_what_was_taken_meanwhile_and_never_sent_gets_another_number_with_a_warning(robbed, ana):
    first, second = robbed

    (warning,) = [finding for finding in checks.at_accept(first, Wording(spectrum_numbers.propose(first))) if finding.rule == 17]
    accept(first, ana)

    assert (warning.text, warning.blocking) == ("Its number X-1 belongs to CCO 002 of SC-014 now; S014-001 is used instead.", False)
    assert taken() == {("ABC", "X-1"): first.id, ("XYZ", "X-1"): second.id, ("XYZ", "S014-001"): first.id}
    assert events.history("change_order", first.id)[-1].facts["instead_of"] == "X-1"


def test_what_could_not_be_sent_counts_as_never_sent(pair, ana, ada, company, dee):
    first, second = pair
    export(accept(first, ana, "X-1"), NotSent("Connection refused."))
    queued = load(first.id)
    queued.move(Status.FAILED, queued.version)
    decisions.reject(first.id, ana, queued.version, "Out of reach for a day")
    sending.send(first.id, dee, load(first.id).version)
    keep_books_as("XYZ")
    accept(second, ana, "X-1")

    assert accept(first, ana).state is Status.QUEUED


def test_what_was_sent_under_the_lost_number_is_for_an_administrator_with_the_privilege(robbed_after_sending, ana):
    first, _ = robbed_after_sending

    with pytest.raises(Blocked) as refused:
        accept(first, ana, removed=True)

    (blocking,) = findings.blocking(refused.value.findings)
    assert blocking.text == "It was sent to Spectrum as X-1, and that number belongs to CCO 002 of SC-014 now."
    assert "An administrator with ‘Can Push to Accounting’" in blocking.fix


def test_another_number_after_sending_wants_the_word_that_the_old_lines_were_removed(robbed_after_sending, ada):
    first, _ = robbed_after_sending

    with pytest.raises(Blocked, match="Remove its lines under X-1 there, and tick the box"):
        accept(first, ada)
    accept(first, ada, removed=True)

    assert Export.get_by_id(load(first.id).export).number == "S014-001"
    told = events.history("change_order", first.id)[-1].facts
    assert (told["instead_of"], told["removed"]) == ("X-1", True)


def test_what_somebody_entered_by_hand_under_the_lost_number_counts_as_sent(pair, ana, ada, company, dee):
    first, second = pair
    export(accept(first, ana), BAD_PHASE)
    resolutions.mark_entered_manually(first.id, ada, load(first.id).version, "H-7", "typed in")
    resolutions.unlink(first.id, ada, load(first.id).version, "H-7")
    sending.send(first.id, dee, load(first.id).version)
    keep_books_as("XYZ")
    accept(second, ana, "H-7")

    with pytest.raises(Blocked, match="It was sent to Spectrum as H-7"):
        accept(first, ada)


def test_the_form_says_what_became_of_the_number_and_asks_for_the_tick(client, robbed_after_sending, ada):
    first, _ = robbed_after_sending
    sign_in(client, ada)
    path = f"/change-orders/{first.id}/acceptance"

    form = BeautifulSoup(client.get(path, headers=HTMX).text, "html.parser")
    refused = client.post(path, data=seen(first))  # a page without JavaScript
    accepted = client.post(path, data=seen(first, removed="on"))

    words = " ".join(form.text.split())
    assert "It was sent to Spectrum as X-1, a number of another change order by now." in words
    assert "Its number X-1 belongs to CCO 002 of SC-014 now; S014-001 is used instead." in words
    assert form.find("input", {"name": "number"})["value"] == "S014-001"
    assert (refused.status_code, accepted.status_code) == (422, 303)
    assert BeautifulSoup(refused.text, "html.parser").find("input", {"name": "removed", "aria-invalid": "true"})
    page = client.get(f"/change-orders/{first.id}").text
    assert (
        "accepted it as S014-001 instead of X-1, which another change order has now and under which nothing of it is left in Spectrum"
        in page
    )


def test_an_approver_who_is_no_administrator_reads_who_can(client, robbed_after_sending, ana):
    first, _ = robbed_after_sending

    form = BeautifulSoup(sign_in(client, ana).get(f"/change-orders/{first.id}/acceptance", headers=HTMX).text, "html.parser")

    assert form.find("input", {"name": "removed"}) is None
    assert "An administrator with ‘Can Push to Accounting’ accepts it under a new number" in " ".join(form.text.split())


def test_a_proposal_that_is_taken_names_its_holder_and_the_number_used_instead(client, make_change_order, job, vendor, ana):
    first = make_change_order()
    other = Commitment.create(job=job, vendor=vendor, number="SC-X014", title="Lighting", subcontract="SC-X014")
    second = make_change_order(number="001", commitment=other)
    accept(first, ana)

    form = BeautifulSoup(sign_in(client, ana).get(f"/change-orders/{second.id}/acceptance", headers=HTMX).text, "html.parser")

    assert form.find("input", {"name": "number"})["value"] == "S0000001"
    assert "The number S014-001 belongs to CCO 001 of SC-014; S0000001 is used instead." in " ".join(form.text.split())


def test_the_number_shown_is_the_one_in_force(make_change_order, ana, ada, company, dee):
    one = make_change_order()
    export(accept(one, ana, "X-1"), Receipt(200))
    keep_books_as("XYZ")

    shown = lists.row(one.id, ana).number

    assert shown == "X-1"


def test_a_number_that_was_had_before_is_in_force_again(make_change_order, ana, ada, dee):
    one = make_change_order()
    export(accept(one, ana, "X-1"), BAD_PHASE)
    resolutions.mark_entered_manually(one.id, ada, load(one.id).version, "X-2", "typed in")
    resolutions.unlink(one.id, ada, load(one.id).version, "X-2")
    sending.send(one.id, dee, load(one.id).version)
    export(accept(one, ana), BAD_PHASE)

    resolutions.mark_entered_manually(one.id, ada, load(one.id).version, "X-1", "typed in")

    assert spectrum_numbers.kept(load(one.id)) == "X-1"
    assert SpectrumNumber.select().count() == 2


def test_entered_by_hand_takes_the_number_under_the_present_key(pair, company, ana, ada, lee):
    first, second = pair
    export(accept(first, ana, "X-1"), BAD_PHASE)
    keep_books_as("XYZ")
    resolutions.mark_entered_manually(first.id, ada, load(first.id).version, "X-1", "typed into the new company")

    with pytest.raises(Blocked, match="X-1 is already used"):
        accept(second, lee, "X-1")


def test_entered_by_hand_names_who_has_the_number(pair, ana, ada):
    first, second = pair
    accept(second, ana, "X-1")
    export(accept(first, ana), BAD_PHASE)

    with pytest.raises(Blocked, match=r"The number X-1 belongs to CCO 002 of SC-014\."):
        resolutions.mark_entered_manually(first.id, ada, load(first.id).version, "X-1", "typed in")


def test_who_asks_for_a_number_of_another_is_told_whose_it_is(pair):
    first, second = pair
    spectrum_numbers.reserve(first, "X-1")

    with pytest.raises(Taken) as refused:
        spectrum_numbers.reserve(second, "X-1")

    assert refused.value.holder.id == first.id


def test_of_two_who_take_one_number_at_once_one_has_it_and_the_other_is_told_whose_it_is(pair, ana, lee, monkeypatch):
    """On PostgreSQL both have passed the checks when the first takes it; on SQLite the second waits before it looks."""
    start, told, reserve = threading.Barrier(2), [], spectrum_numbers.reserve

    def together(change_order, number):
        if not db.is_sqlite():
            start.wait(20)
        reserve(change_order, number)

    def press(change_order, by):
        with db.connected():
            try:
                accept(change_order, by, "X-1")
            except Blocked as refused:
                told.append((change_order.id, str(refused)))

    monkeypatch.setattr(spectrum_numbers, "reserve", together)
    racers = [threading.Thread(target=press, args=pressing) for pressing in zip(pair, (ana, lee), strict=True)]

    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()

    ((loser, sentence),) = told
    (holder,) = [one for one in pair if one.id != loser]
    assert taken() == {("ABC", "X-1"): holder.id}
    assert f"CCO {holder.number} of SC-014" in sentence
    assert (load(holder.id).state, load(loser).state) == (Status.QUEUED, Status.READY)
    assert Export.select().count() == 1


def test_a_database_of_before_takes_each_number_under_the_key_it_was_accepted_under(pair, ana, company):
    first, second = pair
    accept(first, ana, "X-1")
    accept(second, ana, "X-2")
    recall(second, ana)
    with db.transaction():
        frozen = json.loads(Export.get(change_order=first).frozen)
        frozen["header"]["Company_Code"] = "xyz"
        Export.update(frozen=json.dumps(frozen)).where(Export.change_order == first).execute()
        SpectrumNumber.update(customer="Northside").execute()
        known = migrations.Runner(db.database.obj, str(db.MIGRATIONS)).status()
        migration = next(one for one in known if one.name.endswith("_number_turns")).load()
        migrator = SchemaMigrator.from_database(db.database.obj)
        migration.down(migrator, db.database.obj)

        migration.up(migrator, db.database.obj)

    rows = SpectrumNumber.select().order_by(SpectrumNumber.change_order, SpectrumNumber.turn)
    assert [(row.company, row.customer, row.number, row.change_order_id) for row in rows] == [
        ("ABC", "NORTHSIDE", "X-1", first.id),
        ("XYZ", "NORTHSIDE", "X-1", first.id),
        ("ABC", "NORTHSIDE", "X-2", second.id),
    ]
