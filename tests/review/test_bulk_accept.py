"""All clean change orders of a page are accepted at once, each by its own Accept; the result is a record with Undo."""

import re
from decimal import Decimal

import pytest

from portal import db
from portal.domain import events
from portal.domain.change_orders import SUBJECT, ChangeOrder, Status, load
from portal.domain.commitments import Commitment
from portal.domain.companies import Company
from portal.domain.people import NotPermitted
from portal.domain.review import bulk_accept, bulk_actions, decisions, holds, lists, questions, views
from portal.domain.review.bulk_accept import Seen
from portal.domain.review.bulk_actions import BulkAction, BulkOutcome, Chosen, What
from portal.domain.rules import recheck
from portal.spectrum.records import Receipt
from tests.cast import export, signed
from tests.conftest import count_queries, path_of, sign_in
from tests.pages import soup, words
from tests.races import at_once

pytestmark = pytest.mark.databases_differ("who waits for whom, and sums")

KEY = "0123456789abcdef"
READY = "/change-orders?view=ready"


@pytest.fixture(autouse=True)
def rules(company):
    """Only what a test brings about is a reason to look."""
    Company.update(look_rules="credit large grown corrected answered held").execute()


def sheet(viewer):
    """That of the first page."""
    return bulk_accept.sheet(lists.page(views.BY_KEY["ready"], viewer).rows)


def showed(viewer):
    """What the sheet showed: the change orders and what it said of each."""
    going = sheet(viewer).going
    chosen = [Chosen(one.row.change_order.id, one.row.change_order.version) for one in going]
    return chosen, {one.row.change_order.id: Seen(one.digest, one.contract.approved) for one in going}


def accept(viewer, key=KEY):
    return bulk_accept.accept(*showed(viewer), viewer, key)


def said(action):
    return [(result.outcome, result.text) for result, _ in bulk_actions.results(action)]


def staying(viewer):
    return {one.row.change_order.id: one.why_not for one in sheet(viewer).staying}


def test_each_clean_one_is_queued_and_named_in_a_record(make_change_order, ana):
    ready = [make_change_order() for _ in range(3)]

    action = accept(ana)

    assert {load(one.id).state for one in ready} == {Status.QUEUED}
    assert (action.what, action.asked, action.total) == ("accept", 3, Decimal("12750.00"))
    assert bulk_actions.counts(action) == {BulkOutcome.DONE: 3}
    assert events.latest(SUBJECT, [ready[0].id])[ready[0].id].facts["bulk_action"] == action.id


def test_what_needs_a_look_stays_with_the_reason(make_change_order, ana):
    credit = make_change_order(lines=[("16-2000", "SUB", "-5.00")])
    clean = make_change_order()

    assert staying(ana) == {credit.id: "Needs a look: Credit."}
    assert [one.row.change_order.id for one in sheet(ana).going] == [clean.id]


def test_what_waits_for_an_answer_or_a_day_stays(make_change_order, ana, clock):
    asked, held = make_change_order(), make_change_order()
    questions.ask(asked.id, ana, asked.version, "Which floor?")
    holds.hold(held.id, ana, held.version, clock.now().date().replace(year=clock.now().year + 1, day=1, month=1), "Until the new year")

    why = staying(ana)
    assert why[asked.id] == "Needs a look: Waits for an answer of the sender."
    assert why[held.id].startswith("Needs a look: On hold until 01/01/")


def test_who_shaped_one_does_not_accept_it_with_others(make_change_order, dee):
    one = make_change_order()
    dee.level, dee.can_push = "Standard", True
    dee.save()

    assert "four eyes" in staying(dee)[one.id]


def test_the_contract_counts_what_stands_above_on_the_sheet(make_change_order, commitment, ana):
    Commitment.update(original_amount=Decimal(100_000)).execute()
    Company.update(growth_limit=10).execute()
    for _ in range(3):
        make_change_order()

    shown = sheet(ana)

    assert [one.contract.after for one in shown.going] == [Decimal("104250.00"), Decimal("108500.00")]
    assert [one.why_not for one in shown.staying] == ["Needs a look: Contract grown past its limit."]


def test_one_that_changed_meanwhile_is_skipped_with_the_reason(make_change_order, vendor, ana, lee):
    first, second, third = (make_change_order() for _ in range(3))
    seen = showed(ana)
    decisions.reject(first.id, lee, first.version, "Wrong phase")
    questions.ask(second.id, lee, second.version, "Which floor?")

    action = bulk_accept.accept(*seen, ana, KEY)

    outcomes = said(action)
    assert outcomes[0] == (BulkOutcome.SKIPPED, "CCO 001 is now: Rejected.")
    assert outcomes[1] == (BulkOutcome.SKIPPED, "CCO 002 is now: Ready to Export.")
    assert outcomes[2] == (BulkOutcome.DONE, "")
    assert load(third.id).state is Status.QUEUED


