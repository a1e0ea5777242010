"""A file with change orders: its bytes, its characters, its format, and then its entries with everything that is wrong.

The content tells what a file is; its name counts only where the content does not.
"""

import hashlib
import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from portal import strict_json
from portal.domain.imports.entries import BadFile, Entry, Problem
from portal.intake import delimited, limits, procore, schemas, table, workbook

Format = Literal["csv", "xlsx", "json", "procore"]
LARGEST = 10 * 1024 * 1024  # bytes
TOO_LARGE = "The file is larger than 10 MB. Split it."
BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
ZIP = b"PK\x03\x04"
SAVE_AS = "Save it there as “Excel Workbook (*.xlsx)” or “CSV UTF-8”, and import that."
FOREIGN = {  # by how they begin
    b"\xd0\xcf\x11\xe0": "This is an Excel workbook of an old form, or one with a password. "
    "Save it as “Excel Workbook (*.xlsx)” without a password.",
    b"%PDF-": f"This is a PDF document, whatever its name says. Open the list in the program that made it. {SAVE_AS}",
    b"{\\rtf": f"This is an RTF document, whatever its name says. Put its table into Excel. {SAVE_AS}",
    b"\x1f\x8b": "This is a packed file (gzip). Unpack it, and import what is in it.",
    b"7z\xbc\xaf": "This is a packed file (7-Zip). Unpack it, and import what is in it.",
    b"Rar!": "This is a packed file (RAR). Unpack it, and import what is in it.",
    b"\x89PNG": f"This is a picture. Open the list in the program that made it. {SAVE_AS}",
    b"\xff\xd8\xff": f"This is a picture. Open the list in the program that made it. {SAVE_AS}",
}


@dataclass(slots=True)
class FileContents:
    """What was found. `problems` are those of single rows; `notes` say what the reader took for granted.

    renamed   heading in the file -> our column, for those that we call otherwise
    """

    entries: list[Entry]
    problems: list[Problem]
    sha256: str
    notes: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)

    @property
    def told(self) -> list[str]:
        """All of the notes, the columns' first."""
        columns = ", ".join(f"“{heading}” as {name}" for heading, name in self.renamed.items())
        return [*([f"Read {columns}."] if columns else []), *self.notes]


def read(path: Path, format: Format | None = None) -> FileContents:
    """Raises BadFile when the file as a whole cannot be read."""
    return understand(content_of(path), path.name, format)


def understand(content: bytes, name: str, format: Format | None = None) -> FileContents:
    """The same for what someone handed in under that name. Raises BadFile."""
    if len(content) > LARGEST:
        raise refusal(TOO_LARGE)
    if content.startswith(ZIP) or format == "xlsx":
        rows, notes, epoch = workbook.rows(content)
        found = table.read(rows, "row", epoch)  # which may add to the notes
    else:
        text, notes = decode(content)
        found = _found(text, format or guess(name, text))
    return FileContents(found.entries, found.problems, hashlib.sha256(content).hexdigest(), notes + found.notes, found.renamed)


def decode(content: bytes) -> tuple[str, list[str]]:
    """The text, and a note when the encoding had to be guessed. Raises BadFile."""
    if not content.strip():
        raise refusal("The file is empty.")
    for start, reason in FOREIGN.items():
        if content.startswith(start):
            raise refusal(reason)
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
    if reason := _markup(text.lstrip()[:2_000].casefold()):
        raise refusal(reason)
    return text, notes


def guess(name: str, text: str) -> Format:
    """By content first: a name may say anything."""
    return "json" if text.lstrip()[:1] in ("{", "[") or name.lower().endswith(".json") else "csv"


def refusal(reason: str) -> BadFile:
    return BadFile([Problem("", "", reason)])


def content_of(path: Path) -> bytes:
    """The bytes of a file that no one is writing. Raises BadFile."""
    try:
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            content = file.read(LARGEST + 1)
            after = os.fstat(file.fileno())
    except OSError as error:
        raise refusal(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > LARGEST:
        raise refusal(TOO_LARGE)
    if stat.S_ISREG(before.st_mode) and (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise refusal("The file changed while it was read: something is still writing it. Import it when that is done.")
    return content


def _windows(content: bytes) -> str:
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise refusal(f"Byte {error.start + 1:,} is neither UTF-8 nor Windows-1252. Save the file as UTF-8.") from None


def _markup(start: str) -> str:
    """Why a text that begins so is no table; empty for one that may be."""
    if not start.startswith("<"):
        return ""
    if "urn:schemas-microsoft-com:office:spreadsheet" in start and "<html" not in start:
        return f"This is an XML spreadsheet of 2003, whatever its name says. Open it in Excel. {SAVE_AS}"
    if "<html" in start or "<table" in start or "<!doctype html" in start:
        return f"This is a web page (HTML), whatever its name says. Open it in Excel. {SAVE_AS}"
    return f"This is an XML file, not a table. Open the list in the program that made it. {SAVE_AS}" if "<?xml" in start else ""


def _found(text: str, format: Format) -> table.Table:
    if format == "csv":
        return table.read(delimited.rows(text), "line")
    document = _json(text)
    if format == "procore" or procore.is_procore(document):
        found = procore.read(document) if isinstance(document, dict | list) else ([], [])
    elif isinstance(document, dict) and isinstance(document.get("change_orders"), list):
        found = schemas.read(document)
    else:
        raise refusal("The JSON is neither ours ({“change_orders”: [...]}) nor Procore's (change orders with “line_items”).")
    if not any(found):
        raise refusal("There are no change orders in the file.")
    return table.Table(*found)


def _json(text: str) -> Any:
    """The document; its numbers stay texts, for no amount may pass through binary floating point."""
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=strict_json.no_constant, object_pairs_hook=_fields)
    except json.JSONDecodeError as error:
        raise BadFile([Problem(f"line {error.lineno}, column {error.colno}", "", f"This is not JSON: {error.msg}.")]) from None
    except strict_json.RepeatedField as error:
        raise refusal(f"An object has the field “{error.field[:60]}” twice.") from None
    except strict_json.NotANumber as error:
        raise refusal(str(error)) from None
    except RecursionError:
        raise refusal("The JSON is nested too deeply.") from None


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = strict_json.fields(pairs)
    if len(fields) > limits.MOST_FIELDS:
        raise refusal(f"An object has {len(fields):,} fields; {limits.MOST_FIELDS} fit.")
    return fields
