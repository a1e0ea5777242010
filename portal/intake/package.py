"""The parts of an Excel workbook: a zip file whose parts are found by what they say of each other, as Excel finds them.

Names count without case, and a backslash as a slash. Nothing is unpacked to disk, and what is far larger unpacked than any
list of change orders is refused before it is read.
"""

import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from xml.parsers import expat

from portal.domain.imports.entries import BadFile, Problem
from portal.intake.sheets import Parsed, Relations, parse

MOST_PARTS = 1_000
LARGEST_PART = 300_000_000  # bytes, unpacked
LARGEST_TEXTS = 60_000_000  # the shared texts are the only part that is held whole
MOST_TIMES = 250  # a part may be larger than its packed form; sheets of repeated text come to 50
SMALL = 5_000_000  # bytes that are no bomb however they are packed
CHUNK = 65_536
SAVE_AS = "Save it as “Excel Workbook (*.xlsx)” or “CSV UTF-8”, and import that."
DAMAGED = "The workbook is damaged. Open it in Excel, save it again as “Excel Workbook (*.xlsx)”, and import that."
BOMB = "The workbook is far larger unpacked than any list of change orders. Save its rows as CSV UTF-8 and import that."
NO_WORKBOOK = f"This is a zip file, but not an Excel workbook (*.xlsx). {SAVE_AS}"
# What else comes as a zip file, by a part that it has.
OTHERS = {
    "xl/workbook.bin": f"This is a binary Excel workbook (*.xlsb). Open it in Excel. {SAVE_AS}",
    "content.xml": f"This is an OpenDocument file (*.ods), not an Excel workbook. Open it in Excel or LibreOffice. {SAVE_AS}",
    "word/document.xml": f"This is a Word document. Put its table into an Excel workbook. {SAVE_AS}",
    "index/document.iwa": "This is a Numbers or Pages document. Export it from there as Excel (*.xlsx) or CSV, and import that.",
}


class Package:
    """The parts by name. Raises BadFile for what is no workbook or could do harm."""

    def __init__(self, content: bytes) -> None:
        try:
            self.zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
            raise refusal(DAMAGED) from None
        parts = self.zip.infolist()
        self.names = {_address(part.filename): part.filename for part in parts}
        _ensure_harmless(parts, set(self.names))
        self.main = self._main()

    def read(self, name: str, into: Parsed, largest: int = LARGEST_TEXTS) -> None:
        for _ in self.parsed(name, into, largest):
            pass

    def parsed(self, name: str, into: Parsed, largest: int = LARGEST_PART) -> Iterator[None]:
        """Feed the part piece by piece. Raises BadFile for what is missing, damaged, too large, or declares entities."""
        try:
            info = self.zip.getinfo(self.names[name])
            if info.file_size > largest:
                raise refusal(BOMB)
            with self.zip.open(info) as part:
                yield from parse(iter(lambda: part.read(CHUNK), b""), into)
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, expat.ExpatError, ValueError, RuntimeError):
            raise refusal(DAMAGED) from None

    def relations(self, name: str) -> Relations:
        """What the part refers to; nothing where it says nothing."""
        found, (folder, base) = Relations(), posixpath.split(name)
        address = _address(f"{folder}/_rels/{base}.rels")
        if address in self.names:
            self.read(address, found)
        return found

    def _main(self) -> str:
        """The workbook itself. A package that does not say which part that is has it where Excel puts it."""
        name = beside("", self.relations("").of("officeDocument") or "xl/workbook.xml")
        for part, reason in OTHERS.items():
            if name == part or (part in self.names and name not in self.names):
                raise refusal(reason)
        if name.endswith(".bin"):
            raise refusal(OTHERS["xl/workbook.bin"])
        if name not in self.names:
            raise refusal(NO_WORKBOOK)
        return name


def beside(part: str, target: str) -> str:
    """The name of what a part refers to; an address with a slash before it counts from the top."""
    return _address(posixpath.join("/", posixpath.dirname(part), target.replace("\\", "/")))


def refusal(reason: str) -> BadFile:
    return BadFile([Problem("", "", reason)])


def _address(name: str) -> str:
    return posixpath.normpath(posixpath.join("/", name.replace("\\", "/"))).lstrip("/").casefold()


def _ensure_harmless(parts: list[zipfile.ZipInfo], names: set[str]) -> None:
    unpacked = sum(part.file_size for part in parts)
    bombs = [part for part in parts if part.file_size > SMALL and part.file_size > MOST_TIMES * part.compress_size]
    if len(parts) > MOST_PARTS or unpacked > LARGEST_PART or bombs:
        raise refusal(BOMB)
    if any(name.endswith("vbaproject.bin") for name in names):
        raise refusal("The workbook contains macros. Save it as “Excel Workbook (*.xlsx)”, without macros, and import that.")
    if any(part.flag_bits & 1 for part in parts):
        raise refusal("The workbook is encrypted. Save it without a password.")
    if len(names) < len(parts):
        raise refusal(DAMAGED)
