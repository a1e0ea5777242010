"""What the handbook says about the database itself, followed with a SQLite file of the test's own."""

import shlex

import pytest

from portal import db
from portal.domain import processes
from portal.domain.change_orders import Status, load
from portal.domain.processes import Process
from tests.cast import seen, signed
from tests.conftest import sign_in
from tests.docs import handbook
from tests.status.conftest import run_process

IN_PROGRESS, STATUS = "/change-orders?view=progress", "/status"


@pytest.fixture
def database_url(file_url):
    return file_url


def pragma(name, value=""):
    return db.database.execute_sql(f"PRAGMA {name}{value}").fetchone()[0]


def test_the_disk_is_full(incident, connected, told, client, make_change_order, ana, sam, tmp_path):
    page = incident("disk-full")
    orders = [make_change_order(lines=[(f"16-{2000 + line}", "SUB", "1.00") for line in range(60)]) for _ in range(6)]
    sign_in(client, ana)
    pragma("max_page_count", f"={pragma('page_count')}")
    said = [client.post(f"/change-orders/{one.id}/acceptance", data=seen(one), follow_redirects=True).text for one in orders]
    [refused, *_] = [one for one in orders if load(one.id).state is Status.READY]

    page.sees(*said)
    assert client.get("/change-orders").status_code == 200
    page.machine = {
        "df": lambda: "100%",
        "du": lambda: "/var/log",
        "journalctl": lambda: pragma("max_page_count", "=1000000"),
    }
    page.run("df")
    page.run("du")
    page.run("journalctl")
    page.run("portal backup", **{"/var/backups/portal": tmp_path})
    page.press("Export", f"/change-orders/{refused.id}/acceptance")
    assert load(refused.id).state is Status.QUEUED
    verified = page.run("portal audit verify")
    page.run("portal status")
    sign_in(client, sam)
    page.is_over(verified, told(STATUS))


@pytest.fixture
def restored(incident, connected, portal, client, make_change_order, ana, ada, tmp_path, database_url):
    """Exported after the backup, and forgotten by the restore; the services are stopped and started as the page says."""
    page = incident("restored-database")
    page.machine = {
        "systemctl stop": lambda: Process.delete().execute(),
        "systemctl start": lambda: [run_process(kind) for kind in processes.KINDS],
    }
    change_order = make_change_order()
    assert portal("backup", tmp_path / "night.backup").exit_code == 0
    signed(change_order.id, ana, change_order.version)
    portal("exports", "drain")
    page.run("systemctl stop")
    db.database.close()
    page.run("portal restore", FILE=tmp_path / "night.backup")
    db.init(database_url)
    db.database.connect()
    page.run("portal audit verify")
    page.run("systemctl start")
    assert load(change_order.id).state is Status.READY
    return page, change_order


def test_without_read_access(restored, told, client, ana, ada, simulator):
    page, change_order = restored
    sign_in(client, ana)

    page.sees(told(IN_PROGRESS))
    signed(change_order.id, ana, load(change_order.id).version)
    page.run("portal exports xlsx", ADMINISTRATOR=ada.email)
    sign_in(client, ada)
    page.press("Mark as entered by hand", f"/change-orders/{change_order.id}", number="S014-001", note="It was in Spectrum before")
    page.press("I’ve looked in Spectrum. Resume exports", IN_PROGRESS)

    assert load(change_order.id).manual
    assert len(simulator.journal()) == 1
    page.is_over(told(STATUS, "/change-orders?view=exported"))


def test_the_restore_drill(connected, portal, make_change_order, tmp_path):
    """With another data folder in the place of another machine."""
    drill = handbook.sections((handbook.FOLDER / "operator.md").read_text(encoding="utf-8"))["Restore drill"]
    make_change_order("exported")
    assert portal("backup", tmp_path / "night.backup").exit_code == 0
    (tmp_path / "other").mkdir(mode=0o700)
    connected |= {"DATABASE_URL": f"sqlite:///{tmp_path / 'other' / 'portal.db'}", "PORTAL_DATA": str(tmp_path / "other")}
    db.database.close()

    restored, verified, status = (
        portal(*shlex.split(line)[1:]) for line in handbook.commands(drill.replace("FILE", str(tmp_path / "night.backup")))
    )

    assert [answer.exit_code for answer in (restored, verified, status)] == [0, 0, 0]
    assert "The audit trail is as it was written" in verified.output
    assert "Paused since" in status.output
    with db.connected():
        assert load(1).state is Status.EXPORTED
