"""The table of causes: every letter Spectrum can say, every message a person can meet, and words for what nobody foresaw."""

import pytest

from portal.spectrum import catalogue
from portal.spectrum.catalogue import ENTRIES, find
from portal.spectrum.records import FIELDS, Row, explain, failure_class


def test_every_cause_is_there_once():
    keys = [(entry.code, entry.column) for entry in ENTRIES]

    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.code} {entry.column}")
def test_an_entry_says_what_happened_and_what_to_do(entry):
    assert entry.meaning.endswith((".", "!", "?"))
    assert entry.remedy.endswith(".")
    assert "_" not in entry.meaning.replace("SPECTRUM_URL", "")


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if len(entry.code) == 1 and entry.column.istitle()], ids=str)
def test_a_column_is_an_element_of_the_service(entry):
    assert entry.column in {field.name for field in FIELDS} | {"GL_Account"}


@pytest.mark.parametrize("code", ["A", "E"])
@pytest.mark.parametrize("column", ["Authorization_ID", "GUID", "client_secret", "", "Elsewhere"])
def test_a_refusal_of_us_is_access_whatever_the_column(code, column):
    assert find(code, column).kind == "access"
    assert failure_class([Row(code, "", column)]) == "access"


@pytest.mark.parametrize("code", ["I", "M"])
@pytest.mark.parametrize("column", [*(field.name for field in FIELDS), "", "Elsewhere"])
def test_a_refusal_of_a_record_is_never_access(code, column):
    assert find(code, column).kind in ("data", "setup")
    assert failure_class([Row(code, "", column)]) == "data"


@pytest.mark.parametrize("code", ["", "W", "S", "g", "Q", "check?", "\u200b"])
def test_what_nobody_foresaw_still_reads_well(code):
    assert find(code if code not in ("S",) else "Z", "x").kind == "unknown"
    assert explain(code, "x", "odd").startswith("Spectrum answered with a code the portal does not know")


@pytest.mark.parametrize("cause", ["timeout", "refused", "name", "certificate", "tls", "address", "token", "wsdl", "new"])
def test_what_was_not_sent_goes_away_by_itself_or_is_for_it(cause):
    assert find("connect", cause).kind in ("temporary", "setup")


@pytest.mark.parametrize("cause", ["timeout", "broken", "fault", "redirect", "unreadable", "number", "new"])
def test_what_was_sent_and_not_answered_is_unknown_and_never_for_retry(cause):
    entry = find("answer", cause)

    assert entry.kind == "unknown"
    assert "retry" not in entry.remedy.lower()


def test_an_expired_secret_is_told_in_its_own_words():
    sentence = "The Spectrum client secret has expired (or was rotated elsewhere). Enter the new one."

    assert explain("A", "client_secret", "invalid_client") == sentence == catalogue.SECRET_EXPIRED


@pytest.mark.parametrize(
    "words",
    [
        "No Spectrum company code is set",
        "has no Spectrum job number",
        "was not found in Spectrum (it may be Complete)",
        "has no customer in Spectrum",
        "has no contract in Spectrum",
        "already used in Spectrum",
        "characters Spectrum cannot store",
        "is not chosen",
        "accounting period of that date may be closed",
        "do not exist on the job in Spectrum",
        "is Complete in Spectrum and accepts no cost",
        "cost type has no Spectrum code",
        "too large or has more than 2 decimals",
        "isn't linked to a Spectrum vendor",
        "is not active in Spectrum",
        "has no Spectrum subcontract number",
        "Spectrum allows 10",
        "only takes change orders on subcontracts",
        "unit price contract",
        "existing subcontract change order number",
        "same phase, cost type and subcontract",
        "do not add up",
        "nothing to export",
        "rejected the portal's sign-in",
        "client secret has expired",
        "did not answer in time",
        "broke before its answer was complete",
        "internal error",
        "No G/L account",
        "may not be allowed there",
    ],
)
def test_every_message_of_the_design_is_there(words):
    assert [entry for entry in ENTRIES if words in entry.meaning]
