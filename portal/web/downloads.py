"""Tables to take away as CSV, row by row, so that a long one needs no memory; and nothing in them is taken for a formula."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from flask import Response, stream_with_context

# What makes spreadsheets calculate what follows: = + - @, the full-width twins of these, and control characters.
FORMULA = tuple("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20")
UNSEEN = " \u00a0\u200b\ufeff"  # may stand before it
BOM = "\ufeff"  # without it Excel reads UTF-8 as something else


def as_csv(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """The table as a file called `name`. The rows are asked for while it is sent."""
    answer = Response(stream_with_context(_lines(head, rows)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _lines(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield BOM + _line(head)
    for row in rows:
        yield _line(row)


def _line(cells: Sequence[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([harmless(cell) if isinstance(cell, str) else cell for cell in cells])
    return out.getvalue()


def harmless(text: str) -> str:
    """The text with a leading quote mark where a spreadsheet would calculate it, blanks before it or not. Numbers are no text."""
    return f"'{text}" if text.lstrip(UNSEEN).startswith(FORMULA) else text
