"""Run the checks again when what they look at has changed: settings, or what is known of Spectrum."""

from collections.abc import Callable
from typing import Any

from portal.db import transaction
from portal.domain import change_orders
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.rules import checks, duplicates, findings, spectrum_lists

JUDGED = (*change_orders.EDITABLE, Status.READY)
BATCH = 100


def again(which: Any = None, turn: Callable[[], object] = lambda: None) -> None:
    """Keep the present verdict with those that can still be corrected or answered. `turn` opens each batch's transaction."""
    theirs = ChangeOrder.status.in_(JUDGED) if which is None else ChangeOrder.status.in_(JUDGED) & which
    last = 0
    while True:
        query = change_orders.complete().where(theirs, ChangeOrder.id > last)
        batch = change_orders.with_lines(query.order_by(ChangeOrder.id).limit(BATCH))
        if not batch:
            return
        last = batch[-1].id
        known, alike = spectrum_lists.known(batch), duplicates.of(batch)
        with transaction():
            turn()
            for change_order in batch:
                verdict = findings.verdict(checks.at_send(change_order, known[change_order.id], alike[change_order.id]))
                if verdict != change_order.checks:
                    same = (ChangeOrder.id == change_order.id) & (ChangeOrder.version == change_order.version)
                    ChangeOrder.update(checks=verdict).where(same).execute()


def look_alikes(change_order: ChangeOrder, before: str = "") -> None:
    """The same for those that look like it, or did while its number was another one (`before`, in its loose form).

    The caller holds the commitment, so that no two judge each other at once.
    """
    if before != change_order.loose:
        alike = (ChangeOrder.commitment == change_order.commitment) & ChangeOrder.loose.in_((before, change_order.loose))
        others = alike & (ChangeOrder.id != change_order.id)
        if ChangeOrder.select(ChangeOrder.id).where(others).exists():  # rarely; an import asks for each line of a long file
            again(others)
