"""The catalogues of money and text, typed into the sender's form: kept exactly, or refused with a sentence and nothing recorded."""

import unicodedata

import pytest
from bs4 import BeautifulSoup

from portal.domain.change_orders import ChangeOrder, load
from tests.bad_input import CONTROL, EXACT, IN_A_CURRENCY, KEPT, LENGTHS, NO_AMOUNT, WRITTEN
from tests.conftest import sign_in


@pytest.fixture
def typed(client, dee, make_change_order):
    """Saves the form of a draft with these fields; answers the answer, and the draft as it is then."""
    draft = make_change_order("draft", title="As it was")
    sign_in(client, dee)

    def save(**fields):
        line = dict.fromkeys(("cost_type", "line_description", "quantity", "unit", "amount", "bid_item"), "") | {"phase_code": "16-2000"}
        form = {"version": draft.version, "number": "001", "title": "Typed", "description": ""} | line | fields
        return client.post(f"/change-orders/{draft.id}/edit", data=form), load(draft.id)

    save.draft = draft
    return save


def problems(answer):
    return BeautifulSoup(answer.text, "html.parser").select_one(".problem").get_text(" ", strip=True)


def is_as_it_was(now, typed):
    return (now.version, now.title) == (typed.draft.version, "As it was")


@pytest.mark.parametrize(("written", "amount"), (EXACT | WRITTEN).items())
def test_an_amount_is_kept_exactly(typed, written, amount):
    answer, now = typed(amount=written)

    assert answer.status_code == 303
    assert (str(now.lines[0].amount), str(now.amount)) == (amount, amount)


@pytest.mark.parametrize("written", NO_AMOUNT)
def test_any_other_amount_is_refused_and_never_rounded(typed, written):
    answer, now = typed(amount=written)

    assert answer.status_code == 422
    assert f"Line 1: “{written[:40]}” is not an amount. Write it like 1234.50" in problems(answer)
    assert is_as_it_was(now, typed)


@pytest.mark.parametrize("written", IN_A_CURRENCY)
def test_a_currency_beside_an_amount_is_refused_and_never_dropped(typed, written):
    answer, now = typed(amount=written)

    assert answer.status_code == 422
    assert f"Line 1: “{written}” names a currency. Choose it in its own field, and write the amount alone." in problems(answer)
    assert is_as_it_was(now, typed)


@pytest.mark.parametrize(("written", "currency"), [("€5", "EUR"), ("5 EUR", "EUR"), ("C$5", "CAD"), ("$5", "CAD")])
def test_a_currency_beside_an_amount_may_say_that_of_the_form_again(typed, written, currency):
    answer, now = typed(amount=written, currency=currency)

    assert answer.status_code == 303
    assert (str(now.lines[0].amount), now.currency) == ("5.00", currency)


def test_dollars_in_a_change_order_in_euros_are_refused(typed):
    answer, now = typed(amount="$5", currency="EUR")

    assert "Line 1: “$5” names a currency." in problems(answer)
    assert is_as_it_was(now, typed)


@pytest.mark.parametrize("written", [*NO_AMOUNT[:12], *(one for one in WRITTEN if one == one.strip()), "1e400", "12345678901", "1.1234567"])
def test_a_quantity_is_as_strict(typed, written):
    answer, now = typed(quantity=written)

    assert answer.status_code == 422
    assert "is not a quantity" in problems(answer)
    assert is_as_it_was(now, typed)


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT.keys())
def test_a_text_is_kept_and_shown_as_it_is(typed, client, text):
    answer, now = typed(description=text, line_description=text)

    assert answer.status_code == (303 if len(text) <= 500 else 422)
    if answer.status_code == 303:
        kept = unicodedata.normalize("NFC", text).strip()
        assert (now.description, now.lines[0].description) == (kept, kept)
        page = BeautifulSoup(client.get(f"/change-orders/{typed.draft.id}/edit").text, "html.parser")
        assert page.find(id="description").get_text().removeprefix("\n") == kept
        assert page.find(id="line_description-1")["value"] == kept
        assert "alert(1)" not in [script.get_text() for script in page.find_all("script")]


@pytest.mark.parametrize("field", ["title", "description", "line_description"])
@pytest.mark.parametrize("text", CONTROL.values(), ids=CONTROL.keys())
def test_control_characters_are_refused(typed, text, field):
    answer, now = typed(**{field: text})

    assert answer.status_code == 422
    assert "contains control characters. Delete them" in problems(answer)
    assert is_as_it_was(now, typed)


@pytest.mark.parametrize("letter", LENGTHS.values(), ids=LENGTHS.keys())
def test_lengths_are_counted_in_characters(typed, letter):
    answer, now = typed(title=letter * 200)
    assert (answer.status_code, now.title) == (303, letter * 200)

    answer, now = typed(title=letter * 201, version=now.version)
    assert answer.status_code == 422
    assert "The title has 201 characters; 200 fit." in problems(answer)
    assert now.title == letter * 200


def test_a_text_that_is_longer_in_the_spelling_that_is_kept_is_measured_in_that(typed):
    answer, now = typed(phase_code="\u0958" * 30)

    assert answer.status_code == 422
    assert "The cost code on line 1 has 60 characters; 30 fit." in problems(answer)
    assert is_as_it_was(now, typed)


def test_a_million_characters_are_refused(typed):
    answer, now = typed(description="x" * 900_000)

    assert answer.status_code == 422
    assert "The description has 900000 characters; 4000 fit." in problems(answer)
    assert is_as_it_was(now, typed)


def test_two_spellings_of_a_number_are_one(client, dee, commitment, make_change_order):
    make_change_order("draft", number="003-\u00e9")

    answer = sign_in(client, dee).post(f"/commitments/{commitment.id}/change-orders/new", data={"number": "003-e\u0301", "title": "T"})

    assert answer.status_code == 422
    assert "already has a CCO" in problems(answer)
    assert ChangeOrder.select().count() == 1
