"""Four eyes: who shaped a change order does not decide about it, by any road, however often it is sent again; the row says who can."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from playhouse.migrate import SchemaMigrator
from playhouse.migrations import Runner

import config
from portal import clock as clocks
from portal import db
from portal.domain import change_orders, events
from portal.domain.change_orders import ChangeOrder, Status, load
from portal.domain.commitments import Commitment, Vendor
from portal.domain.imports import import_run, matching, uploads
from portal.domain.imports.entries import Entry
from portal.domain.mail import daily_summary
from portal.domain.people import Level, Membership, NotPermitted
from portal.domain.projects import sending
from portal.domain.recovery import resolutions, second_review
from portal.domain.review import decisions
from portal.domain.rules import contributors, four_eyes
from portal.spectrum.records import OutcomeUnknown
from tests.cast import ANSWERS, export, seen, signed
from tests.conftest import HTMX, count_queries, sign_in

pytestmark = pytest.mark.databases_differ("locks and races")

ROOT = Path(config.__file__).parent
DECIDES = re.compile(r"decisions\.(?:accept|reject)\(")
SENTENCE = "You sent or wrote this change order, so another approver has to decide it (four eyes)."


@pytest.fixture
def pat(make_user, job):
    """A member of the job who may decide, and so could decide what they wrote."""
    person = make_user("Pat Hand", level=Level.STANDARD, can_push=True)
    Membership.create(user=person, job=job)
    return person


def redraft_of(number):
    return sending.Draft(number, "Brought by file", "", [sending.LineDraft("16-2000", "SUB", Decimal("80.00"))])


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
    assert f"{SENTENCE} Approvers: Ana Ortiz." in answer.text
    assert load(one.id).version == one.version


@pytest.mark.parametrize("decide", [signed, lambda id, **what: decisions.reject(id, reason="Because", **what)])
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

    assert {str(path) for path in files} == {
        "portal/web/change_orders/decisions.py",
        "portal/domain/review/bulk_accept.py",
        "portal/domain/review/bulk_reject.py",
        "portal/demo/samples.py",
    }  # a page, two ways in which pages decide about many, and the sample data
    many = re.compile(r"\b(clearing\.reject|bulk_reject\.reject|bulk_accept\.(accept|undo))\(")
    callers = {str(path.relative_to(ROOT)) for path in (ROOT / "portal").rglob("*.py") if many.search(path.read_text())}
    assert callers == {
        "portal/domain/triage/clearing.py",
        "portal/web/triage/clearing.py",
        "portal/web/change_orders/bulk_accept.py",
        "portal/web/change_orders/bulk_decisions.py",
        "portal/web/change_orders/bulk_actions.py",
    }


def test_the_row_says_why_and_who_can(client, pat, ana, lee, dee, make_change_order):
    written_by("sender", pat, dee, make_change_order)

    page = sign_in(client, pat).get("/change-orders").text

    assert f"{SENTENCE} Approvers: Ana Ortiz, Lee Nakamura." in page


def test_where_nobody_else_can_the_row_says_what_to_do(client, pat, dee, make_change_order):
    written_by("sender", pat, dee, make_change_order)

    page = sign_in(client, pat).get("/change-orders").text

    assert f"{SENTENCE} No one else can. Ask an administrator to give someone Can Push to Accounting." in page


def decided(id, verb, by, version):
    """A decision about what came of an Accept."""
    return {
        "retry": lambda: resolutions.retry(id, by, version),
        "reject": lambda: decisions.reject(id, by, version, "Because"),
        "review again": lambda: second_review.review_again(id, by, version),
        "present": lambda: resolutions.mark_present(id, by, version, "S014-001", "Seen there."),
        "absent": lambda: resolutions.mark_absent(id, by, version, "Not there."),
        "by hand": lambda: resolutions.mark_entered_manually(id, by, version, "S014-001", "Typed in."),
        "unlink": lambda: resolutions.unlink(id, by, version, "S014-001"),
    }[verb]()


AFTERWARDS = [  # the state, what can be decided about it, the address, and what the form there says
    ("failed", "retry", "retry", {}),
    ("failed", "reject", "rejection", {"reason": "Because"}),
    ("failed", "review again", "review", {}),
    ("failed", "by hand", "manual-entry", {"number": "S014-001", "note": "Typed in."}),
    ("unknown", "present", "resolution", {"answer": "present", "number": "S014-001", "note": "Seen there."}),
    ("unknown", "absent", "resolution", {"answer": "absent", "note": "Not there."}),
    ("exported", "unlink", "unlinking", {"number": "S014-001"}),
]


@pytest.fixture
def pam(make_user, job):
    """A member of the job who may do everything."""
    person = make_user("Pam Both", level=Level.ADMIN, can_push=True)
    Membership.create(user=person, job=job)
    return person


@pytest.fixture
def in_state(pam, dee, ana, make_change_order, clock):
    """One with Pam's edit in it, which Dee sent and Ana accepted, and what Spectrum made of it; the quiet window is over."""

    def make(state):
        one = written_by("editor", pam, dee, make_change_order)
        export(signed(one.id, by=ana, version=one.version), ANSWERS[Status(state)])
        clock.tick(minutes=16)
        return load(one.id)

    return make


