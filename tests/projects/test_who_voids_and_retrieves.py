"""Retrieve and Void are on a page for everybody who may press them: members, who wrote it, and administrators anywhere."""

import pytest

from portal.domain import events
from portal.domain.change_orders import Status, load
from portal.domain.people import Membership
from portal.domain.projects import sending
from tests.conftest import count_queries, path_of, sign_in
from tests.pages import page_of, words

SECRET = "A secret title"


def linked(page, text):
    """The address a link leads to, found as a person finds it."""
    return next(link["href"] for link in page.find_all("a") if text in words(link))


def press(client, page, button):
    """Press the button with the hidden fields of its form, and follow."""
    form = next(one for one in page.find_all("button") if words(one) == button).find_parent("form")
    data = {field["name"]: field["value"] for field in form.find_all("input") if field["name"] != "csrf_token"}
    return page_of(client.post(form["action"], data=data, follow_redirects=True))


def test_an_administrator_finds_a_draft_of_any_job_and_voids_it_without_seeing_what_is_in_it(client, eve, job, make_change_order):
    draft = make_change_order("draft", title=SECRET)
    sign_in(client, eve)

    page = page_of(client.get(linked(page_of(client.get("/jobs")), job.number)))
    row = page.find(id=f"closed-{draft.id}")
    assert words(row).startswith(f"{draft.number} SC-014 Dee Sørensen, ")
    assert SECRET not in page.text
    assert "4,250" not in page.text
    after = press(client, page, f"Void CCO {draft.number} of SC-014")

    assert f"CCO {draft.number} is void." in words(after)
    assert after.find(id=f"closed-{draft.id}") is None
    assert load(draft.id).state is Status.VOID
    assert events.history("change_order", draft.id)[-1].actor == eve


def test_a_draft_that_was_written_on_meanwhile_is_not_voided_and_stays_closed(client, eve, dee, job, make_change_order):
    draft = make_change_order("draft", title=SECRET)
    sign_in(client, eve)
    sending.edit(draft.id, dee, draft.version, sending.Draft(draft.number, SECRET, "", []))

    answer = client.post(f"/change-orders/{draft.id}/void", data={"version": draft.version})

    assert answer.status_code == 409
    assert SECRET not in answer.text
    assert load(draft.id).state is Status.DRAFT


@pytest.mark.parametrize("who", ["ben", "ana"])
def test_nobody_else_sees_that_there_are_drafts(client, request, who, job, make_change_order):
    draft = make_change_order("draft")

    page = page_of(sign_in(client, request.getfixturevalue(who)).get(f"/jobs/{job.id}"))

    assert "Drafts of this job" not in page.text
    assert page.find(id=f"closed-{draft.id}") is None


def test_an_administrator_who_is_a_member_finds_them_among_the_others(client, eve, job, make_change_order):
    Membership.create(user=eve, job=job)
    draft = make_change_order("draft")

    page = page_of(sign_in(client, eve).get(f"/jobs/{job.id}"))

    assert page.find(id=f"closed-{draft.id}") is None
    assert page.find(id=f"change-order-{draft.id}")


def test_more_closed_drafts_need_no_more_queries(client, eve, job, make_change_order):
    sign_in(client, eve)

    def queries():
        with count_queries() as sent:
            client.get(f"/jobs/{job.id}")
        return len(sent)

    make_change_order("draft")
    few = queries()
    for _ in range(5):
        make_change_order("draft")
    assert queries() == few


@pytest.mark.parametrize("status", ["draft", "rejected", "retrieved"])
def test_who_wrote_it_finds_it_after_leaving_the_job_and_voids_it(client, dee, make_change_order, status):
    one = make_change_order(status)
    Membership.delete().execute()
    sign_in(client, dee)

    page = page_of(client.get(linked(page_of(client.get("/jobs")), one.title)))
    assert not [link for link in page.find_all("a") if "/edit" in link["href"]]
    after = press(client, page, f"Void CCO {one.number} of SC-014")

    assert f"CCO {one.number} is void." in words(after)
    assert load(one.id).state is Status.VOID


@pytest.mark.parametrize("status", ["rejected", "retrieved"])
def test_an_administrator_voids_what_came_back_on_its_page(client, eve, make_change_order, status):
    one = make_change_order(status)

    page = page_of(sign_in(client, eve).get(f"/change-orders/{one.id}"))
    press(client, page, f"Void CCO {one.number} of SC-014")

    assert load(one.id).state is Status.VOID


@pytest.mark.parametrize("place", ["", "/edit"])
def test_void_asks_before_it_is_done(client, dee, make_change_order, place):
    one = make_change_order("rejected")

    page = page_of(sign_in(client, dee).get(f"/change-orders/{one.id}{place}"))

    asking = page.select_one("details.asks")
    assert not asking.has_attr("open")
    assert words(asking.summary) == f"Void CCO {one.number} of SC-014 …"
    assert "stays in the history" in words(page.find(id=asking.button["aria-describedby"]))
    assert [form["action"] for form in page.find_all("form") if form["action"].endswith("/void")] == [asking.form["action"]]


def test_an_administrator_retrieves_anywhere(client, eve, change_order):
    page = page_of(sign_in(client, eve).get(f"/change-orders/{change_order.id}"))

    press(client, page, "Retrieve from ERP")

    assert load(change_order.id).state is Status.RETRIEVED


@pytest.mark.parametrize("who", ["ben", "ana", "sam"])
@pytest.mark.parametrize("status", ["ready", "rejected", "retrieved"])
def test_who_may_do_neither_is_offered_neither(client, request, make_change_order, who, status):
    one = make_change_order(status)

    page = page_of(sign_in(client, request.getfixturevalue(who)).get(f"/change-orders/{one.id}"))

    offered = {words(button) for button in page.find_all("button")}
    assert not offered & {f"Void CCO {one.number} of SC-014", "Retrieve from ERP", "Send to ERP", "Re-send to ERP"}


@pytest.mark.parametrize(
    ("status", "offered"), [("draft", "Write and send"), ("rejected", "Correct and re-send"), ("retrieved", "Correct and re-send")]
)
def test_a_member_gets_from_its_page_to_the_form(client, dee, make_change_order, status, offered):
    one = make_change_order(status)

    page = page_of(sign_in(client, dee).get(f"/change-orders/{one.id}"))

    assert path_of(linked(page, offered)) == f"/change-orders/{one.id}/edit"


@pytest.mark.parametrize("status", ["ready", "queued", "exported", "void"])
def test_while_it_cannot_be_written_on_its_page_does_not_lead_there(client, dee, make_change_order, status):
    one = make_change_order(status)

    page = page_of(sign_in(client, dee).get(f"/change-orders/{one.id}"))

    assert not [link for link in page.find_all("a") if "/edit" in link["href"]]


@pytest.mark.parametrize("status", [status.value for status in Status])
def test_on_the_form_each_button_can_be_pressed_or_says_why_not(client, dee, make_change_order, status):
    one = make_change_order(status)
    page = page_of(sign_in(client, dee).get(f"/change-orders/{one.id}/edit"))
    buttons = {words(button): button for button in page.find_all("button")}

    (send,) = {"Send to ERP", "Re-send to ERP"} & set(buttons)
    void = f"Void CCO {one.number} of SC-014"
    for name in (send, "Retrieve from ERP", void if void in buttons else "Void"):
        button = buttons[name]
        if button.has_attr("disabled"):
            assert len(words(page.find(id=button["aria-describedby"]))) > 10
        else:
            assert button.find_parent("form")
