"""What stood in the way of a change order, in plain words: the catalogue of causes, as people look it up."""

from collections.abc import Iterator
from dataclasses import dataclass

from portal.domain.events import Event
from portal.spectrum import records
from portal.spectrum.records import catalogue

Entry = catalogue.Entry
LABELS = {field.name: field.label for field in records.FIELDS}
OURS = ("connect", "answer")  # codes of the portal's own, for what no answer of Spectrum says


@dataclass(frozen=True, slots=True)
class Group:
    """Entries of some codes under one heading."""

    heading: str
    codes: tuple[str, ...]

    @property
    def entries(self) -> list[Entry]:
        return [entry for entry in catalogue.ENTRIES if entry.code in self.codes]


GROUPS = (
    Group("Stopped by the portal’s own checks: nothing was sent", ("check",)),
    Group("Spectrum could not be reached: nothing was sent", ("connect",)),
    Group("Spectrum rejected the portal’s sign-in", ("A", "E", "http")),
    Group("Spectrum refused the record", ("I", "M")),
    Group("Outcome unknown", ("answer",)),
    Group("No action needed", ("G", "S")),
)


def entry(named: tuple[str, str]) -> Entry:
    """The entry of a code and a column."""
    return catalogue.find(*named)


def anchor(entry: Entry) -> str:
    """Where the entry stands on the help page: `I-CR_Phase_Code`, `A-any`."""
    column = "any" if entry.column == catalogue.ANY else entry.column.replace(" ", "-")
    return f"{entry.code}-{column}"


def about(entry: Entry) -> str:
    """What its column is about: the plain name of an element, else the word itself."""
    return "anything else" if entry.column == catalogue.ANY else LABELS.get(entry.column, entry.column)


def of(event: Event) -> list[Entry]:
    """The causes an event names by code and column, each once; empty when it names none."""
    return list(dict.fromkeys(_named(event)))


def explain(rows: list[list[str]]) -> list[str]:
    """What was answered, as sentences for a clerk; empty when Spectrum just stored the line. Our own sentence needs no explanation."""
    return [text if code in OURS else records.explain(code, column, text) for code, column, text in rows if not _is_good(code, column)]


def _named(event: Event) -> Iterator[Entry]:
    facts = event.facts
    rows = facts.get("rows") or []
    for code, column, _ in rows:
        if not _is_good(code, column):
            yield catalogue.find(code, column)
    if not rows and facts.get("http") in (401, 403):
        yield catalogue.find("http", str(facts["http"]))


def _is_good(code: str, column: str) -> bool:
    """Whether Spectrum just stored the line: nothing to explain, nothing to fix."""
    return catalogue.find(code, column).kind == "good"
