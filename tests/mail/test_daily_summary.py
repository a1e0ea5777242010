"""The daily summary: when it is due, to whom, what it counts; promised once per person and day whatever the keepers do."""

import multiprocessing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from portal import db, failpoints
from portal.background import keeper
from portal.domain import companies
from portal.domain.change_orders import ChangeOrder, Status, load
from portal.domain.mail import daily_summary
from portal.domain.outbox import Dispatch, NotWanted, Task
from portal.domain.people import Level, User
from portal.domain.rules import contributors
from portal.domain.rules import four_eyes as rules_four_eyes
from tests import keepers
from tests.conftest import count_queries

MONDAY, SATURDAY = date(2026, 11, 23), date(2026, 11, 28)
KEEPERS = 5


def at(text):
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.fixture
def seven(clock, company):
    """It is Monday, 7:00 in Chicago."""
    clock.set(at("2026-11-23T07:00:00-06:00"))
    return clock


def promised():
    return sorted(dispatch.key for dispatch in Dispatch.select().where(Dispatch.task == Task.DAILY))


def summary_of(person):
    return daily_summary.of(daily_summary.key(MONDAY, person.id), person)


@pytest.mark.parametrize(
    ("zone", "day", "hour", "due"),
    [
        ("America/Chicago", "2026-11-23", 7, "2026-11-23T07:00:00-06:00"),
        ("America/Chicago", "2026-07-01", 7, "2026-07-01T07:00:00-05:00"),
        ("America/Chicago", "2026-03-08", 2, "2026-03-08T03:00:00-05:00"),  # two o'clock is left out
        ("America/Chicago", "2026-03-08", 3, "2026-03-08T03:00:00-05:00"),
        ("America/Chicago", "2026-11-01", 1, "2026-11-01T01:00:00-05:00"),  # one o'clock comes twice
        ("America/Chicago", "2026-11-01", 2, "2026-11-01T02:00:00-06:00"),
        ("Africa/Cairo", "2026-04-24", 0, "2026-04-24T01:00:00+03:00"),  # the day begins at one o'clock
        ("Antarctica/Troll", "2026-03-29", 2, "2026-03-29T03:00:00+02:00"),  # two hours are left out; the first moment after is at three
        ("Australia/Lord_Howe", "2026-10-04", 2, "2026-10-04T02:30:00+11:00"),  # half an hour is
        ("Australia/Lord_Howe", "2026-04-05", 1, "2026-04-05T01:00:00+11:00"),
        ("Asia/Kathmandu", "2026-11-23", 7, "2026-11-23T07:00:00+05:45"),
        ("UTC", "2026-11-23", 23, "2026-11-23T23:00:00+00:00"),
    ],
)
def test_the_hour_is_the_companys_and_a_change_of_clocks_neither_skips_nor_doubles_it(zone, day, hour, due):
    assert daily_summary.moment(date.fromisoformat(day), hour, ZoneInfo(zone)) == datetime.fromisoformat(due)


def test_it_is_due_on_the_chosen_weekdays_at_the_chosen_hour(company):
    assert daily_summary.due_at(company, MONDAY) == at("2026-11-23T07:00:00-06:00")
    assert daily_summary.due_at(company, SATURDAY) is None

    company.summary_hour, company.summary_days, company.time_zone = 16, "6", "America/New_York"

    assert daily_summary.due_at(company, MONDAY) is None
    assert daily_summary.due_at(company, SATURDAY) == at("2026-11-28T16:00:00-05:00")


def test_the_keeper_promises_nothing_before_the_hour_and_one_to_each_approver_at_it(seven, ana, lee, ben, dee, eve, sam):
    seven.tick(seconds=-1)
    keeper.plan()
    assert promised() == []

    seven.tick(seconds=1)
    keeper.plan()
    keeper.plan()

    assert promised() == sorted(f"daily:2026-11-23:{person.id}" for person in (ana, lee))
    assert {(d.lane, d.due_at) for d in Dispatch.select().where(Dispatch.task == Task.DAILY)} == {("mail", seven.now())}


