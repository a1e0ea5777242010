"""What the portal's records let through, Spectrum's form checks never stop, and no text is cut."""

import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from hypothesis import event, given, settings
from hypothesis import strategies as st

import config
from portal.spectrum import connect, records
from portal.spectrum.records import Header, Line, change_request_number, describe, elements, fold, shorten, unfoldable
from portal.spectrum.simulator import checks, wire
from portal.spectrum.wsdl import Wsdl

ASCII = st.characters(min_codepoint=32, max_codepoint=126)
KEYS = st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/*?\"'><#,&~-")


HEADER = Header("ABC", "24-117", "NORTHSIDE", "S014-003", "CCO-003", "CR", False, date(2026, 5, 18))
OTHER = Line("033000", "SUB", Decimal("1.00"), "VOLTCO", "SC-014")
KEYS_AND_HEADER = records.RECORD[:11]
WSDL = Wsdl("ARChangeRequest", "http://127.0.0.1:9", Path("/nowhere"))  # the shipped order of elements


def key(width):
    return st.text(KEYS, min_size=1, max_size=width)


def text(width, least=0):
    return st.text(ASCII, min_size=least, max_size=width).map(str.strip).filter(lambda value: len(value) >= least)


def money(digits):
    return st.decimals(min_value=-(10**digits) + 1, max_value=10**digits - 1, places=2)


HEADERS = st.builds(
    Header,
    key(3),
    key(10),
    key(10),
    st.from_regex(r"[A-Z0-9-]{1,8}", fullmatch=True),
    text(250, 1),
    key(2),
    st.booleans(),
    st.dates(date(1900, 1, 1), date(9999, 12, 31)),
)
LINES = st.builds(
    Line,
    key(20),
    key(3),
    money(10),
    key(10),
    key(10),
    st.just("P"),
    text(30),
    text(250),
    st.none() | money(7),
    st.just("") | key(2),
    key(8),
)


@settings(deadline=None)
@given(HEADERS, LINES)
def test_a_record_passes_every_mask_uncut(header, line):
    sent = elements(header, line)

    assert list(checks.masks(sent)) == []
    assert checks.cut(sent) == sent
    assert Decimal(sent["Change_Request_Amount"]) == Decimal(sent["Sub_Amount"]) == line.amount


@settings(deadline=None)
@given(st.text())
def test_folding_gives_printable_ascii_or_says_what_it_cannot(value):
    if not unfoldable(value):
        folded = fold(value)
        assert all(" " <= one <= "~" for one in folded)
        assert fold(folded) == folded


@settings(deadline=None)
@given(HEADERS, st.lists(LINES, min_size=1, max_size=8))
def test_what_is_sent_adds_up_to_the_total_to_the_cent(header, lines):
    sent = [elements(header, line) for line in lines]

    assert sum(Decimal(one["Change_Request_Amount"]) for one in sent) == sum(line.amount for line in lines)
    assert all(one["Change_Request_Amount"] == one["Sub_Amount"] for one in sent)


@settings(deadline=None)
@given(HEADERS, LINES)
def test_every_line_of_a_request_repeats_its_header(header, line):
    sent = elements(header, line)

    assert {name: sent[name] for name in KEYS_AND_HEADER} == {name: elements(header, OTHER)[name] for name in KEYS_AND_HEADER}
    assert tuple(sent) == records.RECORD


@settings(deadline=None, max_examples=50)
@given(HEADERS, LINES)
def test_what_arrives_is_what_was_meant(header, line):
    meant = {"Authorization_ID": "PORTALTEST", "GUID": "g", **elements(header, line)}
    message = WSDL.envelope(meant, lambda: b"")

    assert wire.read(message, "ARChangeRequest") == {name: value.strip() for name, value in meant.items()}


CODES = st.text(KEYS, min_size=1, max_size=12) | st.text(max_size=40)
AMOUNTS = money(10) | st.decimals(allow_nan=True, allow_infinity=True)


@settings(deadline=None)
@given(CODES, text(60, 1) | st.text(max_size=400), st.text(max_size=400), AMOUNTS)
def test_whatever_people_type_is_refused_with_a_sentence_or_fits(code, title, description, amount):
    try:
        number = change_request_number(code, title)
        header = replace(HEADER, description=describe(code, title, description), change_request_number=number)
        line = replace(OTHER, amount=amount, description=shorten(fold(title), 30), vendor_code=code, phase_code=code)
    except ValueError as refusal:
        sentence = str(refusal)
        event(sentence.partition(":")[0])
    else:
        sent = elements(header, line)
        sentence = "sent."
        event(sentence)
        assert list(checks.masks(sent)) == []
        assert checks.cut(sent) == sent
        assert all(" " <= one <= "~" for value in sent.values() for one in value)
        assert Decimal(sent["Change_Request_Amount"]) == amount
    assert sentence.strip()


def test_records_need_no_soap_library():
    code = "import sys, portal.spectrum.records; sys.exit('zeep' in sys.modules or 'requests' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_settings_lead_to_a_client(simulator, record, tmp_path):
    chosen = config.load({"SPECTRUM_URL": f"{simulator.url}/ws", "PORTAL_DATA": str(tmp_path)})

    assert connect(chosen).change_request(record(), "g").http == 200
    assert list((tmp_path / "wsdl").iterdir())
