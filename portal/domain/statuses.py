"""The states of a change order, and which may follow which."""

from enum import StrEnum


class Status(StrEnum):
    """The states of product: what the label says is what people see."""

    DRAFT = "draft"
    READY = "ready"
    QUEUED = "queued"
    EXPORTING = "exporting"
    EXPORTED = "exported"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    RETRIEVED = "retrieved"
    VOID = "void"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS = {
    Status.DRAFT: "Draft",
    Status.READY: "Ready to Export",
    Status.QUEUED: "Queued",
    Status.EXPORTING: "Exporting",
    Status.EXPORTED: "Exported",
    Status.FAILED: "Failed to Export",
    Status.UNKNOWN: "Outcome unknown",
    Status.REJECTED: "Rejected",
    Status.RETRIEVED: "Retrieved",
    Status.VOID: "Void",
}

ALLOWED: dict[Status, set[Status]] = {
    Status.DRAFT: {Status.READY, Status.VOID},
    Status.READY: {Status.QUEUED, Status.REJECTED, Status.RETRIEVED},
    Status.QUEUED: {Status.EXPORTING, Status.READY, Status.FAILED, Status.EXPORTED},
    Status.EXPORTING: {Status.EXPORTED, Status.QUEUED, Status.FAILED, Status.UNKNOWN},
    Status.EXPORTED: {Status.RETRIEVED},
    Status.FAILED: {Status.QUEUED, Status.REJECTED, Status.EXPORTED, Status.READY},
    Status.UNKNOWN: {Status.EXPORTED, Status.QUEUED, Status.FAILED},
    Status.REJECTED: {Status.READY, Status.VOID},
    Status.RETRIEVED: {Status.READY, Status.VOID},
    Status.VOID: set(),
}

EDITABLE = (Status.DRAFT, Status.REJECTED, Status.RETRIEVED)
IN_FLIGHT = (Status.QUEUED, Status.EXPORTING)
# The views that list several states, as conditions of a query: an index of the same words gives each its order.
SENT_IN = {
    "progress": "status IN ('queued', 'exporting') AND sent_at IS NOT NULL",
    "failed": "status IN ('failed', 'unknown') AND sent_at IS NOT NULL",
    "returned": "status IN ('rejected', 'retrieved') AND sent_at IS NOT NULL",
    "all": "status NOT IN ('draft', 'void') AND sent_at IS NOT NULL",
}
