"""What Spectrum will receive, told before anybody presses Export: the very lines that Accept then freezes."""

from datetime import UTC, date, datetime

import pytest

from portal.domain.change_orders import ChangeOrder, LineItem, Status, load
from portal.domain.commitments import Vendor
from portal.domain.companies import Company
from portal.domain.events import Event
from portal.domain.exporting.exports import Export
from portal.domain.people import Membership
from portal.domain.projects import sending
from portal.domain.review import previews
from portal.domain.wording import Wording
from tests.cast import seen, signed
from tests.conftest import HTMX, count_queries, sign_in
from tests.pages import page_of, words

LINES = [("16-2000", "SUB", "4250.00"), ("26-0519", "SUB", "0.00"), ("16-3000", "M", "-120.50")]
LONG = "Relocate the duct bank at grid C4 as agreed on the walk; " * 6


@pytest.fixture
def custom(company):
    """A company that lets approvers word what goes to Spectrum."""
    Company.update(custom_title=True).execute()


def fields(shown):
    """Element name -> (value, the hints below it)."""
    return {
        words(field.select("code")[-1]): (field.select_one("dd.code").get_text(), " ".join(words(hint) for hint in field.select("dd.hint")))
        for field in shown.select("dl.received > div")
    }


def previewing(change_order):
    return f"/change-orders/{change_order.id}/preview"


@pytest.mark.parametrize(
    ("number", "title", "description"),
    [("", None, None), ("s-77", None, None), ("S-9", "Café – north", "1½″ pipe"), (" ", "  Duct bank ", ""), ("S-1", "x" * 30, "y" * 250)],
)
def test_what_is_frozen_is_what_the_preview_showed(company, ana, make_change_order, custom, number, title, description):
    made = make_change_order(lines=LINES, description=LONG)
    shown = previews.of(made, Wording(number.strip().upper() or "S014-001", title, description))

    signed(made.id, by=ana, version=made.version, number=number, title=title, description=description)

    assert shown.findings == []
    assert Export.get().payload == shown.received.payload


def test_every_element_is_shown_with_its_plain_label_and_its_length(client, ana, make_change_order):
    form = page_of(sign_in(client, ana).get(f"/change-orders/{make_change_order(lines=LINES).id}/acceptance", headers=HTMX))

    shown = fields(form)
    assert shown["CR_Description"] == ("001: Relocate duct bank", "CR_Description 23 of 250")
    assert shown["Sub_Description"] == ("Relocate duct bank", "Sub_Description 18 of 30")
    assert shown["Change_Request_Number"] == ("S014-001", "Change_Request_Number 8 of 8")
    assert shown["Origination_Date"][1] == "Origination_Date"
    assert "Subcontract number" in words(form.select_one("dl.received"))


def test_the_date_is_the_day_it_is_at_the_company(client, ana, change_order, clock):
    clock.set(datetime(2026, 12, 1, 5, 30, tzinfo=UTC))

    form = page_of(sign_in(client, ana).get(f"/change-orders/{change_order.id}/acceptance", headers=HTMX))

    assert fields(form)["Origination_Date"][0] == "11/30/2026"
    assert fields(form)["Sub_Change_Order_Date"][0] == "11/30/2026"


@pytest.fixture
def dated(company):
    """A company whose approvers choose accounting dates within November."""
    Company.update(accounting_dates=True, period_from=date(2026, 11, 1), period_to=date(2026, 11, 30)).execute()


def test_a_chosen_accounting_date_is_previewed_and_then_frozen(client, ana, change_order, dated):
    chosen = {"accounting_date": "2026-11-05"}
    shown = fields(page_of(sign_in(client, ana).get(previewing(change_order), query_string=chosen, headers=HTMX)))

    answer = client.post(f"/change-orders/{change_order.id}/acceptance", data=seen(change_order) | chosen, headers=HTMX)

    assert answer.status_code == 200
    assert shown["Origination_Date"][0] == Export.get().payload.header["Origination_Date"] == "11/05/2026"
    assert shown["Sub_Change_Order_Date"][0] == "11/05/2026"


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2026-12-01", "is not in the open period from 11/01/2026 to 11/30/2026"),
        ("2026-11-31", "is not a date"),
        ("20261105", "is not a date"),
        ("2026-W45-4", "is not a date"),
        ("٢٠٢٦-١١-٠٥", "is not a date"),
        ("soon", "is not a date"),
    ],
)
def test_a_date_that_cannot_be_is_told_in_the_preview_and_refused_at_export(client, ana, change_order, dated, day, said):
    shown = page_of(sign_in(client, ana).get(previewing(change_order), query_string={"accounting_date": day}, headers=HTMX))

    data = seen(change_order, accounting_date=day)
    answer = client.post(f"/change-orders/{change_order.id}/acceptance", data=data, headers=HTMX)

    assert said in words(shown)
    form = page_of(answer, 422)
    assert said in words(form.find(id=f"problem-{change_order.id}"))
    assert form.find("input", {"name": "accounting_date"})["aria-invalid"] == "true"
    assert load(change_order.id).state is Status.READY


