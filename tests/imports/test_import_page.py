"""Importing on a page: what the file would do is shown first, nothing is saved until it is confirmed, and nobody waits for the worker."""

import io
import itertools
import json
import re
import time

import pytest
from bs4 import BeautifulSoup

from benchmarks import import_lines
from portal.background import imports as background_imports
from portal.background import tasks
from portal.domain import events
from portal.domain.change_orders import ChangeOrder, load
from portal.domain.commitments import Commitment, Vendor
from portal.domain.events import Event
from portal.domain.imports import import_run, permissions, uploads
from portal.domain.imports.staging import Import, Staged
from portal.domain.imports.uploads import Upload
from portal.domain.lanes import Lane
from portal.domain.outbox import Dispatch
from portal.domain.people import Membership, NotPermitted
from portal.domain.projects import sending
from portal.intake import files, limits, template
from tests.cast import signed
from tests.conftest import HTMX, sign_in
from tests.import_files import ROW, text_of
from tests.intake.workbooks import book_of
from tests.pages import main_words


@pytest.fixture
def work(app):
    """The worker of the imports lane, once."""

    def drain():
        with app.app_context():
            tasks.drain(uploads.LANE)

    return drain


@pytest.fixture
def hand_in(client, work):
    """Hand a file in and let the worker read it; answers the address of its page."""

    def post(content, name="orders.csv"):
        content = content if isinstance(content, bytes) else content.encode()
        answer = client.post("/imports", data={"file": (io.BytesIO(content), name)}, content_type="multipart/form-data")
        assert answer.status_code == 303, answer.text
        work()
        return answer.location

    return post


@pytest.fixture
def eve_there(client, eve):
    return sign_in(client, eve)


def rows(answer):
    """The rows of the table of what is wrong."""
    return [
        [cell.get_text(strip=True) for cell in row.find_all(["th", "td"])]
        for row in BeautifulSoup(answer.text, "html.parser").select("tbody tr")
    ]


def nothing_saved():
    return (
        not any(table.select().exists() for table in (ChangeOrder, Import, Staged))
        and not Event.select().where(Event.subject == "job").exists()
    )


def test_a_file_is_shown_first_and_imported_when_it_is_confirmed(client, eve_there, eve, hand_in, work, company):
    page = hand_in(text_of({}, {"cco_number": "002", "amount": "$1,000.25"}))

    shown = client.get(page)
    assert "2 new." in main_words(shown)
    assert "2 line items, $5,250.25 in all." in main_words(shown)
    assert "Amounts are read with a decimal point: “$1,000.25” at line 3 is 1000.25." in main_words(shown)
    assert "Amounts are in USD, the currency of the books." in main_words(shown)
    assert nothing_saved()

    assert client.post(f"{page}/confirmation").location == page
    assert "Importing" in main_words(client.get(page))
    assert not ChangeOrder.select().exists()
    work()

    assert "Imported: 2 new." in main_words(client.get(page))
    assert [one.status for one in ChangeOrder.select()] == ["draft", "draft"]
    assert ChangeOrder.get().created_by == eve
    assert Upload.get().content is None


def test_the_preview_names_each_currency_and_the_order_of_the_dates(client, eve_there, hand_in, company):
    first = {"cco_number": "002", "amount": "€1,000.25", "original_amount": "", "date": "03/04/2026"}
    page = hand_in(text_of({"date": "03/13/2026"}, first, first | {"cco_number": "003", "amount": "0.75 EUR"}))

    shown = main_words(client.get(page))

    assert "3 line items, $4,250.00 in all." in shown
    assert "2 change orders in EUR, 1,001.00 in all: kept, but not to be sent, since the books are in USD." in shown
    assert "Dates are read with the month first: “03/13/2026” at line 2 is March 13, 2026." in shown
    assert "$1,000.25 EUR" in shown


def test_a_preview_from_before_currencies_were_told_is_still_shown(client, eve_there, hand_in, company):
    page = hand_in(text_of({}))
    kept = json.loads(Upload.get().preview)
    kept["shown"] = [one[:4] for one in kept["shown"]]
    Upload.update(preview=json.dumps(kept)).execute()

    assert client.get(page).status_code == 200


def test_the_history_says_who_imported_what_when_and_how_much(client, eve_there, hand_in, work):
    page = hand_in(text_of({}))
    client.post(f"{page}/confirmation")
    work()

    assert rows(client.get("/imports")) == [["orders.csv", "now", "Eve Laurent", "1 new"]]
    assert [event.action for event in events.history("upload", Upload.get().id)] == ["confirmed"]
    assert Event.get(subject="import", action="imported").actor.name == "Eve Laurent"


