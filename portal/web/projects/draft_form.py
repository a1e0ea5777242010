"""The form of a change order as its sender fills it in: what was typed, and the draft it stands for."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flask.blueprints import BlueprintSetupState
from werkzeug.datastructures import MultiDict

from portal.domain import currencies, days, keys
from portal.domain.change_orders import ChangeOrder
from portal.domain.projects import sending
from portal.domain.projects.sending import Draft, LineDraft
from portal.domain.rules.findings import Finding
from portal.intake import amounts

MOST_LINES = 500
ZEROS = 12  # the rule on zero lines says nothing true while an amount cannot be read
WORDS = {"number": ("CCO number", 12), "title": ("title", 200), "description": ("description", 4000)}
COLUMNS = {
    "phase_code": ("cost code", 30),
    "cost_type": ("cost type", 10),
    "line_description": ("description", 500),
    "quantity": ("quantity", 40),
    "unit": ("unit", 10),
    "amount": ("amount", 40),
    "bid_item": ("bid item", 11),
}
KEYS = ("number", "phase_code", "cost_type", "bid_item")
FACTS: dict[str, tuple[str, Callable[[str], Any]]] = {  # field -> what it is in a draft, and how it is read
    "date": ("dated", lambda text: days.read(text) if text else None),
    "tax": ("tax", lambda text: amounts.typed(text) if text else Decimal("0.00")),
    "currency": ("currency", currencies.read),
}
QUANTITY = re.compile(r"-?[0-9]{1,10}(\.[0-9]{1,6})?")
BREAKS = str.maketrans("\n\r\t", "   ")


@dataclass(slots=True)
class Typed:
    """The fields as text, and what makes them unreadable; a field that can be read but breaks a rule is for the checks."""

    number: str
    title: str
    description: str
    lines: list[dict[str, str]]
    facts: dict[str, str] = field(default_factory=lambda: dict.fromkeys(FACTS, ""))
    problems: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Two spellings of the same letters are one text, and lengths are those of the one that is kept."""
        self.number, self.title, self.description = keys.plain(self.number), _composed(self.title), _composed(self.description)
        self.lines = [{name: (keys.plain if name in KEYS else _composed)(text) for name, text in line.items()} for line in self.lines]

    def draft(self) -> Draft:
        """The draft, or `problems` filled: each field that cannot be kept as it is."""
        self.problems = [
            *self._words(),
            *_unreadable(self.facts),
            *(finding for number, line in enumerate(self.lines, 1) for finding in _line(number, line, self.currency)),
        ]
        if len(self.lines) > MOST_LINES:
            self.problems.append(problem("lines", f"There are {len(self.lines)} lines; {MOST_LINES} fit.", "Split the change order."))
        if self.problems:
            return Draft("", "", "", [])
        return Draft(
            self.number, self.title, self.description, [_draft(line, self.currency) for line in self.lines], **_facts_of(self.facts)
        )

    def readable(self) -> Draft:
        """The draft without what cannot be read: figures that are none, control characters."""
        lines = [{name: _printable(text) for name, text in line.items()} for line in self.lines]
        lines = [line | {name: "" for name in ("amount", "quantity") if not self._is_figure(name, line[name])} for line in lines]
        number, title, description = map(_printable, (self.number, self.title, self.description))
        facts = self.facts | {finding.field: "" for finding in _unreadable(self.facts)}
        return Draft(number, title, description, [_draft(line, self.currency) for line in lines], **_facts_of(facts))

    def judged(self, id: int) -> list[Finding]:
        """All that stands against sending the change order as typed: what cannot be read, then what the checks say."""
        self.draft()
        unreadable = {problem.field for problem in self.problems}
        guesses = {ZEROS} if any(name.startswith("amount-") for name in unreadable) else set()
        found = sending.judge(id, self.readable())
        return [*self.problems, *(finding for finding in found if place(finding) not in unreadable and finding.rule not in guesses)]

    @property
    def currency(self) -> str:
        """As it was typed; empty where it is none, which its own field says."""
        return "" if any(finding.field == "currency" for finding in _unreadable(self.facts)) else self.facts["currency"]

    def add(self) -> None:
        self.lines.append(dict.fromkeys(COLUMNS, ""))

    def remove(self, position: str) -> int:
        """Take line 1, 2 ... away; answers which. A position that is none changes nothing."""
        if not (position.isascii() and position.isdigit() and 1 <= int(position[:9]) <= len(self.lines)):
            return len(self.lines)
        del self.lines[int(position) - 1]
        return int(position)

    def _is_figure(self, name: str, text: str) -> bool:
        if name == "quantity":
            return bool(QUANTITY.fullmatch(text.strip()))
        try:
            return amounts.typed(text, self.currency) is not None
        except ValueError:
            return False

    def _words(self) -> Iterator[Finding]:
        for name, (label, longest) in WORDS.items():
            yield from _readable(name, f"The {label}", getattr(self, name), longest)


