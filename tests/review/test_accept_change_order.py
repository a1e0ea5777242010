"""Accept: the form in the row, the decision, and every way it can be refused."""

from datetime import UTC, datetime

import pytest

from portal.domain.change_orders import ChangeOrder, Status, load
from portal.domain.companies import Company
from portal.domain.events import Event
from portal.domain.exporting.exports import Export
from portal.domain.outbox import Dispatch
from portal.domain.people import Level, Membership, User
from portal.domain.projects import sending
from portal.domain.review import decisions
from portal.domain.rules import spectrum_numbers
from portal.domain.rules.spectrum_numbers import SpectrumNumber
from tests.cast import seen, signed
from tests.conftest import HTMX, path_of, sign_in
from tests.pages import soup, words


def accepting(change_order):
    return f"/change-orders/{change_order.id}/acceptance"


def history(change_order):
    return [event.action for event in Event.select().where(Event.subject == "change_order", Event.ref == change_order.id)]


def test_the_form_opens_in_the_row_with_a_proposed_number(client, ana, change_order):
    answer = sign_in(client, ana).get(accepting(change_order), headers=HTMX)

    assert answer.status_code == 200
    row = soup(answer)
    assert row.tr["id"] == f"change-order-{change_order.id}"
    assert words(row.th) == "001 Relocate duct bank"
    assert row.find("input", {"name": "number"})["value"] == "S014-001"
    assert row.find("input", {"name": "version"})["value"] == str(change_order.version)
    assert [words(button) for button in row.select("button:not(.without-script)")] == ["Export", "Cancel"]


def test_without_custom_titles_the_form_has_no_title(client, ana, change_order):
    form = soup(sign_in(client, ana).get(accepting(change_order), headers=HTMX))

    assert not form.find(attrs={"name": "title"})
    assert not form.find(attrs={"name": "description"})


def test_with_custom_titles_the_form_has_them_prefilled_with_their_limits(client, ana, company, make_change_order):
    Company.update(custom_title=True).execute()
    change_order = make_change_order(description="Along the north wall")

    form = soup(sign_in(client, ana).get(accepting(change_order), headers=HTMX))

    assert form.find("input", {"name": "title"})["value"] == "Relocate duct bank"
    assert form.find("textarea", {"name": "description"}).get_text().strip() == "Along the north wall"
    assert "18 of 30 characters" in words(form)
    assert "20 of 250 characters" in words(form)


def test_the_form_lists_the_warnings(client, ana, make_change_order):
    change_order = make_change_order(lines=[("16-2000", "SUB", "-5.00")])

    form = soup(sign_in(client, ana).get(accepting(change_order), headers=HTMX))

    assert "The total is a credit." in words(form)


def test_accepting_replaces_the_row(client, ana, change_order):
    answer = sign_in(client, ana).post(accepting(change_order), data=seen(change_order), headers=HTMX)

    assert answer.status_code == 200
    row = soup(answer).tr
    assert row["id"] == f"change-order-{change_order.id}"
    assert "Queued" in words(row)
    assert "S014-001" in words(row)
    assert [words(button) for button in row.find_all("button")] == ["Recall"]


def test_accepting_records_the_decision_and_promises_the_export_once(client, ana, change_order):
    sign_in(client, ana).post(accepting(change_order), data=seen(change_order, number="S-77"), headers=HTMX)

    now = load(change_order.id)
    assert (now.state, now.decided_by) == (Status.QUEUED, ana)
    assert [row.number for row in SpectrumNumber.select()] == ["S-77"]
    assert [dispatch.key for dispatch in Dispatch.select()] == [f"export:{Export.get().id}"]
    assert history(change_order) == ["created", "sent", "accepted"]


def test_the_queued_row_asks_for_itself_until_it_is_at_rest(client, ana, make_change_order):
    sign_in(client, ana)
    queued, exported = make_change_order("queued"), make_change_order("exported")

    asking = soup(client.get(f"/change-orders/{queued.id}/row", headers=HTMX)).tr
    resting = soup(client.get(f"/change-orders/{exported.id}/row", headers=HTMX)).tr

    assert asking["hx-trigger"] == "load delay:2s"
    assert asking["hx-get"] == f"/change-orders/{queued.id}/row"
    assert asking["hx-swap"] == "outerHTML"
    assert not [name for name in resting.attrs if name.startswith("hx-")]


def test_a_slow_export_is_asked_for_less_often(client, ana, make_change_order, clock):
    queued = make_change_order("queued")
    sign_in(client, ana)

    clock.tick(seconds=30)
    later = soup(client.get(f"/change-orders/{queued.id}/row", headers=HTMX)).tr["hx-trigger"]
    clock.tick(seconds=60)
    much_later = soup(client.get(f"/change-orders/{queued.id}/row", headers=HTMX)).tr["hx-trigger"]

    assert (later, much_later) == ("load delay:5s", "load delay:15s")