def test_what_the_sheet_showed_is_compared_to_the_last_value(change_order, vendor, ana):
    seen = showed(ana)
    vendor.code = "OTHER"
    vendor.save()

    action = bulk_accept.accept(*seen, ana, KEY)

    assert said(action) == [(BulkOutcome.SKIPPED, "It was changed after the sheet was opened.")]
    assert load(change_order.id).state is Status.READY


def test_one_whose_contract_grew_meanwhile_is_skipped(make_change_order, ana, lee):
    make_change_order()
    seen = showed(ana)
    other = make_change_order()
    signed(other.id, lee, other.version)

    action = bulk_accept.accept(*seen, ana, KEY)

    assert said(action) == [(BulkOutcome.SKIPPED, "More of its contract was approved after the sheet was opened.")]


def test_a_form_that_names_what_needs_a_look_does_not_accept_it(make_change_order, ana):
    credit = make_change_order(lines=[("16-2000", "SUB", "-5.00")])
    (entry,) = sheet(ana).staying

    seen = {credit.id: Seen(entry.digest, entry.contract.approved)}
    action = bulk_accept.accept([Chosen(credit.id, credit.version)], seen, ana, KEY)

    assert said(action) == [(BulkOutcome.SKIPPED, "Needs a look: Credit.")]


def test_rights_are_read_at_each_row(make_change_order, ana, ben, monkeypatch):
    for _ in range(2):
        make_change_order()
    seen, accepts = showed(ana), decisions.accept

    def withdrawn(*arguments):
        ana.can_push = False
        ana.save()
        return accepts(*arguments)

    with pytest.raises(NotPermitted):
        bulk_accept.accept(*seen, ben, KEY)
    monkeypatch.setattr(decisions, "accept", withdrawn)
    action = bulk_accept.accept(*seen, ana, KEY)

    assert {outcome for outcome, _ in said(action)} == {BulkOutcome.REFUSED}


def test_the_same_sheet_sent_twice_decides_nothing_twice(make_change_order, ana):
    one = make_change_order()
    seen = showed(ana)

    first = bulk_accept.accept(*seen, ana, KEY)
    second = bulk_accept.accept(*seen, ana, KEY)

    assert first == second
    assert [event.action for event in events.history(SUBJECT, one.id)].count("accepted") == 1


def test_undo_recalls_what_was_not_sent_yet_and_only_that(make_change_order, ana, lee):
    sent, waits, again = (make_change_order() for _ in range(3))
    action = accept(ana)
    export(load(sent.id), Receipt(200))
    decisions.recall(again.id, ana, load(again.id).version)
    signed(again.id, ana, load(again.id).version)

    undoable = bulk_accept.undoable(action, ana)
    assert [one.id for one in undoable] == [waits.id]
    assert bulk_accept.undoable(action, lee) == []

    undone = bulk_accept.undo(action, [Chosen(one.id, one.version) for one in undoable], ana, KEY + "2")

    assert bulk_actions.counts(undone) == {BulkOutcome.DONE: 1}
    assert [load(one.id).state for one in (sent, waits, again)] == [Status.EXPORTED, Status.READY, Status.QUEUED]


def test_the_sheet_takes_the_same_number_of_queries_however_long_it_is(make_change_order, ana):
    def queries():
        make_change_order()
        with count_queries() as sent:
            sheet(ana)
        return len(sent)

    assert queries() == queries()


def test_no_more_than_the_company_allows_go_at_once(make_change_order, ana):
    ready = [make_change_order() for _ in range(2)]
    chosen, seen = showed(ana)
    Company.update(bulk_cap=1).execute()

    assert [len(part) for part in (sheet(ana).going, sheet(ana).staying)] == [1, 1]
    action = bulk_accept.accept(chosen, seen, ana, KEY)

    assert said(action) == [(BulkOutcome.DONE, ""), (BulkOutcome.SKIPPED, "At most 1 go at once: this one takes another press.")]
    assert [load(one.id).state for one in ready] == [Status.QUEUED, Status.READY]


def form_of(page):
    return {name: re.findall(rf'name="{name}" value="([^"]+)"', page) for name in ("key", "row")}


