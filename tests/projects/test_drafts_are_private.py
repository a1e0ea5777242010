"""Only members of a job see its drafts; finance sees what was sent."""

import pytest

from portal.domain.change_orders import load
from portal.domain.people import Membership
from portal.domain.projects import sending
from tests.cast import seen
from tests.conftest import HTMX, sign_in

SECRET = "A secret title"
REFUSAL = "Only members of job 24-117 see its drafts. Ask an administrator to add you."


@pytest.mark.parametrize("who", ["ben", "ana", "eve", "ada"])
@pytest.mark.parametrize("way", ["", "/row", "/acceptance", "/rejection", "/preview", "/edit", "/manual-entry", "/unlinking"])
def test_nobody_else_gets_at_a_draft_by_any_address(client, make_change_order, request, who, way):
    draft = make_change_order("draft", title=SECRET)
    sign_in(client, request.getfixturevalue(who))

    answer = client.get(f"/change-orders/{draft.id}{way}", headers=HTMX)

    assert SECRET not in answer.text
    assert answer.status_code in (403, 409)


@pytest.mark.parametrize(
    "way", ["acceptance", "rejection", "preview", "recall", "retry", "manual-entry", "unlinking", "retrieval", "sending", "edit"]
)
def test_nor_by_pressing_a_button(client, ana, make_change_order, way):
    draft = make_change_order("draft", title=SECRET)

    answer = sign_in(client, ana).post(f"/change-orders/{draft.id}/{way}", data=seen(draft), headers=HTMX)

    assert SECRET not in answer.text
    assert answer.status_code in (403, 409)


@pytest.mark.parametrize("status", ["draft", "void"])
def test_the_refusal_says_why_and_who_can_help(client, ana, make_change_order, status):
    answer = sign_in(client, ana).get(f"/change-orders/{make_change_order(status).id}")

    assert (answer.status_code, REFUSAL in answer.text) == (403, True)


def test_members_see_it_at_any_level(client, dee, make_change_order):
    draft = make_change_order("draft", title=SECRET)

    assert SECRET in sign_in(client, dee).get(f"/change-orders/{draft.id}").text


def test_who_wrote_it_sees_it_after_leaving_the_job(client, dee, make_change_order):
    draft = make_change_order("draft", title=SECRET)
    Membership.delete().execute()

    assert client.get(f"/change-orders/{draft.id}").status_code == 303
    assert SECRET in sign_in(client, dee).get(f"/change-orders/{draft.id}").text


@pytest.mark.parametrize("status", ["ready", "rejected", "retrieved", "exported"])
def test_what_was_sent_is_seen_by_finance(client, ben, make_change_order, status):
    made = make_change_order(status, title="Sent once")

    assert "Sent once" in sign_in(client, ben).get(f"/change-orders/{made.id}").text


def test_a_person_without_level_sees_other_jobs_not_even_when_sent(client, make_user, change_order):
    answer = sign_in(client, make_user("Tom Adler")).get(f"/change-orders/{change_order.id}")

    assert (answer.status_code, change_order.title in answer.text) == (403, False)


def test_sending_makes_it_seen(client, ana, dee, make_change_order):
    draft = make_change_order("draft", title=SECRET)
    sending.send(draft.id, dee, load(draft.id).version)

    assert SECRET in sign_in(client, ana).get(f"/change-orders/{draft.id}").text