def test_the_answer_leads_on_to_the_next_row_that_can_be_accepted(client, ana, make_change_order):
    first, second = make_change_order(), make_change_order(lines=[("16-2000", "SUB", "1200.00")])

    row = soup(sign_in(client, ana).post(accepting(first), data=seen(first), headers=HTMX)).tr

    assert row["data-next"] == "accept"
    assert row["data-say"] == "CCO 001 of SC-014 accepted and queued. 1 left."
    waiting = soup(client.get("/change-orders?view=ready")).find(id=f"change-order-{second.id}")
    assert waiting["data-named"] == "CCO 002 of SC-014, Volt Electric Co, $1,200.00"


def test_the_last_row_says_that_nothing_is_left(client, ana, change_order):
    row = soup(sign_in(client, ana).post(accepting(change_order), data=seen(change_order), headers=HTMX)).tr

    assert row["data-say"] == "CCO 001 of SC-014 accepted and queued. Nothing left."
    assert "data-next" not in row.attrs
    assert row["data-focus"] == f"#cco-{change_order.id}"


def test_the_counts_and_the_total_come_along(client, ana, make_change_order):
    first = make_change_order()
    make_change_order(lines=[("16-2000", "SUB", "1200.00")])

    answer = sign_in(client, ana).post(accepting(first), data=seen(first), headers=HTMX)

    assert '<hx-partial hx-target="#count-ready" hx-swap="innerHTML">1</hx-partial>' in answer.text
    assert '<hx-partial hx-target="#count-progress" hx-swap="innerHTML">1</hx-partial>' in answer.text
    assert "1 change order waiting · $1,200.00" in answer.text


def test_cancel_brings_the_row_back_with_focus_on_its_button(client, ana, change_order):
    sign_in(client, ana)
    form = soup(client.get(accepting(change_order), headers=HTMX))
    cancel = form.find("form", id=form.find("button", string="Cancel")["form"])

    row = soup(client.get(cancel["hx-get"], headers=HTMX)).tr

    assert row["data-focus"] == f"#accept-{change_order.id}"
    assert row.find("button", id=f"accept-{change_order.id}")


def test_a_number_in_small_letters_is_taken_in_capitals(client, ana, change_order):
    sign_in(client, ana).post(accepting(change_order), data=seen(change_order, number=" s-9a "), headers=HTMX)

    assert SpectrumNumber.get().number == "S-9A"


@pytest.mark.parametrize("number", ["S014-0011", "S 1", "S_1", "É1", "S014/1"])
def test_a_number_spectrum_cannot_take_comes_back_with_the_reason(client, ana, change_order, number):
    answer = sign_in(client, ana).post(accepting(change_order), data=seen(change_order, number=number), headers=HTMX)

    assert answer.status_code == 422
    form = soup(answer)
    field = form.find("input", {"name": "number"})
    assert field["value"] == number
    assert field["aria-invalid"] == "true"
    assert "needs 1 to 8 characters out of A-Z, 0-9 and the dash" in words(form.select_one(".problem"))
    assert form.tr["data-focus"] == f"#problem-{change_order.id}"
    assert load(change_order.id).state is Status.READY


def test_a_number_that_another_change_order_has_is_refused(client, ana, make_change_order):
    first, second = make_change_order(), make_change_order()
    sign_in(client, ana).post(accepting(first), data=seen(first, number="S-1"), headers=HTMX)

    answer = client.post(accepting(second), data=seen(second, number="S-1"), headers=HTMX)

    assert answer.status_code == 422
    assert "The number S-1 is already used in Spectrum for job 24-117" in answer.text


def test_a_number_once_taken_stays(client, ana, dee, make_change_order):
    rejected = make_change_order("rejected")
    SpectrumNumber.create(change_order=rejected, number="S-OLD", company="ABC", job="24-117", customer="NORTHSIDE")
    again = sending.send(rejected.id, by=dee, version=rejected.version)
    sign_in(client, ana)

    field = soup(client.get(accepting(again), headers=HTMX)).find("input", {"name": "number"})
    refused = client.post(accepting(again), data=seen(again, number="S-NEW"), headers=HTMX)

    assert field["value"] == "S-OLD"
    assert field.has_attr("readonly")
    assert refused.status_code == 422
    assert "has the Spectrum number S-OLD for good" in refused.text


def test_the_company_may_keep_the_number_fixed(client, ana, change_order):
    Company.update(edit_number=False).execute()
    sign_in(client, ana)

    field = soup(client.get(accepting(change_order), headers=HTMX)).find("input", {"name": "number"})
    refused = client.post(accepting(change_order), data=seen(change_order, number="S-1"), headers=HTMX)

    assert field.has_attr("readonly")
    assert refused.status_code == 422
    assert "does not let approvers change the Spectrum number" in refused.text