@pytest.mark.timeout(600)
def test_of_thousands_of_rows_the_12_bad_ones_are_shown_with_row_column_and_reason_and_nothing_is_saved(
    client, eve_there, hand_in, work, tmp_path, length
):
    count = length(10_000, 2_000)
    import_lines.write(tmp_path / "rows.csv", count)
    lines = (tmp_path / "rows.csv").read_text(encoding="utf-8").splitlines()
    bad = {number: f"line {number}" for number in (100 + n * (count - 400) // 12 for n in range(12))}
    broken = [re.sub(r",[0-9]+\.25$", ",1.005", line) if number in bad else line for number, line in enumerate(lines, 1)]

    answer = client.get(hand_in("\n".join(broken)))

    assert "12 rows of the file cannot be imported." in main_words(answer)
    assert f"{count // 4 - 12:,} new, 12 rows refused." in main_words(answer)
    reason = "“1.005” is not an amount. Write it like 1234.50 or -1234.50: digits, a point, at most two decimals."
    assert rows(answer) == [[where, "amount", reason] for where in bad.values()]
    assert "Import" not in [button.get_text() for button in BeautifulSoup(answer.text, "html.parser").select("main button")]
    assert nothing_saved()

    page = hand_in("\n".join(lines))
    client.post(f"{page}/confirmation")
    work()

    assert f"Imported: {count // 4:,} new." in main_words(client.get(page))
    assert ChangeOrder.select().count() == count // 4


def test_the_same_file_twice_changes_nothing(client, eve_there, hand_in, work):
    first, second = hand_in(text_of({})), hand_in(text_of({}))
    for page in (first, second):
        client.post(f"{page}/confirmation")
        work()

    assert "Imported: 1 unchanged." in main_words(client.get(second))
    assert [(one.version, one.status) for one in ChangeOrder.select()] == [(1, "draft")]


def test_a_confirmation_pressed_twice_imports_once(client, eve_there, hand_in, work):
    page = hand_in(text_of({}))
    client.post(f"{page}/confirmation")
    client.post(f"{page}/confirmation")
    work()
    client.post(f"{page}/confirmation")
    work()

    assert Import.select().count() == 1


def test_a_withdrawn_file_is_gone_and_cannot_be_confirmed(client, eve_there, hand_in, work):
    page = hand_in(text_of({}))

    assert "orders.csv was discarded. Nothing was imported." in client.get(client.post(f"{page}/withdrawal").location).text
    client.post(f"{page}/confirmation")

    assert "orders.csv cannot be imported any more: it was discarded." in main_words(client.get(page))
    work()
    assert nothing_saved()
    assert Upload.get().content is None


def test_a_confirmed_file_cannot_be_withdrawn(client, eve_there, hand_in, work):
    page = hand_in(text_of({}))
    client.post(f"{page}/confirmation")

    client.post(f"{page}/withdrawal")

    assert "can no longer be discarded" in main_words(client.get(page))
    work()
    assert ChangeOrder.select().exists()


def test_what_accounting_has_is_named_and_left_alone(client, eve_there, hand_in, make_change_order):
    change_order = make_change_order("ready")

    shown = main_words(client.get(hand_in(text_of({"title": "Other"}))))

    assert "1 skipped" in shown
    assert f"Job 24-117, SC-014, CCO 001: {change_order.label}" in shown


def test_what_changes_between_preview_and_confirmation_is_judged_anew(client, hand_in, work, dee, job, commitment):
    sign_in(client, dee)
    page = hand_in(text_of({}))
    client.post(f"{page}/confirmation")
    Membership.delete().execute()

    work()

    assert "You are not a member of this job." in main_words(client.get(page))
    assert not ChangeOrder.select().exists()


def test_a_member_writes_drafts_of_their_jobs_only(client, hand_in, work, dee, job, commitment):
    sign_in(client, dee)

    refused = client.get(hand_in(text_of({}, {"cco_number": "002", "job_number": "25-001", "job_name": "Annex"})))
    assert rows(refused) == [["line 3", "job_number", "25-001: You are not a member of this job. An administrator can add you to it."]]

    page = hand_in(text_of({}))
    client.post(f"{page}/confirmation")
    work()
    assert (ChangeOrder.get().created_by, ChangeOrder.get().status) == (dee, "draft")


def test_codes_of_spectrum_are_linked_by_administrators_only(client, hand_in, work, dee, job, commitment):
    sign_in(client, dee)
    page = hand_in(text_of({"commitment_number": "SC-900", "vendor_name": "New", "vendor_code": "NEWCODE", "subcontract_number": "SC-900"}))

    assert permissions.CODES in main_words(client.get(page))
    client.post(f"{page}/confirmation")
    work()

    assert Vendor.get(Vendor.name == "New").code == ""
    assert Commitment.get(number="SC-900").subcontract == ""


def test_who_brought_a_file_in_cannot_accept_what_was_in_it(client, hand_in, work, ana, lee, dee, job, commitment):
    Membership.create(user=ana, job=job)
    sign_in(client, ana)
    client.post(f"{hand_in(text_of({}))}/confirmation")
    work()
    id = ChangeOrder.get().id

    sending.send(id, dee, load(id).version)
    with pytest.raises(NotPermitted):
        signed(id, by=ana, version=load(id).version)


def test_who_is_not_on_any_job_is_told_so(client, make_user, work):
    sign_in(client, make_user("Nora New"))

    assert uploads.NOBODY in main_words(client.get("/imports"))
    answer = client.post("/imports", data={"file": (io.BytesIO(b"x"), "x.csv")}, content_type="multipart/form-data")

    assert answer.status_code == 403
    assert not Upload.select().exists()


@pytest.mark.parametrize("address", ["", "/progress", "/confirmation", "/withdrawal"])
def test_somebody_elses_file_is_no_page(client, eve, dee, hand_in, address):
    sign_in(client, eve)
    page = hand_in(text_of({}))
    client.post("/logout")
    sign_in(client, dee)

    asked = client.post if address in ("/confirmation", "/withdrawal") else client.get

    assert asked(page + address, headers=HTMX).status_code == 404
    assert Upload.get().state == "ready"


def test_the_part_that_asks_for_itself_does_so_until_the_worker_is_done(client, eve_there, work):
    page = client.post("/imports", data={"file": (io.BytesIO(text_of({}).encode()), "a.csv")}, content_type="multipart/form-data").location

    assert "hx-get" in client.get(f"{page}/progress", headers=HTMX).text
    work()
    part = client.get(f"{page}/progress", headers=HTMX).text

    assert "hx-get" not in part
    assert 'data-say="a.csv: ready."' in part
    assert client.get(f"{page}/progress").location == page


def test_no_more_than_five_files_of_a_person_wait(client, eve_there, hand_in):
    for _ in range(5):
        hand_in(text_of({}))

    answer = client.post("/imports", data={"file": (io.BytesIO(b"x"), "x.csv")}, content_type="multipart/form-data")

    assert answer.status_code == 429
    assert "5 of your files wait already. Import or discard them first." in main_words(answer)


def test_what_nobody_confirms_lapses_after_a_day(client, eve, hand_in, clock):
    sign_in(client, eve)
    old = hand_in(text_of({}))
    clock.tick(hours=25)
    sign_in(client, eve)
    hand_in(text_of({}))

    assert "The file was discarded" in main_words(client.get(old))


@pytest.mark.parametrize(
    ("file", "code", "sentence"),
    [
        (None, 422, "Choose a file first."),
        ((b"", ""), 422, "Choose a file first."),
        ((b"x" * (10 * 1024 * 1024 + 1), "big.csv"), 422, "The file is larger than 10 MB. Split it."),
        ((b"x" * 13_000_000, "bigger.csv"), 413, "The file is larger than 10 MB. Split it."),
    ],
)
def test_no_file_and_too_large_a_file_are_refused(client, eve_there, file, code, sentence):
    data = {"file": (io.BytesIO(file[0]), file[1])} if file else {}

    answer = client.post("/imports", data=data, content_type="multipart/form-data")

    assert answer.status_code == code
    assert sentence in main_words(answer)
    assert not Upload.select().exists()


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "empty.csv", "The file is empty."),
        (b"MZ\x03\x00\x03", "setup.exe", "There is a NUL byte in the file"),
        (b"PK\x03\x04zip", "orders.xlsx", "The workbook is damaged."),
        (b"<script>alert(1)</script>", "<b>x</b>.csv", "Column “<script>alert(1)</script>” is not known."),
    ],
)
def test_a_file_that_is_none_is_refused_with_a_sentence(client, eve_there, hand_in, content, name, sentence):
    answer = client.get(hand_in(content, name))

    assert sentence in main_words(answer)
    assert "<script>alert" not in answer.text
    assert Upload.get().content is None


