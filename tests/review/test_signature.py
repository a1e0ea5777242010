"""What you see is what you sign: Accept compares every value that the form showed with what it is now."""

import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import urlencode

import peewee
import pytest
from bs4 import BeautifulSoup

from portal import db
from portal.domain.change_orders import ChangeOrder, LineItem, Status, load
from portal.domain.commitments import Commitment, Job, Kind, Vendor
from portal.domain.companies import Company
from portal.domain.exporting import payload
from portal.domain.exporting.exports import Export
from portal.domain.review import decisions, signature
from portal.domain.review.signature import Changed
from portal.domain.rules.spectrum_numbers import SpectrumNumber
from portal.domain.wording import Wording
from tests.cast import seen
from tests.conftest import HTMX, sign_in

pytestmark = pytest.mark.databases_differ("locks and races")

CHANGES = [
    (Company, {"code": "XYZ"}, "Company code is now XYZ (it was ABC)."),
    (Company, {"cr_status": "R"}, "Change request status is now R (it was CR)."),
    (Company, {"cr_approves": True, "cost_reimbursable": "Y"}, "Status means Approved (action type 1 or 2) is now yes (it was no)."),
    (Company, {"cost_reimbursable": "Y"}, "Cost-reimbursable flag is now Y (it was N)."),
    (Company, {"sub_status": "R"}, "Subcontract status is now R (it was P)."),
    (Company, {"sub_status": ""}, "Subcontract status is now empty (it was P)."),
    (Job, {"customer": "EASTSIDE"}, "Customer code is now EASTSIDE (it was NORTHSIDE)."),
    (Job, {"number": "24-118"}, "Job number is now 24-118 (it was 24-117)."),
    (Vendor, {"code": "VOLT2"}, "Vendor code is now VOLT2 (it was VOLTCO)."),
    (Vendor, {"name": "Ampere Co"}, "Vendor is now Ampere Co (it was Volt Electric Co)."),
    (Commitment, {"subcontract": "SC-15"}, "Subcontract number is now SC-15 (it was SC-014)."),
    (Commitment, {"number": "SC-016"}, "Commitment is now SC-016 (it was SC-014)."),
    (Commitment, {"kind": Kind.PURCHASE_ORDER}, "Kind of commitment is now purchase order (it was subcontract)."),
    (ChangeOrder, {"currency": "EUR"}, "Currency is now EUR (it was USD)."),
]


def path(change_order, place="acceptance"):
    return f"/change-orders/{change_order.id}/{place}"


def form_in(answer):
    """The fields of the Accept form in the answer, as a browser would send them."""
    form = BeautifulSoup(answer.text, "html.parser").select_one("form.decision")
    return {field["name"]: field.get("value", "") for field in form.select("input[name]")}


def told(answer):
    return " ".join(BeautifulSoup(answer.text, "html.parser").get_text(" ", strip=True).split())


def nothing_recorded(change_order):
    return (load(change_order.id).status, Export.select().count(), SpectrumNumber.select().count()) == ("ready", 0, 0)


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["fragment", "page"])
@pytest.mark.parametrize(("thing", "changes", "sentence"), CHANGES)
def test_a_value_that_changed_after_the_form_was_opened_is_named_and_nothing_is_recorded(
    client, ana, change_order, thing, changes, sentence, headers
):
    form = form_in(sign_in(client, ana).get(path(change_order), headers=headers))
    thing.update(**changes).execute()

    answer = client.post(path(change_order), data=form, headers=headers)

    assert answer.status_code == 409
    assert sentence in told(answer)
    assert nothing_recorded(change_order)


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["fragment", "page"])
def test_the_answer_is_the_form_as_it_is_now_which_can_be_signed(client, ana, change_order, headers):
    form = form_in(sign_in(client, ana).get(path(change_order), headers=headers)) | {"number": "S-9"}
    Company.update(cr_status="R").execute()

    refused = client.post(path(change_order), data=form, headers=headers)
    again = form_in(refused)
    accepted = client.post(path(change_order), data=again, headers=headers)

    assert again["number"] == "S-9"
    assert BeautifulSoup(refused.text, "html.parser").select_one("details.receives").has_attr("open")
    assert accepted.status_code == (200 if headers else 303)
    assert "R" in Export.get().payload.header.values()


