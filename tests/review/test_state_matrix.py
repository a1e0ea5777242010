"""Who may do what by ownership and by state: each page and action of change orders, asked as everybody, with all else done right."""

from datetime import timedelta
from decimal import Decimal

import pytest

from portal import db
from portal.domain import waiting
from portal.domain.change_orders import SUBJECT, ChangeOrder, Status, load
from portal.domain.commitments import Commitment, Job
from portal.domain.events import Event
from portal.domain.exporting.exports import Export
from portal.domain.people import Membership
from portal.domain.projects import sending
from tests.cast import seen
from tests.conftest import HTMX, sign_in


@pytest.fixture
def elsewhere(company, vendor, make_user):
    """A commitment of a job that is not Dee's, with somebody who is on it."""
    job = Job.create(company=company, number="24-200", name="Elsewhere", customer="NORTHSIDE")
    fay = make_user("Fay Moss")
    Membership.create(user=fay, job=job)
    return Commitment.create(job=job, vendor=vendor, number="SC-900", title="Roofing", subcontract="SC-900"), fay


def written(commitment, by, *, sent):
    with db.transaction():
        draft = sending.create(
            commitment, by, sending.Draft("001", "A title", "", [sending.LineDraft("16-2000", "SUB", Decimal("100.00"))])
        )
    return load(draft.id) if not sent else sending.send(draft.id, by=by, version=draft.version)


def pages(commitment, change_order):
    """The addresses about them, each with who may look: members of the job, or also everybody with a level."""
    of_change_order = "level" if change_order.sent_at else "members"
    return {
        f"/change-orders/{change_order.id}": of_change_order,
        f"/change-orders/{change_order.id}/row": f"{of_change_order} with level",
        f"/change-orders/{change_order.id}/edit": "members",
        f"/jobs/{commitment.job.id}": "level",
        f"/jobs/{commitment.job.id}/commitments": "level",
        f"/commitments/{commitment.id}": "level",
        f"/commitments/{commitment.id}/change-orders/new": "members",
    }


@pytest.mark.parametrize("sent", [True, False], ids=["sent", "draft"])
def test_what_belongs_to_a_job_is_for_its_members_and_what_was_sent_for_who_has_a_level(
    app, commitment, dee, ben, eve, elsewhere, make_user, sent
):
    zoe = make_user("Zoe Lin")
    foreign, fay = elsewhere
    groups = [(commitment, dee), (foreign, fay)]
    places = [(held, member, pages(held, written(held, member, sent=sent))) for held, member in groups]
    wrong = []

    for person in (dee, zoe, ben, eve):
        client = sign_in(app.test_client(), person)
        for _, member, asked in places:
            for path, rule in asked.items():
                opened = client.get(path, headers=HTMX if path.endswith("row") else {}).status_code
                allowed = person.id == member.id or (rule.startswith("level") and person.may_look)
                allowed = allowed and (person.may_look or "with level" not in rule)
                hidden = path.startswith(("/jobs/", "/commitments/")) and not person.may_look  # not even told that there is such a job
                refused = 404 if hidden else 403
                if opened != (200 if allowed else refused):
                    wrong.append((person.name, path, rule, opened))

    assert wrong == []


DECIDERS, ADMINS, PROJECT = {"ana", "lee", "ada"}, {"eve", "ada"}, {"dee", "eve", "ada"}
ACTIONS = {  # the states in which it does something, and for whom
    "acceptance": ({Status.READY}, DECIDERS),
    "rejection": ({Status.READY, Status.FAILED}, DECIDERS),
    "question": ({Status.READY}, DECIDERS),
    "hold": ({Status.READY}, DECIDERS),
    "recall": ({Status.QUEUED}, ADMINS | {"ana"}),  # who accepted it
    "retry": ({Status.FAILED}, DECIDERS),
    "review": ({Status.FAILED}, DECIDERS),
    "resolution": ({Status.UNKNOWN}, DECIDERS),
    "manual-entry": ({Status.FAILED}, {"ada"}),
    "unlinking": ({Status.EXPORTED}, {"ada"}),
    "retrieval": ({Status.READY}, PROJECT),
    "void": ({Status.DRAFT, Status.REJECTED, Status.RETRIEVED}, PROJECT),
    "sending": ({Status.DRAFT, Status.REJECTED, Status.RETRIEVED}, {"dee"}),
}
CAST = ("dee", "zoe", "ben", "sam", "ana", "eve", "ada")


@pytest.fixture
def zoe(make_user):
    """On no job, without a level."""
    return make_user("Zoe Lin")


def form_of(action, change_order):
    """What somebody would send who did everything right."""
    number = Export.get_by_id(change_order.export).number if change_order.export else ""
    typed = seen(change_order) | {"reason": "A reason.", "note": "Seen there.", "answer": "present", "number": number}
    typed |= {"question": "Does line 1 include the fittings?", "until": str(waiting.today(change_order.company) + timedelta(days=7))}
    wanted = {
        "acceptance": {"version", "seen"},
        "rejection": {"version", "reason"},
        "question": {"version", "question"},
        "hold": {"version", "until", "note"},
        "resolution": {"version", "answer", "number", "note"},
        "manual-entry": {"version", "number", "note"},
        "unlinking": {"version", "number"},
    }
    return {name: text for name, text in typed.items() if name in wanted.get(action, {"version"})}


def asked(client, action, change_order):
    """The answer, and whether anything was recorded; then everything is as it was before."""
    events = Event.select().where(Event.subject == SUBJECT, Event.ref == change_order.id).count()
    with db.database.atomic() as all_of_it:
        answer = client.post(f"/change-orders/{change_order.id}/{action}", data=form_of(action, change_order))
        after = Event.select().where(Event.subject == SUBJECT, Event.ref == change_order.id).count()
        moved = ChangeOrder.get_by_id(change_order.id).version != change_order.version
        all_of_it.rollback()
    assert moved == (after > events), f"{action} of what is {change_order.status}: state and history do not agree"
    return answer.status_code, moved


@pytest.mark.parametrize("who", CAST)
def test_in_every_state_every_action_is_for_whom_the_rules_say_and_for_nobody_else(app, make_change_order, who, request):
    """Who may do something tries it in every state, who may not where it would do something."""
    rows = [load(make_change_order(status).id) for status in Status]
    client = sign_in(app.test_client(), request.getfixturevalue(who))
    wrong = []

    for action, (states, people) in ACTIONS.items():
        for row in rows if who in people else [row for row in rows if row.state in states]:
            code, moved = asked(client, action, row)
            allowed = row.state in states and who in people
            expected = (303,) if allowed else (403,) if row.state in states else (403, 409)
            if moved != allowed or code not in expected:
                wrong.append((action, str(row.status), code, moved))

    assert wrong == []