def test_the_date_is_asked_for_only_where_the_company_sets_dates(client, ana, change_order):
    sign_in(client, ana)
    without = page_of(client.get(f"/change-orders/{change_order.id}/acceptance", headers=HTMX))
    Company.update(accounting_dates=True).execute()

    with_dates = page_of(client.get(f"/change-orders/{change_order.id}/acceptance", headers=HTMX))

    assert not without.find("input", {"name": "accounting_date"})
    assert with_dates.find("label", string="Accounting date")


def test_lines_go_without_dashes_and_zero_lines_are_told(client, ana, make_change_order):
    form = page_of(sign_in(client, ana).get(f"/change-orders/{make_change_order(lines=LINES).id}/acceptance", headers=HTMX))

    table = form.select_one("details.receives table")
    assert [words(row) for row in table.select("tbody tr")] == [
        "1 162000 6 of 20, from 16 - 2000 SUB 3 of 3 4250.00 4250.00",
        "3 163000 6 of 20, from 16 - 3000 M 1 of 3 -120.50 -120.50",
    ]
    assert words(table.caption) == "2 lines, $4,129.50"
    assert "Not sent, because zero: line 2." in words(form)


def test_letters_that_change_are_marked_before_and_after(client, ana, make_change_order):
    made = make_change_order(title="Piñon – grill")

    form = page_of(sign_in(client, ana).get(f"/change-orders/{made.id}/acceptance", headers=HTMX))

    (field,) = [field for field in form.select("dl.received > div") if "Sub_Description" in words(field)]
    assert field.select_one("dd.code").get_text() == "Pinon - grill"
    assert [words(mark) for mark in field.find_all("ins")] == ["n", "-"]
    assert [words(mark) for mark in field.find_all("del")] == ["ñ", "–"]
    assert "in plain letters" in words(field)


def test_what_is_cut_off_is_told_with_its_length(client, ana, make_change_order):
    made = make_change_order(title="Duct bank", description=LONG)

    shown = fields(page_of(sign_in(client, ana).get(f"/change-orders/{made.id}/acceptance", headers=HTMX)))

    value, hints = shown["CR_Description"]
    assert len(value) <= 250
    assert f"shortened from {len(f'001: Duct bank - {LONG.strip()}')}" in hints


def test_the_fragment_follows_the_words_that_are_typed(client, ana, make_change_order, custom):
    made = make_change_order()

    answer = sign_in(client, ana).get(
        previewing(made), query_string={"number": "s-5", "title": "Valve", "description": "North"}, headers=HTMX
    )

    shown = page_of(answer)
    assert shown.div["id"] == f"preview-{made.id}"
    assert fields(shown)["Change_Request_Number"][0] == "S-5"
    assert fields(shown)["CR_Description"][0] == "001: Valve - North"
    assert "csrf" not in answer.text


def test_a_title_too_long_for_the_subcontract_is_counted_and_told(client, ana, make_change_order, custom):
    title = "A title of one and forty characters, yes!"

    shown = page_of(sign_in(client, ana).get(previewing(make_change_order()), query_string={"title": title}, headers=HTMX))

    assert "The title has 41 characters; Spectrum holds 30." in words(shown)
    assert "shortened from 41" in fields(shown)["Sub_Description"][1]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"title": "雨"}, "characters Spectrum cannot store: 雨"),
        ({"title": "bell\x07"}, "control characters"),
        ({"title": ""}, "The title is empty."),
        ({"number": "S/1"}, "1 to 8 characters out of A-Z, 0-9 and the dash"),
        ({"number": "much too long a number"}, "1 to 8 characters out of A-Z, 0-9 and the dash"),
        ({"description": "x" * 100_000}, "The description has 100000 characters"),
    ],
)
def test_what_spectrum_could_not_take_becomes_a_finding(client, ana, make_change_order, custom, typed, said):
    shown = page_of(sign_in(client, ana).get(previewing(make_change_order()), query_string=typed, headers=HTMX))

    assert said in words(shown)


