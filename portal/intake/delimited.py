"""The rows of a CSV file, whatever separates the cells and ends the lines."""

import csv
import io
from collections.abc import Iterator

from portal.domain.entries import BadFile, Problem
from portal.intake.headings import KNOWN, column_of

DELIMITERS = ",;\t|"
LONGEST_CELL = 1_000_000
LONGEST_HEADER = 100_000  # characters that are looked at to find the delimiter


def rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of the line it begins on. Raises BadFile where no row can be told from the next."""
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        reason = "A quote is opened and never closed." if "end of data" in str(error) else f"The row cannot be read ({error})."
        raise BadFile([Problem(f"line {line}", "", reason)]) from None


def _delimiter(text: str) -> str:
    """The one that splits the first line into the most columns we know."""
    first = text.lstrip("\r\n ")[:LONGEST_HEADER].splitlines()[0]
    return max(DELIMITERS, key=lambda one: len({column_of(cell) for cell in first.split(one)} & KNOWN))