@pytest.mark.parametrize(("state", "verb", "place", "form"), AFTERWARDS)
def test_no_contributor_decides_what_became_of_it(in_state, pam, ada, state, verb, place, form):
    one = in_state(state)

    with pytest.raises(NotPermitted, match=r"^You sent or wrote this change order, .*four eyes.*Approvers: Ada Quist"):
        decided(one.id, verb, pam, one.version)

    assert load(one.id).version == one.version
    assert decided(one.id, verb, ada, one.version).version == one.version + 1


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(("state", "verb", "place", "form"), AFTERWARDS)
def test_no_contributor_does_so_on_a_page(client, in_state, pam, ada, state, verb, place, form, headers):
    one = in_state(state)
    path = f"/change-orders/{one.id}/{place}"
    sign_in(client, pam)

    answers = [client.post(path, data=form | {"version": one.version}, headers=headers)]
    answers += [client.get(path, query_string=form, headers=headers)] if verb not in ("retry", "review again") else []

    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert all("Approvers: Ada Quist" in answer.text for answer in answers)
    assert load(one.id).version == one.version


@pytest.mark.parametrize(
    ("state", "ways", "who"),
    [
        ("failed", "Retry, Review again, Reject, Mark as entered by hand.", "Ada Quist, Ana Ortiz."),
        ("unknown", "Saying what Spectrum shows.", "Ada Quist, Ana Ortiz."),
        ("exported", "Unlink.", "Ada Quist."),
    ],
)
def test_the_row_says_which_decisions_it_does_not_offer_why_and_who_can(client, in_state, pam, ada, state, ways, who):
    view = "exported" if state == "exported" else "failed"
    in_state(state)

    row = " ".join(sign_in(client, pam).get(f"/change-orders?view={view}").text.split())

    assert f"Not offered to you: {ways} {SENTENCE} Approvers: {who}" in row
    assert "Not offered to you" not in sign_in(client, ada).get(f"/change-orders?view={view}").text


def test_support_does_not_retry_what_it_wrote(client, company, sam, job, dee, ana, make_change_order):
    company.support_may_retry = True
    company.save()
    Membership.create(user=sam, job=job)
    one = written_by("editor", sam, dee, make_change_order)
    export(signed(one.id, by=ana, version=one.version), OutcomeUnknown("No answer.", http=None))
    doubtful = load(one.id)
    failed = doubtful.move(Status.FAILED, doubtful.version) or doubtful
    events.record("change_order", one.id, "failed", cause="temporary", text="Unreachable")

    row = " ".join(sign_in(client, sam).get("/change-orders?view=failed").text.split())

    with pytest.raises(NotPermitted, match="four eyes"):
        resolutions.retry(one.id, sam, failed.version)
    assert f"Not offered to you: Retry. {SENTENCE} Approvers: Ana Ortiz." in row


def waiting_for(person):
    """What the daily summary tells the person of."""
    return [one.id for one in change_orders.complete().where(four_eyes.waits_for(person))]


def goes_back(way, id, ana, dee):
    now = load(id)
    return decisions.reject(id, ana, now.version, "Because") if way == "rejected" else sending.retrieve(id, dee, now.version)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("way", ["rejected", "retrieved"])
@pytest.mark.parametrize("role", ["sender", "creator", "editor"])
def test_sending_it_again_unchanged_makes_nobody_elses_of_it(pat, ana, dee, make_change_order, role, way, times):
    one = written_by(role, pat, dee, make_change_order)
    for _ in range(times):
        back = goes_back(way, one.id, ana, dee)
        sending.send(one.id, by=dee, version=back.version)
    again = load(one.id)

    with pytest.raises(NotPermitted, match="four eyes"):
        signed(one.id, by=pat, version=again.version)

    assert waiting_for(pat) == []
    assert waiting_for(ana) == [one.id]
    assert signed(one.id, by=ana, version=again.version).state is Status.QUEUED


