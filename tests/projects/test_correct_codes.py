"""Codes that an administrator or approver corrects: told, checked anew, and not decided about by whoever changed them."""

import threading

import pytest
from bs4 import BeautifulSoup

from portal import db
from portal.background import tasks
from portal.domain import events
from portal.domain.change_orders import ChangeOrder, Status, load
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.exporting.outdated import Unconfirmed
from portal.domain.lanes import MAIL
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import NotPermitted
from portal.domain.projects import correct_codes, sending
from portal.domain.projects.correct_codes import Moved
from portal.domain.recovery import resolutions, second_review
from portal.domain.review import decisions, lists, views
from portal.domain.rules import contributors, duplicates, spectrum_numbers
from portal.domain.rules.contributors import CODE, DEEDS, CodeHand
from portal.domain.rules.findings import Blocked
from portal.spectrum.records import Receipt
from tests.cast import export, signed
from tests.conftest import sign_in

pytestmark = pytest.mark.databases_differ("constraints and triggers")

KINDS = {"customer": (Job, "customer"), "vendor_code": (Vendor, "code"), "subcontract": (Commitment, "subcontract")}


def address(commitment):
    return f"/commitments/{commitment.id}/codes"


def correct(commitment, kind, by, value="NEW-1", confirmed=0):
    _, field = KINDS[kind]
    held = Commitment.get_by_id(commitment.id)
    correct_codes.correct(held, kind, getattr(correct_codes.KINDS[kind].of(held), field), value, by, confirmed)


def accept(change_order, by, **typed):
    return signed(change_order.id, by, load(change_order.id).version, **typed)


@pytest.mark.parametrize("kind", KINDS)
def test_a_correction_is_an_event_with_old_and_new_value(commitment, eve, kind):
    model, field = KINDS[kind]
    old = getattr(model.get(), field)

    correct(commitment, kind, eve)

    event = events.Event.select().order_by(events.Event.seq.desc()).get()
    assert getattr(model.get(), field) == "NEW-1"
    assert (event.subject, event.action, event.actor) == (model._meta.table_name, "code corrected", eve)
    assert (event.facts["old"], event.facts["new"]) == ({field: old}, {field: "NEW-1"})


@pytest.mark.parametrize("kind", KINDS)
def test_what_waits_is_checked_again(commitment, make_change_order, eve, kind):
    model, field = KINDS[kind]
    draft = make_change_order("draft")
    model.update({field: ""}).execute()
    sending.edit(
        draft.id,
        draft.created_by,
        draft.version,
        sending.Draft(draft.number, "Again", "", [sending.LineDraft("16-2000", "SUB", draft.amount)]),
    )
    assert load(draft.id).checks == "block"

    correct(commitment, kind, eve)

    assert load(draft.id).checks == "clean"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_whoever_set_a_code_does_not_decide_about_what_is_sent_under_it(commitment, make_change_order, ana, ada, kind, when):
    waiting = make_change_order() if when == "before" else None
    correct(commitment, kind, ada)
    waiting = waiting or make_change_order()

    with pytest.raises(NotPermitted, match="You changed a code under which this change order is sent"):
        accept(waiting, ada)

    assert [row.why_not != "" for row in lists.page(views.BY_KEY["ready"], ada).rows] == [True]
    assert accept(waiting, ana).state is Status.QUEUED


def test_once_another_approver_has_accepted_under_a_code_it_is_seen_by_four_eyes(commitment, make_change_order, ana, ada):
    correct(commitment, "vendor_code", ada)
    first = make_change_order()
    accept(first, ana)

    later = make_change_order()

    assert contributors.of(load(first.id))[ada.id] == DEEDS[CODE]
    assert accept(later, ada).state is Status.QUEUED


def test_what_waited_when_a_code_was_corrected_is_for_another_one_also_after_the_first_accept(commitment, make_change_order, ana, ada):
    waiting, first = make_change_order(), make_change_order()
    correct(commitment, "vendor_code", ada)
    accept(first, ana)

    with pytest.raises(NotPermitted, match="You changed a code under which this change order is sent"):
        accept(waiting, ada)


def test_a_code_that_another_one_corrects_is_no_longer_the_first_ones(commitment, make_change_order, ada, ana):
    correct(commitment, "subcontract", ada)
    correct(commitment, "subcontract", ana, "NEW-2")

    assert contributors.of(make_change_order()).get(ada.id) is None
    assert [hand.person_id for hand in CodeHand.select()] == [ana.id]


