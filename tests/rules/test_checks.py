"""Every rule says what is wrong, to whom, in words a clerk understands."""

from datetime import date
from decimal import Decimal

import pytest

from portal.domain.change_orders import LineItem, load
from portal.domain.commitments import Kind
from portal.domain.rules import checks, spectrum_numbers
from portal.domain.rules.findings import blocking, verdict
from portal.domain.wording import Wording

pytestmark = pytest.mark.databases_differ("types and bad text")


@pytest.fixture
def draft(make_change_order):
    return load(make_change_order(status="draft", number="003", title="Relocate duct bank", lines=[("16-2000", "SUB", "4250.00")]).id)


def findings(change_order, rule):
    return [finding for finding in checks.at_send(change_order) if finding.rule == rule]


def test_a_change_order_in_order_has_no_findings(draft):
    assert checks.at_send(draft) == []
    assert verdict([]) == "clean"


@pytest.mark.parametrize("number", ["", "   ", "1234567890123"])
def test_rule_1_a_number_has_1_to_12_characters(draft, number):
    draft.number = number

    assert [str(f) for f in findings(draft, 1)] == [
        "The CCO number needs 1 to 12 characters. Give it a number that is unique in the commitment."
    ]


def test_rule_1_a_number_is_unique_in_the_commitment(draft, make_change_order):
    make_change_order(status="draft", number="004")
    draft.number = "004"

    (finding,) = findings(draft, 1)

    assert finding.text == f"Commitment {draft.commitment.number} already has a CCO 004."


@pytest.mark.parametrize(("title", "text"), [("", "The title is empty."), ("x" * 31, "The title has 31 characters; Spectrum holds 30.")])
def test_rule_2_a_title_has_1_to_30_characters(draft, title, text):
    draft.title = title

    assert [f.text for f in findings(draft, 2)] == [text]


def test_rule_3_only_an_approved_change_order_is_sent(draft):
    draft.project_status = "Pending"

    assert [f.text for f in findings(draft, 3)] == ["The change order is “Pending” on the project, not Approved."]


def test_rule_4_a_purchase_order_is_not_exported(draft):
    draft.commitment.kind = Kind.PURCHASE_ORDER

    (finding,) = findings(draft, 4)

    assert finding.text.startswith("Spectrum takes change orders for subcontracts only.")
    assert finding.who == "accounting"


def test_rule_4_a_purchase_order_entered_as_subcontract_is_exported(draft):
    draft.commitment.kind, draft.commitment.as_subcontract = Kind.PURCHASE_ORDER, True

    assert findings(draft, 4) == []


@pytest.mark.parametrize(
    ("subcontract", "text"),
    [("", "has no Spectrum subcontract number."), ("SC-AG2501-001", "has 13 characters; Spectrum allows 10."), ("SC,1", "in codes.")],
)
def test_rule_4_the_commitment_is_in_spectrum(draft, subcontract, text):
    draft.commitment.subcontract = subcontract

    (finding,) = findings(draft, 4)

    assert finding.text.endswith(text)


@pytest.mark.parametrize(
    ("code", "text"),
    [("", "has no Spectrum vendor code."), ("V" * 11, "Spectrum allows 10."), ("A&B", "in codes."), (" V", "ends with a blank.")],
)
def test_rule_5_the_vendor_is_linked(draft, code, text):
    draft.commitment.vendor.code = code

    (finding,) = findings(draft, 5)

    assert finding.text.endswith(text)


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("number", "", "has no Spectrum job number."),
        ("number", "1" * 11, "Spectrum allows 10."),
        ("customer", "", "has no customer in Spectrum. A change request needs one."),
        ("customer", "NORTH#SIDE", "in codes."),
    ],
)
def test_rule_6_the_job_and_its_customer_are_in_spectrum(draft, field, value, text):
    setattr(draft.commitment.job, field, value)

    (finding,) = findings(draft, 6)

    assert finding.text.endswith(text)