@pytest.mark.parametrize(("name", "kept"), [("../../etc/passwd", "passwd"), ("a\u202eb.csv", "ab.csv"), ("x" * 300, "x" * 255)])
def test_of_a_files_name_only_the_last_part_is_kept(client, eve_there, hand_in, name, kept):
    hand_in(text_of({}), name)

    assert Upload.get().file == kept


def test_a_workbook_is_imported_on_the_page_too(client, eve_there, hand_in, work):
    page = hand_in(book_of({}, {"cco_number": "002"}), "orders.xlsx")
    client.post(f"{page}/confirmation")
    work()

    assert "Imported: 2 new" in main_words(client.get(page))


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_template_filled_in_can_be_imported(client, eve_there, hand_in, form):
    content = client.get(f"/imports/template.{form}").data

    if form == "csv":
        content += ",".join(ROW.get(name, "") for name in template.COLUMNS).encode()
        assert "1 new" in main_words(client.get(hand_in(content)))
    else:
        assert "The file has a header and no rows." in main_words(client.get(hand_in(content)))


def test_every_column_of_the_template_is_explained():
    assert set(template.MEANING) == set(template.COLUMNS)


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_file_that_stops_the_worker_three_times_is_refused(client, eve_there, hand_in, work, monkeypatch, confirmed):
    page = hand_in(text_of({})) if confirmed else None
    if confirmed:
        client.post(f"{page}/confirmation")
    else:
        page = client.post(
            "/imports", data={"file": (io.BytesIO(text_of({}).encode()), "a.csv")}, content_type="multipart/form-data"
        ).location
    Dispatch.update(tries=background_imports.LOST_WORKERS).where(Dispatch.finished_at.is_null()).execute()

    work()

    assert "it stopped the worker 3 times. Nothing was imported" in main_words(client.get(page))
    assert not ChangeOrder.select().exists()