def test_what_an_unlinked_one_is_sent_under_anew_counts_too(commitment, make_change_order, ada):
    exported = make_change_order("exported")

    correct(commitment, "subcontract", ada)

    assert contributors.of(load(exported.id))[ada.id] == DEEDS[CODE]


def test_what_was_accepted_under_the_old_code_is_reviewed_again_and_goes_out_under_the_new_one(commitment, make_change_order, ana, eve):
    queued = make_change_order("queued")
    correct(commitment, "customer", eve, "SOUTHSIDE", confirmed=1)
    export(load(queued.id), Receipt(200))
    failed = load(queued.id)
    assert failed.state is Status.FAILED
    with pytest.raises(Blocked, match="customer code"):
        resolutions.retry(failed.id, ana, failed.version)

    second_review.review_again(failed.id, ana, failed.version)
    accepted = accept(failed, ana)
    export(accepted, Receipt(200))

    held = [(row.customer, row.number) for row in spectrum_numbers.SpectrumNumber.select().order_by(spectrum_numbers.SpectrumNumber.turn)]
    assert load(queued.id).state is Status.EXPORTED
    assert held == [("NORTHSIDE", "S014-001"), ("SOUTHSIDE", "S014-001")]


def test_under_a_new_customer_a_number_that_is_free_there_stays_and_one_that_is_taken_does_not(commitment, make_change_order, ana, eve):
    first, second = make_change_order(), make_change_order()
    accept(first, ana, number="X-1")
    decisions.recall(first.id, ana, load(first.id).version)
    correct(commitment, "customer", eve, "SOUTHSIDE")
    accept(second, ana, number="X-1")

    with pytest.raises(Blocked, match=f"X-1 is already used in Spectrum .* by CCO {second.number}"):
        accept(first, ana, number="X-1")

    assert accept(first, ana).state is Status.QUEUED


def test_a_look_alike_of_another_subcontract_number_holds_it_up(commitment, make_change_order, job, vendor, eve):
    other = Commitment.create(job=job, vendor=vendor, number="PO-7", subcontract="SC-077")
    waiting = make_change_order("draft")

    correct(other, "subcontract", eve, "SC014")

    assert [one.kind for one in duplicates.of_one(load(waiting.id))] == [duplicates.SUBCONTRACT]
    assert load(waiting.id).checks == "block"


def test_what_somebody_else_changed_meanwhile_is_a_409_with_what_it_is_now(client, commitment, eve, ada):
    correct(commitment, "subcontract", ada, "SC-15")
    sign_in(client, eve)

    answer = client.post(address(commitment), data={"what": "subcontract", "seen": "SC-014", "value": "SC-16"})

    assert answer.status_code == 409
    assert "someone else changed the subcontract number meanwhile. It is now SC-15." in answer.text
    assert 'value="SC-16"' in answer.text
    assert Commitment.get().subcontract == "SC-15"


