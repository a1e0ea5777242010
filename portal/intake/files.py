"""A file with change orders: its bytes, its characters, its format, and then its entries with everything that is wrong."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from portal.domain.entries import BadFile, Entry, Problem
from portal.intake import procore, shapes, table

Format = Literal["csv", "json", "procore"]
LARGEST = 10 * 1024 * 1024  # bytes
MOST_ROWS = 100_000  # line items
BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
WORKBOOK = "This is an Excel workbook (or another zip file). Save it as “CSV UTF-8” and import that."


@dataclass(slots=True)
class Reading:
    """What was found. `problems` are those of single rows; `notes` say what the reader took for granted."""

    entries: list[Entry]
    problems: list[Problem]
    sha256: str
    notes: list[str] = field(default_factory=list)


def read(path: Path, format: Format | None = None) -> Reading:
    """Raises BadFile when the file as a whole cannot be read."""
    content = _bytes(path)
    text, notes = decode(content)
    entries, problems = _entries(text, format or guess(path, text))
    rows = sum(len(entry.draft.lines) for entry in entries)
    if rows > MOST_ROWS:
        raise refusal(f"The file has {rows:,} line items; {MOST_ROWS:,} fit. Split it.")
    problems += [_too_long(entry) for entry in entries if len(entry.draft.lines) > shapes.MOST_LINES]
    return Reading(entries, problems, hashlib.sha256(content).hexdigest(), notes)


def decode(content: bytes) -> tuple[str, list[str]]:
    """The text, and a note when the encoding had to be guessed. Raises BadFile."""
    if not content.strip():
        raise refusal("The file is empty.")
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise refusal(WORKBOOK)
    bom, encoding = next(((bom, name) for bom, name in BOMS if content.startswith(bom)), (b"", "utf-8"))
    try:
        text, notes = content[len(bom) :].decode(encoding), []
    except UnicodeDecodeError as error:
        if bom:
            raise refusal(f"The file says it is {encoding.upper()}, but byte {error.start + 1:,} is not.") from None
        text, notes = _windows(content), ["The file is not UTF-8; it was read as Windows-1252. Check names with accents."]
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise BadFile([Problem(f"line {line}", "", "There is a NUL byte in the file: it is damaged, or it is not a text file.")])
    if not text.strip():
        raise refusal("The file is empty.")
    return text, notes


def guess(path: Path, text: str) -> Format:
    """By content first: a name may say anything."""
    return "json" if text.lstrip()[:1] in ("{", "[") or path.suffix.lower() == ".json" else "csv"


def refusal(reason: str) -> BadFile:
    return BadFile([Problem("", "", reason)])


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise refusal(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > LARGEST:
        raise refusal("The file is larger than 10 MB. Split it.")
    return content


def _windows(content: bytes) -> str:
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise refusal(f"Byte {error.start + 1:,} is neither UTF-8 nor Windows-1252. Save the file as UTF-8.") from None


def _entries(text: str, format: Format) -> tuple[list[Entry], list[Problem]]:
    if format == "csv":
        return table.read(text)
    document = _json(text)
    if format == "procore" or procore.is_procore(document):
        found = procore.read(document) if isinstance(document, dict | list) else ([], [])
    elif isinstance(document, dict) and isinstance(document.get("change_orders"), list):
        found = shapes.read(document)
    else:
        raise refusal("The JSON is neither ours ({“change_orders”: [...]}) nor Procore's (change orders with “line_items”).")
    if not any(found):
        raise refusal("There are no change orders in the file.")
    return found


def _json(text: str) -> Any:
    """The document; its numbers stay texts, for no amount may pass through binary floating point."""
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=_no_constant, object_pairs_hook=_no_twins)
    except json.JSONDecodeError as error:
        raise BadFile([Problem(f"line {error.lineno}, column {error.colno}", "", f"This is not JSON: {error.msg}.")]) from None
    except RecursionError:
        raise refusal("The JSON is nested too deeply.") from None


def _no_constant(name: str) -> None:
    raise refusal(f"{name} is not a number that JSON has.")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        twice = next(name for name, _ in pairs if [other for other, _ in pairs].count(name) > 1)
        raise refusal(f"An object has the field “{twice[:60]}” twice.")
    return document


def _too_long(entry: Entry) -> Problem:
    reason = f"CCO {entry.draft.number} has {len(entry.draft.lines):,} lines; {shapes.MOST_LINES} fit into one change order."
    return Problem(entry.where, "lines", reason)
