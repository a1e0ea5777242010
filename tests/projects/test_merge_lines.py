"""Repeated lines become one each, and the total stays what it was."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.change_orders import load
from portal.domain.projects import merge_lines, sending
from portal.domain.projects.sending import Draft, LineDraft
from portal.domain.rules import checks

CODES = st.sampled_from(["16-2000", "162000", "16-3000", "", "ab-1", "AB1"])
AMOUNTS = st.none() | st.decimals(-1000, 1000, places=2)
QUANTITIES = st.none() | st.decimals(0, 100, places=2)
LINES = st.lists(
    st.builds(
        LineDraft,
        CODES,
        st.sampled_from(["S", "s", "M", ""]),
        AMOUNTS,
        st.sampled_from(["", "Duct"]),
        QUANTITIES,
        st.sampled_from(["", "LF", "EA"]),
    ),
    max_size=8,
)


def line(phase="16-2000", cost_type="SUB", amount: str | None = "10.00", **more):
    return LineDraft(phase, cost_type, None if amount is None else Decimal(amount), **more)


def test_lines_of_one_code_and_type_become_one_in_the_place_of_the_first():
    lines = [line(amount="1.00"), line("16-3000"), line(amount="2.50")]

    assert merge_lines.combined(lines) == [line(amount="3.50"), line("16-3000")]
    assert [repeat.positions for repeat in merge_lines.repeats(lines)] == [[1, 3]]


@pytest.mark.parametrize("other", [line("162000"), line("16-2000 "), line(cost_type="sub"), line("16-20-00")])
def test_what_spectrum_takes_for_the_same_code_is_the_same(other):
    assert len(merge_lines.combined([line(), other])) == 1


@pytest.mark.parametrize("other", [line("16-2001"), line(cost_type="M"), line(bid_item="B1"), line(amount=None), line("")])
def test_what_is_another_line_or_unfinished_is_left_alone(other):
    assert merge_lines.combined([line(), other]) == [line(), other]


def test_two_unfinished_lines_are_left_alone():
    assert merge_lines.repeats([line(""), line(""), line(cost_type=""), line(cost_type="")]) == []


def test_quantities_of_one_unit_are_added_and_others_left_out():
    feet = [line(quantity=Decimal("2.5"), unit="LF"), line(quantity=Decimal(3), unit="LF")]

    (one,) = merge_lines.combined(feet)
    assert (one.quantity, one.unit) == (Decimal("5.5"), "LF")
    for other in (line(quantity=Decimal(1), unit="EA"), line(unit="LF"), line()):
        (one,) = merge_lines.combined([feet[0], other])
        assert (one.quantity, one.unit) == (None, "")


def test_each_description_is_kept_once():
    (one,) = merge_lines.combined([line(description="Duct"), line(), line(description="Bend"), line(description="Duct")])

    assert one.description == "Duct; Bend"


@given(LINES)
def test_the_total_never_changes_and_nothing_is_left_to_combine(lines):
    combined = merge_lines.combined(lines)

    assert Draft("", "", "", combined).total == Draft("", "", "", lines).total
    assert merge_lines.repeats(combined) == []
    assert merge_lines.combined(combined) == combined


def test_what_was_combined_passes_the_rule_on_repeats_and_is_recorded(make_change_order, dee):
    draft = make_change_order("draft", lines=[("16-2000", "SUB", "1.00"), ("162000", "sub", "2.00")])
    assert 9 in {finding.rule for finding in checks.at_send(load(draft.id))}
    lines = [LineDraft(one.phase_code, one.cost_type, one.amount) for one in load(draft.id).lines]

    sending.edit(draft.id, dee, draft.version, Draft("001", "Duct bank", "", merge_lines.combined(lines)), combined=[[1, 2]])

    now = load(draft.id)
    assert 9 not in {finding.rule for finding in checks.at_send(now)}
    assert now.amount == Decimal("3.00")