def test_a_keeper_that_comes_late_promises_the_same_day_and_never_yesterday(seven, ana):
    seven.tick(hours=16, minutes=59)
    daily_summary.plan()
    assert promised() == [f"daily:2026-11-23:{ana.id}"]

    seven.set(at("2026-11-25T06:59:59-06:00"))
    daily_summary.plan()

    assert len(promised()) == 1


def test_the_next_working_day_has_a_summary_of_its_own(seven, ana):
    for _ in range(7):
        daily_summary.plan()
        seven.tick(days=1)

    assert promised() == [f"daily:2026-11-{day}:{ana.id}" for day in (23, 24, 25, 26, 27)]


@pytest.mark.parametrize(
    "changes",
    [{"active": False}, {"can_push": False}, {"level": Level.READ_ONLY}, {"level": Level.NONE}, {"wants_summary": False}, {"email": ""}],
)
def test_who_may_not_decide_or_wants_none_is_promised_none(seven, ana, changes):
    User.update(changes).where(User.id == ana.id).execute()

    daily_summary.plan()

    assert promised() == []


def test_a_company_that_switched_it_off_has_none(seven, ana):
    companies.Company.update(daily_summary=False).execute()

    daily_summary.plan()

    assert promised() == []


def test_a_clock_that_is_put_back_makes_no_second_one(seven, ana):
    daily_summary.plan()

    for change in ({"hours": -1}, {"hours": 2}, {"days": -1}, {"days": 1}):
        seven.tick(**change)
        daily_summary.plan()

    assert len([key for key in promised() if "2026-11-23" in key]) == 1


def test_the_summary_counts_all_and_shows_the_oldest_first(seven, make_change_order, ana):
    made = [make_change_order(lines=[("16-2000", "SUB", f"{100 + number}.25")]) for number in range(3)]
    for days, change_order in enumerate(made):
        ChangeOrder.update(sent_at=seven.now() - timedelta(days=days)).where(ChangeOrder.id == change_order.id).execute()

    found = summary_of(ana)

    assert (found.count, found.total, found.more) == (3, Decimal("303.75"), 0)
    assert [shown.id for shown in found.shown] == [change_order.id for change_order in reversed(made)]


def test_25_are_shown_and_the_others_counted(make_change_order, ana):
    for _ in range(28):
        make_change_order()

    found = summary_of(ana)

    assert (found.count, len(found.shown), found.more, found.total) == (28, 25, 3, Decimal("119000.00"))


def test_failed_and_unknown_ones_are_counted_and_are_not_what_waits(make_change_order, ana, seven):
    for state in ("failed", "failed", "unknown", "exported", "rejected", "draft", "queued"):
        make_change_order(state)

    found = summary_of(ana)

    assert (found.count, found.total, found.failed, found.unknown) == (0, Decimal("0.00"), 2, 1)
    with pytest.raises(NotWanted, match="nothing waits"):
        daily_summary.write(found.key, ana)


def test_what_waits_is_what_the_person_may_decide_by_the_same_rule_as_the_row(make_change_order, ana, lee, dee, ben, eve, company):
    sent, written, edited, foreign, nobodys = (make_change_order() for _ in range(5))
    ChangeOrder.update(sent_by=ana).where(ChangeOrder.id == sent.id).execute()
    ChangeOrder.update(created_by=ana).where(ChangeOrder.id == written.id).execute()
    ChangeOrder.update(created_by=None, sent_by=None).where(ChangeOrder.id == nobodys.id).execute()
    contributors.record(edited.id, [ana], contributors.AUTHORED)
    contributors.record(foreign.id, [lee], contributors.AUTHORED)

    for four_eyes in (True, False):
        companies.Company.update(four_eyes=four_eyes).execute()
        for person in (ana, lee, dee, ben, eve):
            rows = [load(row.id) for row in ChangeOrder.select().where(ChangeOrder.status == Status.READY).order_by(ChangeOrder.id)]
            contributed = contributors.of_all(rows)
            may = [row.id for row in rows if not rules_four_eyes.why_not_decide(row, person, contributed[row.id])]
            found = summary_of(person)
            assert (found.count, sorted(shown.id for shown in found.shown)) == (len(may), may), (person.name, four_eyes)

    companies.Company.update(four_eyes=True).execute()
    assert {shown.id for shown in summary_of(ana).shown} == {foreign.id, nobodys.id}