def test_custom_words_go_to_spectrum(client, ana, change_order):
    Company.update(custom_title=True).execute()
    typed = seen(change_order, title="Duct bank, north", description="As per RFI 12")

    sign_in(client, ana).post(accepting(change_order), data=typed, headers=HTMX)

    _, elements = Export.get().lines[0]
    assert "001: Duct bank, north - As per RFI 12" in elements.values()
    assert load(change_order.id).title == "Relocate duct bank"


def test_custom_words_are_refused_while_the_feature_is_off(client, ana, change_order):
    answer = sign_in(client, ana).post(accepting(change_order), data=seen(change_order, title="Mine"), headers=HTMX)

    assert answer.status_code == 422
    assert "Your company exports titles as they are." in answer.text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"title": "x" * 31}, "The title has 31 characters; Spectrum holds 30."),
        ({"title": ""}, "The title is empty."),
        ({"title": "Bell\a"}, "The title contains control characters."),
        ({"title": "Pump 泵"}, "The title contains characters Spectrum cannot store: 泵"),
        ({"title": "Fine", "description": "x" * 251}, "The description has 251 characters; Spectrum holds 250."),
    ],
)
def test_custom_words_that_do_not_fit_come_back_as_typed(client, ana, change_order, typed, sentence):
    Company.update(custom_title=True).execute()

    answer = sign_in(client, ana).post(accepting(change_order), data=seen(change_order, **typed), headers=HTMX)

    assert answer.status_code == 422
    assert sentence in words(soup(answer).select_one(".problem"))
    assert soup(answer).find("input", {"name": "title"})["value"] == typed["title"]
    assert load(change_order.id).state is Status.READY


def test_missing_company_settings_are_named(client, ana, change_order):
    Company.update(cr_status="", code="").execute()

    answer = sign_in(client, ana).post(accepting(change_order), data=seen(change_order), headers=HTMX)

    assert answer.status_code == 422
    assert "Export is off: the company settings lack the Spectrum company code, the change request status." in words(soup(answer))


def test_the_second_of_two_approvers_is_told_who_did_what_when(client, ana, lee, change_order, clock):
    clock.set(datetime(2026, 11, 23, 16, 42, tzinfo=UTC))  # 10:42 in Chicago
    signed(change_order.id, by=lee, version=change_order.version)

    answer = sign_in(client, ana).post(accepting(change_order), data=seen(change_order), headers=HTMX)

    assert answer.status_code == 409
    row = soup(answer).tr
    assert "Accepted by Lee Nakamura at 10:42." in words(row)
    assert "Queued" in words(row)
    assert row["data-focus"] == f"#error-{change_order.id}"
    assert history(change_order) == ["created", "sent", "accepted"]
    assert load(change_order.id).decided_by == lee


def test_accepting_what_another_sent_back_shows_it_sent_back(client, ana, lee, change_order):
    decisions.reject(change_order.id, by=lee, version=change_order.version, reason="Wrong phase code")

    answer = sign_in(client, ana).post(accepting(change_order), data=seen(change_order), headers=HTMX)

    assert answer.status_code == 409
    assert "Sent back by Lee Nakamura at " in words(soup(answer))
    assert "Wrong phase code" in words(soup(answer))


def test_what_was_sent_again_meanwhile_has_to_be_looked_at_again(client, ana, lee, dee, change_order):
    rejected = decisions.reject(change_order.id, by=lee, version=change_order.version, reason="Wrong")
    sending.send(change_order.id, by=dee, version=rejected.version)

    answer = sign_in(client, ana).post(accepting(change_order), data=seen(change_order), headers=HTMX)

    assert answer.status_code == 409
    assert "Dee Sørensen sent revision 2 at " in words(soup(answer))
    assert soup(answer).find("button", string="Accept")
    assert load(change_order.id).state is Status.READY


def test_opening_the_form_of_a_decided_one_shows_the_decision(client, ana, lee, change_order):
    signed(change_order.id, by=lee, version=change_order.version)

    answer = sign_in(client, ana).get(accepting(change_order), headers=HTMX)

    assert answer.status_code == 409
    assert "Accepted by Lee Nakamura" in answer.text


def test_the_same_persons_repeat_changes_nothing(client, ana, change_order):
    sign_in(client, ana)
    first = client.post(accepting(change_order), data=seen(change_order), headers=HTMX)

    again = client.post(accepting(change_order), data=seen(change_order), headers=HTMX)

    assert (first.status_code, again.status_code) == (200, 200)
    assert "Queued" in words(soup(again).tr)
    assert history(change_order) == ["created", "sent", "accepted"]
    assert Export.select().count() == 1


