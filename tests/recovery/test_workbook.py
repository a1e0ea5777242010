"""The fallback: what waits unsent leaves as a workbook for Spectrum's Office add-in, and through the lane never again."""

import io
import threading
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner

from portal import addin_workbook, db
from portal.background import tasks
from portal.cli import main
from portal.domain import events, outbox
from portal.domain.change_orders import ChangeOrder, Status, load
from portal.domain.companies import Company
from portal.domain.exporting import exports, send
from portal.domain.exporting.exports import Attempt, Export, LineOutcome
from portal.domain.lanes import Lane
from portal.domain.outbox import Dispatch
from portal.domain.people import NotPermitted
from portal.domain.recovery import resolutions, second_review, workbook
from portal.domain.review import decisions
from portal.domain.rules.findings import Blocked
from portal.spectrum.records import FIELDS, Receipt
from tests.cast import signed
from tests.conftest import HTMX, sign_in
from tests.pages import words
from tests.races import at_once

LINES = [("16-2000", "SUB", "4250.00"), ("26-0519", "SUB", "0.00"), ("16-3000", "M", "-120.50")]
WORKBOOKS = "/exports/workbooks"


def sheets(content):
    """The cells of each sheet as (row, column) -> (type, text), by its name. Read from the file's own XML."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        strings = [si.get_text() for si in BeautifulSoup(file.read("xl/sharedStrings.xml"), "xml").find_all("si")]
        names = [sheet["name"] for sheet in BeautifulSoup(file.read("xl/workbook.xml"), "xml").find_all("sheet")]
        pages = [BeautifulSoup(file.read(f"xl/worksheets/sheet{n}.xml"), "xml") for n in range(1, len(names) + 1)]
    return {name: [row_of(row, strings) for row in page.find_all("row")] for name, page in zip(names, pages, strict=True)}


def row_of(row, strings):
    """Column letters -> text of a text cell, number of a number cell."""
    cells = {}
    for cell in row.find_all("c"):
        if cell.v:
            column = cell["r"].rstrip("0123456789")
            cells[column] = strings[int(cell.v.get_text())] if cell.get("t") == "s" else float(cell.v.get_text())
    return cells


def table(content):
    """The lines of the first sheet by element name."""
    head, *rows = sheets(content)["Change Requests"]
    return [{head[column]: value for column, value in row.items()} for row in rows]


def leave(person):
    return workbook.leave(person, addin_workbook.write)


def drain(company):
    """The worker's turn with a Spectrum that takes everything; answers the numbers it was sent."""
    sent = []

    def call(elements, guid):
        sent.append(elements["Change_Request_Number"])
        return Receipt(200)

    claim = Lane.take(company.lane, tasks.LEASE)
    for dispatch in outbox.due(company.lane, timedelta(minutes=1)):
        send.step(dispatch, claim, call)
    Lane.release(company.lane, claim)
    return sent


def test_the_columns_are_trimbles_table_without_what_belongs_to_the_web_service(ada, make_change_order):
    make_change_order("queued")

    head = sheets(leave(ada).content)["Change Requests"][0]

    assert list(head.values()) == [field.name for field in FIELDS if field.name not in ("Authorization_ID", "GUID")]
    assert len(head) == 54


def test_each_line_that_is_not_zero_is_a_row_with_typed_cells(ada, make_change_order, clock):
    clock.set(datetime(2026, 11, 18, 18, 0, tzinfo=UTC))
    make_change_order("queued", lines=LINES, title="=SUM(A1) – é")

    first, second = table(leave(ada).content)

    day = (date(2026, 11, 18) - date(1899, 12, 30)).days  # as Excel counts
    assert (first["Company_Code"], first["Change_Request_Number"]) == ("ABC", "S014-001")
    assert first["CR_Description"] == "001: =SUM(A1) - e"
    assert first["Sub_Description"] == "=SUM(A1) - e"
    assert (first["CR_Phase_Code"], first["CR_Cost_Type"]) == ("162000", "SUB")
    assert (first["Change_Request_Amount"], first["Sub_Amount"], first["Change_Request_Hours"]) == (4250.0, 4250.0, 0.0)
    assert first["Origination_Date"] == first["Sub_Change_Order_Date"] == day
    assert (second["CR_Phase_Code"], second["Change_Request_Amount"]) == ("163000", -120.5)
    assert "Approved_Date" not in first


def test_the_largest_amount_keeps_its_cents(ada, make_change_order):
    make_change_order("queued", lines=[("16-2000", "SUB", "9999999999.99")])

    assert f"{table(leave(ada).content)[0]['Change_Request_Amount']:.2f}" == "9999999999.99"