def test_a_vendor_without_a_code_and_settings_that_lack_are_findings_too(client, ana, change_order, vendor):
    Vendor.update(code="").execute()
    Company.update(cr_status="").execute()

    shown = page_of(sign_in(client, ana).get(previewing(change_order), headers=HTMX))

    assert "must not be blank" in words(shown)


@pytest.mark.parametrize("bid_item", ["12345678901", "1/2", "1é"])
def test_a_bid_item_that_does_not_fit_is_a_finding_and_never_a_fault(client, ana, change_order, bid_item):
    LineItem.update(bid_item=bid_item).execute()
    sign_in(client, ana)

    shown = page_of(client.get(previewing(change_order), headers=HTMX))
    answer = client.post(f"/change-orders/{change_order.id}/acceptance", data=seen(change_order), headers=HTMX)

    assert "bid" in words(shown)
    assert answer.status_code == 422
    assert load(change_order.id).state is Status.READY


def test_words_are_not_taken_where_the_company_does_not_allow_them(client, ana, change_order):
    shown = page_of(sign_in(client, ana).get(previewing(change_order), query_string={"title": "Mine"}, headers=HTMX))

    assert "Your company exports titles as they are." in words(shown)


def test_one_that_was_decided_meanwhile_says_so_instead(client, ana, lee, change_order):
    signed(change_order.id, by=lee, version=change_order.version)

    shown = page_of(sign_in(client, ana).get(previewing(change_order), headers=HTMX))

    assert "Accepted by Lee Nakamura at" in words(shown)
    assert not shown.select("dl")


def test_who_may_not_decide_is_told_why(client, ben, ana, change_order, job, make_change_order):
    own = make_change_order("draft")
    Membership.create(user=ana, job=job)
    sending.send(own.id, by=ana, version=own.version)

    assert "You have view-only access" in words(page_of(sign_in(client, ben).get(previewing(change_order), headers=HTMX)))
    assert "four eyes" in words(page_of(sign_in(client, ana).get(previewing(own), headers=HTMX)))


def test_the_preview_button_shows_the_form_as_it_was_typed_and_records_nothing(client, ana, make_change_order, custom):
    made = make_change_order()
    before = Event.select().count()

    page = page_of(sign_in(client, ana).post(previewing(made), data={"version": made.version, "number": "S-5", "title": "Valve"}))

    assert page.select_one(f"#title-{made.id}")["value"] == "Valve"
    assert page.select_one("details.receives").has_attr("open")
    assert fields(page.select_one("details.receives"))["CR_Description"][0] == "001: Valve"
    assert load(made.id).state is Status.READY
    assert (Event.select().count(), Export.select().count()) == (before, 0)


def test_the_page_shows_it_before_anybody_opens_the_form(client, ben, make_change_order):
    page = page_of(sign_in(client, ben).get(f"/change-orders/{make_change_order(lines=LINES).id}"))

    card = page.find("section", {"aria-labelledby": "preview-heading"})
    assert fields(card)["Change_Request_Number"][0] == "S014-001"


@pytest.mark.parametrize("status", ["draft", "queued", "exported", "rejected"])
def test_only_what_waits_has_a_preview_on_its_page(client, dee, make_change_order, status):
    page = page_of(sign_in(client, dee).get(f"/change-orders/{make_change_order(status).id}"))

    assert not page.find("section", {"aria-labelledby": "preview-heading"})


def test_a_preview_takes_as_many_queries_for_many_lines_as_for_one(client, ana, make_change_order):
    one, many = make_change_order(), make_change_order(lines=[(f"16-{n:04}", "SUB", "1.00") for n in range(60)])
    sign_in(client, ana)
    with count_queries() as few:
        client.get(previewing(one), headers=HTMX)

    with count_queries() as more:
        client.get(previewing(many), headers=HTMX)

    assert len(more) == len(few)
    assert ChangeOrder.select().count() == 2


def test_words_of_people_are_never_markup(client, ana, make_change_order, custom):
    typed = {"title": "<ins>é</ins>", "description": "<script>alert(1)</script>"}

    shown = page_of(sign_in(client, ana).get(previewing(make_change_order()), query_string=typed, headers=HTMX))

    assert not shown.find_all("script")
    assert "<ins>e</ins>" in fields(shown)["Sub_Description"][0]