def test_of_two_who_correct_one_code_at_once_only_one_is_recorded(commitment, eve, ada):
    start, refused = threading.Barrier(2), []

    def at_once(by, value):
        with db.connected():
            held = Commitment.get_by_id(commitment.id)
            start.wait()
            try:
                correct_codes.correct(held, "subcontract", "SC-014", value, by)
            except Moved as error:
                refused.append(error)

    threads = [threading.Thread(target=at_once, args=pair) for pair in ((eve, "SC-1"), (ada, "SC-2"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    told = [event.facts["new"] for event in events.history("commitment", commitment.id)]
    assert len(refused) == 1
    assert told == [{"subcontract": Commitment.get().subcontract}]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("typed", ["", " ", "X" * 11, "A/B", "A\u200bB", "Ä?"])
def test_what_is_no_code_is_refused_with_what_was_typed(client, commitment, eve, kind, typed):
    model, field = KINDS[kind]
    old = getattr(model.get(), field)

    answer = sign_in(client, eve).post(address(commitment), data={"what": kind, "seen": old, "value": typed})

    assert answer.status_code == 422
    assert BeautifulSoup(answer.text, "html.parser").find(id=f"{kind}-error")
    assert getattr(model.get(), field) == old
    assert not CodeHand.select().exists()


def test_two_vendors_do_not_get_one_code(company, commitment, eve):
    Vendor.create(company=company, name="Amp Inc", code="AMP-1")

    with pytest.raises(ValueError, match="Amp Inc has the vendor code AMP-1"):
        correct(commitment, "vendor_code", eve, "amp–1")


def test_a_commitment_without_a_vendor_is_given_one_there(client, company, job, make_change_order, eve):
    bare = Commitment.create(job=job, vendor=None, number="SC-099", subcontract="SC-099")
    draft = make_change_order("draft", commitment=bare)
    known = Vendor.create(company=company, name="Amp Inc", code="AMP-1")
    assert draft.checks == "block"
    sign_in(client, eve)

    answer = client.post(address(bare), data={"what": "vendor", "seen": "", "vendor": known.id})

    assert answer.status_code == 303
    assert load(draft.id).commitment.vendor == known
    assert load(draft.id).checks == "clean"
    assert events.history("commitment", bare.id)[-1].facts["new"] == {"vendor": "Amp Inc (AMP-1)"}


def test_it_may_be_a_new_one(client, job, eve):
    bare = Commitment.create(job=job, vendor=None, number="SC-099", subcontract="SC-099")

    form = {"what": "vendor", "seen": "", "vendor": "", "name": "Amp Inc", "code": "AMP-1"}
    answer = sign_in(client, eve).post(address(bare), data=form)

    made = Commitment.get_by_id(bare.id).vendor
    assert answer.status_code == 303
    assert (made.name, made.code) == ("Amp Inc", "AMP-1")
    assert {(hand.thing, hand.field) for hand in CodeHand.select()} == {("vendor", "code"), ("commitment", "vendor")}


@pytest.mark.parametrize(
    "form", [{"vendor": "999"}, {"vendor": "x"}, {"name": "Amp"}, {"name": "", "code": "AMP"}, {"name": "\u0007", "code": "AMP"}]
)
def test_what_is_no_vendor_is_refused(client, commitment, vendor, eve, form):
    answer = sign_in(client, eve).post(address(commitment), data={"what": "vendor", "seen": vendor.id} | form)

    assert answer.status_code == 422
    assert Commitment.get().vendor == vendor
    assert Vendor.select().count() == 1


def test_a_purchase_order_that_is_a_subcontract_in_spectrum_is_said_to_be_one(client, job, vendor, make_change_order, eve):
    order = Commitment.create(job=job, vendor=vendor, number="PO-7", kind="purchase order", subcontract="PO-7")
    draft = make_change_order("draft", commitment=order)
    assert draft.checks == "block"

    sign_in(client, eve).post(address(order), data={"what": "as_subcontract", "seen": "", "value": "on"})

    assert Commitment.get_by_id(order.id).as_subcontract
    assert load(draft.id).checks == "clean"


@pytest.mark.parametrize("who", ["ben", "sam"])
def test_nobody_but_administrators_and_approvers_corrects_codes(client, request, commitment, who):
    person = request.getfixturevalue(who)
    sign_in(client, person)

    answer = client.post(address(commitment), data={"what": "subcontract", "seen": "SC-014", "value": "SC-16"})

    assert answer.status_code == 403
    assert correct_codes.ONLY in answer.text
    assert "Only administrators and approvers" in client.get(address(commitment)).text
    assert Commitment.get().subcontract == "SC-014"


@pytest.mark.parametrize("who", ["eve", "ana"])
def test_who_they_are_is_proved_anew_before(client, request, commitment, clock, who):
    sign_in(client, request.getfixturevalue(who))
    clock.tick(minutes=16)

    answer = client.post(address(commitment), data={"what": "subcontract", "seen": "SC-014", "value": "SC-16"})

    assert answer.status_code == 401
    assert Commitment.get().subcontract == "SC-014"


def test_every_administrator_is_told_by_mail(commitment, eve, ada, make_app, catcher):
    app = make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port)

    correct(commitment, "vendor_code", eve, "VOLT-2")
    with app.app_context():
        tasks.drain(MAIL)

    mails = catcher.mails()
    assert sorted(mail["to"] for mail in mails) == [["ada@example.test"], ["eve@example.test"]]
    assert {mail["subject"] for mail in mails} == {"Spectrum code corrected: Vendor Volt Electric Co"}
    assert "Eve Laurent corrected" in mails[0]["text"]
    assert "code: VOLTCO -> VOLT-2" in mails[0]["text"]


def test_a_code_that_stays_what_it_is_tells_nobody(commitment, eve):
    correct(commitment, "vendor_code", eve, "VOLTCO")

    assert not Dispatch.select().where(Dispatch.task == Task.CODE).exists()
    assert not CodeHand.select().exists()


def test_the_finding_leads_to_the_page_and_the_page_to_the_audit_trail(client, commitment, make_change_order, eve):
    waiting = make_change_order()
    Vendor.update(code="").execute()
    sign_in(client, eve)

    page = BeautifulSoup(client.get(f"/change-orders/{waiting.id}").text, "html.parser")
    correct(commitment, "vendor_code", eve)

    assert page.find("a", string="Spectrum codes")["href"] == address(commitment)
    assert "Code corrected" in client.get("/settings/audit").text


@pytest.mark.parametrize("what", ["", "number", "company", "__class__"])
def test_what_is_no_code_of_the_page_is_a_400(client, commitment, eve, what):
    assert sign_in(client, eve).post(address(commitment), data={"what": what, "seen": "", "value": "X"}).status_code == 400


def test_the_kind_of_a_commitment_is_corrected_and_what_waits_is_checked_again(client, commitment, make_change_order, eve):
    draft = make_change_order("draft")
    page = sign_in(client, eve)

    answer = page.post(address(commitment), data={"what": "kind", "seen": "subcontract", "value": "purchase order"})

    assert answer.status_code == 303
    assert (Commitment.get_by_id(commitment.id).kind, load(draft.id).checks) == ("purchase order", "block")
    event = events.history("commitment", commitment.id)[-1]
    assert (event.facts["old"], event.facts["new"]) == ({"kind": "subcontract"}, {"kind": "purchase order"})


@pytest.mark.parametrize(("seen", "value", "status"), [("purchase order", "purchase order", 409), ("subcontract", "contract", 422)])
def test_a_kind_that_is_none_or_was_changed_meanwhile_is_refused(client, commitment, eve, seen, value, status):
    answer = sign_in(client, eve).post(address(commitment), data={"what": "kind", "seen": seen, "value": value})

    assert answer.status_code == status
    assert Commitment.get_by_id(commitment.id).kind == "subcontract"


@pytest.fixture
def accepted(make_change_order, ana):
    """Two that were accepted under the present codes; one of them failed."""
    both = [accept(make_change_order(), ana) for _ in range(2)]
    failed = both[1].id
    ChangeOrder.update(status=Status.FAILED).where(ChangeOrder.id == failed).execute()
    make_change_order("exported")
    return both


def typed_for(kind, commitment):
    """What the form of the page says for another value, and where the value it shows stands."""
    if kind == "vendor":
        return {"what": kind, "seen": commitment.vendor.id, "vendor": "", "name": "Bright", "code": "BRIGHT"}
    held, field = correct_codes.KINDS[kind].of(commitment), correct_codes.KINDS[kind].field
    return {"what": kind, "seen": getattr(held, field), "value": "NEW-1"}


@pytest.mark.parametrize("kind", [*KINDS, "vendor"])
def test_saving_a_code_says_first_how_many_accepted_ones_carry_the_old_one(client, commitment, accepted, eve, kind):
    form = typed_for(kind, commitment)
    sign_in(client, eve)
    before = events.Event.select().count()

    asked = client.post(address(commitment), data=form)
    after = events.Event.select().count()

    page = BeautifulSoup(asked.text, "html.parser")
    told = page.select_one(f"form#{kind} #carriers")
    assert (asked.status_code, after) == (409, before)
    assert "2 change orders were accepted with the old value and are not exported yet." in " ".join(told.text.split())
    assert told.find("input", {"name": "confirmed"})["value"] == "2"
    assert page.find(id="vendor-code" if kind == "vendor" else f"{kind}-value")["value"] in ("NEW-1", "BRIGHT")
    saved = client.post(address(commitment), data=form | {"confirmed": "2"})
    assert saved.status_code == 303


@pytest.mark.parametrize("kind", [*KINDS, "vendor"])
def test_what_was_accepted_after_the_question_is_asked_about_again(client, commitment, accepted, eve, kind):
    answer = sign_in(client, eve).post(address(commitment), data=typed_for(kind, commitment) | {"confirmed": "1"})

    assert answer.status_code == 409


def test_only_those_under_the_code_are_counted(job, vendor, commitment, accepted, eve):
    other = Commitment.create(job=job, vendor=vendor, number="SC-015", subcontract="SC-015")

    correct(other, "subcontract", eve)
    correct_codes.give_vendor(other, vendor.id, None, "Bright", "BRIGHT", eve)
    with pytest.raises(Unconfirmed) as refused:
        correct(other, "customer", eve)

    assert refused.value.count == 2
    assert Job.get().customer == "NORTHSIDE"


def test_another_spelling_of_a_code_stops_nothing_and_asks_nothing(commitment, accepted, eve):
    correct(commitment, "subcontract", eve, "sc-014")

    assert Commitment.get().subcontract == "sc-014"