def test_the_contents_name_each_change_order_and_its_rows(ada, make_change_order):
    make_change_order("queued", lines=LINES, title="Duct bank")
    make_change_order("queued", title="Valve vault")

    head, first, second = (list(row.values()) for row in sheets(leave(ada).content)["Contents"])

    assert head[:3] == ["Rows", "CCO", "Title"]
    assert first == ["2-3", "001", "Duct bank", "24-117", "SC-014", "Volt Electric Co", "S014-001", 2.0, 4129.5, "2"]
    assert second[:3] == ["4-4", "002", "Valve vault"]


def test_what_was_accepted_under_settings_of_before_stays_in_line(ada, make_change_order):
    outdated = make_change_order("queued")
    Company.update(code="XYZ").execute()
    present = make_change_order("queued")

    left = leave(ada)

    assert [one.change_order.id for one in left.left] == [present.id]
    assert load(outdated.id).state is Status.QUEUED


def test_what_left_is_failed_as_setup_and_says_in_which_workbook(ada, make_change_order):
    queued = make_change_order("queued")

    left = leave(ada)

    last = events.history("change_order", queued.id)[-1]
    assert load(queued.id).state is Status.FAILED
    assert (last.action, last.actor, last.facts["cause"], last.facts["workbook"]) == ("left as a workbook", ada, "setup", left.name)
    assert Dispatch.get().finished_at is not None


def test_the_worker_sends_nothing_of_it_afterwards(ada, company, make_change_order):
    make_change_order("queued")
    leave(ada)

    assert drain(company) == []
    assert Attempt.select().count() == 0


def test_portal_exports_drain_sends_nothing_afterwards(ada, make_change_order, environment):
    queued = make_change_order("queued")
    leave(ada)

    done = CliRunner().invoke(main, ["exports", "drain"], env=environment)  # nothing listens at the address: a call would be noticed

    assert done.exit_code == 0, done.output
    assert load(queued.id).state is Status.FAILED
    assert Attempt.select().count() == 0


@pytest.mark.parametrize("outcome", [LineOutcome.SENT, LineOutcome.UNKNOWN, LineOutcome.LOST, LineOutcome.PRESENT])
def test_what_is_or_may_be_in_spectrum_stays_in_the_line(ada, make_change_order, outcome):
    queued = make_change_order("queued", lines=LINES)
    exports.close_attempt(exports.open_attempt(Export.get(), 1, 1, "guid"), outcome)

    assert leave(ada) is None
    assert load(queued.id).state is Status.QUEUED


def test_what_could_not_be_sent_leaves_too(ada, make_change_order):
    make_change_order("queued")
    exports.close_attempt(exports.open_attempt(Export.get(), 1, 1, "guid"), LineOutcome.NOT_SENT)

    assert len(leave(ada).left) == 1


@pytest.mark.parametrize("status", ["ready", "exporting", "exported", "failed", "unknown", "rejected"])
def test_nothing_else_leaves(ada, make_change_order, status):
    made = make_change_order(status)

    assert leave(ada) is None
    assert load(made.id).state is Status(status)


@pytest.mark.parametrize("failing", ["write", "keep"])
def test_if_the_file_cannot_be_made_nothing_moved(ada, company, make_change_order, failing):
    queued = make_change_order("queued")

    def fail(*_):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        workbook.leave(ada, fail if failing == "write" else addin_workbook.write, fail)

    assert load(queued.id).state is Status.QUEUED
    assert drain(company) == ["S014-001"]


@pytest.mark.parametrize("who", ["ana", "eve", "ben", "sam"])
def test_only_an_administrator_with_the_privilege_may(request, make_change_order, who):
    queued = make_change_order("queued")

    with pytest.raises(NotPermitted, match="Only an administrator with"):
        leave(request.getfixturevalue(who))

    assert load(queued.id).state is Status.QUEUED


def test_two_workbooks_of_one_second_have_two_names(ada, make_change_order, clock):
    make_change_order("queued")
    first = leave(ada)
    make_change_order("queued")

    assert leave(ada).name != first.name


def test_the_same_workbook_again_is_what_still_stands_there(ada, ana, make_change_order):
    stays, leaves = make_change_order("queued"), make_change_order("queued")
    left = leave(ada)
    with db.transaction():
        load(leaves.id).move(Status.QUEUED, load(leaves.id).version)
        events.record("change_order", leaves.id, "retried", ana)

    again = workbook.again(left.name, ada, addin_workbook.write)

    assert [one.change_order for one in again.left] == [stays]
    assert workbook.again("spectrum-20200101-000000.xlsx", ada, addin_workbook.write) is None


