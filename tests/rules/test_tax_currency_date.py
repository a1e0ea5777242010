"""Tax, currency and date of a change order: from the form, the settings and the checks to what the approver sees changed."""

from datetime import date
from decimal import Decimal

import pytest

from portal.domain import companies, events
from portal.domain.change_orders import ChangeOrder, Status, load
from portal.domain.commitments import Commitment
from portal.domain.companies import Company
from portal.domain.exporting import payload
from portal.domain.imports import entries
from portal.domain.imports.entries import Entry
from portal.domain.projects import revisions, sending
from portal.domain.projects.sending import Draft, LineDraft
from portal.domain.rules import checks, spectrum_numbers
from portal.domain.rules.findings import Blocked
from portal.domain.wording import Wording
from tests.cast import signed
from tests.conftest import sign_in
from tests.pages import soup
from tests.projects.test_correct_and_resend import editing, typed
from tests.projects.test_revisions import differences, snapshot

LINE = LineDraft("16-2000", "SUB", Decimal("4250.00"))


@pytest.fixture
def draft(make_change_order):
    return make_change_order("draft", number="001")


@pytest.fixture
def stated(dee):
    """Writes into a draft what it states; answers the draft."""

    def write(change_order, **facts):
        words = Draft(change_order.number, change_order.title, "", [LINE], **facts)
        sending.edit(change_order.id, dee, load(change_order.id).version, words)
        return load(change_order.id)

    return write


def set_company(**values):
    Company.update(**values).execute()


def findings(change_order, rule, at=checks.at_send):
    return [(finding.field, finding.blocking) for finding in at(load(change_order.id)) if finding.rule == rule]


def accept(change_order, by):
    return signed(change_order.id, by=by, version=load(change_order.id).version)


@pytest.mark.parametrize("tax", ["0.01", "350.63", "-5.00"])
def test_rule_14_a_tax_that_is_not_zero_stops_a_change_order(draft, stated, dee, tax):
    written = stated(draft, tax=Decimal(tax))

    assert findings(written, 14) == [("tax", True)]
    assert written.checks == "block"
    with pytest.raises(Blocked, match="Leave the tax out, or have an administrator allow it"):
        sending.send(written.id, dee, written.version)


def test_rule_14_where_the_company_allows_it_tax_is_told_and_sent_to_nobody(draft, stated, dee, ana):
    set_company(tax_allowed=True)
    written = stated(draft, tax=Decimal("350.63"))

    sent = sending.send(written.id, dee, written.version)

    assert findings(sent, 14) == findings(sent, 14, checks.on_review) == [("tax", False)]
    frozen = payload.build(load(sent.id), Wording(spectrum_numbers.propose(sent), accounting_date=date(2026, 11, 23)))
    assert frozen.total == Decimal("4250.00")
    assert "350.63" not in str(frozen)
    assert accept(sent, ana).status == Status.QUEUED


def test_rule_14_without_tax_says_nothing(draft):
    assert findings(draft, 14) == []


@pytest.mark.parametrize("books", ["USD", "CAD"])
def test_rule_15_only_the_currency_of_the_books_is_sent(draft, stated, dee, books):
    set_company(currency=books)

    assert findings(stated(draft, currency="EUR"), 15) == [("currency", True)]
    assert findings(stated(draft, currency=books), 15) == []
    with pytest.raises(Blocked, match="The amounts are in EUR; your company keeps its books in"):
        sending.send(draft.id, dee, stated(draft, currency="eur").version)


def test_a_change_order_that_states_no_currency_has_the_one_of_the_books(draft, stated, commitment, dee):
    set_company(currency="CAD")

    assert stated(draft).currency == "CAD"
    assert load(sending.begin(Commitment.get_by_id(commitment.id), dee, Draft("009", "New", "", [])).id).currency == "CAD"


def test_rule_11_says_so_when_the_total_contains_the_tax(draft, stated):
    written = stated(draft, tax=Decimal("350.00"), amount=Decimal("4600.00"))

    (finding,) = [finding for finding in checks.at_send(written) if finding.rule == 11]

    assert str(finding) == (
        "The total of 4,600.00 contains the tax of 350.00; the lines add up to 4,250.00. State the total without the tax."
    )


@pytest.mark.parametrize("change", [{"tax_allowed": False}, {"currency": "CAD"}])
def test_what_an_administrator_changed_since_it_was_sent_counts_at_accept_and_before_the_first_byte(draft, stated, dee, ana, change):
    set_company(tax_allowed=True)
    written = stated(draft, tax=Decimal("1.00"))
    sent = sending.send(written.id, dee, written.version)

    set_company(**change)

    with pytest.raises(Blocked):
        accept(sent, ana)
    assert load(sent.id).status == Status.READY
    assert [finding.rule for finding in checks.before_send(load(sent.id))] in ([14], [15])


def test_the_settings_are_kept_told_and_judge_anew_what_can_still_change(client, eve, make_change_order, stated):
    taxed = stated(make_change_order("draft", number="001"), tax=Decimal("1.00"))
    plain, done = make_change_order("ready", number="002"), make_change_order("exported", number="003")
    admin = sign_in(client, eve)

    admin.post("/settings/company", data={"section": "checks", "currency": "USD", "tax_allowed": "on"})
    assert [load(one.id).checks for one in (taxed, plain, done)] == ["warn", "clean", "clean"]

    admin.post("/settings/company", data={"section": "checks", "currency": "CAD"})
    assert [load(one.id).checks for one in (taxed, plain, done)] == ["block", "block", "clean"]
    kept = companies.current()
    assert (kept.currency, kept.tax_allowed) == ("CAD", False)
    told = [event.facts for event in events.Event.select().where(events.Event.action == "settings changed").order_by(events.Event.seq)]
    assert [(facts["old"], facts["new"]) for facts in told] == [
        ({"tax_allowed": False}, {"tax_allowed": True}),
        ({"currency": "USD", "tax_allowed": True}, {"currency": "CAD", "tax_allowed": False}),
    ]