def test_sending_again_what_another_wrote_makes_the_sender_one_of_them(pat, ana, dee, make_change_order):
    one = make_change_order()
    back = sending.retrieve(one.id, dee, one.version)
    sent = sending.send(one.id, by=pat, version=back.version)
    back = sending.retrieve(one.id, dee, sent.version)
    again = sending.send(one.id, by=dee, version=back.version)

    with pytest.raises(NotPermitted, match="four eyes"):
        signed(one.id, by=pat, version=again.version)


@pytest.mark.parametrize("part", ["brought", "confirmed"])
def test_whoever_brings_a_file_or_confirms_it_does_not_decide_what_came_of_it(pam, ada, ana, dee, commitment, part):
    upload = uploads.Upload.create(file="week.json", sha256="", size=1, by=pam if part == "brought" else ada, confirmed_at=clocks.now())
    events.record("upload", upload.id, "confirmed", pam if part == "confirmed" else ada)
    entry = Entry("line 1", redraft_of("007"), "24-117", "SC-014", vendor_name="Volt Electric Co", subcontract="SC-014")
    with import_run.alone() as run:
        run.complete(run.stage([entry], "week.json", "", dee, lambda *_: None, upload), lambda *_: None)
    one = load(ChangeOrder.get(number="007").id)

    for person in (pam, ada):
        with pytest.raises(NotPermitted, match="You uploaded or confirmed the file from which this change order was written"):
            signed(one.id, by=person, version=one.version)
    assert signed(one.id, by=ana, version=one.version).state is Status.QUEUED


def test_whoever_changed_a_code_does_not_decide_what_is_sent_under_it(ana, lee, make_change_order, commitment):
    waiting, exported = make_change_order(), make_change_order("exported")

    contributors.record_code(Commitment.vendor == commitment.vendor, lee)

    with pytest.raises(NotPermitted, match="You changed a code under which this change order is sent"):
        signed(waiting.id, by=lee, version=waiting.version)
    assert lee.id not in contributors.of(exported)
    assert waiting_for(lee) == []


def test_a_code_that_a_file_fills_in_makes_its_writer_one_of_them(ana, lee, company, make_change_order, vendor, commitment):
    Vendor.update(code="").execute()
    waiting = make_change_order("draft")
    books = matching.MasterData(company, ana)

    books.commitment(Entry("line 1", redraft_of("001"), "24-117", "SC-014", vendor_name=vendor.name, vendor_code="VOLTCO"))

    assert contributors.of(waiting)[ana.id] == contributors.DEEDS[contributors.CODE]
    assert lee.id not in contributors.of(waiting)


def test_a_vendor_that_a_file_gives_to_a_commitment_makes_its_writer_one_of_them(ana, company, make_change_order, vendor, commitment):
    Commitment.update(vendor=None).execute()
    waiting = make_change_order("draft")
    books = matching.MasterData(company, ana)

    books.commitment(Entry("line 1", redraft_of("001"), "24-117", "SC-014", vendor_code="VOLTCO"))
    written_later = make_change_order("draft")

    assert Commitment.get().vendor == vendor
    for one in (waiting, written_later):
        assert contributors.of(load(one.id))[ana.id] == contributors.DEEDS[contributors.CODE]


def test_who_had_a_hand_in_what_exists_is_read_from_its_events_at_an_upgrade(pat, ana, dee, ada, make_change_order):
    edited = written_by("editor", pat, dee, make_change_order)
    with events.by_token("Procore sync", ada.id):
        by_token = make_change_order()
    untouched = make_change_order()
    before = {one.id: contributors.of(load(one.id)) for one in (edited, by_token, untouched)}
    migration = next(one for one in Runner(db.database.obj, str(db.MIGRATIONS)).status() if one.name.endswith("_contributions")).load()
    migrator = SchemaMigrator.from_database(db.database.obj)

    with db.transaction():
        migration.down(migrator, db.database.obj)
        migration.up(migrator, db.database.obj)

    assert {id: contributors.of(load(id)) for id in before} == before
    assert [set(hands) for hands in before.values()] == [{pat.id, dee.id}, {ada.id, dee.id}, {dee.id}]


def test_what_waits_for_a_person_is_asked_without_reading_what_they_shaped(pat, dee, make_change_order):
    for _ in range(3):
        written_by("editor", pat, dee, make_change_order)

    with count_queries() as sent:
        daily_summary.of("daily:2026-11-23:1", pat)

    assert len(sent) == 3
    assert not any("event" in str(statement) for statement in sent)


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
