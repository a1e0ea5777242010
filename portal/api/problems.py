"""Refusals as problem details (RFC 9457): what is wrong, where, and who can fix it."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from flask import Response, request
from pydantic import ValidationError

from portal.api import schemas
from portal.domain.rules.findings import Finding

MEDIA_TYPE = "application/problem+json"
MOST, LONGEST_NAME = 100, 100  # faults told of one request, and characters of a name that is no field
# The pages' own field names, where the interface has others; what is not in the body has no pointer.
POINTERS = {name: f"/{name}" for name in ("number", "title", "description", "amount", "tax", "currency", "project_status", "lines")} | {
    "CCO number": "/number"
}
SENTENCES = {
    "missing": "is missing.",
    "extra_forbidden": "is no field of this request; the description under /api/v1/openapi.json lists those that are.",
    "string_type": "has to be a text in quotation marks, amounts too.",
    "string_unicode": "contains half a character (an unpaired surrogate).",
    "list_type": "has to be a list.",
    "model_type": "has to be an object.",
    "model_attributes_type": "has to be an object.",
    "int_type": "has to be a whole number.",
    "int_parsing": "has to be a whole number.",
    "greater_than_equal": "has to be {ge} or more.",
    "less_than_equal": "has to be {le} or less.",
    "string_too_long": "has more than {max_length} characters.",
    "too_long": "has {actual_length} entries; {max_length} fit.",
    "enum": "is not one of {expected}.",
    "string_pattern_mismatch": "contains a character or a form that is not allowed here.",
}


class Refused(Exception):
    """The request is answered with this problem."""

    def __init__(self, status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail, self.headers, self.more = status, kind, detail, headers or {}, more


def asked() -> bool:
    """Whether the request is for the interface, known address or not."""
    return request.path.startswith("/api/")


def answer(status: int, detail: str, kind: str = "", headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """The problem. `kind` names it for programs; `errors` and `change_order` are what `more` may hold."""
    problem = schemas.Problem(
        type=f"urn:cco-portal:problem:{kind}" if kind else "about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        **more,
    )
    silent = {name for name in ("errors", "change_order") if name not in more}
    return Response(problem.model_dump_json(exclude=silent), status, headers, content_type=MEDIA_TYPE)


def of_findings(findings: Iterable[Finding]) -> list[schemas.Finding]:
    return [
        schemas.Finding(
            pointer=f"/lines/{finding.place[0] - 1}/{finding.place[1]}" if finding.place else POINTERS.get(finding.field),
            detail=finding.text,
            rule=finding.rule,
            blocking=finding.blocking,
            who=finding.who,
            fix=finding.fix or None,
        )
        for finding in findings
    ]


def of_form(error: ValidationError, *, parameters: bool = False) -> list[schemas.Finding]:
    """What is wrong with the form of a body, or of the parameters of an address."""
    found = []
    for fault in error.errors(include_url=False, include_input=False)[:MOST]:
        where = [_escaped(str(part)) for part in fault["loc"]]
        sentence = SENTENCES.get(fault["type"])
        said = sentence.format_map(fault.get("ctx", {})) if sentence else fault["msg"].removeprefix("Value error, ")
        if parameters and where:
            found.append(schemas.Finding(parameter=where[0], detail=said))
        else:
            found.append(schemas.Finding(pointer="".join(f"/{part}" for part in where), detail=said))
    return found


def _escaped(name: str) -> str:
    """A name out of the request as a part of a JSON pointer."""
    return name[:LONGEST_NAME].encode("utf-8", "replace").decode().replace("~", "~0").replace("/", "~1")