@pytest.mark.parametrize("currency", ["", "EUR", "usd", "US", "USDX"])
def test_books_in_another_currency_than_a_dollar_are_refused(client, eve, company, currency):
    answer = sign_in(client, eve).post("/settings/company", data={"section": "checks", "currency": currency})

    assert answer.status_code == 422
    assert "Choose the currency of the books from the list." in answer.text
    assert companies.current().currency == "USD"


def test_the_form_keeps_the_date_and_its_page_shows_it(client, dee, draft):
    sender = sign_in(client, dee)

    answer = sender.post(editing(draft), data=typed(draft, {"amount": "4250.00"}, date="2026-11-30"))

    assert answer.status_code == 303
    assert load(draft.id).dated == date(2026, 11, 30)
    assert soup(sender.get(editing(draft))).find(id="date")["value"] == "2026-11-30"
    assert soup(sender.get(f"/change-orders/{draft.id}")).find("time", datetime="2026-11-30").text == "11/30/2026"
    sender.post(editing(draft), data=typed(load(draft.id), {"amount": "4250.00"}, date=""))
    assert load(draft.id).dated is None


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("date", "11/30/2026", "“11/30/2026” is not a date. Write it like 2026-11-30."),
        ("date", "2026-02-29", "“2026-02-29” is not a day of the calendar."),
        ("date", "1970-01-01", "“1970-01-01” cannot be the date of a change order; it has to be from 2000 to 2099."),
        ("tax", "10,00", "“10,00” is not an amount."),
        ("currency", "EURO", "“EURO” is not a currency."),
    ],
)
def test_what_cannot_be_read_is_given_back_with_the_reason(client, dee, draft, field, text, sentence):
    answer = sign_in(client, dee).post(editing(draft), data=typed(draft, {"amount": "1.00"}, **{field: text}))

    assert answer.status_code == 422
    found = soup(answer)
    assert sentence in found.select_one(".problem").text
    assert found.find(id=field)["value"] == text
    assert sentence in found.find(id=f"at-{field}").text
    assert load(draft.id).version == draft.version


def test_tax_and_currency_are_asked_for_where_they_make_sense(client, dee, draft, stated):
    sender = sign_in(client, dee)

    def asked():
        page = soup(sender.get(editing(draft)))
        return [name for name in ("tax", "currency") if page.find(id=name)]

    assert asked() == []
    stated(draft, currency="EUR", tax=Decimal("2.00"))
    assert asked() == ["tax", "currency"]
    stated(draft)
    set_company(tax_allowed=True)
    assert asked() == ["tax"]


def test_the_findings_stand_beside_the_fields_and_what_was_wrong_is_mended_there(client, dee, draft, stated):
    stated(draft, currency="EUR", tax=Decimal("2.00"))
    sender = sign_in(client, dee)

    page = soup(sender.get(editing(draft)))
    assert "Your company sends none" in page.find(id="at-tax").text
    assert "your company keeps its books in USD" in page.find(id="at-currency").text
    assert page.find(id="tax")["aria-invalid"] == page.find(id="currency")["aria-invalid"] == "true"

    sender.post(editing(draft), data=typed(load(draft.id), {"amount": "4250.00"}, tax="", currency="usd"))
    kept = load(draft.id)
    assert (kept.tax, kept.currency, kept.checks) == (Decimal("0.00"), "USD", "clean")


def test_the_page_and_the_list_name_another_currency_and_the_tax(client, dee, draft, stated):
    stated(draft, currency="EUR", tax=Decimal("2.00"))
    sender = sign_in(client, dee)

    assert "EUR" in soup(sender.get("/jobs")).select_one("td.amount").text
    facts = " ".join(soup(sender.get(f"/change-orders/{draft.id}")).select_one(".facts").get_text(" ").split())
    assert "This change $4,250.00 EUR" in facts
    assert "Tax $2.00 not sent to Spectrum" in facts


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"date": "2026-11-30"}, ("Date", "", "2026-11-30")),
        ({"tax": "2.50"}, ("Tax", "$0.00", "$2.50")),
        ({"currency": "EUR"}, ("Currency", "USD", "EUR")),
    ],
)
def test_what_changed_since_the_rejection_names_them_also_against_an_older_snapshot(changed, told):
    assert differences(snapshot(), snapshot(**changed)) == [told]
    assert differences(snapshot(), snapshot(**revisions.YOUNGER)) == []


def test_every_snapshot_has_them(draft, stated):
    written = stated(draft, tax=Decimal("2.50"), currency="EUR", dated=date(2026, 11, 30))

    last = events.Event.select().where(events.Event.action == "edited").get().facts["snapshot"]

    assert (last["tax"], last["currency"], last["date"]) == ("2.50", "EUR", "2026-11-30")
    assert last == revisions.snapshot(written)


def test_a_staged_change_order_keeps_them():
    facts = {"tax": Decimal("2.50"), "currency": "EUR", "dated": date(2026, 11, 30)}
    entry = Entry("line 2", Draft("001", "T", "", [LINE], **facts), "24-117", "SC-014")

    assert entries.load(entries.dump(entry)) == entry


def test_rows_from_before_have_no_tax_no_date_and_the_currency_of_the_books(draft):
    kept = ChangeOrder.select().dicts().get()

    assert (kept["tax"], kept["currency"], kept["dated"]) == (Decimal("0.00"), "USD", None)
