"""Reject: the reason, who is told, and every way it can be refused."""

import pytest

from portal.domain.change_orders import Status, load
from portal.domain.events import Event
from portal.domain.outbox import Dispatch
from portal.domain.people import User
from tests.cast import signed
from tests.conftest import HTMX, path_of, sign_in
from tests.pages import soup, words

REASON = "Line 2 belongs to phase 26-0519. Please correct it."


def rejecting(change_order):
    return f"/change-orders/{change_order.id}/rejection"


def seen(change_order, reason=REASON):
    return {"version": change_order.version, "reason": reason}


def test_the_form_asks_what_has_to_change(client, ana, change_order):
    row = soup(sign_in(client, ana).get(rejecting(change_order), headers=HTMX))

    label = row.find("label", string="What has to change? The sender sees this.")
    assert row.find("textarea", id=label["for"])["name"] == "reason"
    assert [words(button) for button in row.find_all("button")] == ["Reject", "Cancel"]


def test_rejecting_replaces_the_row_with_the_reason(client, ana, change_order):
    answer = sign_in(client, ana).post(rejecting(change_order), data=seen(change_order), headers=HTMX)

    assert answer.status_code == 200
    row = soup(answer).tr
    assert "Rejected" in words(row)
    assert REASON in words(row)
    assert row["data-say"] == "CCO 001 of SC-014 sent back to Dee Sørensen. Nothing left."
    assert not row.get("hx-get")


def test_rejecting_keeps_the_reason_and_promises_one_mail(client, ana, dee, change_order):
    sign_in(client, ana).post(rejecting(change_order), data=seen(change_order), headers=HTMX)

    event = Event.select().where(Event.action == "rejected").get()
    assert event.facts["reason"] == REASON
    assert [dispatch.key for dispatch in Dispatch.select()] == [f"rejected:{change_order.id}:1:{dee.id}"]
    assert load(change_order.id).state is Status.REJECTED


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("", "Give the project team a reason."),
        (" \n\t ", "Give the project team a reason."),
        ("x" * 1001, "The reason has 1001 characters; 1000 fit."),
        ("Wrong\x00phase", "contains control characters"),
    ],
)
def test_a_reason_that_cannot_be_mailed_comes_back(client, ana, change_order, reason, sentence):
    answer = sign_in(client, ana).post(rejecting(change_order), data=seen(change_order, reason), headers=HTMX)

    assert answer.status_code == 422
    assert sentence in words(soup(answer).select_one(".problem"))
    assert soup(answer).tr["data-focus"] == f"#problem-{change_order.id}"
    assert load(change_order.id).state is Status.READY
    assert not Dispatch.select().exists()


def test_a_reason_of_a_thousand_characters_fits(client, ana, change_order):
    answer = sign_in(client, ana).post(rejecting(change_order), data=seen(change_order, "x" * 1000), headers=HTMX)

    assert answer.status_code == 200


def test_a_missing_reason_counts_as_an_empty_one(client, ana, change_order):
    answer = sign_in(client, ana).post(rejecting(change_order), data={"version": change_order.version}, headers=HTMX)

    assert answer.status_code == 422


def test_markup_in_a_reason_stays_text(client, ana, change_order):
    reason = "<script>alert(1)</script> {{7*7}}"

    answer = sign_in(client, ana).post(rejecting(change_order), data=seen(change_order, reason), headers=HTMX)

    assert answer.status_code == 200
    assert reason in words(soup(answer).tr)
    assert not soup(answer).find("script")


def test_the_second_of_two_approvers_is_told_and_keeps_the_text(client, ana, lee, change_order):
    signed(change_order.id, by=lee, version=change_order.version)

    answer = sign_in(client, ana).post(rejecting(change_order), data=seen(change_order), headers=HTMX)

    assert answer.status_code == 409
    assert "Accepted by Lee Nakamura at " in words(soup(answer))
    assert f"You had written: “{REASON}”" in words(soup(answer))
    assert load(change_order.id).state is Status.QUEUED
    assert not Event.select().where(Event.action == "rejected").exists()


def test_the_same_persons_repeat_sends_no_second_mail(client, ana, change_order):
    sign_in(client, ana).post(rejecting(change_order), data=seen(change_order), headers=HTMX)

    again = client.post(rejecting(change_order), data=seen(change_order), headers=HTMX)

    assert again.status_code == 200
    assert Dispatch.select().count() == 1
    assert Event.select().where(Event.action == "rejected").count() == 1


def test_a_privilege_taken_away_between_page_and_click_counts(client, ana, change_order):
    sign_in(client, ana)
    User.update(can_push=False).where(User.id == ana.id).execute()

    answer = client.post(rejecting(change_order), data=seen(change_order), headers=HTMX)

    assert answer.status_code == 403
    assert "Can Push to Accounting" in words(soup(answer).tr)
    assert load(change_order.id).state is Status.READY


def test_cancel_brings_the_row_back_with_focus_on_its_button(client, ana, change_order):
    sign_in(client, ana)
    form = soup(client.get(rejecting(change_order), headers=HTMX))
    cancel = form.find("form", id=form.find("button", string="Cancel")["form"])

    row = soup(client.get(cancel["hx-get"], headers=HTMX)).tr

    assert row["data-focus"] == f"#reject-{change_order.id}"


def test_without_javascript_rejecting_leads_back_to_the_list(client, ana, change_order):
    answer = sign_in(client, ana).post(rejecting(change_order), data=seen(change_order))

    assert answer.status_code == 303
    assert path_of(answer.location) == f"/change-orders?view=ready#change-order-{change_order.id}"
    assert "CCO 001 of SC-014 sent back to Dee Sørensen." in client.get("/change-orders?view=ready").text


def test_without_javascript_an_empty_reason_is_a_page_with_the_form(client, ana, change_order):
    answer = sign_in(client, ana).post(rejecting(change_order), data=seen(change_order, ""))

    assert answer.status_code == 422
    assert soup(answer).html
    assert soup(answer).find("textarea", {"name": "reason"})


def test_without_javascript_the_second_approver_keeps_the_text(client, ana, lee, change_order):
    signed(change_order.id, by=lee, version=change_order.version)

    answer = sign_in(client, ana).post(rejecting(change_order), data=seen(change_order))

    assert answer.status_code == 409
    assert REASON in words(soup(answer).main)