def test_a_privilege_taken_away_between_page_and_click_counts(client, ana, change_order):
    sign_in(client, ana).get("/change-orders?view=ready")
    User.update(can_push=False).where(User.id == ana.id).execute()

    answer = client.post(accepting(change_order), data=seen(change_order), headers=HTMX)

    assert answer.status_code == 403
    row = soup(answer).tr
    assert "You have view-only access. To accept or reject, ask for Can Push to Accounting." in words(row)
    assert not row.find("button")
    assert load(change_order.id).state is Status.READY


@pytest.mark.parametrize("rights", [{"level": Level.READ_ONLY, "can_push": True}, {"level": Level.ADMIN}, {"level": Level.STANDARD}])
def test_nobody_without_the_privilege_gets_form_or_decision(client, make_user, change_order, rights):
    sign_in(client, make_user("Pat Quinn", **rights))

    form = client.get(accepting(change_order), headers=HTMX)
    decision = client.post(accepting(change_order), data=seen(change_order), headers=HTMX)

    assert (form.status_code, decision.status_code) == (403, 403)
    assert load(change_order.id).state is Status.READY


def test_four_eyes_are_named(client, ana, job, make_change_order):
    own = make_change_order("draft")
    Membership.create(user=ana, job=job)
    sent = sending.send(own.id, by=ana, version=own.version)

    answer = sign_in(client, ana).post(accepting(sent), data=seen(sent), headers=HTMX)

    assert answer.status_code == 403
    assert "another approver has to decide it (four eyes)" in answer.text


def test_without_javascript_the_form_is_a_page_of_its_own(client, ana, change_order):
    page = soup(sign_in(client, ana).get(accepting(change_order)))

    form = page.find("form", action=accepting(change_order), method="post")
    assert page.html
    assert page.h1.get_text() == "CCO 001: Relocate duct bank"
    assert form.find("button", string="Export")


def test_without_javascript_accepting_leads_back_to_the_list(client, ana, change_order):
    sign_in(client, ana)

    answer = client.post(accepting(change_order), data=seen(change_order))

    assert answer.status_code == 303
    assert path_of(answer.location) == f"/change-orders?view=ready#change-order-{change_order.id}"
    assert "CCO 001 of SC-014 accepted and queued." in client.get("/change-orders?view=ready").text


def test_without_javascript_a_refusal_is_a_page_with_the_input_kept(client, ana, change_order):
    answer = sign_in(client, ana).post(accepting(change_order), data=seen(change_order, number="S_1"))

    assert answer.status_code == 422
    page = soup(answer)
    assert page.html
    assert page.find("input", {"name": "number"})["value"] == "S_1"
    assert page.select_one(".problem").find("a")["href"] == f"#number-{change_order.id}"


def test_without_javascript_the_second_approver_gets_a_page(client, ana, lee, change_order):
    signed(change_order.id, by=lee, version=change_order.version)

    answer = sign_in(client, ana).post(accepting(change_order), data=seen(change_order))

    assert answer.status_code == 409
    assert soup(answer).html
    assert "Accepted by Lee Nakamura" in answer.text


def test_a_form_without_its_token_is_refused(csrf_client, ana, change_order):
    page = soup(csrf_client.get("/login"))
    token = page.find("input", {"name": "csrf_token"})["value"]
    csrf_client.post("/login", data={"email": ana.email, "password": "a long password for tests", "csrf_token": token})

    without = csrf_client.post(accepting(change_order), data=seen(change_order), headers=HTMX)
    form = soup(csrf_client.get(accepting(change_order), headers=HTMX))
    token = form.find("input", {"name": "csrf_token"})["value"]
    with_token = csrf_client.post(accepting(change_order), data=seen(change_order, csrf_token=token), headers=HTMX)

    assert (without.status_code, with_token.status_code) == (400, 200)


def test_an_expired_session_leads_to_sign_in_and_back(client, ana, change_order, clock):
    sign_in(client, ana)
    clock.tick(minutes=31)
    here = HTMX | {"HX-Current-URL": "http://localhost/change-orders?view=ready"}

    answer = client.post(accepting(change_order), data=seen(change_order), headers=here)

    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login?next=/change-orders?view%3Dready"
    assert load(change_order.id).state is Status.READY


def test_the_proposal_moves_on_when_its_number_is_taken(client, ana, make_change_order, change_order):
    spectrum_numbers.reserve(make_change_order(), "S014-001")

    form = soup(sign_in(client, ana).get(accepting(change_order), headers=HTMX))

    assert form.find("input", {"name": "number"})["value"] == "S0000001"
    assert ChangeOrder.select().count() == 2
