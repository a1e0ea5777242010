"""Damaged answers: whatever happens to the bytes on their way, a refusal never becomes a receipt, and half an answer is none."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.spectrum import answers
from portal.spectrum.records import OutcomeUnknown, Receipt, Refused, Row
from portal.spectrum.simulator import wire
from portal.spectrum.transport import Reply

SERVICE = "ARChangeRequest"
GOOD = wire.answer(SERVICE, [])
TOLD = wire.answer(SERVICE, [Row("G", "S014-003", "Change_Request_Number")])
REFUSED = wire.answer(SERVICE, [Row("I", "no such phase", "CR_Phase_Code")])
BARRED = wire.answer(SERVICE, [Row("A", "The Web Service is not authorized.", "Authorization_ID")])
FAULT = wire.fault()


def outcome(body, status=200):
    try:
        return type(answers.judge(Reply(status, body), SERVICE, {}))
    except (Refused, OutcomeUnknown) as error:
        return type(error)


@pytest.mark.parametrize("body", [GOOD, TOLD, REFUSED, BARRED, FAULT], ids=["good", "told", "refused", "barred", "fault"])
def test_no_beginning_of_an_answer_is_an_answer(body):
    whole = len(body.rstrip())

    assert {outcome(body[:length]) for length in range(whole)} == {OutcomeUnknown}


@pytest.mark.parametrize("byte", [b"", b"<", b">", b"/", b"&", b" ", b"\x00", b"\xff", b"x", b"!", b"-"], ids=repr)
@pytest.mark.parametrize("body", [REFUSED, BARRED, FAULT], ids=["refused", "barred", "fault"])
def test_no_single_wrong_byte_turns_a_refusal_into_a_receipt(body, byte):
    outcomes = {outcome(body[:place] + byte + body[place + 1 :]) for place in range(len(body))}

    assert Receipt not in outcomes


@pytest.mark.parametrize("body", [GOOD, TOLD], ids=["good", "told"])
def test_no_single_wrong_byte_turns_a_receipt_into_a_refusal(body):
    assert Refused not in {outcome(body[:place] + b"x" + body[place + 1 :]) for place in range(len(body))}


@pytest.mark.parametrize("status", [100, 201, 204, 206, 301, 302, 307, 400, 402, 404, 409, 429, 500, 502, 503, 504, 999])
@pytest.mark.parametrize("body", [GOOD, REFUSED, b""], ids=["good", "refused", "empty"])
def test_only_200_gives_an_answer_and_only_401_and_403_a_refusal_without_one(body, status):
    assert outcome(body, status) is OutcomeUnknown


@pytest.mark.parametrize(
    "more",
    [
        "<note>held for approval</note>",
        "<error_code>G</error_code>",
        "<error_code>I</error_code>",
        "<desc>other</desc>",
        "<column></column>",
        "<response><error_code>I</error_code></response>",
    ],
)
@pytest.mark.parametrize("body", [TOLD, REFUSED, BARRED], ids=["told", "refused", "barred"])
@pytest.mark.parametrize("place", ["<response>", "</response>"])
def test_a_row_with_a_part_too_many_is_neither_a_receipt_nor_a_refusal(body, more, place):
    parts = f"{place}{more}" if place == "<response>" else f"{more}{place}"

    assert outcome(body.replace(place.encode(), parts.encode(), 1)) is OutcomeUnknown


@pytest.mark.parametrize("part", ["error_code", "desc", "column"])
def test_a_row_without_its_code_says_nothing(part):
    body = re.sub(rf"<{part}>.*?</{part}>".encode(), b"", TOLD)

    assert (outcome(body) is OutcomeUnknown) is (part == "error_code")


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=400))
def test_noise_is_unknown(noise):
    assert outcome(noise) is OutcomeUnknown


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=20), st.text(max_size=20)), min_size=1, max_size=4))
def test_rows_are_good_only_if_each_of_them_is(rows):
    characters = st_xml(rows)
    found = outcome(wire.answer(SERVICE, [Row(*row) for row in characters]))
    codes = {code.strip() for code, _, _ in characters}

    assert (found is Receipt) is (codes == {"G"})
    assert (found is Refused) is (codes <= set("GAEIM") and codes != {"G"})


def st_xml(rows):
    """Rows of characters that XML can carry."""
    return [tuple("".join(one for one in part if one.isprintable() or one == " ") for part in row) for row in rows]


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=20), st.text("é \n"), st.text("é \n"))
def test_a_secret_is_struck_out_in_either_case(secret, before, after):
    for echoed in (secret, secret.upper(), secret.lower()):
        assert answers.scrub(f"{before}{echoed}{after}", {"secret": secret}) == f"{before}[secret]{after}"


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (
            502,
            b"<html><head><title>502 Bad\n Gateway</title></head></html>",
            "(HTTP 502). The answer was a web page titled “502 Bad Gateway”.",
        ),
        (200, b"<!DOCTYPE html><HTML><TITLE>Sign in &amp; go</TITLE></HTML>", "The answer was a web page titled “Sign in & go”."),
        (200, b"<html><body>Hello</body></html>", "The answer was a web page."),
        (503, b"Service Unavailable", "(HTTP 503). The answer began: “Service Unavailable”."),
        (200, b"", "The answer was empty."),
        (404, b"", "(HTTP 404). The answer was empty."),
        (500, FAULT.replace(b"Internal Error", b"ORA-00942"), "It said: “"),
        (200, wire.answer(SERVICE, [Row("Q", "odd", "CR_Status")]), "a code the portal does not know (Q): odd."),
    ],
)
def test_what_is_no_answer_is_told_with_what_came(status, body, said):
    with pytest.raises(OutcomeUnknown) as doubt:
        answers.judge(Reply(status, body), SERVICE, {})

    assert said in str(doubt.value)
    assert "heard back" not in str(doubt.value)


@pytest.mark.parametrize("secret", ["PORTALTEST", "&#80;ORTALTEST", "portaltest"])
@pytest.mark.parametrize("page", ["<html><title>Who is {}?</title></html>", "<faultstring>Who is {}?</faultstring>", "Who is {}?"])
def test_what_came_is_told_without_a_secret(secret, page):
    with pytest.raises(OutcomeUnknown) as doubt:
        answers.judge(Reply(500, page.format(secret).encode()), SERVICE, {"Authorization ID": "PORTALTEST"})

    assert "PORTALTEST" not in str(doubt.value).upper()


@pytest.mark.parametrize("page", ["<html><title>{}</title></html>", "<faultstring>{}</faultstring>", "{}"])
def test_what_came_is_told_in_short(page):
    with pytest.raises(OutcomeUnknown) as doubt:
        answers.judge(Reply(500, page.format("long " * 500).encode()), SERVICE, {})

    assert len(str(doubt.value)) < 255
