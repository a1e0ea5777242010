"""Whatever is stored stands in every page, table and mail as the words it is, and in none as markup, formula or template.

Every column that holds words of people or of Spectrum is filled with an attack; a new column is attacked too, unless it is named
here among those in which only the portal's own words stand.
"""

import csv
import io
import json
import zipfile
from datetime import timedelta

import peewee
import pytest
from bs4 import BeautifulSoup
from lxml import html

from portal import db, mail
from portal.background import tasks
from portal.domain import companies
from portal.domain.change_orders import Status
from portal.domain.companies import Company
from portal.domain.exporting import alerts, pausing
from portal.domain.lanes import MAIL
from portal.domain.mail import daily_summary
from portal.domain.people import User
from portal.domain.projects import sending
from portal.domain.review.decisions import reject
from portal.web.downloads import FORMULA, UNSEEN
from tests.attacks.catalogue import CANARY, SUM
from tests.attacks.crawling import Crawl
from tests.attacks.judging import malformed
from tests.conftest import sign_in
from tests.tables import TABLES

ATTACK = f"=\"'{CANARY} onload=alert(1)>{{{{123456*1000003}}}}&lt;zqx"  # its first seven characters are an attack already
OURS = {  # columns with words of the portal's own, numbers, hashes and codes with one or two characters
    "company": {"code", "cr_status", "cost_reimbursable", "sub_status", "resending", "summary_days", "time_zone"},
    "job": {"key", "loose"},  # made of the number
    "commitment": {"kind", "key", "loose"},
    "user": {"email", "handle", "password", "level"},
    "change_order": {"status", "checks", "key", "loose"},
    "contribution": {"deed"},
    "code_hand": {"thing", "field"},
    "distinction": {"kind", "numbers"},
    "statement": {"source", "content"},
    "line_item": {"quantity"},
    "spectrum_job": {"status"},
    "spectrum_phase": {"status"},
    "reading": {"listing"},
    "spectrum_number": {"company"},
    "event": {"subject", "action", "data", "previous", "hash"},  # cannot be changed; the attack comes in by what the domain records
    "export": {"format", "frozen", "sha256"},
    "attempt": {"kind", "guid", "outcome", "codes"},
    "failure_cause": {"kind", "who"},
    "bulk_action": {"key", "what"},
    "bulk_result": {"outcome"},
    "saved_view": {"query"},
    "lane": {"name"},
    "dispatch": {"key", "lane", "task", "outcome"},
    "token": {"hash", "scopes"},
    "kept_answer": {"key", "request", "body"},
    "connection": {"authorization_id", "client_secret", "token"},  # sealed
    "heartbeat": {"name"},
    "upload": {"sha256", "preview"},
    "import": {"sha256"},
    "staged": {"content", "outcome"},
    "session": {"token_hash", "road", "ended_why"},
    "refresh": {"key"},
}
AS_JSON = {("export", "frozen"), ("attempt", "codes"), ("upload", "preview")}  # their sentences are attacked, their codes and numbers left


def columns():
    """(model, field) of every column that holds text."""
    for model in TABLES:
        for field in model._meta.sorted_fields:
            if isinstance(field, peewee.CharField | peewee.TextField):
                yield model, field


def is_unique(model, field):
    return field.unique or any(field.name in one[0] and one[1] for one in model._meta.indexes if isinstance(one, tuple))


def fill(model, field):
    longest, table = getattr(field, "max_length", None) or 1000, model._meta.table_name
    for row in model.select():
        text, mark = ATTACK[:longest], f"{row.get_id()}" if is_unique(model, field) else ""
        text = text[: longest - len(mark)] + mark
        if (table, field.name) in AS_JSON:
            kept = getattr(row, field.name)
            text = json.dumps(attacked(json.loads(kept))) if kept else ""
        model.update({field: text}).where(model._meta.primary_key == row.get_id()).execute()


def attacked(content):
    """The sentences in it replaced."""
    if isinstance(content, dict):
        return {key: attacked(value) for key, value in content.items()}
    if isinstance(content, list):
        return [attacked(value) for value in content]
    return ATTACK if isinstance(content, str) and " " in content else content


