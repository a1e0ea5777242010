"""Two spellings of a number are one thing; two numbers that look alike wait until a person says that they are two."""

import re
import threading
from decimal import Decimal

import pytest
from playhouse import migrations
from playhouse.migrate import SchemaMigrator

from portal import db
from portal.domain import events
from portal.domain.audit import search
from portal.domain.change_orders import ChangeOrder, Overtaken, load
from portal.domain.commitments import Commitment, Job
from portal.domain.events import Action
from portal.domain.people import Level, Membership, NotPermitted
from portal.domain.projects import confirm_distinct, sending
from portal.domain.review import lists, views
from portal.domain.rules import checks, contributors, duplicates, recheck
from portal.domain.rules.duplicates import Distinction
from portal.domain.rules.findings import Blocked
from tests.cast import signed
from tests.conftest import count_queries, sign_in
from tests.today import ZONE

pytestmark = pytest.mark.databases_differ("sorting, searching and paging")

SPELLINGS = {
    "wide digits": "ＣＣＯ-００１",
    "an en dash": "CCO–001",
    "a no-break hyphen": "CCO‑001",
    "small letters": "cco-001",
    "blanks around": "\u00a0CCO-001 ",
}


def said_of(change_order, at=checks.at_send):
    return [(finding.blocking, finding.text) for finding in at(change_order) if finding.rule == 23]


def draft(number):
    return sending.Draft(number, "Relocate duct bank", "", [])


@pytest.fixture
def make_commitment(job, vendor):
    def make(number, subcontract="", job=job):
        return Commitment.create(job=job, vendor=vendor, number=number, title="Electrical", subcontract=subcontract or number)

    return make


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_another_spelling_of_a_number_is_taken(make_change_order, commitment, dee, spelling):
    make_change_order(number="CCO-001")

    with pytest.raises(Blocked, match="already has a CCO CCO-001"):
        sending.begin(commitment, dee, draft(spelling))


def test_a_number_with_what_nobody_sees_in_it_is_refused_by_name_and_place(commitment, dee):
    with pytest.raises(Blocked, match=re.escape("contains an invisible character, zero width space (U+200B), at position 4")):
        sending.begin(commitment, dee, draft("002\u200b"))


def test_a_number_that_looks_like_an_exported_one_is_not_sent(make_change_order):
    make_change_order("exported", number="001")
    looks_like_it = make_change_order("draft", number="1")

    assert said_of(looks_like_it) == [(True, "CCO 1 looks like 001 (Exported).")]
    with pytest.raises(Blocked):
        sending.send(looks_like_it.id, looks_like_it.created_by, looks_like_it.version)
    assert load(looks_like_it.id).status == "draft"


def test_once_a_person_said_that_it_is_another_one_it_is_sent_and_accounting_reads_by_whom(make_change_order, dee, ana, clock):
    first = make_change_order("exported", number="001")
    second = make_change_order("draft", number="1")

    confirm_distinct.tell_apart(second.id, dee, duplicates.CHANGE_ORDER, first.id)

    sending.send(second.id, dee, second.version)
    told = [finding.text for finding in lists.row(second.id, ana).findings]
    assert told == [
        f"CCO 1 looks like 001 (Exported); Dee Sørensen said on {clock.now().astimezone(ZONE):%m/%d/%Y} that it is another one."
    ]
    event = events.latest("change_order", [second.id], of=(Action.SAID_DISTINCT,))[second.id]
    assert (event.actor, event.facts) == (dee, {"kind": "CCO", "number": "1", "other": "001"})


def test_it_is_said_once_for_each_pair(make_change_order, dee):
    first, second = make_change_order("draft", number="001"), make_change_order("draft", number="1")

    confirm_distinct.tell_apart(second.id, dee, "CCO", first.id)
    confirm_distinct.tell_apart(first.id, dee, "CCO", second.id)

    assert Distinction.select().count() == 1
    assert [blocking for blocking, _ in said_of(load(first.id)) + said_of(load(second.id))] == [False, False]


