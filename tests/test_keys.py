"""One form of each number and code: two spellings of it are one thing, what nobody can see is in none, and look-alikes are told."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain import keys

pytestmark = pytest.mark.databases_differ("locks and races")

SPELLINGS = {
    "an en dash": "24–117",
    "a no-break hyphen": "24‑117",
    "a minus": "24−117",
    "a wide dash": "24－117",
    "wide digits": "２４-１１７",
    "a no-break blank after it": "24-117\u00a0",
    "a zero-width space in it": "24\u200b-117",
}
SPELL = st.text(st.sampled_from("aAbZß019-–‑ \u00a0\u200b\u00ad０Ａ./ﬁ"), max_size=12)


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_of_a_job_is_the_same_job(text):
    assert keys.job(text) == keys.job("24-117") == "24-117"


def test_case_and_runs_of_blanks_make_no_other_key():
    assert keys.commitment(" sc  015 ") == keys.commitment("SC 015") == "SC 015"


def test_a_phase_is_compared_without_its_dashes():
    assert keys.phase("07–840") == keys.phase("07840") == "07840"


def test_what_is_kept_has_plain_dashes_and_digits_and_its_own_case():
    assert keys.plain(" sc–０１５\u00a0") == "sc-015"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("002\u200b", "zero width space (U+200B), at position 4"),
        ("0\u00ad02", "soft hyphen (U+00AD), at position 2"),
        ("\u202e200", "right-to-left override (U+202E), at position 1"),
        ("0\t2", "control character (U+0009), at position 2"),
        ("002\ufe0f", "variation selector-16 (U+FE0F), at position 4"),
        ("\ufffd02", "replacement character (U+FFFD), at position 1"),
    ],
)
def test_an_invisible_character_is_told_by_name_and_place(text, told):
    assert told in keys.odd(text)


def test_every_format_and_control_character_that_unicode_has_is_odd():
    missed = [code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in ("Cf", "Cc", "Zl", "Zp", "Cs")]

    assert [f"{code:04X}" for code in missed if not keys.ODD.match(chr(code))] == []


def test_every_dash_that_unicode_has_is_the_plain_one():
    dashes = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Pd"]

    assert {
        keys.plain(f"1{one}2") for one in dashes if one not in "\u1400\u2e17\u2e1a\u2e40\u2e5d\u301c\u3030\u30a0\ufe31\ufe32\U00010ead"
    } == {"1-2"}


def test_every_blank_that_unicode_has_is_the_plain_one():
    blanks = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Zs"]

    assert {keys.plain(f"1{one}2") for one in blanks} == {"1 2"}


def test_letters_of_names_stay_and_what_is_invisible_in_them_goes():
    assert keys.name("Peña\u00a0 Mecha\u200bnical ") == "Peña Mechanical"
    assert keys.name("Pe\u202eña") == "Pe\u202eña"  # refused where it is read: it turns what follows
    assert keys.vendor_name("PEÑA mechanical") == keys.vendor_name("Peña\u00a0Mechanical")


@pytest.mark.parametrize(
    ("one", "other"),
    [("1", "001"), ("SC-015", "SC15"), ("SC-015", "sc 15"), ("24-017", "24017"), ("24-017", "24-17"), ("24.117", "24-117"), ("é1", "E-1")],
)
def test_keys_that_differ_in_leading_zeros_or_separators_look_alike(one, other):
    assert keys.are_alike(one, other)
    assert keys.loose(one) == keys.loose(other)


@pytest.mark.parametrize(("one", "other"), [("1", "10"), ("11", "101"), ("SC-015", "SC-051"), ("24-117", "24-118"), ("0", "1"), ("-", ".")])
def test_other_keys_do_not(one, other):
    assert not keys.are_alike(one, other)


@given(SPELL, SPELL)
def test_equal_keys_look_alike_and_all_look_alikes_are_found_by_the_loose_form(one, other):
    if keys.canonical(one) == keys.canonical(other):
        assert keys.are_alike(one, other)
    if keys.are_alike(one, other):
        assert keys.loose(one) == keys.loose(other)


@given(st.text(max_size=12))
def test_what_is_kept_and_compared_does_not_change_when_it_is_read_again(text):
    assert keys.plain(keys.plain(text)) == keys.plain(text)
    assert keys.canonical(keys.canonical(text)) == keys.canonical(text) == keys.canonical(keys.plain(text))
