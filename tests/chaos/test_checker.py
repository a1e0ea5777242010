"""The checker on what people do to put things right, on both databases, and on what is not at rest."""

from decimal import Decimal

import pytest

from portal import db
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.exporting import pausing
from portal.domain.exporting.exports import Export
from portal.domain.lanes import Lane
from portal.domain.projects import sending
from portal.spectrum.records import KEYS
from tests.chaos import variants_desk, variants_worker
from tests.chaos import variants_stories as stories
from tests.chaos.checker import at_rest, check
from tests.chaos.variants_office import LANE, TWO, as_seen


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    url = request.getfixturevalue("postgres") if request.param == "postgresql" else f"sqlite:///{tmp_path / 'portal.db'}"
    db.init(url)
    with db.connected():
        db.migrate()
    return url


def found(office):
    return [str(violation) for violation in office.violations()]


def state(change_order):
    return as_seen(change_order).state


# Both databases


@pytest.mark.parametrize("story", [stories.a_torn_connection, stories.a_mail_worker_dies, stories.a_refused_line])
def test_a_story_that_ends_well_breaks_nothing(office, cast, story):
    story(office, cast)

    assert found(office) == []


@pytest.mark.parametrize(
    ("break_it", "story", "caught"),
    [
        (variants_worker.tried_again_on_a_time_out, stories.a_torn_connection, "nothing_else"),
        (variants_desk.trail_not_sealed, stories.a_good_day, "chain_holds"),
        (variants_desk.authorization_id_in_an_excerpt, stories.a_dropped_call, "no_secret_is_told"),
        (variants_worker.done_before_it_is_done, stories.killed_before_anything, "everything_rests"),
    ],
)
def test_a_broken_portal_is_caught_on_either_database(office, cast, monkeypatch, break_it, story, caught):
    break_it(monkeypatch, office)

    story(office, cast)

    assert caught in {violation.invariant for violation in office.violations()}


# What people do to put things right


def test_what_was_refused_may_be_retried(office, cast):
    office.simulator.fail("refuse", nth=2)
    change_order = office.accepted(cast.ana, lines=TWO)
    office.rest()
    office.press("retry", cast.lee, as_seen(change_order))
    office.rest()

    assert state(change_order) is Status.EXPORTED
    assert found(office) == []


def test_a_half_may_be_rejected_corrected_and_sent_again(office, cast):
    """Nobody took the stored line out of Spectrum, though somebody said so: it is the same line again."""
    office.simulator.fail("refuse", nth=2)
    change_order = office.accepted(cast.ana, lines=TWO)
    office.rest()
    office.press("reject", cast.lee, as_seen(change_order), reason="Wrong phase on line 2", removed=True)
    office.rest()
    rejected = found(office)
    seen = as_seen(change_order)
    lines = [sending.LineDraft("16-2000", "SUB", Decimal("4250.00")), sending.LineDraft("03-3000", "SUB", Decimal("-251.00"))]
    sending.edit(seen.id, cast.dee, seen.version, sending.Draft(seen.number, seen.title, "", lines))
    office.press("send", cast.dee, as_seen(change_order))
    office.press("accept", cast.ana, as_seen(change_order))
    office.rest()

    assert state(change_order) is Status.EXPORTED
    assert rejected == []
    assert found(office) == []


def test_an_accept_may_be_recalled_and_made_again(office, cast):
    change_order = office.accepted(cast.ana)
    office.press("recall", cast.ana, as_seen(change_order))
    recalled = found(office)
    office.press("accept", cast.lee, as_seen(change_order))
    office.rest()

    assert state(change_order) is Status.EXPORTED
    assert recalled == []
    assert found(office) == []


def test_what_was_sent_may_be_retrieved_and_voided(office, cast):
    change_order = office.make()
    office.press("retrieve", cast.dee, change_order)
    office.press("accept", cast.ana, change_order)
    office.press("void", cast.dee, as_seen(change_order))

    assert state(change_order) is Status.VOID
    assert found(office) == []


