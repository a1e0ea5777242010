"""Find codes that Excel has turned into dates: 1-2 typed into a cell becomes January 2, and `2-Jan` in its CSV."""

import re
from collections.abc import Iterator

from portal.domain import change_orders
from portal.domain.change_orders import ChangeOrder
from portal.domain.imports import matching
from portal.domain.imports.entries import Entry
from portal.domain.projects import statements
from portal.domain.projects.statements import News

UNSAID = "If it is meant so, upload the file on the page Imports and tick it there."

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
MONTH = "|".join(MONTHS)
DAY_MONTH = re.compile(rf"([0-9]{{1,2}})-({MONTH})(?:-([0-9]{{2,4}}))?", re.ASCII | re.IGNORECASE)
MONTH_YEAR = re.compile(rf"({MONTH})-([0-9]{{2,4}})", re.ASCII | re.IGNORECASE)
NUMBERS = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{2,4})", re.ASCII)


def typed(code: str) -> str:
    """What someone may have typed to get the code: `1-2` for `2-Jan`. Empty for a code that Excel makes of nothing else."""
    if found := DAY_MONTH.fullmatch(code):
        return "-".join([str(_number(found[2])), found[1], *([found[3]] if found[3] else [])])
    if found := MONTH_YEAR.fullmatch(code):
        return f"{_number(found[1])}-{found[2]}"
    return "-".join(found.groups()) if (found := NUMBERS.fullmatch(code)) else ""


def of(entry: Entry, master_data: matching.MasterData, source: str) -> str:
    """The codes of the entry that Excel may have made, as a sentence; empty where there is none, or nothing would come of them."""
    found = {f"{name} {code} is what Excel makes of a code such as {typed(code)}": None for name, code in _codes(entry) if typed(code)}
    return f"{'; '.join(list(found)[:3])}." if found and _would_change(entry, master_data, source) else ""


def _would_change(entry: Entry, master_data: matching.MasterData, source: str) -> bool:
    """Whether the entry is new, or says something new of a change order that is here."""
    held = master_data.commitments.get((entry.job_number, entry.commitment_number))
    known = ChangeOrder.meant(entry.draft.number, commitment=held) if held and held.id else None
    if known is None:
        return True
    here = change_orders.load(known.id)
    return here.is_editable and statements.weigh(here, entry.draft, source) is News.FRESH


def _codes(entry: Entry) -> Iterator[tuple[str, str]]:
    yield from (("Job", entry.job_number), ("Commitment", entry.commitment_number), ("CCO", entry.draft.number))
    yield from (("Vendor code", entry.vendor_code), ("Customer code", entry.customer), ("Subcontract number", entry.subcontract))
    for line in entry.draft.lines:
        yield from (("Cost code", line.phase_code), ("Cost type", line.cost_type), ("Bid item", line.bid_item))


def _number(month: str) -> int:
    return MONTHS.index(month.title()) + 1
