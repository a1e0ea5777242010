"""Money is exact from the form to the wire."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.db import MoneyField
from portal.domain import money


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0", "0.00"), ("-0", "0.00"), ("-0.00", "0.00"), ("1234.5", "1234.50"), ("-9999999999.99", "-9999999999.99"), (" 5 ", "5.00")],
)
def test_an_amount_is_read_exactly(text, amount):
    assert str(money.parse(text)) == amount


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "+5", "5.", ".5", "1e3", "1E+2", "1_000", "1,000.00", "1.000,00", "1'000", "٣", "５", "NaN", "sNaN", "Infinity", "1e-30", "0.005",  # noqa: E501
        "2.675", "10000000000.00", "10" * 20, "(5.00)", "5-", "$5", "5 €", "--5", "- 5", "5\n", "0x10", "\u00a05",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match="is not an amount. Write it like"):
        money.parse(text)


@given(st.decimals(min_value=-money.LARGEST, max_value=money.LARGEST, places=2))
def test_money_survives_the_table_to_the_cent(amount):
    field = MoneyField()

    assert field.python_value(field.db_value(amount)) == amount


def test_a_fraction_of_a_cent_never_enters_the_table():
    with pytest.raises(ValueError, match="fraction of a cent"):
        MoneyField().db_value(Decimal("0.005"))
