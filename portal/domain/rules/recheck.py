"""Run the checks again when what they look at has changed: settings, or what is known of Spectrum."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec

import structlog

from portal.db import Busy, transaction
from portal.domain import change_orders
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.commitments import Commitment
from portal.domain.rules import attention, checks, duplicates, findings, spectrum_lists
from portal.domain.rules.attention import Reason

P = ParamSpec("P")
JUDGED = (*change_orders.EDITABLE, Status.READY)
BATCH = 100
log = structlog.get_logger()
_collected: ContextVar[set[int] | None] = ContextVar("collected", default=None)


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
        judged = _judge(batch)
        with transaction():
            turn()
            for change_order in batch:
                verdict, looks = judged[change_order.id]
                if (verdict, looks) != (change_order.checks, change_order.looks):
                    unchanged = [getattr(ChangeOrder, name) == getattr(change_order, name) for name in ("id", "version", "checks", "looks")]
                    ChangeOrder.update(checks=verdict, looks=looks).where(*unchanged).execute()


def _judge(batch: list[ChangeOrder]) -> dict[int, tuple[str, str]]:
    """The present verdict on each, by its id, and why it needs a look while it is ready."""
    known, alike = spectrum_lists.known(batch), duplicates.of(batch)
    verdicts = {one.id: findings.verdict(checks.at_send(one, known[one.id], alike[one.id])) for one in batch}
    looks = attention.judge([one for one in batch if one.is_ready], verdicts)
    return {id: (verdict, looks.get(id, "")) for id, verdict in verdicts.items()}


def beside(decide: Callable[P, ChangeOrder]) -> Callable[P, ChangeOrder]:
    """Decorator of a decision: after its transaction, what waits beside the change order is judged again.

    Not within it: two decisions about change orders of one commitment would wait for each other. Who decides within a transaction of
    their own puts `afterwards` around it.
    """

    @wraps(decide)
    def decided(*arguments: P.args, **options: P.kwargs) -> ChangeOrder:
        change_order = decide(*arguments, **options)
        ids = _waiting_beside(change_order)
        if (collected := _collected.get()) is not None:
            collected.update(ids)
        else:
            _again_beside(ids)
        return change_order

    return decided


@contextmanager
def afterwards() -> Iterator[None]:
    """Judge what waits beside the decisions of the block once, after it and so after the transactions in it."""
    ids: set[int] = set()
    token = _collected.set(ids)
    try:
        yield
    finally:
        _collected.reset(token)
    _again_beside(ids)


def _again_beside(ids: Collection[int]) -> None:
    """The decision stands: that its neighbors wait for the night must not be told as if it did not."""
    try:
        if ids:
            again(ChangeOrder.id.in_(list(ids)))
    except Busy as error:
        log.warning("what waits beside a decision is judged again tonight", error=str(error))


def _waiting_beside(change_order: ChangeOrder) -> list[int]:
    """The ready ones of its commitment, and those that were the first of its vendor."""
    held = change_order.commitment.__data__
    first = ChangeOrder.looks.contains(Reason.FIRST) & (Commitment.vendor == held["vendor"])
    ready = ChangeOrder.select(ChangeOrder.id).join(Commitment).where(ChangeOrder.status == Status.READY)
    found: Any = [ready.where(which).tuples() for which in (ChangeOrder.commitment == held["id"], first)]
    return [id for rows in found for (id,) in rows]


def look_alikes(change_order: ChangeOrder, before: str = "") -> None:
    """The same for those that look like it, or did while its number was another one (`before`, in its loose form).

    The caller holds the commitment, so that no two judge each other at once.
    """
    if before != change_order.loose:
        alike = (ChangeOrder.commitment == change_order.commitment) & ChangeOrder.loose.in_((before, change_order.loose))
        others = alike & (ChangeOrder.id != change_order.id)
        if ChangeOrder.select(ChangeOrder.id).where(others).exists():  # rarely; an import asks for each line of a long file
            again(others)
