"""*Look it up in Spectrum*, and what it shows: in the rows of what is in doubt or failed, and before an export is unlinked."""

from datetime import timedelta
from decimal import Decimal

import pytest

from portal.background import tasks
from portal.domain import outbox
from portal.domain.change_orders import Status, load
from portal.domain.exporting import verify
from portal.domain.exporting.exports import Export
from portal.domain.lanes import Lane
from portal.spectrum.records import Stored, StoredLine
from tests.conftest import HTMX, sign_in
from tests.pages import soup, words
from tests.recovery.test_resolution_pages import NOON, buttons, path, seen

pytestmark = pytest.mark.databases_differ("sorting, searching and paging")


@pytest.fixture
def client(make_app, company):
    """A browser at a portal that reads Spectrum back."""
    return make_app(INFOLINK_SERVER="simulator").test_client()


def look(change_order, *lines):
    """The worker's turn on what somebody asked for."""
    claim = Lane.take(change_order.company.lane, tasks.LEASE)
    for dispatch in outbox.due(change_order.company.lane, timedelta(minutes=1)):
        verify.answer(dispatch, claim, lambda _: Stored("CR", "", lines) if lines else None)
    Lane.release(change_order.company.lane, claim)


@pytest.mark.parametrize(
    ("status", "who", "offered"),
    [
        ("unknown", "sam", ["Look it up in Spectrum"]),
        ("unknown", "ben", []),
        ("unknown", "ana", ["Look it up in Spectrum", "It is in Spectrum"]),
        ("failed", "sam", ["Look it up in Spectrum"]),
        ("exported", "ada", ["Look it up in Spectrum", "Unlink"]),
        ("exported", "ana", []),
        ("queued", "ana", ["Recall"]),
    ],
)
def test_it_is_offered_where_something_was_exported(client, make_change_order, request, status, who, offered):
    one = make_change_order(status)

    row = soup(sign_in(client, request.getfixturevalue(who)).get(path(one, "row"), headers=HTMX)).tr

    assert buttons(row) == offered


def test_the_row_asks_until_the_answer_is_there_and_then_says_it(client, sam, make_change_order):
    one = make_change_order("failed")
    sign_in(client, sam)

    asked = soup(client.post(path(one, "look-up"), data=seen(one), headers=HTMX)).tr
    look(one)
    answered = soup(client.get(path(one, "row"), headers=HTMX)).tr

    assert "Checking Spectrum…" in words(asked)
    assert asked["hx-trigger"] == "load delay:2s"
    assert f"Spectrum holds nothing under {Export.get().number}." in words(answered)
    assert not answered.has_attr("hx-get")
    assert buttons(answered) == ["Look it up in Spectrum"]


def test_asking_twice_promises_one_look(client, sam, make_change_order):
    one = make_change_order("failed")
    sign_in(client, sam)

    client.post(path(one, "look-up"), data=seen(one), headers=HTMX)
    client.post(path(one, "look-up"), data=seen(one), headers=HTMX)

    assert outbox.Dispatch.select().where(outbox.Dispatch.task == outbox.Task.READ_BACK).count() == 1


def test_who_only_reads_may_not_ask(client, ben, make_change_order):
    one = make_change_order("failed")

    answer = sign_in(client, ben).post(path(one, "look-up"), data=seen(one), headers=HTMX)

    assert answer.status_code == 403
    assert "Looking into Spectrum needs level Standard or higher." in words(soup(answer).tr)


def test_where_reading_back_is_off_the_button_is_not_there_and_asking_is_refused(make_app, sam, make_change_order):
    one, client = make_change_order("failed"), make_app().test_client()

    row = soup(sign_in(client, sam).get(path(one, "row"), headers=HTMX)).tr
    answer = client.post(path(one, "look-up"), data=seen(one), headers=HTMX)

    assert buttons(row) == []
    assert answer.status_code == 403
    assert "Reading back is off" in words(soup(answer).tr)


def test_a_row_in_doubt_says_what_the_portal_does_about_it_and_when(client, ana, make_change_order, clock):
    clock.set(NOON)
    one = make_change_order("unknown")

    row = soup(sign_in(client, ana).get(path(one, "row"), headers=HTMX)).tr

    assert "The portal will check Spectrum at" in words(row)
    assert row["hx-trigger"] == "load delay:15s"


def test_other_amounts_in_spectrum_are_shown_beside_ours(client, ana, make_change_order, clock):
    one = make_change_order("unknown")
    clock.tick(minutes=15)
    sign_in(client, ana).post(path(one, "look-up"), data=seen(one), headers=HTMX)

    look(one, StoredLine("162000", "SUB", Decimal("1.00")))

    row = soup(client.get(path(one, "row"), headers=HTMX)).tr
    assert load(one.id).state is Status.FAILED
    assert "In Spectrum: 162000 SUB 1.00." in words(row)
    assert "Accounting can fix this." in words(row)


def test_unlink_wants_a_look_that_finds_nothing(client, ada, make_change_order):
    one = make_change_order("exported")
    sign_in(client, ada)
    number = Export.get().number

    unseen = client.post(path(one, "unlinking"), data=seen(one, number=number), headers=HTMX)
    client.post(path(one, "look-up"), data=seen(one), headers=HTMX)
    look(one, StoredLine.sent(Export.get().lines[0][1]))
    there = client.post(path(one, "unlinking"), data=seen(one, number=number), headers=HTMX)
    client.post(path(one, "look-up"), data=seen(one), headers=HTMX)
    look(one)
    gone = client.post(path(one, "unlinking"), data=seen(one, number=number), headers=HTMX)

    assert (unseen.status_code, there.status_code, gone.status_code) == (422, 422, 200)
    assert "No one has checked yet that it is gone from Spectrum." in words(soup(unseen).tr)
    assert "Spectrum holds" in words(soup(there).tr)
    assert load(one.id).state is Status.RETRIEVED
