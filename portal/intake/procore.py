"""What Procore's REST API answers about commitment change orders, as its public reference describes it.

    GET /rest/v1.0/projects/{id}/commitment_change_orders/{id}     one, or several in a list or under `data`
    GET /rest/v1.0/change_order_packages/{id}                      the older form of the same

Amounts are texts, quantities numbers. A change order names its contract by `contract_id`; the contract itself (a work order
contract is a subcontract) comes embedded as `contract`, or beside the change orders under `contracts`. Spectrum's codes stand in
`origin_id` of project, vendor and contract where its ERP integration filled them in; else they stay empty until someone links
them. Fields that no one needs here are passed over; what must stop is refused, or stopped by a rule (docs/import.md).
"""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from portal.domain.imports.entries import BadFile, Entry, Problem, keep_few
from portal.intake import limits, schemas
from portal.intake.procore_records import ChangeOrder

LISTS = ("commitment_change_orders", "change_order_packages", "data")
CONTRACTS = {
    "contracts": "",
    "commitments": "",
    "work_order_contracts": "WorkOrderContract",
    "purchase_order_contracts": "PurchaseOrderContract",
}
TOLD = {"number", "grand_total", "origin_id", "vendor", "company", "name", "project", "project_number"}  # of a contract


def is_procore(document: Any) -> bool:
    return isinstance(document, list) or (isinstance(document, dict) and bool(document.keys() & {*LISTS, "line_items", "contract_id"}))


def read(document: Any) -> tuple[list[Entry], list[Problem]]:
    """The change orders of a list, of an object around one, or the only one."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    name, found = _list_of(document)
    around = document if isinstance(document, dict) else {}
    contracts, count = _contracts(around), limits.Count()
    for index, one in enumerate(found):
        where = f"{name}[{index}]"
        problems.extend(Problem(where, field, reason) for field, reason in _two_contracts(one, contracts))
        lines = one.get("line_items") if isinstance(one, dict) else None
        count.add(lines)
        try:
            if isinstance(lines, list) and len(lines) > limits.MOST_LINES:
                problems.append(limits.too_long(where, "line_items", one.get("number"), len(lines)))
            else:
                entries.append(ChangeOrder.model_validate(_complete(one, around, contracts)).entry(where))
        except ValidationError as error:
            problems.extend(Problem(where, schemas.path(loc), _reason(loc, reason)) for loc, reason in schemas.faults(error))
        keep_few(problems)
    return entries, problems


def _list_of(document: Any) -> tuple[str, list[Any]]:
    if isinstance(document, list):
        return "", document
    there = [name for name in LISTS if name in document]
    if len(there) > 1:
        raise BadFile([Problem("", "", f"The file has change orders under “{there[0]}” and under “{there[1]}”. Put them into one list.")])
    name = next(iter(there), "")
    inside = document[name] if name else document
    return name, inside if isinstance(inside, list) else [inside]


def _contracts(around: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The contracts beside the change orders, by Procore's id."""
    return {
        str(contract["id"]): ({"type": kind} if kind else {}) | contract
        for name, kind in CONTRACTS.items()
        for contract in around.get(name) or []
        if isinstance(contract, dict) and contract.get("id")
    }


def _complete(one: Any, around: dict[str, Any], contracts: dict[str, dict[str, Any]]) -> Any:
    """The change order with its contract and project put in, where they stand elsewhere in the file."""
    if not isinstance(one, dict):
        return one
    embedded, id = _named(one)
    contract = contracts.get(id, {}) | embedded
    more = {"contract": contract} if contract else {}
    beside = around["project"] if isinstance(around.get("project"), dict) and around is not one else {}
    lines = {"line_items": _undeleted(one["line_items"])} if one.get("deleted_at") and isinstance(one.get("line_items"), list) else {}
    return one | {"around": beside} | more | lines


def _undeleted(lines: list[Any]) -> list[Any]:
    """The lines of a change order that was deleted as a whole: that they were too says no more."""
    return [line | {"deleted_at": ""} if isinstance(line, dict) else line for line in lines]


def _named(one: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The contract embedded in the change order, and the id of the one it names."""
    embedded = one["contract"] if isinstance(one.get("contract"), dict) else {}
    return embedded, str(one.get("contract_id") or embedded.get("id") or "")


def _two_contracts(one: Any, contracts: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Where the embedded contract is another one than the change order names, or differs from the same one beside it."""
    if not isinstance(one, dict):
        return
    embedded, id = _named(one)
    if embedded.get("id") and str(embedded["id"]) != id:
        yield "contract_id", f"says {id[:20]}, and the contract in the change order is {str(embedded['id'])[:20]}."
    for path, here, there in _differences(embedded, contracts.get(id, {}), "contract"):
        yield path, f"says “{here[:60]}” in the change order and “{there[:60]}” beside it. Correct it in Procore, and export it again."


def _differences(here: dict[str, Any], there: dict[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    for name in TOLD & here.keys() & there.keys():
        one, other = here[name], there[name]
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _differences(one, other, f"{path}.{name}")
        elif isinstance(one, str) and isinstance(other, str) and one.strip() and other.strip() and one.strip() != other.strip():
            yield f"{path}.{name}", one, other


def _reason(loc: tuple[int | str, ...], reason: str) -> str:
    if loc == ("contract",):
        return "is missing. Put the contract into the change order, or beside it under “contracts”."
    if loc == ("grand_total",):
        return (
            "is empty: it tells whether the lines are all. Export the change order with its total." if reason == "is missing." else reason
        )
    if loc == ("line_items",):
        return "is missing. A list of change orders comes without lines; fetch them one by one."
    return reason
