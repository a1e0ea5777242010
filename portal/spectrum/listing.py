"""The answer of a Get service, taken apart: rows as dictionaries, and whether they are all there are."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from portal.spectrum.answers import UnreadableError, envelope, scrub, status
from portal.spectrum.catalogue import REFUSED_US
from portal.spectrum.outcomes import ACCESS, DATA, Refused, Row, Unanswered, explain
from portal.spectrum.services import SOAP, TYPES
from portal.spectrum.transport import ANSWER_LIMIT, Reply

STOP = 500  # rows after which a Get may stop [O5] [O6]
ERROR = ("Error_Code", "Error_Description", "Error_Column")  # each row ends with them [D4]

CUT = "Spectrum's answer was cut off at its end."
STOPPED = f"Spectrum stopped at about {STOP} rows."
WARNED = "Spectrum warned that its list is not whole."
NONE = "Spectrum gave no rows: there may be none, or the operator of the Authorization ID may not see them."
STRANGE = "Spectrum also gave rows that were not asked for."


@dataclass(frozen=True, slots=True)
class Listing:
    rows: list[dict[str, str]]
    reason: str = ""  # why they may not be all


def read_soap(reply: Reply, service: str, secrets: Mapping[str, str]) -> Listing:
    """Raises Refused when we may not ask, Unanswered when the answer cannot be understood."""
    _check_status(reply, secrets)
    try:
        root, cut = _document(reply)
    except UnreadableError as problem:
        raise Unanswered(str(problem), http=reply.status, answer=scrub(reply.body, secrets)) from None
    if root.find(f"{{{SOAP}}}Body/{{{TYPES}}}{service}Response") is None:
        fault = root.find(f"{{{SOAP}}}Body/{{{SOAP}}}Fault") is not None
        text = "Spectrum reported an internal error (SOAP fault)." if fault else "Spectrum's answer is not one of this service."
        raise Unanswered(text, http=reply.status, answer=scrub(reply.body, secrets))
    rows = [row for row in _rows(root) if not cut or set(ERROR) <= set(row)]  # in a cut answer only rows that are whole count
    return _judged(rows, CUT if cut else "", reply, secrets, len(rows) >= STOP)


def read_json(reply: Reply, secrets: Mapping[str, str]) -> Listing:
    """The shape is not published: a bare array, or an object that holds one [A]. Raises as read_soap."""
    _check_status(reply, secrets)
    try:
        data = json.loads(reply.body) if len(reply.body) <= ANSWER_LIMIT else None
    except (ValueError, RecursionError):
        data = None
    lists = [data] if isinstance(data, list) else [one for one in _fields(data).values() if isinstance(one, list)]
    if len(lists) != 1 or not all(isinstance(row, dict) for row in lists[0]):
        raise Unanswered("Spectrum's answer is not a list.", http=reply.status, answer=scrub(reply.body, secrets))
    rows = [{str(name): _text(value) for name, value in row.items()} for row in lists[0]]
    return _judged(rows, "", reply, secrets, bool(rows) and len(rows) % STOP == 0)


def _check_status(reply: Reply, secrets: Mapping[str, str]) -> None:
    excerpt = scrub(reply.body, secrets)
    if reply.status in (401, 403):
        raise Refused(REFUSED_US, http=reply.status, answer=excerpt)
    if reply.status != 200:
        raise Unanswered(status(reply), http=reply.status, answer=excerpt)


def _judged(rows: list[dict[str, str]], cut: str, reply: Reply, secrets: Mapping[str, str], stopped: bool) -> Listing:
    good = [row for row in rows if not row.get("Error_Code") and any(row.values())]  # a used GUID gave one empty row [O6]
    said = [
        Row(row["Error_Code"], *(scrub(row.get(name, ""), secrets)[:500] for name in ERROR[1:])) for row in rows if row.get("Error_Code")
    ]
    bad = [row for row in said if row.code != "W"]
    if bad and not good:
        text = " ".join(dict.fromkeys(explain(row.code, row.column, row.text) for row in bad))
        kind = Refused if all(row.code in ACCESS | DATA for row in bad) else Unanswered
        raise kind(text, http=reply.status, rows=bad, answer=scrub(reply.body, secrets))
    return Listing(good, cut or (WARNED if said and not stopped else STOPPED if said or stopped else ""))


def _document(reply: Reply) -> tuple[etree._Element, bool]:
    """The answer, and whether its end is missing: closing tags may lack on a long one, rows intact [O2]."""
    try:
        return envelope(reply), False
    except UnreadableError:
        if len(reply.body) > ANSWER_LIMIT or reply.encoding not in ("", "identity"):
            raise
    mending = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True)
    try:
        root = etree.fromstring(reply.body, mending)
    except (etree.LxmlError, ValueError):
        root = None
    if root is None or root.getroottree().docinfo.doctype or root.tag != f"{{{SOAP}}}Envelope":  # type: ignore[union-attr]
        raise UnreadableError("Spectrum's answer is not readable, or is cut off.")
    return root, True


def _rows(root: etree._Element) -> Iterator[dict[str, str]]:
    for response in root.iter():
        if isinstance(response.tag, str) and etree.QName(response).localname == "response":
            yield {etree.QName(part).localname: "".join(map(str, part.itertext())).strip() for part in response}


def _fields(data: object) -> dict[str, Any]:
    return data if isinstance(data, dict) else {}


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