def test_the_number_of_queries_does_not_grow_with_what_waits(make_change_order, ana):
    make_change_order()
    with count_queries() as few:
        assert summary_of(ana).shown[0].commitment.vendor.name == "Volt Electric Co"
    for _ in range(9):
        make_change_order()

    with count_queries() as more:
        for shown in summary_of(ana).shown:
            assert shown.job.name, shown.sent_by.name

    assert len(more) == len(few)


def test_the_number_of_queries_of_a_look_does_not_grow_with_the_people(seven, make_user):
    for number in range(2):
        make_user(f"Approver {number}", level=Level.STANDARD, can_push=True)
    daily_summary.plan()
    with count_queries() as two:
        daily_summary.plan()
    for number in range(2, 12):
        make_user(f"Approver {number}", level=Level.STANDARD, can_push=True)
    daily_summary.plan()

    with count_queries() as twelve:
        daily_summary.plan()

    assert len(twelve) == len(two)


def test_a_keeper_that_dies_between_two_promises_leaves_the_rest_to_the_next(seven, ana, lee, monkeypatch):
    def die(point):
        raise failpoints.Rehearsed(point)

    with monkeypatch.context() as patch:
        patch.setattr(failpoints, "hit", die)
        with pytest.raises(failpoints.Rehearsed, match=r"summary\.inserted"):
            daily_summary.plan()
    assert len(promised()) == 1

    daily_summary.plan()

    assert promised() == sorted(f"daily:2026-11-23:{person.id}" for person in (ana, lee))


@pytest.fixture(params=["sqlite", "postgresql"])
def either_url(request, tmp_path):
    """The URL of a migrated database, with three approvers."""
    url = request.getfixturevalue("postgres") if request.param == "postgresql" else f"sqlite:///{tmp_path / 'keepers.db'}"
    db.init(url)
    with db.connected():
        db.migrate()
        companies.Company.update(summary_days="1234567").execute()
        for number in range(3):
            address = f"approver{number}@example.test"
            User.create(name=f"Approver {number}", email=address, handle=address, level=Level.STANDARD, can_push=True)
    return url


def test_5_keepers_started_again_and_again_around_the_hour_promise_one_per_person(either_url, length):
    restarts = length(100, 20)
    mornings = [
        (7, at("2026-11-23T07:00:00-06:00")),
        (2, at("2026-03-08T03:00:00-05:00")),  # two o'clock is left out
        (1, at("2026-11-01T01:00:00-05:00")),  # one o'clock comes twice
    ]
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["tests.keepers"])
    together = server.Barrier(KEEPERS)
    crowd = [server.Process(target=keepers.keep, args=(either_url, together, mornings, restarts), daemon=True) for _ in range(KEEPERS)]

    for one in crowd:
        one.start()
    for one in crowd:
        one.join(120)

    assert [one.exitcode for one in crowd] == [0] * KEEPERS
    with db.connected():
        due = {dispatch.key: dispatch.due_at for dispatch in Dispatch.select()}
        people = [user.id for user in User.select()]
    hours = {f"daily:{moment:%Y-%m-%d}:{person}": moment for _, moment in mornings for person in people}
    assert len(people) == 3
    assert due.keys() == hours.keys()
    assert all(timedelta(0) <= due[key] - hours[key] <= keepers.step(restarts) for key in due)