def test_a_doubt_without_reading_back_waits_for_a_person_who_says_so(office, cast, database_url):
    office.reads_back = False
    office.simulator.fail("commit_then_reset", nth=1)
    change_order = office.accepted(cast.ana)
    office.rest()
    waiting = at_rest(database_url), state(change_order), found(office)
    office.press("say present", cast.lee, as_seen(change_order), number=Export.get().number, note="I looked.")

    assert waiting == (True, Status.UNKNOWN, [])
    assert state(change_order) is Status.EXPORTED
    assert found(office) == []


def test_what_is_not_there_may_be_said_and_retried(office, cast):
    office.reads_back = False
    office.simulator.fail("reset_before_commit", nth=1)
    change_order = office.accepted(cast.ana)
    office.rest()
    office.clock.tick(minutes=20)
    office.press("say absent", cast.lee, as_seen(change_order), note="I looked.")
    office.press("retry", cast.lee, as_seen(change_order))
    office.rest()

    assert state(change_order) is Status.EXPORTED
    assert found(office) == []


def test_what_was_typed_by_hand_is_ours(office, cast):
    office.simulator.fail("refuse", nth=1)
    change_order = office.accepted(cast.ana)
    office.rest()
    _, elements = Export.get().lines[0]
    office.simulator.control("change-requests", [elements])
    typed_too_soon = found(office)
    office.press("by hand", cast.ada, as_seen(change_order), number=Export.get().number, note="Typed it.")

    assert state(change_order) is Status.EXPORTED
    assert typed_too_soon != []
    assert found(office) == []


def test_what_was_unlinked_may_still_stand_there(office, cast):
    change_order = office.accepted(cast.ana)
    office.rest()
    office.press("unlink", cast.ada, as_seen(change_order), number=Export.get().number)

    assert state(change_order) is Status.RETRIEVED
    assert found(office) == []


# What people do in Spectrum itself


def test_a_line_that_nobody_accepted_is_found_unless_people_use_its_number(office, cast):
    office.accepted(cast.ana)
    office.rest()
    _, elements = Export.get().lines[0]
    office.simulator.control("change-requests", [elements | {"Change_Request_Number": "X-1"}])
    evidence = office.evidence
    evidence.typed = frozenset({"X-1"})

    assert [violation.invariant for violation in office.violations()] == ["nothing_else"]
    assert check(evidence) == []


def test_a_line_that_was_taken_out_or_changed_is_missed(office, cast):
    office.accepted(cast.ana)
    office.rest()
    _, elements = Export.get().lines[0]
    keys = {name: elements[name] for name in (*KEYS, "CR_Phase_Code", "CR_Cost_Type", "Subcontractor_Code", "Subcontract_Number")}
    office.simulator.control("change-requests", [{**keys, "Change_Request_Amount": "1.00"}])

    assert {violation.invariant for violation in office.violations()} == {"held_once", "nothing_else"}


# Rest


def test_what_is_under_way_is_not_at_rest(office, cast, database_url):
    before = at_rest(database_url)
    office.accepted(cast.ana)
    accepted = at_rest(database_url)
    office.rest()

    assert (before, accepted, at_rest(database_url)) == (True, False, True)


def test_what_a_pause_holds_up_rests(office, cast, ada, database_url):
    office.accepted(cast.ana)
    pausing.pause(LANE, ada, "month-end close")
    office.work()

    assert at_rest(database_url)
    assert Lane.is_paused(LANE)
    assert ChangeOrder.get().state is Status.QUEUED
    assert found(office) == []


def test_a_promise_of_mail_is_not_at_rest(office, cast, database_url):
    office.press("reject", cast.ana, office.make(), reason="Wrong cost type")
    promised = at_rest(database_url)
    office.deliver()

    assert (promised, at_rest(database_url)) == (False, True)
