"""How much one file may hold and take: counted while it is read, not afterwards."""

from typing import Any

from portal.domain.imports.entries import BadFile, Problem

MOST_ROWS = 100_000  # line items, and change orders
MOST_LINES = 500  # in one change order
MOST_FIELDS = 300  # of one object in JSON; Procore's have about a hundred
SECONDS = 60  # of the processor
PATIENCE_S = 600.0  # for a machine that has no time for it
BYTES = 800_000_000  # of memory, above what the program itself takes


class Count:
    """Change orders and line items so far. Raises BadFile with the first that does not fit."""

    def __init__(self) -> None:
        self.change_orders = self.lines = 0

    def add(self, lines: Any) -> None:
        self.change_orders += 1
        self.lines += len(lines) if isinstance(lines, list) else 0
        if self.lines > MOST_ROWS or self.change_orders > MOST_ROWS:
            what = "line items" if self.lines > MOST_ROWS else "change orders"
            raise BadFile([Problem("", "", f"The file has more than {MOST_ROWS:,} {what}. Split it.")])


def too_long(where: str, field: str, number: object, lines: int) -> Problem:
    said = f"CCO {number} has" if isinstance(number, str) and number.strip() else "There are"
    return Problem(where, field, f"{said[:40]} {lines:,} lines; {MOST_LINES} fit into one change order.")