def test_a_file_that_takes_too_much_to_read_is_refused_and_the_next_one_is_read(client, eve_there, hand_in, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(limits, "SECONDS", 1)
        patched.setattr(files, "understand", lambda *_: next(number for number in itertools.count() if number < 0))
        heavy = hand_in(text_of({}))

    assert "Reading the file takes more time or memory than any list of change orders needs." in main_words(client.get(heavy))
    assert "1 new" in main_words(client.get(hand_in(text_of({}))))


def test_a_worker_that_died_during_the_import_is_followed_by_one_that_completes_it(client, eve_there, hand_in, work, monkeypatch, clock):
    page = hand_in(text_of({}, {"cco_number": "002"}, {"cco_number": "003"}))
    client.post(f"{page}/confirmation")
    real = import_run.staging.put

    def dying(row, *rest):
        if row.position == 3:
            raise KeyboardInterrupt
        real(row, *rest)
        time.sleep(import_run.HOLD_S)  # so that it fills a turn of its own

    monkeypatch.setattr(import_run, "HOLD_S", 0.01)
    monkeypatch.setattr(import_run.staging, "put", dying)
    with pytest.raises(KeyboardInterrupt):
        work()
    assert ChangeOrder.select().count() == 2
    monkeypatch.setattr(import_run.staging, "put", real)
    clock.tick(minutes=2)
    Lane.update(until=clock.now()).execute()

    work()

    assert "Imported: 3 new" in main_words(sign_in(client, Upload.get().by).get(page))
    assert Import.select().count() == 1


@pytest.mark.parametrize(("more", "said"), [(0, ""), (1, "1 more is left out and not listed."), (3, "3 more are left out and not listed.")])
def test_a_preview_of_many_look_alikes_says_how_many_it_does_not_list(client, eve_there, hand_in, commitment, monkeypatch, more, said):
    monkeypatch.setattr(background_imports, "MOST_PROBLEMS", 2)
    numbers = [f"{number:03}" for number in range(1, 3 + more)]

    shown = client.get(hand_in(text_of(*({"cco_number": number} for one in numbers for number in (one, one.lstrip("0"))))))

    assert len(BeautifulSoup(shown.text, "html.parser").select("section[aria-labelledby=alike] input")) == 2
    assert said in main_words(shown)
    assert ("left out and not listed" in main_words(shown)) == bool(more)
