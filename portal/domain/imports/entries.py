"""Change orders as a file states them, before anything is known about them here."""

import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from portal.domain import keys
from portal.domain.projects.sending import Draft, LineDraft

MOST_PROBLEMS = 10_000  # that are looked for in a file: no one reads as many
CODES = ("customer_code", "vendor_code", "subcontract_number")


@dataclass(frozen=True, slots=True)
class Entry:
    """One change order of a file, with the job, vendor and commitment it belongs to. An empty fact is one the file does not state.

    where            its place in the file: `line 7`, `change_orders[3]`
    may_link         whether who brought it links vendor codes; else the code only tells which vendor it is
    kind             `subcontract` or `purchase order`
    as_subcontract   a purchase order that was entered in Spectrum as a subcontract
    unit_price       a unit price contract in Spectrum: every line names its bid item
    revision         the file's own; of several with one number the highest counts
    is_ticked        someone who saw that it looks like something here said that it is another one
    """

    where: str
    draft: Draft
    job_number: str
    commitment_number: str
    job_name: str = ""
    customer: str = ""
    vendor_name: str = ""
    vendor_code: str = ""
    commitment_title: str = ""
    kind: str = ""
    as_subcontract: bool | None = None
    unit_price: bool | None = None
    subcontract: str = ""
    original_amount: Decimal | None = None
    revision: int = 0
    may_link: bool = True
    is_ticked: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        return self.job_number, self.commitment_number, self.draft.number


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file cannot be read: its place, the field, and the reason as a sentence."""

    where: str
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{', '.join(part for part in (self.where, self.field) if part)}: {self.reason}"


class BadFile(Exception):
    """The file changes nothing; `problems` are all that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def keep_few(problems: Sequence[Problem]) -> None:
    """Raises BadFile as soon as more is wrong with a file than anyone reads."""
    if len(problems) > MOST_PROBLEMS:
        reason = f"More than {MOST_PROBLEMS:,} things are wrong with the file; it was read no further. These are the first."
        raise BadFile([Problem("", "", reason), *problems[:MOST_PROBLEMS]])


def currencies(entries: Iterable[Entry], books: str) -> list[str]:
    """A sentence for each currency of the entries; `books` is the company's."""
    sums: dict[str, list[Decimal]] = defaultdict(list)
    for entry in entries:
        sums[entry.draft.currency or books].append(entry.draft.total)
    foreign = {code: totals for code, totals in sorted(sums.items()) if code != books}
    told = [
        f"{len(totals):,} change order{'' if len(totals) == 1 else 's'} in {code}, {sum(totals):,.2f} in all: kept, but not to be sent, "
        f"since the books are in {books}."
        for code, totals in foreign.items()
    ]
    return [f"Amounts are in {books}, the currency of the books.", *told] if books in sums else told


def newest(entries: Iterable[Entry]) -> list[Entry]:
    """Of each change order the highest revision, in the file's order."""
    best: dict[tuple[str, str, str], Entry] = {}
    for entry in entries:
        if entry.key not in best or entry.revision > best[entry.key].revision:
            best[entry.key] = entry
    return list(best.values())


def contradictions(entries: Iterable[Entry]) -> Iterator[Problem]:
    """One change order stated twice, or one job, vendor or commitment stated in two ways."""
    seen: dict[tuple[object, ...], Entry] = {}
    said: dict[tuple[str, ...], dict[str, tuple[Any, Entry]]] = defaultdict(dict)
    for entry in entries:
        twin = seen.setdefault((*entry.key, entry.revision), entry)
        if twin is not entry:
            yield Problem(entry.where, "number", f"CCO {entry.draft.number} of {entry.commitment_number} is already at {twin.where}.")
        for thing, facts in _facts(entry):
            for field, value in facts.items():
                if value in ("", None):
                    continue
                first, other = said[thing].setdefault(field, (value, entry))
                if first != value and not (field in CODES and keys.canonical(first) == keys.canonical(value)):
                    yield Problem(entry.where, field, f"“{value}” contradicts “{first}” at {other.where} for {' '.join(thing)}.")


def dump(entry: Entry) -> str:
    """The entry as JSON; amounts as text, exact."""
    return json.dumps(dataclasses.asdict(entry), default=str, ensure_ascii=False)


def load(text: str) -> Entry:
    """The entry that `dump` wrote."""
    content = json.loads(text)
    draft = content.pop("draft")
    lines = [
        LineDraft(**line | {"amount": _decimal(line["amount"]), "quantity": _decimal(line["quantity"])}) for line in draft.pop("lines")
    ]
    content["original_amount"] = _decimal(content["original_amount"])
    draft |= {"amount": _decimal(draft["amount"]), "tax": Decimal(draft.get("tax", 0)), "dated": _day(draft.get("dated"))}
    return Entry(draft=Draft(**draft, lines=lines), **content)


def vendor_key(name: str) -> str:
    """The form in which two spellings of one vendor name are equal."""
    return keys.vendor_name(name)


def _facts(entry: Entry) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    yield ("job", entry.job_number), {"job_name": entry.job_name, "customer_code": entry.customer}
    yield (
        ("commitment", entry.commitment_number, "of", entry.job_number),
        {
            "vendor_name": vendor_key(entry.vendor_name),
            "vendor_code": entry.vendor_code,
            "commitment_title": entry.commitment_title,
            "commitment_kind": entry.kind,
            "as_subcontract": entry.as_subcontract,
            "unit_price": entry.unit_price,
            "subcontract_number": entry.subcontract,
            "original_amount": entry.original_amount,
        },
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
