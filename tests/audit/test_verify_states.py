"""The state of each change order is the one its last event gave."""

import pytest

from portal.domain.audit import verify_rights, verify_states
from portal.domain.change_orders import ChangeOrder, Status

pytestmark = pytest.mark.databases_differ("constraints and triggers")


@pytest.mark.parametrize("state", ["ready", "queued", "failed", "unknown", "exported", "rejected"])
def test_a_state_that_the_portal_gave_is_no_difference(make_change_order, state):
    make_change_order(state)

    assert verify_states.differences() == []


def test_a_state_that_was_written_around_the_portal_is_named(make_change_order, monkeypatch):
    monkeypatch.setattr(verify_states, "BATCH", 1)
    make_change_order("ready")
    other = make_change_order("ready", number="002")
    ChangeOrder.update(status=Status.EXPORTED).where(ChangeOrder.id == other.id).execute()

    (said,) = verify_states.differences()

    assert said == (
        f"CCO 002 (id {other.id}): the state is Exported, but the last event says Ready to Export. It was changed around the portal."
    )


def test_accounts_without_an_event_of_their_making_are_named(ben):
    (said,) = verify_rights.unvouched()

    assert said.startswith("Not vouched for: the rights of accounts without an event of their making: ")
    assert ben.email in said
