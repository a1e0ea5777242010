"""Change orders as the interface shows them."""

from typing import Any

from flask import url_for

from portal.api import problems, schemas
from portal.domain.change_orders import ChangeOrder
from portal.domain.projects import delivery
from portal.domain.rules import checks, spectrum_numbers


def full(change_order: ChangeOrder) -> schemas.ChangeOrder:
    """The change order with its lines and, while it can be corrected or answered, its findings."""
    matters = (change_order.is_editable and not change_order.as_sent) or change_order.is_ready
    found = (checks.at_send if change_order.is_editable else checks.on_review)(change_order) if matters else []
    return schemas.ChangeOrder(
        **_facts(change_order, spectrum_numbers.kept(change_order)),
        description=change_order.description,
        project_status=change_order.project_status,
        reason=delivery.reason(change_order) or None,
        lines=[schemas.Line(**{name: getattr(line, name) for name in schemas.Line.model_fields}) for line in change_order.lines],
        findings=problems.of_findings(found),
    )


def listed(found: list[ChangeOrder]) -> list[schemas.Summary]:
    """The change orders in a list, in a constant number of queries."""
    kept = spectrum_numbers.all_kept(found)
    return [schemas.Summary(**_facts(change_order, kept.get(change_order.id, ""))) for change_order in found]


def _facts(change_order: ChangeOrder, spectrum_number: str) -> dict[str, Any]:
    names = (
        "id",
        "number",
        "title",
        "amount",
        "tax",
        "currency",
        "as_sent",
        "revision",
        "version",
        "checks",
        "created_at",
        "sent_at",
        "decided_at",
    )
    return {name: getattr(change_order, name) for name in names} | {
        "url": url_for("api.show", id=change_order.id),
        "job": change_order.job.number,
        "commitment": change_order.commitment.number,
        "date": change_order.dated,
        "status": change_order.state,
        "status_label": change_order.label,
        "spectrum_number": spectrum_number or None,
    }
