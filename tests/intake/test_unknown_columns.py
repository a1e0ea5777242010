"""Columns that nobody here knows are passed over and told, but none that is a known one, mistyped."""

import pytest

from portal.domain.imports.entries import BadFile
from portal.intake import files, headings
from tests.import_files import text_of


def read(text):
    return files.understand(text.encode(), "orders.csv")


def with_column(heading, *cells, instead_of=""):
    """Rows of one change order each, with one more column, or another heading for one of ours."""
    rows = text_of(*({"cco_number": f"{number:03}"} for number, _ in enumerate(cells, 1))).splitlines()
    if instead_of:
        return "\n".join([rows[0].replace(instead_of, heading, 1), *rows[1:]])
    return "\n".join(f"{row},{cell}" for row, cell in zip(rows, [heading, *cells], strict=True))


@pytest.mark.parametrize("heading", ["Superintendent", "Retainage %", "Unit Cost", "Contact", "Line Number", "Created At", "Rate"])
def test_a_column_that_nobody_knows_is_passed_over_and_told(heading):
    reading = read(with_column(heading, "x", "y"))

    assert not reading.problems
    assert f"Passed over, because no such column is known: “{heading}”." in reading.told
    assert [entry.draft.title for entry in reading.entries] == ["Relocate duct bank"] * 2


@pytest.mark.parametrize(
    ("heading", "ours"),
    [
        ("Taxs", "tax"),
        ("Taxes", "tax"),
        ("Currrency", "currency"),
        ("Vender Code", "vendor_code"),
        ("vendorcode", "vendor_code"),
        ("Sub-Contract Number", "subcontract_number"),
        ("Bid Items", "bid_item"),
        ("Descripton", "description"),
        ("Orignal Amount", "original_amount"),
    ],
)
def test_a_mistyped_column_is_refused_with_the_name_that_is_meant(heading, ours):
    text = with_column(heading, "x", instead_of=ours)

    with pytest.raises(BadFile, match=f"Column “{heading}” is not known. Is it {ours}\\? Name it so, or remove it."):
        read(text)


def test_where_a_needed_column_is_missing_the_unknown_ones_are_named_with_it():
    with pytest.raises(BadFile) as refused:
        read(with_column("How much", "x", instead_of=",amount").replace("unitHow", "unit,How"))

    assert [problem.reason for problem in refused.value.problems] == [
        "Column “How much” is not known. Remove it, or give it one of the documented names.",
        "Column “amount” is missing.",
    ]


def test_unknown_columns_of_one_name_are_passed_over():
    header, row = text_of({}).splitlines()

    assert not read(f"{header},Note,Note\n{row},a,b").problems


@pytest.mark.parametrize("heading", ["Unit Price", "unit_price"])
@pytest.mark.parametrize("prices", [("250.00",), ("$1,250.00", "1"), ("1", "0.50", "yes")])
def test_a_unit_price_with_prices_in_it_is_not_the_switch(heading, prices):
    reading = read(
        with_column(heading, *(f'"{price}"' for price in prices)).replace(",unit_price,", ",", 1).replace(",,SC-014,", ",SC-014,")
    )

    assert not reading.problems
    assert [entry.unit_price for entry in reading.entries] == [None] * len(prices)
    assert f"Column “{heading}” holds prices, not yes or no: it is passed over." in reading.told


def test_no_known_column_is_taken_for_another_one_mistyped():
    for name in [*headings.COLUMNS, *headings.NAMES]:
        assert headings.column_of(name) in headings.KNOWN