def register(state: BlueprintSetupState) -> None:
    """For `Blueprint.record`: templates ask where a finding belongs."""
    state.app.add_template_filter(place)


def typed(form: MultiDict[str, str]) -> Typed:
    """What the form holds. Raises ValueError when the columns of its lines are not of one length: no browser sends that."""
    columns = {name: form.getlist(name) for name in COLUMNS}
    if len({len(values) for values in columns.values()}) > 1:
        raise ValueError("The lines of the form are incomplete. Nothing was recorded: reload the page and try again.")
    lines = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    facts = {name: form.get(name, "") for name in FACTS}
    return Typed(form.get("number", ""), form.get("title", ""), form.get("description", "").replace("\r\n", "\n"), lines, facts)


def written(change_order: ChangeOrder) -> Typed:
    """The change order as the form shows it."""
    lines = [
        {
            "phase_code": line.phase_code,
            "cost_type": line.cost_type,
            "line_description": line.description,
            "quantity": "" if line.quantity is None else f"{line.quantity:f}",
            "unit": line.unit,
            "amount": "" if line.amount is None else f"{line.amount:.2f}",
            "bid_item": line.bid_item,
        }
        for line in change_order.lines
    ]
    facts = {
        "date": change_order.dated.isoformat() if change_order.dated else "",
        "tax": f"{change_order.tax:.2f}" if change_order.tax else "",
        "currency": change_order.currency,
    }
    return Typed(change_order.number, change_order.title, change_order.description, lines, facts)


def place(finding: Finding) -> str:
    """The id of the field that a finding is about: `title`, `amount-2`."""
    if finding.place is None:
        return finding.field
    line, column = finding.place
    return f"{'line_description' if column == 'description' else column}-{line}"


def problem(field: str, text: str, fix: str = "") -> Finding:
    return Finding(0, field, text, fix=fix)


def _facts_of(facts: dict[str, str]) -> dict[str, Any]:
    """What they are in a draft. Raises ValueError for what cannot be read."""
    return {place: read(facts[name].strip()) for name, (place, read) in FACTS.items()}


def _unreadable(facts: dict[str, str]) -> Iterator[Finding]:
    for name, (_, read) in FACTS.items():
        try:
            read(facts[name].strip())
        except ValueError as error:
            yield problem(name, str(error))


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _readable(field: str, label: str, text: str, longest: int) -> Iterator[Finding]:
    if len(text.strip()) > longest:
        yield problem(field, f"{label} has {len(text.strip())} characters; {longest} fit.", "Shorten it.")
    if field.partition("-")[0] in KEYS and (unseen := keys.odd(text)):
        yield problem(field, f"{label} {unseen}")
    elif any(unicodedata.category(character) in ("Cc", "Cs") for character in text.translate(BREAKS)):
        yield problem(field, f"{label} contains control characters.", "Delete them; they often come with copied text.")


def _line(number: int, line: dict[str, str], currency: str) -> Iterator[Finding]:
    for name, (label, longest) in COLUMNS.items():
        yield from _readable(f"{name}-{number}", f"The {label} on line {number}", line[name], longest)
    try:
        _amount(line, currency)
    except ValueError as error:
        yield problem(f"amount-{number}", f"Line {number}: {error}")
    if line["quantity"].strip() and not QUANTITY.fullmatch(line["quantity"].strip()):
        text = f"Line {number}: “{line['quantity'][:40]}” is not a quantity. Write it like 120 or 12.5: digits and a point."
        yield problem(f"quantity-{number}", text)


def _printable(text: str) -> str:
    """Without the control characters that `_readable` complains of: no database takes them all."""
    return "".join(character for character in text if character in "\n\r\t" or unicodedata.category(character) not in ("Cc", "Cs"))


def _amount(line: dict[str, str], currency: str) -> Decimal | None:
    return amounts.typed(line["amount"], currency) if line["amount"].strip() else None


def _draft(line: dict[str, str], currency: str) -> LineDraft:
    return LineDraft(
        phase_code=line["phase_code"],
        cost_type=line["cost_type"],
        amount=_amount(line, currency),
        description=line["line_description"],
        quantity=Decimal(line["quantity"].strip()) if line["quantity"].strip() else None,
        unit=line["unit"],
        bid_item=line["bid_item"],
    )