def test_rule_7_there_is_a_line(draft):
    draft.lines = []

    assert [f.text for f in findings(draft, 7)] == ["There are no lines."]


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("phase_code", "", "Line 1 has no cost code."),
        ("phase_code", "--", "Line 1 has no cost code."),
        ("phase_code", "- -", "Line 1 has no cost code."),
        ("cost_type", "", "Line 1 has no cost type."),
        ("amount", None, "Line 1 has no amount."),
        ("phase_code", "1" * 21, f"Cost code {'1' * 21} on line 1 has 21 characters; Spectrum holds 20."),
        ("cost_type", "SUBS", "Cost type SUBS on line 1 is longer than Spectrum's 3 characters."),
        ("phase_code", "16/2000", "Cost code 16/2000 on line 1 contains characters Spectrum does not take in codes."),
    ],
)
def test_rule_7_each_line_has_cost_code_cost_type_and_amount(draft, field, value, text):
    setattr(draft.lines[0], field, value)

    assert [f.text for f in findings(draft, 7)] == [text]


@pytest.mark.parametrize(
    ("bid_item", "text"),
    [
        ("12345678901", "Bid item 12345678901 on line 1 has 11 characters; Spectrum allows 10."),
        ("1/2", "Bid item 1/2 on line 1 contains characters Spectrum does not take in codes."),
    ],
)
def test_rule_7_a_bid_item_is_one_spectrum_can_have(draft, bid_item, text):
    draft.lines[0].bid_item = bid_item

    assert [f.text for f in findings(draft, 7)] == [text]


def test_rule_7_dashes_do_not_count_in_a_cost_code(draft):
    draft.lines[0].phase_code = "-".join("1" * 20)

    assert findings(draft, 7) == []


@pytest.mark.parametrize("code", ["0 -", "- 0", "-- 16-2000", "16-2000 --", " 16-2000"])
def test_rule_7_a_cost_code_has_no_blank_at_an_end_once_its_dashes_are_gone(draft, code):
    draft.lines[0].phase_code = code

    (finding,) = findings(draft, 7)

    assert finding.text == f"Cost code “{code}” on line 1 begins or ends with a blank once its dashes are left out for Spectrum."
    assert finding.fix == "Delete the blank."


def test_rule_7_a_blank_inside_a_cost_code_stays(draft):
    draft.lines[0].phase_code = "16 - 2000"

    assert findings(draft, 7) == []


@pytest.mark.parametrize("other", ["16-2000", "162000", "1-62-000"])
def test_rule_9_a_phase_and_cost_type_come_once(draft, other):
    draft.lines.append(LineItem(position=2, phase_code=other, cost_type="sub", amount=Decimal("1.00")))

    (finding,) = findings(draft, 9)

    assert finding.text == ("Lines 1 and 2 use the same phase, cost type and subcontract. Spectrum keeps one line per combination.")
    assert finding.fix == "Combine them into one line."


def test_rule_9_another_bid_item_is_another_line(draft):
    draft.lines.append(LineItem(position=2, phase_code="16-2000", cost_type="SUB", bid_item="2", amount=Decimal("1.00")))

    assert findings(draft, 9) == []


def test_rule_10_an_amount_has_at_most_10_digits_before_the_point(draft):
    draft.lines[0].amount = Decimal("10000000000.00")

    assert "The amount on line 1 has more than 10 digits before the point." in [f.text for f in findings(draft, 10)]


@pytest.mark.parametrize("quantity", ["10000000.00", "1.005", "Infinity"])
def test_rule_10_a_quantity_fits_spectrum(draft, quantity):
    draft.lines[0].quantity = Decimal(quantity)

    (finding,) = findings(draft, 10)

    assert finding.text.endswith("on line 1 is too large or has more than 2 decimals for Spectrum.")


def test_rule_11_the_lines_add_up_to_the_total(draft):
    draft.amount = Decimal("4250.01")

    assert [f.text for f in findings(draft, 11)] == ["The lines add up to 4,250.00, the CCO says 4,250.01."]


def test_rule_12_all_lines_zero_is_nothing_to_export(draft):
    draft.lines[0].amount = draft.amount = Decimal("0.00")

    (finding,) = findings(draft, 12)

    assert finding.blocking
    assert finding.text == "All lines are zero: nothing to export."


def test_rule_12_a_credit_and_a_zero_line_are_allowed_with_a_warning(draft):
    draft.lines.append(LineItem(position=2, phase_code="1", cost_type="M", amount=Decimal("0.00")))
    draft.lines[0].amount = draft.amount = Decimal("-1.00")

    found = findings(draft, 12)

    assert [(f.text, f.blocking) for f in found] == [
        ("Line 2 is zero and will not be exported.", False),
        ("The total is a credit.", False),
    ]
    assert verdict(found) == "warn"


