"""The things that events tell of: their kinds, and what each thing is called."""

from typing import Any

from portal.domain import change_orders
from portal.domain.accounts.api_tokens import Token
from portal.domain.change_orders import ChangeOrder
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.exporting.failure_causes import FailureCause
from portal.domain.imports.staging import Import
from portal.domain.imports.uploads import Upload
from portal.domain.people import User
from portal.domain.triage import upkeep

UPLOAD = "upload"
SUBJECTS = {
    change_orders.SUBJECT: "Change orders",
    "user": "People",
    "company": "Company settings",
    "job": "Jobs",
    "commitment": "Commitments",
    "vendor": "Vendors",
    "import": "Imports",
    UPLOAD: "Uploaded files",
    "token": "Access tokens",
    upkeep.SUBJECT: "Causes of failures",
}
NAMED: dict[str, tuple[Any, Any, str]] = {
    "user": (User, User.name, ""),
    "job": (Job, Job.number, "Job "),
    "commitment": (Commitment, Commitment.number, "Commitment "),
    "vendor": (Vendor, Vendor.name, "Vendor "),
    "import": (Import, Import.file, "Import "),
    "token": (Token, Token.name, "Access token "),
    UPLOAD: (Upload, Upload.file, "File "),
}


def named(subject: str, ids: set[int]) -> list[tuple[int, str]]:
    """What the things of one kind are called, in one query."""
    if not ids:
        return []
    if subject == change_orders.SUBJECT:
        found = change_orders.complete().where(ChangeOrder.id.in_(ids))
        return [(one.id, f"CCO {one.number}, {one.commitment.number}, {one.job.number}") for one in found]
    if subject == upkeep.SUBJECT:
        return [(one.id, f"Cause: {one.title}") for one in FailureCause.select().where(FailureCause.id.in_(ids))]
    if subject == "company":
        return [(id, "Company settings") for id in ids]
    model, column, word = NAMED[subject]
    rows: Any = model.select(model.id, column).where(model.id.in_(ids)).tuples()
    return [(id, f"{word}{name}") for id, name in rows]
