"""Tax, currency and date of change orders in files."""

import json
from datetime import date
from decimal import Decimal

import pytest

from portal.domain.change_orders import ChangeOrder
from portal.intake import files
from tests.import_files import text_of
from tests.intake.test_bad_files import ours
from tests.intake.test_reading import EXAMPLES

FACTS = {"tax": "350.63", "currency": "USD", "date": "2026-11-30"}


def facts_of(content):
    reading = files.understand(content.encode(), "orders")
    assert not reading.problems, list(map(str, reading.problems))
    return [(entry.draft.tax, entry.draft.currency, entry.draft.dated) for entry in reading.entries]


@pytest.mark.parametrize("content", [text_of(FACTS), ours(**FACTS)], ids=["a table", "our JSON"])
def test_a_file_states_them(content):
    assert facts_of(content) == [(Decimal("350.63"), "USD", date(2026, 11, 30))]


@pytest.mark.parametrize("content", [text_of({}), ours(), ours(tax=None, currency=None, date=None)], ids=["a table", "JSON", "nulls"])
def test_a_file_need_not_state_them(content):
    assert facts_of(content) == [(Decimal("0.00"), "", None)]


@pytest.mark.parametrize(
    ("heading", "column"),
    [("Tax Amount", "tax"), ("Sales Tax", "tax"), ("Currency ISO Code", "currency"), ("CCO Date", "date"), ("Change Order Date", "date")],
)
def test_other_names_of_their_columns_are_understood(heading, column):
    header, _, rows = text_of(FACTS).partition("\n")
    names = [heading if name == column else name for name in header.split(",")]

    reading = files.understand(f"{','.join(names)}\n{rows}".encode(), "orders.csv")

    assert reading.renamed == {heading: column}
    assert reading.entries[0].draft.tax == Decimal("350.63")


def test_procore_names_the_currency_and_the_day_on_which_the_signed_one_came():
    document = json.loads((EXAMPLES / "procore.json").read_text(encoding="utf-8"))
    first, second = document["commitment_change_orders"]
    first["currency_configuration"] = {"currency_iso_code": "CAD", "base_currency_iso_code": "USD"}
    first["signed_change_order_received_date"] = "2026-11-30"
    second["currency_configuration"] = None

    assert facts_of(json.dumps(document)) == [(Decimal("0.00"), "CAD", date(2026, 11, 30)), (Decimal("0.00"), "", None)]


def test_an_import_keeps_them_and_the_same_file_again_changes_nothing(command, csv_file):
    first, again = command(csv_file(FACTS)), command(csv_file(FACTS))

    kept = ChangeOrder.get()
    assert (kept.tax, kept.currency, kept.dated, kept.checks) == (Decimal("350.63"), "USD", date(2026, 11, 30), "block")
    assert ("1 new" in first.stdout, "1 unchanged" in again.stdout) == (True, True)


@pytest.mark.parametrize("change", [{"tax": "1"}, {"currency": "CAD"}, {"date": "2026-12-01"}])
def test_a_file_that_says_something_else_changes_them(command, csv_file, change):
    command(csv_file(FACTS))

    assert "1 changed" in command(csv_file(FACTS | change)).stdout


@pytest.mark.parametrize(
    ("field", "text"),
    [("tax", "x"), ("tax", "0.005"), ("currency", "dollars?"), ("date", "2026-02-29"), ("date", "soon")],
)
@pytest.mark.parametrize("form", [lambda facts: text_of(facts), lambda facts: ours(**facts)], ids=["a table", "our JSON"])
def test_what_cannot_be_read_is_refused_at_its_field(form, field, text):
    (problem,) = files.understand(form({field: text}).encode(), "orders").problems

    assert problem.field == field