def test_rule_13_a_long_description_is_a_warning_with_what_spectrum_gets(draft):
    draft.description = "d" * 251

    (finding,) = findings(draft, 13)

    assert not finding.blocking
    assert "Spectrum gets: “003: Relocate duct bank - ddd" in finding.text


@pytest.mark.parametrize(
    ("title", "blocking", "part"),
    [
        ("Café terrace", False, "will read “Cafe terrace”"),
        ("Bell \x07", True, "control characters"),
        ("Ceiling 天井", True, "cannot store: 天井"),
    ],
)
def test_rule_16_characters_spectrum_cannot_store(draft, title, blocking, part):
    draft.title = title

    (finding,) = findings(draft, 16)

    assert finding.blocking is blocking
    assert part in str(finding)


@pytest.mark.parametrize(
    ("number", "blocking", "part"),
    [
        ("雨-1", True, "The CCO number contains characters Spectrum cannot store: 雨"),
        ("1\x07", True, "The CCO number contains control characters."),
        ("É-1", False, "the CCO number will read “E-1”."),
    ],
)
def test_rule_16_the_number_is_part_of_what_spectrum_gets(draft, number, blocking, part):
    draft.number, draft.description = number, "x" * 300

    (finding,) = findings(draft, 16)

    assert finding.blocking is blocking
    assert part in str(finding)


def accepting(change_order, number="S014-003", title=None, description=None):
    return checks.at_accept(change_order, Wording(number, title, description))


@pytest.mark.parametrize("number", ["", "S014-0033", "s014-003", "S014_003", "S014 003", "Ä"])
def test_rule_17_a_spectrum_number_has_1_to_8_of_its_characters(draft, number):
    assert [f.text for f in accepting(draft, number) if f.rule == 17] == [
        "The Spectrum number needs 1 to 8 characters out of A-Z, 0-9 and the dash."
    ]


def test_rule_17_a_number_of_another_change_order_is_refused(draft, make_change_order):
    other = load(make_change_order(status="draft", number="009").id)
    spectrum_numbers.reserve(other, "S014-003")

    (finding,) = [f for f in accepting(draft) if f.rule == 17]

    assert finding.text == f"The number S014-003 is already used in Spectrum for job {draft.job.number} by CCO 009 of SC-014."


def test_rule_17_a_number_belongs_to_its_change_order_for_good(draft):
    spectrum_numbers.reserve(draft, "S014-003")

    (finding,) = [f for f in accepting(draft, "S014-004") if f.rule == 17]

    assert finding.text == "This change order has the Spectrum number S014-003 for good."
    assert [f for f in accepting(draft, "S014-003") if f.rule == 17] == []


def test_rule_17_the_company_can_forbid_other_numbers(draft):
    draft.company.edit_number = False

    (finding,) = [f for f in accepting(draft, "X1") if f.rule == 17]

    assert finding.text == "Your company does not let approvers change the Spectrum number."
    assert [f for f in accepting(draft, spectrum_numbers.propose(draft)) if f.rule == 17] == []


def test_rule_18_custom_words_only_where_the_company_allows_them(draft):
    assert [f.text for f in accepting(draft, title="Other") if f.rule == 18] == ["Your company exports titles as they are."]


@pytest.mark.parametrize(
    ("title", "description", "text"),
    [
        ("", "", "The title is empty."),
        ("x" * 31, "", "The title has 31 characters; Spectrum holds 30."),
        ("ok", "d" * 251, "The description has 251 characters; Spectrum holds 250."),
        ("a\x00b", "", "The title contains control characters."),
    ],
)
def test_rule_18_custom_words_fit_spectrum(draft, title, description, text):
    draft.company.custom_title = True

    assert [f.text for f in accepting(draft, title=title, description=description) if f.rule == 18] == [text]


def test_rule_18_a_custom_title_mends_a_long_one(draft):
    draft.company.custom_title = True
    draft.title = "x" * 31

    assert blocking(accepting(draft, title="Short", description="")) == []


