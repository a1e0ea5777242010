"""A list to take away: the filter of the page as CSV and XLSX, typed, and with nothing that a spreadsheet would calculate."""

import csv
import io
import zipfile
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from lxml import etree

from portal.domain.change_orders import ChangeOrder, load
from portal.domain.commitments import Vendor
from portal.domain.projects import sending
from portal.domain.review import lists
from portal.web.change_orders import list_files
from tests.conftest import count_queries, sign_in
from tests.pages import main_words, page_of

pytestmark = pytest.mark.databases_differ("sorting, searching and paging")


def as_csv(client, query=""):
    answer = client.get(f"/change-orders.csv?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def as_xlsx(client, query=""):
    answer = client.get(f"/change-orders.xlsx?{query}")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.data)) as book:
        sheet = etree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert not sheet.findall(".//{*}f")
    head, *rows = [{cell.get("r").rstrip("0123456789"): value(cell) for cell in row} for row in sheet.iter("{*}row")]
    return [{head[column]: what for column, what in row.items()} for row in rows]


def value(cell):
    """Text, or a number."""
    return "".join(cell.itertext()) if cell.get("t") == "inlineStr" else float(cell.findtext("{*}v"))


def serial(moment):
    """As a workbook counts days."""
    return pytest.approx((moment - datetime(1899, 12, 30)) / timedelta(days=1))  # noqa: DTZ001 -- workbooks know no zone


def test_the_page_leads_to_files_of_its_filter(client, ana, make_change_order):
    make_change_order(title="Relocate duct bank")
    make_change_order(title="Another")
    page = page_of(sign_in(client, ana).get("/change-orders?view=all&q=duct&sort=amount"))

    links = [link["href"] for link in page.select("a[download]")]

    assert links == ["/change-orders.csv?view=all&q=duct&sort=amount", "/change-orders.xlsx?view=all&q=duct&sort=amount"]
    assert [row["Title"] for row in as_csv(client, links[0].partition("?")[2])] == ["Relocate duct bank"]


def test_both_say_what_the_list_says(client, ana, make_change_order, clock):
    clock.set(datetime.fromisoformat("2026-11-24T12:30:15+00:00"))
    exported = make_change_order("exported", lines=[("16-2000", "SUB", "-1234.50")])
    ChangeOrder.update(held_until=date(2026, 12, 24)).where(ChangeOrder.id == exported.id).execute()
    sign_in(client, ana)

    (line,), (row,) = as_csv(client, "view=exported"), as_xlsx(client, "view=exported")

    said = {
        "CCO": "001", "Title": "Relocate duct bank", "Project": "24-117", "Project name": "Harbor Tower", "Commitment": "SC-014",
        "Kind": "subcontract", "Vendor": "Volt Electric Co", "Vendor code": "VOLTCO", "Currency": "USD", "Status": "Exported",
        "Sent by": "Dee Sørensen", "Decided by": "Ana Ortiz", "Spectrum number": "S014-001",
    }  # fmt: skip
    assert line == said | {"Revision": "1", "Amount": "-1234.50"} | dict.fromkeys(("Sent", "Decided"), "2026-11-24 06:30:15") | {
        "On hold until": "2026-12-24"
    }
    moment = serial(datetime.fromisoformat("2026-11-24T06:30:15"))
    day = serial(datetime.fromisoformat("2026-12-24"))
    assert row == said | {"Revision": 1.0, "Amount": -1234.5, "Sent": moment, "Decided": moment, "On hold until": day}


@pytest.mark.parametrize("mark", ["=1+1", "+1", "-1", "@A1", "\t=1"])
def test_text_that_begins_like_a_formula_stays_text(client, ana, change_order, mark):
    Vendor.update(name=f"{mark} Co").execute()
    sign_in(client, ana)

    assert [row["Vendor"] for row in as_csv(client)] == [f"'{mark} Co"]
    assert [row["Vendor"] for row in as_xlsx(client)] == [f"{mark} Co"]


def test_who_is_not_on_the_job_gets_what_was_sent_and_no_draft(client, ana, dee, make_change_order):
    returned = make_change_order("rejected")
    make_change_order("draft")
    draft = sending.Draft("001", "A secret of the project", "", [sending.LineDraft("16-2000", "SUB", Decimal(7))])
    sending.edit(returned.id, dee, load(returned.id).version, draft)
    sign_in(client, ana)

    assert [(row["Title"], row["Amount"]) for row in as_csv(client, "view=all")] == [("Relocate duct bank", "4250.00")]


def test_a_long_list_comes_whole_and_in_parts(client, ana, make_change_order, monkeypatch, clock):
    monkeypatch.setattr(lists, "PART", 2)
    made = []
    for _ in range(5):
        made.append(make_change_order().number)
        clock.tick(minutes=1)
    sign_in(client, ana)

    with count_queries() as sent:
        rows = as_csv(client, "view=ready")

    assert [row["CCO"] for row in rows] == made
    assert len([sql for sql in sent if '"commitment" AS "t2"' in sql]) == 3


def test_a_workbook_takes_no_more_than_it_can(client, ana, make_change_order, monkeypatch):
    monkeypatch.setattr(list_files, "MOST_IN_WORKBOOK", 1)
    for _ in range(2):
        make_change_order()
    sign_in(client, ana)

    answer = client.get("/change-orders.xlsx")

    assert answer.status_code == 422
    assert "Filter the list, or download it as CSV." in main_words(answer)
    assert len(as_csv(client)) == 2


@pytest.mark.parametrize("query", ["view=nope", "view=all&min=x", "sort=nope"])
def test_what_is_no_list_is_no_file(client, ana, change_order, query):
    sign_in(client, ana)

    assert client.get(f"/change-orders.csv?{query}").status_code == 404
    assert client.get(f"/change-orders.xlsx?{query}").status_code == 404
