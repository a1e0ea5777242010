"""Failed exports of several causes."""

import pytest

from portal.domain.change_orders import load
from portal.domain.recovery import resolutions
from portal.spectrum.records import Refused, Row
from tests.cast import export

CLOSED = Refused("Refused.", http=200, rows=[Row("I", "Period 11 is closed", "Origination_Date")])
NO_RIGHTS = Refused("Refused.", http=200, rows=[Row("A", "Not authorized", "")])


@pytest.fixture
def fail(make_change_order):
    """A change order that failed with this answer."""

    def failed(answer=CLOSED):
        made = make_change_order("queued")
        export(made, answer)
        return load(made.id)

    return failed


@pytest.fixture
def absent(make_change_order, ana, clock):
    """One whose outcome was unknown and that is not in Spectrum: a failure of the class temporary."""

    def failed():
        unknown = make_change_order("unknown")
        clock.tick(minutes=16)
        return resolutions.mark_absent(unknown.id, ana, unknown.version, "Looked in the list of change requests")

    return failed