@pytest.mark.parametrize("round", range(20))
def test_a_worker_at_the_same_time_leaves_every_change_order_in_exactly_one_place(ada, company, make_change_order, round):
    race(ada, company, make_change_order, round)


def race(ada, company, make_change_order, round):
    """A worker drains the lane while an administrator takes what waits out of it."""
    made = [make_change_order("queued") for _ in range(6)]
    sent, left = [], []

    def export():
        sent.extend(drain(company))

    def take():
        if round % 2:
            threading.Event().wait(0.01 * round)
        taken = leave(ada)
        left.extend(one.number for one in taken.left) if taken else None

    at_once(export, take)

    assert sorted(sent + left) == [f"S014-{n:03}" for n in range(1, 7)]
    states = {load(one.id).state for one in made}
    assert states <= {Status.EXPORTED, Status.FAILED}
    assert ChangeOrder.select().where(ChangeOrder.status == Status.FAILED).count() == len(left)


# What may have been entered from it


WAYS_ON = {
    "retry": (resolutions.retry, Status.QUEUED, "retried"),
    "review": (second_review.review_again, Status.READY, "reviewed again"),
    "rejection": (lambda *who, **said: decisions.reject(*who, "Wrong line", **said), Status.REJECTED, "rejected"),
}
TICK = "No one has entered it from the workbook"


@pytest.fixture
def left(ada, make_change_order):
    """One that is in a workbook, which somebody may have typed into Spectrum by now."""
    made = make_change_order("queued")
    leave(ada)
    return load(made.id)


@pytest.mark.parametrize("way", WAYS_ON)
def test_what_was_left_as_a_workbook_goes_on_only_where_an_approver_says_that_nobody_entered_it(ana, left, way):
    go_on, status, action = WAYS_ON[way]
    workbook = events.history("change_order", left.id)[-1].facts["workbook"]
    with pytest.raises(Blocked, match=f"left as the workbook {workbook}, and may have been entered"):
        go_on(left.id, ana, left.version)
    assert load(left.id).state is Status.FAILED

    go_on(left.id, ana, left.version, not_entered=True)

    last = events.history("change_order", left.id)[-1]
    assert load(left.id).state is status
    assert (last.action, last.actor, last.facts["not_entered"]) == (action, ana, workbook)


def test_support_does_not_retry_what_was_left_as_a_workbook(client, sam, left):
    Company.update(support_may_retry=True).execute()

    with pytest.raises(NotPermitted, match="an approver must say that no one entered it"):
        resolutions.retry(left.id, sam, left.version, not_entered=True)

    assert not page(sign_in(client, sam), "failed").find("button", string="Retry")
    assert load(left.id).state is Status.FAILED


def test_what_fails_otherwise_after_such_a_retry_asks_for_no_tick_again(ana, company, left):
    resolutions.retry(left.id, ana, left.version, not_entered=True)
    queued = load(left.id)
    with db.transaction():
        queued.move(Status.FAILED, queued.version)
        events.record("change_order", left.id, "failed", None, cause="temporary", text="Out of reach.", who="IT")

    assert resolutions.retry(left.id, ana, load(left.id).version).state is Status.QUEUED


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("way", WAYS_ON)
def test_the_page_asks_for_the_tick(client, ana, left, way, headers):
    address = f"/change-orders/{left.id}/{way}"
    form = {"version": left.version, "reason": "Wrong line"}
    sign_in(client, ana)
    assert page(client, "failed").find("form", {"action": address, "method": "get"})
    assert TICK in client.get(address, headers=headers).text

    refused = client.post(address, data=form, headers=headers)
    done = client.post(address, data=form | {"not_entered": "on"}, headers=headers)

    assert refused.status_code == 422
    assert TICK in refused.text
    assert "may have been entered in Spectrum from there" in refused.text
    assert done.status_code == (200 if headers else 303)
    assert load(left.id).state is WAYS_ON[way][1]
    assert "said that no one had entered it from the workbook" in client.get(f"/change-orders/{left.id}").text or way == "rejection"


@pytest.mark.parametrize("way", ["retry", "review"])
def test_without_a_workbook_nothing_is_ticked(client, ana, make_change_order, way):
    failed = make_change_order("failed")
    sign_in(client, ana)

    assert page(client, "failed").find("form", {"action": f"/change-orders/{failed.id}/{way}", "method": "post"})
    assert client.post(f"/change-orders/{failed.id}/{way}", data={"version": failed.version}).status_code == 303


# The page