def test_without_javascript_the_list_leads_to_the_sheet_and_the_sheet_to_the_record(client, make_change_order, ana):
    make_change_order()
    make_change_order(lines=[("16-2000", "SUB", "-5.00")])
    sign_in(client, ana)

    listed = client.get(READY).text
    assert "Accept 1 clean" in listed
    assert listed.index("Needs a look (1)") < listed.index("Clean (1)")
    shown = client.get("/change-orders/acceptances?all=on").text
    assert "1 change order, $4,250.00." in shown
    assert "Needs a look: Credit." in shown
    answer = client.post("/change-orders/acceptances", data=form_of(shown))

    record = client.get(path_of(answer.location)).text
    assert "Accept clean: 1 queued" in record
    assert "Undo 1 not yet sent" in record
    undone = client.post(f"{path_of(answer.location)}/recalls", data=form_of(record))
    assert "Undo: 1 recalled" in client.get(path_of(undone.location)).text


def test_who_only_looks_is_offered_nothing(client, change_order, ben):
    sign_in(client, ben)

    assert 'id="accept-clean"' not in client.get(READY).text
    shown = client.get("/change-orders/acceptances?all=on").text
    assert "view-only access" in shown
    assert 'name="row"' not in shown
    digest = "0" * 64
    answer = client.post("/change-orders/acceptances", data={"key": KEY, "row": f"{change_order.id}-{change_order.version}-0-{digest}"})
    assert answer.status_code == 403
    assert BulkAction.select().count() == 0


@pytest.mark.parametrize("row", ["", "1-1", "1-1-0-abc", "x"])
def test_a_sheet_that_does_not_say_what_it_showed_accepts_nothing(client, change_order, ana, row):
    answer = sign_in(client, ana).post("/change-orders/acceptances", data={"key": KEY, "row": row})

    assert answer.status_code == 400
    assert load(change_order.id).state is Status.READY


def test_what_is_kept_of_a_row_is_judged_again_before_it_goes(make_change_order, ana):
    """A process that died, or an upgrade, leaves it older than what is beside it."""
    credit = make_change_order(lines=[("16-2000", "SUB", "-5.00")])
    ChangeOrder.update(looks="").where(ChangeOrder.id == credit.id).execute()

    action = accept(ana)

    assert said(action) == [(BulkOutcome.SKIPPED, "Needs a look: Credit.")]
    assert load(credit.id).state is Status.READY


def test_where_the_database_is_busy_the_rest_stays_open_and_the_same_form_goes_on(client, make_change_order, ana):
    ready = [make_change_order() for _ in range(3)]
    chosen = [Chosen(one.id, one.version) for one in ready]
    done = []

    def act(one, by, place):
        if place == 1 and len(done) == 1:
            done.append("busy")
            raise db.Busy("The database is busy.")
        done.append(one.id)

    asked = bulk_actions.Asked(What.ACCEPT, "All", chosen)
    first = bulk_actions.carry_out(asked, ana, KEY, act)
    assert [outcome for outcome, _ in said(first)] == [BulkOutcome.DONE, BulkOutcome.OPEN, BulkOutcome.OPEN]
    record = sign_in(client, ana).get(f"/bulk-actions/{first.id}")
    assert "Accept clean: 1 queued, 2 not reached" in record.text
    assert "Nothing of these was recorded: start again with what is left in the list." in record.text
    assert words(soup(record).select_one("nav.tabs [aria-current]")) == "Change Orders"

    again = bulk_actions.carry_out(asked, ana, KEY, act)

    assert again == first
    assert said(first) == [(BulkOutcome.DONE, "")] * 3
    assert done == [ready[0].id, "busy", ready[1].id, ready[2].id]


def test_what_waits_beside_is_judged_after_the_rows_and_not_in_their_transactions(make_change_order, ana, monkeypatch):
    """Within one, two people who decide under one commitment would wait for each other."""
    for _ in range(3):
        make_change_order()
    chosen, seen = showed(ana)
    inside = []
    judge = recheck.again
    monkeypatch.setattr(recheck, "again", lambda *given: inside.append(db.database.in_transaction()) or judge(*given))

    bulk_accept.accept(chosen[:2], seen, ana, KEY)

    assert inside == [False]


def test_two_at_once_do_not_grow_a_contract_past_its_limit(make_change_order, commitment, ana, lee):
    """Each alone stays below it; who comes second sees what the first one approved."""
    Commitment.update(original_amount=Decimal("60000.00")).where(Commitment.id == commitment.id).execute()
    Company.update(growth_limit=100).execute()
    one, two = make_change_order(), make_change_order()  # 4,250.00 each
    chosen, seen = showed(ana)
    seen = {id: Seen(shown.digest, Decimal(0)) for id, shown in seen.items()}
    Company.update(growth_limit=10).execute()

    def accepts(by, at):
        return lambda: bulk_accept.accept([chosen[at]], seen, by, f"{KEY}-{at}")

    at_once(accepts(ana, 0), accepts(lee, 1))

    assert sorted(load(one.id).state for one in (one, two)) == [Status.QUEUED, Status.READY]
