"""Each incident page is followed, step by step, in a portal in which it happens."""

import config
from portal import spectrum as spectrum_client
from portal.background import keeper
from portal.domain.change_orders import Status, load
from portal.domain.exporting.exports import Export
from portal.domain.processes import Process
from tests.cast import signed
from tests.conftest import sign_in
from tests.status.conftest import run_process

IN_PROGRESS, COMPANY, MAIL, STATUS = "/change-orders?view=progress", "/settings/company", "/settings/mail", "/status"


def beat(valkey, tmp_path):
    """One round of the keeper."""
    rounds = iter([False, True])
    keeper.run(valkey.url, lambda: next(rounds), tmp_path / "heads.jsonl", lambda: None)


def test_spectrum_is_down(incident, connected, simulator, told, later, client, make_change_order, ana, ada, clock):
    page = incident("spectrum-down")
    first = make_change_order("queued")
    sign_in(client, ada)
    simulator.stop()
    page.run("portal exports drain")
    later(minutes=3)

    page.sees(told(STATUS, IN_PROGRESS))
    assert "Spectrum" in page.run("portal check", status=1)
    assert "1 waiting" in page.run("portal exports status")
    page.run("portal exports pause", ADMINISTRATOR=ada.email)
    simulator.start()
    page.press("Test connection", COMPANY)
    page.press("Resume exports", COMPANY)
    page.run("portal exports drain")
    assert load(first.id).state is Status.EXPORTED

    second = make_change_order("queued")
    page.run("portal exports xlsx", ADMINISTRATOR=ada.email)
    page.press("Mark as entered by hand", f"/change-orders/{second.id}", number="S014-002", note="Typed by Ada")
    assert load(second.id).manual
    page.is_over(told(STATUS, IN_PROGRESS))


def test_redis_is_lost(incident, connected, valkey, told, later, client, change_order, ana, sam, tmp_path):
    page = incident("redis-lost")
    connected["REDIS_URL"] = valkey.url
    page.machine = {"systemctl status": lambda: "inactive", "systemctl restart redis-server": valkey.start}
    sign_in(client, sam)
    valkey.kill()
    signed(change_order.id, ana, change_order.version)
    later(minutes=3)
    beat(valkey, tmp_path)

    page.sees(told(STATUS, IN_PROGRESS))
    assert page.run("systemctl status redis-server") == "inactive"
    page.run("portal exports drain")
    assert load(change_order.id).state is Status.EXPORTED
    page.run("systemctl restart redis-server")
    beat(valkey, tmp_path)
    assert "ok       Redis: It answers." in page.run("portal check", status=1)
    page.is_over(told(STATUS))


def test_mail_is_down(incident, connected, mail_server, told, later, client, make_change_order, ana, eve, portal):
    page = incident("mail-down")
    connected |= {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(mail_server.port)}
    mail_server.says["greeting"] = "554 no service for you"
    sign_in(client, eve)
    for _ in range(2):
        make_change_order("rejected")
    portal("exports", "drain")
    later(minutes=16)

    page.sees(told(STATUS, MAIL))
    assert "554 no service for you" in page.run("portal check", status=1)
    mail_server.says |= {"greeting": "220 ready", "RCPT": "550 no such person"}  # the two mails fail for good
    page.machine = {"systemctl restart portal-worker@mail": lambda: portal("exports", "drain")}
    page.run("systemctl restart portal-worker@mail")
    mail_server.says["RCPT"] = "250 fine"
    page.press("Send me a test mail", COMPANY)
    page.press("Send again", MAIL)
    page.press("Set aside", MAIL)
    portal("exports", "drain")

    assert {mail["Subject"].partition(":")[0] for mail in mail_server.mails} == {"CCO 001 sent back", "Test mail from the CCO Portal"}
    page.is_over(told(STATUS, MAIL))


def test_a_change_order_is_stuck(incident, connected, simulator, told, later, client, make_change_order, ana):
    page = incident("stuck-change-order")
    stuck = make_change_order("queued")
    sign_in(client, ana)
    Process.delete().where(Process.kind == "exports").execute()
    later(minutes=4)
    strip = told(IN_PROGRESS)

    assert "No worker for exports reports." in page.run("portal status", status=1)
    assert "1 waiting" in page.run("portal exports status")
    page.machine = {"systemctl restart portal-keeper portal-worker@exports": lambda: run_process("exports")}
    page.run("systemctl restart")
    page.run("portal exports drain")
    assert load(stuck.id).state is Status.EXPORTED

    simulator.fail("reset_before_commit", times=1)
    lost = make_change_order("queued")
    page.run("portal exports drain")
    there = make_change_order("queued")
    simulator.fail("commit_then_reset", times=1)
    page.run("portal exports drain")
    page.sees(strip, told(f"/change-orders/{lost.id}", f"/change-orders/{there.id}"))
    later(minutes=16)
    page.press("It is in Spectrum", f"/change-orders/{there.id}", number="S014-003", note="Seen in Spectrum, with its amount")
    page.press("It is not there", f"/change-orders/{lost.id}", note="Looked in the list of change requests")
    page.press("Retry", f"/change-orders/{lost.id}")
    page.run("portal exports drain")
    page.machine["journalctl"] = lambda: '{"event": "attempt ended"}'
    page.run("journalctl")

    assert [load(one.id).state for one in (stuck, lost, there)] == [Status.EXPORTED] * 3
    assert len(simulator.ledger()) == 3
    page.is_over(told(STATUS, "/change-orders?view=exported"))


def test_a_double_is_suspected(incident, connected, simulator, told, client, make_change_order, ada, portal):
    page = incident("suspected-double")
    connected |= {"INFOLINK_SERVER": "simulator", "PORTAL_DATA": str(simulator.data.parent)}
    double, twin = make_change_order("queued"), make_change_order("queued")
    portal("exports", "drain")
    sign_in(client, ada)
    simulator.options(adds_amounts=True)
    enter_by_hand(double, connected)

    page.sees(told("/change-orders?view=exported"))
    page.press("Pause exports", COMPANY, reason="CCO 001 looks doubled in Spectrum")
    assert "Saved" in told(f"/change-orders/{double.id}")
    assert "some of the lines" not in page.run("portal exports look", ID=double.id)
    page.run("portal audit verify")
    simulator.options(adds_amounts=False)
    enter_by_hand(double, connected)  # accounting corrects its amount
    page.press("Unlink", f"/change-orders/{twin.id}", number="S014-002")
    looked = page.run("portal exports look", ID=double.id)
    page.press("Resume exports", COMPANY)
    page.run("portal support-bundle")

    assert load(twin.id).state is Status.RETRIEVED
    page.is_over(looked)
    assert "Exports are paused" not in told(COMPANY)


def enter_by_hand(change_order, settings):
    """What the portal sent, once more and around it."""
    client = spectrum_client.connect(config.load(settings), authorization_id="PORTALTEST", basic_company="", enhanced=None)
    for _, elements in Export.get_by_id(load(change_order.id).export).lines:
        client.change_request(elements, "")