def test_with_another_number_it_is_asked_again(make_change_order, dee):
    first, second = make_change_order("draft", number="001"), make_change_order("draft", number="1")
    confirm_distinct.tell_apart(second.id, dee, "CCO", first.id)

    sending.edit(second.id, dee, load(second.id).version, draft("01"))

    assert said_of(load(second.id)) == [(True, "CCO 01 looks like 001 (Draft).")]


def test_only_a_member_of_the_job_says_it_and_only_of_what_looks_alike(make_change_order, dee, ben):
    first, second = make_change_order("draft", number="001"), make_change_order("draft", number="1")

    with pytest.raises(NotPermitted):
        confirm_distinct.tell_apart(second.id, ben, "CCO", first.id)
    with pytest.raises(Overtaken):
        confirm_distinct.tell_apart(second.id, dee, "CCO", second.id)
    assert not Distinction.select().exists()


def test_a_void_one_is_looked_like_by_nothing(make_change_order):
    make_change_order("void", number="001")

    assert said_of(make_change_order("draft", number="1")) == []


def test_a_draft_that_looks_like_it_does_not_stop_what_waits_in_accounting(make_change_order, ana):
    waiting = make_change_order("ready", number="001")
    make_change_order("draft", number="1")

    assert said_of(load(waiting.id), checks.on_review) == []
    assert signed(waiting.id, ana, waiting.version).status == "queued"


def test_the_later_of_two_commitments_that_look_alike_waits(make_change_order, make_commitment):
    early, late = make_commitment("SC-015", "A1"), make_commitment("SC-15", "B2")

    assert said_of(make_change_order("draft", commitment=late)) == [(True, "Commitment SC-15 looks like SC-015.")]
    assert said_of(make_change_order("draft", commitment=early)) == []


def test_one_subcontract_number_under_two_commitments_of_a_job_waits(make_change_order, make_commitment):
    one, other = make_commitment("SC-015", "S15"), make_commitment("PO-777", "s-015")

    assert said_of(make_change_order("draft", commitment=one)) == [(True, "Subcontract number S15 looks like s-015 (commitment PO-777).")]
    Commitment.update(subcontract="s15").where(Commitment.id == other.id).execute()
    text = "Subcontract number s15 stands on commitment SC-015 too."
    assert said_of(make_change_order("draft", commitment=Commitment.get_by_id(other.id))) == [(True, text)]


def test_a_job_that_looks_like_an_earlier_one_waits(make_change_order, make_commitment, company, job):
    later = Job.create(company=company, number="24117", name="Harbor Tower", customer="NORTHSIDE")

    assert said_of(make_change_order("draft", commitment=make_commitment("SC-1", job=later))) == [(True, "Job 24117 looks like 24-117.")]


def test_the_word_about_a_commitment_holds_for_all_its_change_orders(make_change_order, make_commitment, dee):
    early, late = make_commitment("SC-015", "A1"), make_commitment("SC-15", "B2")
    first, second = make_change_order("draft", commitment=late), make_change_order("draft", commitment=late)
    recheck.again()

    confirm_distinct.tell_apart(first.id, dee, duplicates.COMMITMENT, early.id)

    assert [blocking for blocking, _ in said_of(load(second.id))] == [False]
    assert load(second.id).checks == "warn"


def test_the_page_of_the_project_asks_and_the_button_answers(client, make_change_order, dee):
    first, second = make_change_order("exported", number="001"), make_change_order("draft", number="1")
    page = f"/change-orders/{second.id}/edit"
    sign_in(client, dee)
    assert "It is another one" in client.get(page).text

    answer = client.post(f"/change-orders/{second.id}/distinctions", data={"kind": "CCO", "other": first.id}, follow_redirects=True)

    assert "Recorded: CCO 1 is another one than 001." in answer.text
    assert "It is another one</button>" not in answer.text
    assert sending.send(second.id, dee, load(second.id).version).status == "ready"


@pytest.mark.parametrize("other", ["", "x", "0", "-1", "1" * 30])
def test_a_press_that_no_page_sends_records_nothing(client, make_change_order, dee, other):
    sign_in(client, dee)

    answer = client.post(f"/change-orders/{make_change_order('draft').id}/distinctions", data={"kind": "CCO", "other": other})

    assert answer.status_code == 400
    assert not Distinction.select().exists()


