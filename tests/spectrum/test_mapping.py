"""What the portal's records let through, Spectrum's form checks never stop, and no text is cut."""

import subprocess
import sys
from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

import config
from portal.spectrum import connect
from portal.spectrum.records import Header, Line, elements, fold, unfoldable
from portal.spectrum.simulator import checks

ASCII = st.characters(min_codepoint=32, max_codepoint=126)
KEYS = st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/*?\"'><#,&~-")


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


def test_records_need_no_soap_library():
    code = "import sys, portal.spectrum.records; sys.exit('zeep' in sys.modules or 'requests' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_settings_lead_to_a_client(simulator, record, tmp_path):
    chosen = config.load({"SPECTRUM_URL": f"{simulator.url}/ws", "PORTAL_DATA": str(tmp_path)})

    assert connect(chosen).change_request(record(), "g").http == 200
    assert list((tmp_path / "wsdl").iterdir())
