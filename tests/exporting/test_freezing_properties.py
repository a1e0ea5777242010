"""Whatever people write: what the rules of Accept let through can be frozen, and what is frozen adds up to the cent."""

from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal import db
from portal.domain.change_orders import load
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.companies import Company
from portal.domain.exporting import exports
from portal.domain.projects import sending
from portal.domain.review import previews
from portal.domain.rules import checks, spectrum_numbers
from portal.domain.rules.findings import Blocked, blocking
from portal.domain.wording import Wording
from portal.spectrum.records import FIELDS

BY_NAME = {field.name: field for field in FIELDS}
MOSTLY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40) | st.text("abc é–½²\t \n'“雨\x07", max_size=300)
titles = st.text("abcdef éñ–½', ", min_size=1, max_size=30)
amounts = st.decimals(Decimal("-9999999999.99"), Decimal("9999999999.99"), places=2) | st.sampled_from([Decimal("0.00"), Decimal("-0.01")])
phases = st.text("0123456789-", min_size=1, max_size=20)
sound_lines = st.lists(
    st.builds(sending.LineDraft, phase_code=phases, cost_type=st.sampled_from(["SUB", "M", "L"]), amount=amounts, quantity=st.none()),
    min_size=1,
    max_size=12,
    unique_by=lambda line: (line.phase_code.replace("-", ""), line.cost_type),
)
codes = st.text("ABab019-. _/&é", min_size=1, max_size=10).map(str.strip).filter(bool)  # as files and pages bring them
ODD_PLACES = {"subcontract": codes, "vendor": codes, "job": codes, "customer": codes}
ODD_LINES = {
    "phase_code": st.text("01-. /é", max_size=24),
    "cost_type": st.text("Aa1. /é", max_size=4),
    "quantity": st.decimals(Decimal("-99999999"), Decimal("99999999"), places=3) | st.decimals(-10, 10, places=1),
    "bid_item": st.text("A1-. /é", max_size=11),
    "amount": amounts,
}


@st.composite
def with_one_oddity(draw):
    """A line and its places, sound but for one thing."""
    place = draw(st.sampled_from([*ODD_PLACES, *ODD_LINES]))
    line = {"phase_code": "16-2000", "cost_type": "SUB", "amount": Decimal("4250.00")}
    if place in ODD_LINES:
        return sending.LineDraft(**line | {place: draw(ODD_LINES[place])}), {}
    return sending.LineDraft(**line), {place: draw(ODD_PLACES[place])}


identities = count(1)
ENOUGH = 15


class Undone(Exception):
    """Takes everything of an example back."""


@pytest.fixture
def written(company, dee):
    """Runs `examine` on a change order as people might have written it, and leaves nothing behind. It counts what was frozen."""
    frozen = []

    def run(examine, draft, subcontract="SC-014", vendor="VOLTCO", job="24-118", customer="NORTHSIDE", **settings):
        Company.update(custom_title=True, **settings).execute()
        with pytest.raises(Undone), db.transaction():
            n = next(identities)
            place = Job.create(company=Company.get(), number=job, name=f"Job {n}", customer=customer)
            held = Commitment.create(
                job=place,
                vendor=Vendor.create(company=Company.get(), name=f"Vendor {n}", code=vendor),
                number=f"SC-{n}",
                subcontract=subcontract,
            )
            frozen.append(examine(load(kept(held, dee, draft).id)))
            raise Undone

    yield run
    assert sum(map(bool, frozen)) >= ENOUGH, "too few examples came through to say anything"


def kept(held, by, draft):
    """The draft, as a change order. Raises Undone where it is not kept at all: a key with what nobody sees in it is not."""
    try:
        return sending.create(held, by, draft)
    except Blocked as error:
        raise (Undone if "invisible character" in str(error) else error) from None


def let_through(change_order, number, title=None, description=None):
    """Whether Send and Accept would take it, as they ask."""
    return not blocking([*checks.at_send(change_order), *checks.at_accept(change_order, Wording(number, title, description))])


def sums_to_the_cent(change_order, export):
    frozen = export.payload
    sent = sum((Decimal(elements["Change_Request_Amount"]) for _, elements in frozen.lines), Decimal(0))
    assert sent == sum((Decimal(elements["Sub_Amount"]) for _, elements in frozen.lines), Decimal(0)) == change_order.amount
    assert sorted([*frozen.skipped, *(position for position, _ in frozen.lines)]) == [line.position for line in change_order.lines]


def fits(export):
    for _, elements in export.lines:
        for name, text in elements.items():
            assert len(text) <= BY_NAME[name].width, (name, text)
            assert all(" " <= character <= "~" for character in text), (name, text)


@MOSTLY
@given(title=titles, description=words, written_lines=sound_lines)
def test_a_sound_change_order_is_let_through_and_frozen_whole(written, title, description, written_lines):
    def examine(change_order):
        number = spectrum_numbers.propose(change_order)
        if not let_through(change_order, number):
            assert blocking(checks.at_send(change_order)), "Accept refuses what Send took"
            return None

        export = exports.freeze(change_order, Wording(number))

        sums_to_the_cent(change_order, export)
        fits(export)
        return export

    written(examine, sending.Draft("001", title, description, written_lines))


@MOSTLY
@given(number=st.text("A0-é/雨\x07 ", min_size=1, max_size=12).filter(str.strip), title=titles | words, odd=with_one_oddity())
def test_whatever_is_written_what_the_rules_let_through_freezes(written, number, title, odd):
    line, places = odd

    def examine(change_order):
        proposed = spectrum_numbers.propose(change_order)
        if not let_through(change_order, proposed):
            return None

        export = exports.freeze(change_order, Wording(proposed))

        sums_to_the_cent(change_order, export)
        fits(export)
        return export

    written(examine, sending.Draft(number, title, "", [line]), **places)


@MOSTLY
@given(number=st.just("") | st.text("ABab019- é/", max_size=9), title=titles | words, description=st.just("") | words)
def test_whatever_an_approver_types_the_preview_is_what_is_frozen_or_a_finding(written, number, title, description):
    def examine(change_order):
        chosen = spectrum_numbers.chosen(change_order, number)
        preview = previews.of(change_order, Wording(chosen, title, description))
        if not let_through(change_order, chosen, title, description):
            assert preview.findings
            return None

        export = exports.freeze(change_order, Wording(chosen, title, description))

        assert preview.findings == []
        assert export.payload == preview.received.payload
        assert all(len(value.text) <= value.width for value in preview.received.common)
        fits(export)
        return export

    sound = [sending.LineDraft("16-2000", "SUB", Decimal("4250.00"))]
    written(examine, sending.Draft("001", "Duct bank", "", sound))
