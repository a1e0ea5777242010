"""The catalogues of money and text, delivered by an upstream system: kept exactly, or refused by their place and nothing recorded."""

import json
import unicodedata

import pytest

from portal.domain.change_orders import ChangeOrder, load
from tests.bad_input import CONTROL, EXACT, IN_A_CURRENCY, KEPT, LENGTHS, LONE, NO_AMOUNT, WRITTEN


@pytest.fixture
def deliver(system):
    """Delivers a change order with one line; the body goes out as ASCII, so that it may hold what no text can."""

    def put(line=None, **changes):
        body = {"title": "T", "lines": [{"phase_code": "16-2000", "cost_type": "SUB", "amount": "1.00"} | (line or {})]} | changes
        sent = {"Authorization": f"Bearer {system.text}", "Content-Type": "application/json"}
        return system.client.put("/api/v1/jobs/24-117/commitments/SC-014/change-orders/003", data=json.dumps(body), headers=sent)

    return put


def is_refused(answer, *pointers):
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json["errors"]] == list(pointers)
    assert all(error["detail"].endswith(".") for error in answer.json["errors"])
    assert not ChangeOrder.select().exists()


@pytest.mark.parametrize(("written", "amount"), EXACT.items())
def test_an_amount_is_kept_and_answered_exactly(deliver, written, amount):
    answer = deliver({"amount": written})

    assert (answer.status_code, answer.json["lines"][0]["amount"], answer.json["amount"]) == (201, amount, amount)
    assert str(load(answer.json["id"]).lines[0].amount) == amount


@pytest.mark.parametrize("written", ["", " 5", "5 ", *NO_AMOUNT, *WRITTEN, *IN_A_CURRENCY])
def test_any_other_amount_is_refused_and_never_rounded(deliver, written):
    is_refused(deliver({"amount": written}), "/lines/0/amount")


@pytest.mark.parametrize("number", [0, 5, -5, 4250.0, 0.1 + 0.2, 1e400, 2**63, True])
def test_a_number_is_no_amount(deliver, number):
    answer = deliver({"amount": number})

    assert answer.status_code in (400, 422)
    assert not ChangeOrder.select().exists()


def test_a_total_that_is_not_the_sum_of_the_lines_is_kept_and_told(deliver):
    answer = deliver({"amount": "0.10"}, amount="0.11")

    assert [finding["rule"] for finding in answer.json["findings"] if finding["blocking"]] == [11]


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT.keys())
def test_a_text_is_kept_and_answered_as_it_is(deliver, text):
    answer = deliver(description=text)

    kept = unicodedata.normalize("NFC", text).strip()
    assert (answer.status_code, answer.json["description"]) == (201, kept)
    assert load(answer.json["id"]).description == kept


@pytest.mark.parametrize("text", (CONTROL | LONE).values(), ids=(CONTROL | LONE).keys())
def test_control_characters_and_half_characters_are_refused(deliver, text):
    is_refused(deliver({"description": text}, title=text, description=text), "/title", "/description", "/lines/0/description")


@pytest.mark.parametrize("letter", LENGTHS.values(), ids=LENGTHS.keys())
def test_lengths_are_counted_in_characters(deliver, letter):
    is_refused(deliver(title=letter * 201), "/title")

    assert deliver(title=letter * 200).json["title"] == letter * 200
