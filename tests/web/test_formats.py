"""Times as pages tell them: short where that is enough, and never so short that a year is left to guess."""

from datetime import UTC, datetime

import pytest

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
