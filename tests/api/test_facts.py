"""Tax, currency and date over the interface."""

import pytest

from portal.domain.change_orders import load


def test_what_a_change_order_states_is_kept_and_shown(system, change):
    one = system.put("003", change | {"tax": "2.5", "currency": "USD", "date": "2026-11-30"}).json

    assert (one["tax"], one["currency"], one["date"]) == ("2.50", "USD", "2026-11-30")
    assert [(finding["pointer"], finding["rule"]) for finding in one["findings"]] == [("/tax", 14)]
    assert system.get(one["url"].removeprefix("/api/v1")).json == one


def test_left_out_there_is_no_tax_no_date_and_the_currency_of_the_books(system, change):
    system.put("003", change | {"tax": "2.5", "currency": "EUR", "date": "2026-11-30"})

    one = system.put("003", change).json

    assert (one["tax"], one["currency"], one["date"], one["checks"]) == ("0.00", "USD", None, "clean")


def test_another_currency_is_kept_and_told(system, change):
    one = system.put("003", change | {"currency": "EUR"}).json

    assert [(finding["pointer"], finding["rule"], finding["blocking"]) for finding in one["findings"]] == [("/currency", 15, True)]
    assert system.send(one).status_code == 422
    assert load(one["id"]).status == "draft"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tax", 2.5), ("tax", "1e3"), ("tax", "0.005"), ("currency", "usd"), ("currency", "$"), ("currency", ""), ("currency", 1),
        ("date", "11/30/2026"), ("date", "2026-02-29"), ("date", "1999-12-31"), ("date", "2100-01-01"), ("date", "2026-11-30T00:00:00Z"),
        ("date", ""), ("date", 20261130),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_at_its_place(system, change, field, value):
    answer = system.put("003", change | {field: value})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [f"/{field}"]
