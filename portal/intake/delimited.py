"""The rows of a CSV file, whatever separates the cells and ends the lines."""

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

from portal.domain.imports.entries import BadFile, Problem
from portal.intake.headings import KNOWN, MOST_ABOVE, column_of

DELIMITERS = ",;\t|"
LONGEST_CELL = 1_000_000
LONGEST_HEADER = 100_000  # characters that are looked at to find the delimiter
SEPARATOR = re.compile(r'"?sep=([^\r\n"])"?[,;\t| ]*(?:\r\n?|\n|\Z)', re.IGNORECASE)  # a first line by which Excel is told
AS_TEXT = re.compile(r'="([^"]*)"')  # how a file keeps Excel from making a number of a code


def rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of the line it begins on. Raises BadFile where no row can be told from the next."""
    csv.field_size_limit(LONGEST_CELL)
    stated = SEPARATOR.match(text)
    start, passed = (stated.end(), 1) if stated else (0, 0)
    delimiter = stated[1] if stated else _delimiter(text)
    reader = csv.reader(io.StringIO(text[start:], newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line + passed, [_unwrapped(cell) for cell in cells]
            line = reader.line_num + 1
    except csv.Error as error:
        reason = "A quote is opened and never closed." if "end of data" in str(error) else f"The row cannot be read ({error})."
        raise BadFile([Problem(f"line {line + passed}", "", reason)]) from None


def _unwrapped(cell: str) -> str:
    found = AS_TEXT.fullmatch(cell) if cell.startswith("=") else None
    return found[1] if found else cell


def _delimiter(text: str) -> str:
    """The one that splits one of the first rows into the most columns we know."""
    return max(DELIMITERS, key=lambda one: _known(text[:LONGEST_HEADER], one))


def _known(text: str, delimiter: str) -> int:
    """Columns that we know in the row that has the most of them."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return max((len({column_of(cell) for cell in row} & KNOWN) for row in islice(rows, MOST_ABOVE)), default=0)
    except csv.Error:
        return 0
