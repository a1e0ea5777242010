"""Four eyes: who sent, wrote or edited a revision does not decide it, by any road; the row says why, and who can."""

import re
from pathlib import Path

import pytest

import config
from portal.domain import deciding, sending
from portal.domain.change_orders import Status, load
from portal.domain.people import Level, Membership, NotPermitted
from tests.cast import seen, signed
from tests.conftest import HTMX, count_queries, sign_in

ROOT = Path(config.__file__).parent
DECIDES = re.compile(r"deciding\.(?:accept|reject)\(")
SENTENCE = "You sent or wrote this change order, so another approver has to decide it (four eyes)."


@pytest.fixture
def pat(make_user, job):
    """A member of the job who may decide, and so could decide what they wrote."""
    person = make_user("Pat Hand", level=Level.STANDARD, can_push=True)
    Membership.create(user=person, job=job)
    return person


def redraft(change_order):
    lines = [sending.LineDraft(line.phase_code, line.cost_type, line.amount) for line in change_order.lines]
    return sending.Draft(change_order.number, "Another title", "", lines)


def written_by(role, pat, dee, make_change_order):
    """One that waits, with Pat's hands on this revision as its sender, creator or editor."""
    draft = make_change_order("draft")
    if role == "creator":
        type(draft).update(created_by=pat).where(type(draft).id == draft.id).execute()
    if role == "editor":
        sending.edit(draft.id, by=pat, version=draft.version, draft=redraft(draft))
    sent = sending.send(draft.id, by=pat if role == "sender" else dee, version=load(draft.id).version)
    return load(sent.id)


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("path", ["acceptance", "rejection"])
@pytest.mark.parametrize("role", ["sender", "creator", "editor"])
def test_nobody_decides_on_a_page_what_they_had_a_hand_in(client, pat, ana, dee, make_change_order, role, path, headers):
    one = written_by(role, pat, dee, make_change_order)
    sign_in(client, pat)

    form = client.get(f"/change-orders/{one.id}/{path}", headers=headers)
    answer = client.post(f"/change-orders/{one.id}/{path}", data=seen(one, reason="Because"), headers=headers)

    assert (form.status_code, answer.status_code) == (403, 403)
    assert f"{SENTENCE} Who can: Ana Ortiz." in answer.text
    assert load(one.id).version == one.version


@pytest.mark.parametrize("decide", [signed, lambda id, **what: deciding.reject(id, reason="Because", **what)])
@pytest.mark.parametrize("role", ["sender", "creator", "editor"])
def test_the_domain_refuses_it_whatever_road_leads_there(pat, dee, make_change_order, role, decide):
    one = written_by(role, pat, dee, make_change_order)

    with pytest.raises(NotPermitted, match="four eyes"):
        decide(one.id, by=pat, version=one.version)


@pytest.mark.parametrize("role", ["sender", "creator", "editor"])
def test_with_the_setting_off_they_may(company, pat, dee, make_change_order, role):
    company.four_eyes = False
    company.save()
    one = written_by(role, pat, dee, make_change_order)

    assert signed(one.id, by=pat, version=one.version).state is Status.QUEUED


def test_neither_programs_nor_the_command_line_have_a_road_that_decides():
    files = {path.relative_to(ROOT) for path in (ROOT / "portal").rglob("*.py") if DECIDES.search(path.read_text())}

    assert {str(path) for path in files} == {"portal/web/deciding.py", "portal/intake/samples.py"}  # a page, and the sample data


def test_the_row_says_why_and_who_can(client, pat, ana, lee, dee, make_change_order):
    written_by("sender", pat, dee, make_change_order)

    page = sign_in(client, pat).get("/change-orders").text

    assert f"{SENTENCE} Who can: Ana Ortiz, Lee Nakamura." in page


def test_where_nobody_else_can_the_row_says_what_to_do(client, pat, dee, make_change_order):
    written_by("sender", pat, dee, make_change_order)

    page = sign_in(client, pat).get("/change-orders").text

    assert f"{SENTENCE} Nobody else can: ask an administrator to give somebody ‘Can Push to Accounting’." in page


def test_the_row_of_a_failed_one_says_why_reject_is_missing_and_who_can(client, pat, ana, make_change_order):
    resent_by(pat, make_change_order("failed"))

    row = sign_in(client, pat).get("/change-orders?view=failed").text

    assert "Reject is not offered: you sent or wrote this change order" in row
    assert "Who can: Ana Ortiz." in row
    assert "Reject is not offered" not in sign_in(client, ana).get("/change-orders?view=failed").text


@pytest.mark.parametrize("view", ["ready", "failed"])
def test_naming_who_can_asks_the_database_as_often_for_many_rows_as_for_few(client, ana, dee, make_change_order, view):
    sign_in(client, ana)
    Membership.create(user=ana, job=make_change_order(view).job)
    resent_by(ana, make_change_order(view))
    with count_queries() as few:
        client.get(f"/change-orders?view={view}")
    for _ in range(6):
        resent_by(ana, make_change_order(view))
    with count_queries() as many:
        client.get(f"/change-orders?view={view}")

    assert len(many) == len(few)


def resent_by(person, change_order):
    type(change_order).update(sent_by=person).where(type(change_order).id == change_order.id).execute()