def test_the_form_names_what_nobody_sees_and_keeps_nothing(client, make_change_order, dee):
    one = make_change_order("draft")
    sign_in(client, dee)
    line = {
        "phase_code": "16\u00ad2000",
        "cost_type": "SUB",
        "amount": "1.00",
        "line_description": "",
        "quantity": "",
        "unit": "",
        "bid_item": "",
    }

    answer = client.post(
        f"/change-orders/{one.id}/edit", data={"version": one.version, "number": "0\u200b01", "title": "T", "description": ""} | line
    )

    assert answer.status_code == 422
    assert "The CCO number contains an invisible character, zero width space (U+200B), at position 2. Delete it." in answer.text
    assert "The cost code on line 1 contains an invisible character, soft hyphen (U+00AD), at position 3. Delete it." in answer.text
    assert load(one.id).version == one.version


def test_what_is_written_with_other_dashes_and_digits_is_kept_with_plain_ones(commitment, dee):
    made = sending.begin(commitment, dee, sending.Draft("CCO–０1", "T", "", [sending.LineDraft("16‑2000", " SUB", None)]))

    assert (made.number, load(made.id).lines[0].phase_code) == ("CCO-01", "16-2000")


def test_the_history_is_searched_by_any_spelling(make_change_order, ada):
    make_change_order("draft", number="CCO-001")

    found = search.page(search.read({"number": "cco–001"}), ada).entries

    assert [entry.event.action for entry in found] == ["created"]


def test_a_list_of_look_alikes_takes_no_more_queries_than_a_short_one(make_change_order, ana, dee):
    def queries():
        with count_queries() as sent:
            lists.page(views.BY_KEY["ready"], ana)
        return len(sent)

    for number in ("1", "2"):
        first, second = make_change_order("exported", number=f"00{number}"), make_change_order("draft", number=number)
        confirm_distinct.tell_apart(second.id, dee, "CCO", first.id)
        sending.send(second.id, dee, load(second.id).version)
        if number == "1":
            few = queries()

    assert queries() == few