def test_the_sentence_has_the_focus(client, ana, change_order):
    form = form_in(sign_in(client, ana).get(path(change_order), headers=HTMX))
    Company.update(cr_status="R").execute()

    row = BeautifulSoup(client.post(path(change_order), data=form, headers=HTMX).text, "html.parser")

    assert row.tr["data-focus"] == f"#changed-{change_order.id}"
    assert row.find(id=f"changed-{change_order.id}")
    assert len(row.select("[autofocus]")) == 1


def test_all_that_changed_is_named_at_once(ana, change_order):
    marks = signature.marks(change_order)
    Company.update(cr_status="R", code="XYZ").execute()
    Vendor.update(code="VOLT2").execute()

    with pytest.raises(Changed) as refused:
        decisions.accept(change_order.id, ana, change_order.version, marks)

    assert [change.about for change in refused.value.changes] == ["Company code", "Change request status", "Vendor code"]


def test_a_line_that_is_no_longer_there_is_named(make_change_order, ana):
    change_order = make_change_order(lines=[("16-2000", "SUB", "4250.00"), ("16-3000", "SUB", "0.00")])
    marks = signature.marks(change_order)
    LineItem.delete().where(LineItem.change_order == change_order, LineItem.position == 2).execute()

    with pytest.raises(Changed, match=r"^Line 2 is now empty\.$"):
        decisions.accept(change_order.id, ana, change_order.version, marks)


def test_a_long_value_is_told_as_it_is_now(ana, change_order, job):
    Job.update(name="Harbor Tower, north wing, with the parking deck").execute()
    marks = signature.marks(load(change_order.id))
    Job.update(name="Harbor Tower").execute()

    with pytest.raises(Changed, match=r"^Job name is now Harbor Tower\.$"):
        decisions.accept(change_order.id, ana, change_order.version, marks)


def test_the_default_date_of_today_is_nobodys_choice_and_may_move_on(client, ana, change_order, clock):
    clock.set(datetime(2026, 12, 1, 5, 59, tzinfo=UTC))
    form = form_in(sign_in(client, ana).get(path(change_order), headers=HTMX))
    clock.tick(minutes=2)

    answer = client.post(path(change_order), data=form, headers=HTMX)

    assert answer.status_code == 200
    assert Export.get().payload.header["Origination_Date"] == "12/01/2026"


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["fragment", "page"])
@pytest.mark.parametrize("what", [[], [""], ["Vendor"], ["x" * 90_000], "twice", [urlencode([("Vendor", "a"), ("Vendor", "b")])]])
def test_a_form_that_does_not_say_what_it_showed_decides_nothing(client, ana, change_order, what, headers):
    form = seen(change_order)
    form["seen"] = [form["seen"]] * 2 if what == "twice" else what

    answer = sign_in(client, ana).post(path(change_order), data=form, headers=headers)

    assert answer.status_code == 400
    assert "The form does not say what it showed you. Nothing was recorded: reload the page and decide again." in answer.text
    assert nothing_recorded(change_order)


def test_a_value_that_the_form_leaves_out_was_not_seen(ana, change_order):
    marks = {about: mark for about, mark in signature.marks(change_order).items() if about != "Vendor code"}

    with pytest.raises(Changed, match=r"^Vendor code is now VOLTCO\.$"):
        decisions.accept(change_order.id, ana, change_order.version, marks)


def test_a_change_is_told_before_anything_else_that_is_wrong_with_the_form(client, ana, change_order):
    form = form_in(sign_in(client, ana).get(path(change_order), headers=HTMX))
    Company.update(cr_status="R").execute()

    answer = client.post(path(change_order), data=form | {"number": "S_1"}, headers=HTMX)

    assert answer.status_code == 409
    assert "Change request status is now R (it was CR)." in told(answer)


