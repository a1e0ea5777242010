"""Support and operators see at a glance whether exports are up, and else what to do."""

from portal.domain import outbox
from portal.domain.exporting import pausing
from portal.domain.lanes import MAIL
from portal.domain.outbox import Task
from portal.domain.processes import Process
from tests.conftest import HTMX, count_queries, sign_in
from tests.status.conftest import run_process


def test_support_sees_every_part(client, sam, healthy):
    page = sign_in(client, sam).get("/status").text

    assert "Exports are up. Nothing was exported yet." in page
    for part in ("Keeper", "Redis", "Exports", "Spectrum", "Mail", "Imports", "Audit", "Clock", "Versions", "Backup"):
        assert f'<th scope="row">{part}</th>' in page


def test_who_only_looks_does_not_see_it(client, ben, healthy):
    assert sign_in(client, ben).get("/status").status_code == 403


def test_the_page_says_who_paused_exports_and_why(client, sam, eve, healthy):
    pausing.pause("exports:1", eve, "Month end")

    page = sign_in(client, sam).get("/status").text

    assert "Eve Laurent paused exports" in page
    assert '<span class="hint">Month end</span>' in page


def test_a_process_that_was_killed_is_seen_with_its_last_report(client, sam, healthy, clock):
    clock.tick(minutes=12)
    Process.update(seen_at=clock.now()).where(Process.kind != "exports").execute()

    page = sign_in(client, sam).get("/status").text

    assert "No worker for exports reports. Start it: <code>systemctl start portal-worker@exports</code>." in page
    assert '<strong class="lacking"><time' in page


def test_the_fragment_that_the_page_asks_for_stands_in_the_page(client, sam, healthy):
    sign_in(client, sam)

    fragment = client.get("/status/facts", headers=HTMX).text

    assert fragment in client.get("/status").text


def test_who_opens_the_fragment_by_its_address_is_led_to_the_page(client, sam, healthy):
    assert sign_in(client, sam).get("/status/facts").location == "/status"


def test_support_finds_the_page_in_the_menu(client, sam, company):
    assert '<a href="/status">Status</a>' in sign_in(client, sam).get("/change-orders").text


def test_the_strip_of_what_stands_still_leads_support_to_the_page(client, sam, healthy, clock):
    outbox.promise("export:17", "exports:1", Task.EXPORT, 17)
    clock.tick(minutes=5)

    page = sign_in(client, sam).get("/change-orders").text

    assert 'Accepted change orders wait in line. <a href="/status">See what to do</a>.' in " ".join(page.split())


def test_a_portal_on_which_nothing_reports_yet_has_a_page_too(client, sam, company):
    page = sign_in(client, sam).get("/status").text

    assert "No keeper and no worker reports." in page
    assert "No attempt ended in the last day." in page


def test_the_page_asks_the_database_the_same_number_of_times_whatever_there_is(client, sam, eve, healthy, make_change_order):
    sign_in(client, sam)
    client.get("/status")
    with count_queries() as few:
        client.get("/status")
    for number in range(4):
        make_change_order("exported")
        make_change_order("failed")
        run_process("exports", pid=100 + number)
        outbox.promise(f"code:{number}:{eve.id}", MAIL, Task.CODE, number)

    with count_queries() as many:
        client.get("/status")

    assert len(many) == len(few)
