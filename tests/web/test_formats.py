"""Times as pages tell them: short where that is enough, and never so short that a year is left to guess."""

from datetime import UTC, datetime, timedelta

import pytest

from portal import clock as clocks
from portal.web import formats
from portal.web.change_orders import sentences

NOW = datetime(2026, 3, 2, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "alone", "told"),
    [
        (datetime(2026, 3, 2, 6, 1, tzinfo=UTC), "00:01", "at 00:01"),
        (datetime(2026, 3, 2, 5, 59, tzinfo=UTC), "Mar 1, 23:59", "on Mar 1 at 23:59"),
        (datetime(2026, 1, 1, 6, tzinfo=UTC), "Jan 1, 00:00", "on Jan 1 at 00:00"),
        (datetime(2026, 1, 1, 5, 59, tzinfo=UTC), "Dec 31, 2025, 23:59", "on Dec 31, 2025 at 23:59"),
        (datetime(2027, 3, 2, 16, tzinfo=UTC), "Mar 2, 2027, 10:00", "on Mar 2, 2027 at 10:00"),
    ],
)
def test_a_time_of_another_day_tells_the_day_and_of_another_year_the_year(app, company, clock, moment, alone, told):
    clock.set(NOW)

    with app.app_context():
        assert (formats.at_time(moment), sentences.when(moment)) == (alone, told)


@pytest.mark.parametrize("passed", [0, 1, 59, 60, 61, 3_599, 3_600, 7_199, 86_399, 86_400, 90_000, 604_799, -30], ids=str)
def test_an_age_holds_until_it_would_read_otherwise(app, clock, passed):
    moment = clock.now() - timedelta(seconds=passed)
    with app.test_request_context(), clocks.watched() as watch:
        now = formats.ago(moment)
    with app.test_request_context():
        clock.set(watch.until - timedelta(microseconds=1))
        assert formats.ago(moment) == now
        clock.set(watch.until)
        assert formats.ago(moment) != now or passed < 0


@pytest.mark.parametrize("at", ["2026-03-08T05:30", "2026-11-01T04:59", "2026-12-31T23:59", "2026-06-15T12:00"])
def test_a_day_holds_until_midnight_in_the_zone_of_the_company(app, company, clock, at):
    clock.set(datetime.fromisoformat(f"{at}+00:00"))
    with app.test_request_context(), clocks.watched() as watch:
        day = formats.today()
    with app.test_request_context():
        clock.set(watch.until - timedelta(microseconds=1))
        assert formats.today() == day
        clock.set(watch.until)
        assert formats.today() == day + timedelta(days=1)