@pytest.fixture
def poisoned(town, ana):
    """The town with the attack in all its words. What events say comes in by an edit, a rejection and a pause before."""
    reject(town.orders["revised"].id, by=ana, version=town.orders["revised"].version, reason=f"{ATTACK}\n{ATTACK}")
    returned = town.orders[Status.REJECTED]
    sending.edit(returned.id, town.people["dee"], returned.version, sending.Draft(returned.number, ATTACK, ATTACK, []))
    pausing.resume(companies.current().lane, by=town.people["eve"])
    pausing.pause(companies.current().lane, town.people["eve"], ATTACK)
    with db.transaction():
        for model, field in columns():
            if field.name not in OURS.get(model._meta.table_name, ()) or (model._meta.table_name, field.name) in AS_JSON:
                fill(model, field)
    return town


def test_a_column_that_is_left_out_here_is_one_of_ours():
    named = {(table, name) for table, names in OURS.items() for name in names}

    assert named <= {(model._meta.table_name, field.name) for model, field in columns()}


def test_no_page_and_no_part_of_one_takes_stored_words_for_anything_else(app, poisoned):
    for who in ("ada", "eve", "dee", "ben", "tom"):
        crawl = Crawl(sign_in(app.test_client(), poisoned.people[who]))
        pages = {address: one for address, one in crawl.answers.items() if one.mimetype == "text/html" and one.status_code == 200}

        for address, answer in pages.items():
            assert CANARY not in answer.text and SUM not in answer.text, address
            assert not malformed(answer.text), f"{address}: {malformed(answer.text)}"
            assert not html.fromstring(answer.text).xpath("//zqx | //@onload | //script[not(@src)] | //@style"), address
        shown = [address for address, answer in pages.items() if "&lt;zqx" in answer.text]
        assert len(shown) > len(pages) / 2, f"to {who} the attack is shown on {shown} only"


def test_no_cell_of_a_table_to_take_away_begins_a_formula(app, poisoned):
    crawl = Crawl(sign_in(app.test_client(), poisoned.people["ada"]))
    tables = {address: answer for address, answer in crawl.answers.items() if answer.mimetype == "text/csv"}

    cells = [cell for answer in tables.values() for row in csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))) for cell in row]

    assert [cell for cell in cells if cell.lstrip(UNSEEN).startswith(FORMULA)] == []
    assert [cell for cell in cells if cell.startswith(f"'=\"'{CANARY}")]
    assert "/settings/audit.csv" in tables


def test_no_cell_of_a_workbook_is_a_formula_or_markup(app, poisoned):
    crawl = Crawl(sign_in(app.test_client(), poisoned.people["ada"]))
    books = [answer.data for address, answer in crawl.answers.items() if address.partition("?")[0].endswith(".xlsx")]

    for content in books:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            sheets = [book.read(name).decode() for name in book.namelist() if name.startswith("xl/") and name.endswith(".xml")]
        assert not [sheet for sheet in sheets if "<f>" in sheet or "<f " in sheet or CANARY in sheet or "<hyperlink" in sheet]
    assert len(books) > 2


def test_the_interface_gives_stored_words_as_they_are(app, poisoned):
    headers = {"Authorization": f"Bearer {poisoned.tokens['read']}"}

    answer = app.test_client().get(f"/api/v1/change-orders/{poisoned.orders[Status.READY].id}", headers=headers)

    assert (answer.mimetype, answer.headers["X-Content-Type-Options"]) == ("application/json", "nosniff")
    assert answer.json["title"] == ATTACK


@pytest.fixture
def posted(monkeypatch):
    """The mails that would have been sent."""
    sent = []
    monkeypatch.setattr(mail, "send", lambda settings, message: sent.append(message))
    return sent


def test_no_mail_takes_stored_words_for_anything_else(app, poisoned, posted, clock):
    User.update(wants_failures=True).execute()
    Company.update(daily_summary=True, summary_hour=0, summary_days="1234567", time_zone="UTC").execute()
    clock.set(clock.now().replace(hour=12) + timedelta(days=1))
    with db.transaction():
        alerts.ring("data")
    daily_summary.plan()
    clock.tick(minutes=10)

    with app.app_context():
        tasks.drain(MAIL)

    subjects = " ".join(message["Subject"] for message in posted)
    assert "sent back" in subjects and "Daily Summary" in subjects and "failed" in subjects
    for message in posted:
        text, page = (message.get_body(kind).get_content() for kind in (("plain",), ("html",)))
        assert CANARY in text and SUM not in text  # words, since it is no markup
        assert CANARY not in page and SUM not in page and "&lt;zqx" in page
        assert not BeautifulSoup(page, "lxml").find("zqx")
        assert len(message["To"].addresses) == 1 and message["Bcc"] is None