def test_two_people_cannot_make_two_spellings_of_one_number_at_once(commitment, dee, database_url):
    """Each on a connection of its own; the index decides where the look beforehand did not."""
    outcomes, ready = [], threading.Barrier(2)

    def make(number):
        with db.connected():
            ready.wait()
            try:
                outcomes.append(sending.begin(commitment, dee, draft(number)).number)
            except Blocked:
                outcomes.append("refused")

    threads = [threading.Thread(target=make, args=(number,)) for number in ("CCO-1", "cco–1")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert "refused" in outcomes
    assert ChangeOrder.select().count() == 1


@pytest.fixture
def upgraded(database, make_change_order, dee):
    """Two change orders that an earlier portal had made of one number, as they are after the upgrade."""
    known = migrations.Runner(db.database.obj, str(db.MIGRATIONS)).status()
    migration = next(one for one in known if one.name.endswith("_keys")).load()
    first, second = make_change_order("exported", number="CCO-1"), make_change_order("draft", number="2")
    migrator = SchemaMigrator.from_database(db.database.obj)
    with db.transaction():
        migration.down(migrator, db.database.obj)
        db.database.execute_sql("UPDATE change_order SET number = 'cco-1' WHERE number = '2'")
        migration.up(migrator, db.database.obj)
    return load(first.id), load(second.id)


def test_a_pair_from_before_the_upgrade_stays_two_and_waits_for_a_person(upgraded, dee):
    first, second = upgraded

    assert (first.number, first.key, first.twin) == ("CCO-1", "CCO-1", 0)
    assert (second.number, second.key, second.twin) == ("cco-1", "CCO-1", second.id)
    assert said_of(second) == [(True, "CCO cco-1 looks like CCO-1 (Exported).")]
    confirm_distinct.tell_apart(second.id, dee, "CCO", first.id)
    assert sending.send(second.id, dee, second.version).status == "ready"


def test_a_pair_from_before_the_upgrade_is_corrected_without_renaming_it(upgraded, dee):
    _, second = upgraded

    sending.edit(second.id, dee, second.version, draft("cco-1"))

    assert load(second.id).title == "Relocate duct bank"
    assert ChangeOrder.meant("cco-1", commitment=second.commitment).id == second.id
    assert ChangeOrder.meant("CCO-1", commitment=second.commitment).id != second.id


@pytest.fixture
def presser(make_user, job):
    """An approver who is a member of the job."""
    person = make_user("Ida Pressa", level=Level.STANDARD, can_push=True)
    Membership.create(user=person, job=job)
    return person


def accept(change_order, by):
    return signed(change_order.id, by, load(change_order.id).version)


def test_whoever_said_that_it_is_another_one_does_not_accept_it(make_change_order, presser, dee, ana):
    first, second = make_change_order("ready", number="001"), make_change_order("draft", number="1")

    confirm_distinct.tell_apart(second.id, presser, "CCO", first.id)
    sending.send(second.id, dee, load(second.id).version)

    for one in (first, second):
        with pytest.raises(NotPermitted, match="You said that this change order, its commitment or its job is another one"):
            accept(one, presser)
    assert accept(second, ana).status == "queued"


def test_who_only_repeats_it_may_accept_it(make_change_order, presser, dee):
    first, second = make_change_order("exported", number="001"), make_change_order("draft", number="1")
    confirm_distinct.tell_apart(second.id, dee, "CCO", first.id)

    confirm_distinct.tell_apart(second.id, presser, "CCO", first.id)

    sending.send(second.id, dee, load(second.id).version)
    assert accept(second, presser).status == "queued"


@pytest.mark.parametrize("kind", [duplicates.COMMITMENT, duplicates.SUBCONTRACT])
def test_of_a_commitment_it_counts_for_what_is_written_later_too_until_another_approver_has_accepted(
    make_change_order, job, vendor, presser, ana, dee, kind
):
    numbers = ("SC-15", "SC15") if kind == duplicates.COMMITMENT else ("SC-15", "SC-16")
    subcontracts = ("A", "B") if kind == duplicates.COMMITMENT else ("C-1", "C1")
    early, late = (
        Commitment.create(job=job, vendor=vendor, number=number, subcontract=subcontract)
        for number, subcontract in zip(numbers, subcontracts, strict=True)
    )
    waiting = make_change_order("draft", commitment=late)
    confirm_distinct.tell_apart(waiting.id, presser, kind, early.id)

    later = make_change_order("ready", commitment=late, number="002")
    for one in (waiting, later):
        assert presser.id in contributors.of(load(one.id))
    with pytest.raises(NotPermitted, match="You said that"):
        accept(later, presser)
    accept(later, ana)

    assert presser.id not in contributors.of(make_change_order("ready", commitment=late, number="003"))
    assert contributors.of(load(later.id))[presser.id] == contributors.DEEDS[contributors.APART]


def whole(number):
    """A draft that nothing stands against but what it looks like."""
    return sending.Draft(number, "Relocate duct bank", "", [sending.LineDraft("16-2000", "SUB", Decimal("4250.00"))])


def verdicts(*change_orders):
    return [load(one.id).checks for one in change_orders]


def test_the_other_one_of_a_pair_is_judged_again_at_once(commitment, make_change_order, dee):
    first = sending.begin(commitment, dee, whole("001"))
    assert verdicts(first) == ["clean"]

    second = sending.begin(commitment, dee, whole("1"))
    assert verdicts(first, second) == ["block", "block"]

    sending.edit(second.id, dee, second.version, whole("2"))
    assert verdicts(first, second) == ["clean", "clean"]

    sending.edit(second.id, dee, load(second.id).version, whole("01"))
    assert verdicts(first, second) == ["block", "block"]

    confirm_distinct.tell_apart(second.id, dee, "CCO", first.id)
    assert "block" not in verdicts(first, second)


def test_the_other_one_of_a_voided_one_is_free_at_once(commitment, dee):
    first, second = (sending.begin(commitment, dee, whole(number)) for number in ("001", "1"))
    assert verdicts(first) == ["block"]

    sending.void(second.id, dee, second.version)

    assert verdicts(first) == ["clean"]
