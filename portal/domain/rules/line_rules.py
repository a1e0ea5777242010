"""Rules about lines, amounts, tax and currency."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from portal.domain import keys, money
from portal.domain.change_orders import ChangeOrder, LineItem
from portal.domain.rules import text_rules
from portal.domain.rules.findings import PROJECT, Finding
from portal.spectrum import records


def lines(co: ChangeOrder) -> Iterator[Finding]:
    if not co.lines:
        yield Finding(7, "lines", "There are no lines.", fix="Add at least one line with cost code, cost type and amount.")
    for line in co.lines:
        missing = [(column, name) for column, name, value in _needed(line) if not value]
        if missing:
            text = f"Line {line.position} has no {' and no '.join(name for _, name in missing)}."
            yield Finding(7, "lines", text, fix="Fill it in.", place=(line.position, missing[0][0]))
        yield from _at(line, "phase_code", cost_code(line))
        yield from _at(line, "cost_type", cost_type(line))
        yield from _at(line, "bid_item", bid_item(co, line))


def cost_type(line: LineItem) -> Iterator[Finding]:
    name = f"Cost type {line.cost_type} on line {line.position}"
    if len(line.cost_type) > 3:
        yield Finding(7, "lines", f"{name} is longer than Spectrum's 3 characters.", fix="Use Spectrum's code of the cost type.")
    yield from text_rules.bad_characters(7, "lines", name, line.cost_type)


def bid_item(co: ChangeOrder, line: LineItem) -> Iterator[Finding]:
    if co.commitment.unit_price and not line.bid_item.strip():
        text = f"Line {line.position} needs a subcontract bid item: {co.commitment.number} is a unit price contract."
        yield Finding(7, "lines", text, fix="Fill in its bid item.")
    if line.bid_item:
        yield from text_rules.key_code(
            7, "lines", f"Bid item {line.bid_item} on line {line.position}", line.bid_item, PROJECT, "Correct the code."
        )


def cost_code(line: LineItem) -> Iterator[Finding]:
    """Judged as it is sent: without its dashes, which may leave a blank at an end."""
    phase = records.without_dashes(line.phase_code)
    if len(phase) > 20:
        text = f"Cost code {line.phase_code} on line {line.position} has {len(phase)} characters; Spectrum holds 20."
        yield Finding(7, "lines", text, fix="Shorten it.")
    if phase.strip() and phase != phase.strip():
        text = (
            f"Cost code “{line.phase_code}” on line {line.position} begins or ends with a blank once its dashes are left out for Spectrum."
        )
        yield Finding(7, "lines", text, fix="Delete the blank.")
    yield from text_rules.bad_characters(7, "lines", f"Cost code {phase} on line {line.position}", phase)


def repeats(co: ChangeOrder) -> Iterator[Finding]:
    """Spectrum keeps one line per phase, cost type, subcontract and bid item: a second one overwrites the first."""
    same = defaultdict(list)
    for line in co.lines:
        if line.phase_code and line.cost_type:
            same[keys.phase(line.phase_code), keys.cost_type(line.cost_type), keys.bid_item(line.bid_item)].append(line.position)
    for positions in same.values():
        if len(positions) > 1:
            listed = f"{', '.join(map(str, positions[:-1]))} and {positions[-1]}"
            yield Finding(
                9,
                "lines",
                f"Lines {listed} use the same phase, cost type and subcontract. Spectrum keeps one line per combination.",
                fix="Combine them into one line.",
            )


def amounts(co: ChangeOrder) -> Iterator[Finding]:
    for line in co.lines:
        if line.amount is not None and abs(line.amount) > money.LARGEST:
            text = f"The amount on line {line.position} has more than 10 digits before the point."
            yield Finding(10, "lines", text, fix="Correct the amount.", place=(line.position, "amount"))
        if line.quantity is not None and not _fits_quantity(line.quantity):
            yield Finding(
                10,
                "lines",
                f"Quantity {line.quantity:f} on line {line.position} is too large or has more than 2 decimals for Spectrum.",
                fix="Correct the quantity or leave it empty.",
                place=(line.position, "quantity"),
            )
    if abs(co.amount) > money.LARGEST:
        yield Finding(10, "amount", "The total has more than 10 digits before the point.", fix="Correct the total.")


def total(co: ChangeOrder) -> Iterator[Finding]:
    if co.lines and co.tax and co.line_total + co.tax == co.amount:
        text = f"The total of {co.amount:,.2f} contains the tax of {co.tax:,.2f}; the lines add up to {co.line_total:,.2f}."
        yield Finding(11, "amount", text, fix="State the total without the tax.")
    elif co.lines and co.line_total != co.amount:
        yield Finding(
            11, "amount", f"The lines add up to {co.line_total:,.2f}, the CCO says {co.amount:,.2f}.", fix="Correct the lines or the total."
        )


def tax(co: ChangeOrder) -> Iterator[Finding]:
    if co.tax and co.company.tax_allowed:
        yield Finding(14, "tax", f"The tax of {co.tax:,.2f} is not sent: Spectrum gets the lines.", blocking=False)
    elif co.tax:
        text = f"The change order states a tax of {co.tax:,.2f}. Your company sends none, and Spectrum would not get it."
        fix = "Leave the tax out, or have an administrator allow it under Settings, Company."
        yield Finding(14, "tax", text, fix=fix)


def currency(co: ChangeOrder) -> Iterator[Finding]:
    books = co.company.currency
    if co.currency != books:
        text = f"The amounts are in {co.currency}; your company keeps its books in {books}."
        yield Finding(15, "currency", text, fix=f"State the change order in {books}.")


def zeros(co: ChangeOrder) -> Iterator[Finding]:
    if co.lines and not any(line.amount for line in co.lines):
        yield Finding(12, "lines", "All lines are zero: nothing to export.", fix="Enter the amounts or void the change order.")
        return
    for line in co.lines:
        if line.amount is not None and not line.amount:
            text = f"Line {line.position} is zero and will not be exported."
            yield Finding(12, "lines", text, blocking=False, place=(line.position, "amount"))
    if co.lines and co.amount <= 0:
        word = "zero" if not co.amount else "a credit"
        yield Finding(12, "amount", f"The total is {word}.", fix="Make sure that this is meant.", blocking=False)


def _needed(line: LineItem) -> Iterable[tuple[str, str, bool]]:
    return (
        ("phase_code", "cost code", bool(records.without_dashes(line.phase_code).strip())),
        ("cost_type", "cost type", bool(line.cost_type.strip())),
        ("amount", "amount", line.amount is not None),
    )


def _at(line: LineItem, column: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The same findings, placed."""
    return (replace(finding, place=(line.position, column)) for finding in findings)


def _fits_quantity(quantity: Decimal) -> bool:
    return quantity.is_finite() and abs(quantity) <= Decimal("9999999.99") and quantity == quantity.quantize(Decimal("0.01"))