def page(client, view):
    answer = client.get(f"/change-orders?view={view}")
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def test_the_button_gives_the_workbook_and_the_rows_say_so(client, ada, make_change_order):
    queued = make_change_order("queued")
    sign_in(client, ada)
    assert page(client, "progress").find("button", string="Leave as a workbook")

    answer = client.post(WORKBOOKS, follow_redirects=True)

    assert answer.mimetype == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert ".xlsx" in answer.headers["Content-Disposition"]
    assert table(answer.data)[0]["Change_Request_Number"] == "S014-001"
    row = page(client, "failed").find(id=f"change-order-{queued.id}")
    assert "Left as the workbook spectrum-" in words(row)
    assert row.find("a", string="Workbook")["href"].startswith(WORKBOOKS)
    history = client.get(f"/change-orders/{queued.id}").text
    assert "Ada Quist left it as the workbook spectrum-" in history


def test_nothing_to_write_is_said(client, ada):
    answer = sign_in(client, ada).post(WORKBOOKS, follow_redirects=True)

    assert "There is nothing to write: no change order waits unsent." in answer.text


@pytest.mark.parametrize("who", ["ana", "eve", "ben"])
def test_nobody_else_has_the_button_or_the_file(client, request, ada, make_change_order, who):
    make_change_order("queued")
    sign_in(client, request.getfixturevalue(who))

    assert not page(client, "progress").find("button", string="Leave as a workbook")
    assert client.post(WORKBOOKS).status_code == 403
    left = leave(ada)
    assert client.get(f"{WORKBOOKS}/{left.name}").status_code == 403


def test_an_empty_line_has_no_button(client, ada):
    assert not page(sign_in(client, ada), "progress").find("button", string="Leave as a workbook")


@pytest.mark.parametrize("name", ["spectrum-20200101-000000.xlsx", "..%2Fportal.db", "portal.db", "%00"])
def test_a_workbook_that_never_was_is_not_found(client, ada, name):
    assert sign_in(client, ada).get(f"{WORKBOOKS}/{name}").status_code == 404


# The command


@pytest.fixture
def environment(settings):
    return {"DATABASE_URL": settings.DATABASE_URL, "PORTAL_DATA": str(settings.PORTAL_DATA), "SECRET_KEY": settings.SECRET_KEY} | {
        "SPECTRUM_URL": "http://127.0.0.1:1"
    }


def xlsx(environment, *arguments):
    return CliRunner().invoke(main, ["exports", "xlsx", *arguments], env=environment)


def test_the_command_writes_the_file_it_names(ada, make_change_order, environment, tmp_path):
    queued = make_change_order("queued")

    done = xlsx(environment, "--by", ada.email, "--out", str(tmp_path / "today.xlsx"))

    assert done.exit_code == 0, done.output
    assert "today.xlsx  1 change order, out of the line" in done.output
    assert table((tmp_path / "today.xlsx").read_bytes())[0]["Change_Request_Number"] == "S014-001"
    assert load(queued.id).state is Status.FAILED
    assert not list(tmp_path.glob("*.part"))


def test_the_command_writes_over_nothing_and_into_no_folder_that_is_not_there(ada, make_change_order, environment, tmp_path):
    queued = make_change_order("queued")
    (tmp_path / "there.xlsx").write_text("mine")

    there = xlsx(environment, "--by", ada.email, "--out", str(tmp_path / "there.xlsx"))
    nowhere = xlsx(environment, "--by", ada.email, "--out", str(tmp_path / "no" / "such.xlsx"))

    assert (there.exit_code, nowhere.exit_code) == (2, 2)
    assert "is there already" in there.output
    assert "nothing left the line" in nowhere.output
    assert load(queued.id).state is Status.QUEUED
    assert (tmp_path / "there.xlsx").read_text() == "mine"


def test_the_command_is_for_administrators_with_the_privilege(ana, eve, make_change_order, environment, tmp_path):
    make_change_order("queued")

    for person in (ana, eve):
        done = xlsx(environment, "--by", person.email, "--out", str(tmp_path / "x.xlsx"))
        assert done.exit_code == 2
        assert "administrator" in done.output


def test_the_command_says_when_there_is_nothing(ada, environment):
    done = xlsx(environment, "--by", ada.email)

    assert done.exit_code == 0
    assert "Nothing to write" in done.output


def test_four_eyes_and_delay_do_not_hold_a_workbook_back(ada, ana, make_change_order):
    Company.update(export_delay=3600).execute()
    made = make_change_order()
    signed(made.id, by=ana, version=made.version)

    assert len(leave(ada).left) == 1
