"""What a cell says in a column of ours: what a person sees in it, or the reason why that cannot be trusted."""

import re
from decimal import ROUND_HALF_UP, Decimal

from portal.intake import amounts, fields
from portal.intake.cells import Dated, Number, Unreadable

FIGURES = {"amount", "original_amount", "total", "tax", "quantity", "revision", "date"}
CODES = {
    "job_number", "customer_code", "vendor_code", "commitment_number", "subcontract_number", "cco_number", "phase_code", "cost_type",
    "bid_item",
}  # fmt: skip
DASH_FOR_ZERO = re.compile(" *- {2,}")  # how Excel writes nothing in its comma style
AGAIN = "Format the column as Text in Excel and type it again."


def said(name: str, cell: str) -> str:
    """What the cell says in the column. Raises ValueError with the reason why it says nothing that can be used."""
    if isinstance(cell, Unreadable):
        if name == "date" and isinstance(cell, Dated):
            return str(cell)
        raise ValueError(cell.reason)
    if isinstance(cell, Number):
        return _figure(cell) if name in FIGURES else _shown(name, cell)
    return "0" if name in amounts.COLUMNS and DASH_FOR_ZERO.fullmatch(cell) else cell.strip()


def is_price(text: str) -> bool:
    """Whether a text that should be yes or no is a figure instead."""
    return any(one.isdigit() for one in text) and text.casefold() not in fields.YES | fields.NO


def _figure(cell: Number) -> Number:
    """It counts as it is held, where what is shown is that number, at most with fewer decimals."""
    held = Decimal(cell)
    if not held and cell.shown in ("", "-"):
        return cell
    seen = amounts.seen(cell.shown)
    rounded = held.quantize(seen, ROUND_HALF_UP) if seen is not None else None
    if seen is None or (rounded != seen and not (cell.colored and rounded == -seen)):
        raise ValueError(f"{_both(cell)} Format the column in Excel as a number that shows what is meant.")
    return cell


def _shown(name: str, cell: Number) -> str:
    """A code has to be what is shown, digit by digit; another text is what is shown."""
    if name in CODES and not cell.exact:
        raise ValueError(f"{_both(cell)} {AGAIN}")
    return cell.shown


def _both(cell: Number) -> str:
    return f"shows “{cell.shown[:40]}” and holds {str(cell)[:40]}: it cannot be told which of them is meant."