def test_rule_7_a_line_of_a_unit_price_contract_names_its_bid_item(draft):
    draft.commitment.unit_price = True

    assert [f.text for f in findings(draft, 7)] == ["Line 1 needs a subcontract bid item: SC-014 is a unit price contract."]

    draft.lines[0].bid_item = "7"
    assert findings(draft, 7) == []


@pytest.mark.parametrize("on", [None, date(2026, 11, 1), date(2026, 11, 30)])
def test_rule_19_an_accounting_date_is_optional_and_within_the_open_period(draft, on):
    period(draft)

    assert dated(draft, on) == []


@pytest.mark.parametrize("on", [date(2026, 10, 31), date(2026, 12, 1)])
def test_rule_19_a_date_outside_the_open_period_is_refused(draft, on):
    period(draft)

    assert dated(draft, on) == [f"The accounting date {on:%m/%d/%Y} is not in the open period from 11/01/2026 to 11/30/2026."]


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [(date(2026, 11, 1), None, "from 11/01/2026."), (None, date(2026, 9, 30), "to 09/30/2026."), (None, None, "")],
)
def test_rule_19_a_period_may_be_open_at_one_end(draft, first, last, words):
    period(draft, first, last)

    assert "".join(dated(draft, date(2026, 10, 31))).endswith(words)
    assert bool(dated(draft, date(2026, 10, 31))) == bool(words)


def test_rule_19_only_where_the_company_allows_it(draft):
    assert dated(draft, date(2026, 11, 20)) == ["Your company does not set accounting dates."]


def period(draft, first=date(2026, 11, 1), last=date(2026, 11, 30)):
    draft.company.accounting_dates, draft.company.period_from, draft.company.period_to = True, first, last


def dated(draft, on):
    found = checks.at_accept(draft, Wording(spectrum_numbers.propose(draft), accounting_date=on))
    return [finding.text for finding in found if finding.rule == 19]


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("code", "company code"),
        ("cr_status", "change request status"),
        ("cost_reimbursable", "cost-reimbursable flag"),
        ("sub_status", "subcontract status"),
    ],
)
def test_rule_20_without_a_company_setting_export_is_off(draft, field, name):
    setattr(draft.company, field, "")

    (finding,) = [f for f in accepting(draft) if f.rule == 20]

    assert finding.text == f"Export is off: the company settings lack the Spectrum {name}."
    assert finding.who == "an administrator"


def test_rule_20_an_approving_status_is_for_cost_reimbursable_requests(draft):
    draft.company.cr_approves = True

    (finding,) = [f for f in accepting(draft) if f.rule == 20]
    draft.company.cost_reimbursable = "Y"

    assert finding.text == "Spectrum takes a status of type 1 or 2 for cost-reimbursable change requests only."
    assert [f for f in accepting(draft) if f.rule == 20] == []


def test_all_findings_are_shown_at_once(draft):
    draft.title, draft.project_status, draft.lines = "", "Draft", []
    draft.commitment.vendor.code = ""

    assert {f.rule for f in checks.at_send(draft)} == {2, 3, 5, 7}


@pytest.mark.parametrize(
    ("column", "value", "place"),
    [
        ("phase_code", "", (2, "phase_code")),
        ("phase_code", "9" * 21, (2, "phase_code")),
        ("cost_type", "", (2, "cost_type")),
        ("cost_type", "SUBS", (2, "cost_type")),
        ("bid_item", "12345678901", (2, "bid_item")),
        ("amount", None, (2, "amount")),
        ("amount", Decimal("10000000000"), (2, "amount")),
        ("amount", Decimal(0), (2, "amount")),
        ("quantity", Decimal("1.234"), (2, "quantity")),
    ],
)
def test_a_finding_about_one_line_says_which_line_and_which_column(make_change_order, column, value, place):
    draft = make_change_order("draft", lines=[("16-2000", "SUB", "4250.00"), ("16-2010", "SUB", "1.00")])
    setattr(draft.lines[1], column, value)

    assert place in [finding.place for finding in checks.at_send(draft)]


def test_a_finding_about_several_lines_or_none_has_no_place(make_change_order):
    draft = make_change_order("draft", lines=[("16-2000", "SUB", "1.00"), ("16-2000", "SUB", "1.00")], title="")

    assert {finding.place for finding in checks.at_send(draft)} == {None}