def test_a_day_that_is_none_does_not_make_a_change_pass_unseen(client, ana, change_order):
    form = form_in(sign_in(client, ana).get(path(change_order), headers=HTMX))
    Company.update(cr_status="R").execute()

    corrected = form_in(client.post(path(change_order), data=form | {"accounting_date": "soon"}, headers=HTMX))
    answer = client.post(path(change_order), data=corrected, headers=HTMX)

    assert answer.status_code == 409
    assert "Change request status is now R (it was CR)." in told(answer)
    assert nothing_recorded(change_order)


def test_a_preview_without_javascript_does_not_make_a_change_pass_unseen(client, ana, change_order):
    form = form_in(sign_in(client, ana).get(path(change_order)))
    Company.update(cr_status="R").execute()

    previewed = form_in(client.post(path(change_order, "preview"), data=form))
    answer = client.post(path(change_order), data=previewed)

    assert answer.status_code == 409
    assert "Change request status is now R (it was CR)." in told(answer)
    assert nothing_recorded(change_order)


@pytest.mark.parametrize("place", ["acceptance", "preview"])
def test_no_refusal_gives_an_old_form_the_version_of_what_nobody_has_seen(client, ana, change_order, place):
    form = form_in(sign_in(client, ana).get(path(change_order)))
    type(change_order).update(version=change_order.version + 2).execute()

    answer = client.post(path(change_order, place), data=form | {"accounting_date": "soon"})

    assert answer.status_code == 409
    assert "Nothing was recorded." in told(answer)


def test_the_repeat_of_a_decision_that_was_recorded_is_no_new_one(client, ana, change_order):
    form = form_in(sign_in(client, ana).get(path(change_order), headers=HTMX))
    client.post(path(change_order), data=form, headers=HTMX)
    Company.update(cr_status="R").execute()

    again = client.post(path(change_order), data=form, headers=HTMX)

    assert again.status_code == 200
    assert Export.select().count() == 1


def variations(row):
    """Each field of the row with another value, in memory."""
    for field in type(row)._meta.sorted_fields:
        before = getattr(row, field.name) if not isinstance(field, peewee.ForeignKeyField | peewee.AutoField) else None
        other = {bool: not before, str: "Y" if before == "N" else "R", int: 7, Decimal: Decimal("9.00")}.get(type(before))
        if other is not None:
            setattr(row, field.name, other)
            yield f"{type(row).__name__}.{field.name}"
            setattr(row, field.name, before)


def test_whatever_changes_what_spectrum_gets_is_among_what_is_signed(change_order):
    def drawn():
        return payload.build(change_order, Wording("S-1", accounting_date=date(2026, 11, 30)))

    parts = [change_order.company, change_order.job, change_order.commitment, change_order.commitment.vendor, change_order]
    before, signed, moved, missing = drawn(), signature.marks(change_order), [], []

    for row in [*parts, *change_order.lines]:
        for name in variations(row):
            if drawn() != before:
                moved.append(name)
                missing += [name] if signature.marks(change_order) == signed else []

    assert {"Company.cr_status", "Job.customer", "Vendor.code", "Commitment.subcontract", "LineItem.amount"} <= set(moved)
    assert [name for name in missing if name != "ChangeOrder.id"] == []  # which is said in a comment, and stays


def test_a_setting_that_is_being_saved_is_waited_for_and_then_compared(ana, change_order, database_url):
    marks, saving, saved = signature.marks(change_order), threading.Event(), threading.Event()

    def save():
        with db.connected(), db.transaction():
            Company.update(cr_status="R").execute()
            saving.set()
            saved.wait(1)  # Accept is on its way meanwhile

    other = threading.Thread(target=save)
    other.start()
    saving.wait()
    with pytest.raises(Changed, match="Change request status is now R"):
        decisions.accept(change_order.id, ana, change_order.version, marks)
    saved.set()
    other.join()

    assert load(change_order.id).state is Status.READY
