"""Nothing that a file does to its reader reaches anything else, and nothing of a file grows beyond what fits."""

import json
import os
import time

import pytest

from portal.domain.imports.entries import MOST_PROBLEMS, BadFile
from portal.intake import apart, files, limits
from tests.import_files import ROW, text_of
from tests.intake.test_bad_files import ONE, PROCORE
from tests.intake.workbooks import MAIN, book_of, parts, sheet_of, text_cells

HEADER = text_of({}).partition("\n")[0]


def empty(opening, ending, inside="{}"):
    """10 MB of nothing."""
    return f"{opening}{','.join([inside] * 3_300_000)}{ending}".encode()


def lines(opening, ending, name, one):
    return (opening + json.dumps(one | {name: []}).replace("[]", "[" + ",".join(["{}"] * 2_000_000) + "]") + ending).encode()


KEYS = {"job_number", "commitment_number", "cco_number"}
HOSTILE = {
    "empty objects": (empty('{"change_orders":[', "]}"), "More than 10,000 things are wrong"),
    "Procore's empty objects": (empty("[", "]"), "More than 10,000 things are wrong"),
    "empty lists": (empty('{"change_orders":[', "]}", "[]"), "More than 10,000 things are wrong"),
    "empty lines": (lines('{"change_orders":[', "]}", "lines", ONE), "The file has more than 100,000 line items. Split it."),
    "Procore's empty lines": (lines("[", "]", "line_items", PROCORE), "The file has more than 100,000 line items. Split it."),
    "fields without end": (
        json.dumps({"change_orders": [{f"k{n}": 1 for n in range(100_000)}]}).encode(),
        "An object has 100,000 fields; 300 fit.",
    ),
    "cells beside the list": ((HEADER + "\n" + ("x," * 40 + "\n") * 100_000).encode(), "More than 10,000 things are wrong"),
    "contradictions": (text_of(*[{name: f"{name[:2]}{n}" for name in ROW if name not in KEYS} for n in range(2_000)]), "More than 10,000"),
}


@pytest.mark.parametrize(("content", "sentence"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_file_full_of_faults_is_left_as_soon_as_nobody_would_read_them(content, sentence):
    begun = time.process_time()

    with pytest.raises(BadFile) as caught:
        files.understand(content if isinstance(content, bytes) else content.encode(), "orders")

    assert caught.value.problems[0].reason.startswith(sentence)
    assert len(caught.value.problems) <= MOST_PROBLEMS + 1
    assert time.process_time() - begun < 15  # seconds of the processor


def test_more_lines_than_fit_into_one_change_order_are_refused_before_they_are_looked_at():
    content = json.dumps({"change_orders": [ONE | {"lines": [{"x": 1}] * 501}]}).encode()

    (problem,) = files.understand(content, "orders.json").problems

    assert str(problem) == "change_orders[0], lines: CCO 001 has 501 lines; 500 fit into one change order."


@pytest.mark.parametrize("content", [text_of({}).encode(), book_of({}), json.dumps({"change_orders": [ONE, {}]}).encode()])
def test_a_file_read_apart_says_what_it_says_read_here(content):
    assert apart.understand(content, "orders") == files.understand(content, "orders")


def test_what_is_wrong_with_a_file_as_a_whole_is_said_by_the_reader_apart():
    with pytest.raises(BadFile, match="The file is empty"):
        apart.understand(b" ", "orders.csv")


def test_a_file_that_takes_too_much_time_is_refused_and_nothing_else_is_lost(monkeypatch):
    monkeypatch.setattr(limits, "SECONDS", 1)
    monkeypatch.setattr(files, "understand", _never_ends)
    pulse = []

    with pytest.raises(BadFile, match="takes more time or memory"):
        apart.understand(b"x", "orders.csv", meanwhile=lambda: pulse.append(1))

    assert pulse


def test_a_file_that_takes_too_much_memory_is_refused_and_nothing_else_is_lost(monkeypatch):
    monkeypatch.setattr(limits, "BYTES", 200_000_000)
    monkeypatch.setattr(files, "understand", lambda *_: [bytearray(10_000_000) for _ in range(1_000)])

    with pytest.raises(BadFile, match="takes more time or memory"):
        apart.understand(b"x", "orders.csv")


def test_a_workbook_whose_formats_ask_for_all_memory_is_refused_within_the_limits(monkeypatch):
    monkeypatch.setattr(limits, "BYTES", 300_000_000)
    styles = (
        f'<styleSheet {MAIN}><numFmts><numFmt numFmtId="164" formatCode="{"0" * 255}"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>'
    )
    rows = [f'<c s="1"><v>{number}</v></c>' * len(ROW) for number in range(5_000)]

    with pytest.raises(BadFile):
        apart.understand(parts(sheet=sheet_of(text_cells(*ROW), *rows), styles__xml=styles), "orders.xlsx")


def test_a_reader_that_nobody_waits_for_any_more_is_ended(monkeypatch):
    monkeypatch.setattr(files, "understand", _never_ends)
    children = []
    fork = os.fork
    monkeypatch.setattr(os, "fork", lambda: children.append(fork()) or children[-1])

    def taken_over():
        raise RuntimeError("the lane was taken over")

    with pytest.raises(RuntimeError, match="taken over"):
        apart.understand(b"x", "orders.csv", meanwhile=taken_over)

    with pytest.raises(ProcessLookupError):
        os.kill(children[0], 0)


def test_a_reader_that_breaks_is_no_verdict_on_the_file(monkeypatch, capfd):
    def broken(*_):
        raise ZeroDivisionError("in the reader")

    monkeypatch.setattr(files, "understand", broken)

    with pytest.raises(apart.Stopped, match="orders.csv"):
        apart.understand(b"x", "orders.csv")

    assert "ZeroDivisionError: in the reader" in capfd.readouterr().err


def _never_ends(*_):
    while True:
        pass
