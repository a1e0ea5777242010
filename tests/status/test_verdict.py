"""One sentence says whether exports are up, else what to do; each part that can fail is told with its remedy."""

from datetime import timedelta

import pytest

from portal import clock as clocks
from portal.domain import backups, heartbeats, outbox, processes
from portal.domain.exporting import pausing
from portal.domain.exporting.exports import Attempt
from portal.domain.lanes import MAIL, Lane
from portal.domain.mail import refusals
from portal.domain.outbox import Dispatch, Task
from portal.domain.processes import Process
from portal.domain.status import facts, report, verdict
from portal.domain.status.database import Server
from portal.domain.status.parts import Health
from tests.conftest import count_queries
from tests.status.conftest import run_process

pytestmark = pytest.mark.databases_differ("SQL written by hand")

LANE = "exports:1"
PAGES = 4711


def now():
    return verdict.of(facts.gather())


def part(name):
    return next(part for part in now().parts if part.name == name)


def test_a_portal_in_which_everything_runs_says_so_in_one_sentence(healthy):
    assert now().health is Health.UP
    assert now().sentence == "Exports are up. Nothing was exported yet."


def test_the_sentence_names_the_last_export(healthy, make_change_order, clock, report_all):
    exported = make_change_order("exported")
    clock.tick(minutes=4)
    report_all()

    assert now().sentence == f"Exports are up: CCO {exported.number} reached Spectrum 4 min ago."


def test_without_a_keeper_exports_are_down_and_the_sentence_says_how_to_start_one(healthy):
    Process.delete().where(Process.kind == "keeper").execute()

    assert now().sentence == "Exports are down: No keeper reports. Start it: `systemctl start portal-keeper`."
    assert not now().exports_are_up


@pytest.mark.parametrize(("kind", "health"), [("exports", Health.DOWN), ("mail", Health.DEGRADED), ("imports", Health.DEGRADED)])
def test_a_worker_that_is_silent_counts_as_none(healthy, clock, report_all, kind, health):
    clock.tick(minutes=4)
    report_all()
    Process.update(seen_at=clocks.now() - timedelta(minutes=4)).where(Process.kind == kind).execute()

    assert (part(kind).health, part(kind).text) == (health, f"No worker for {kind} reports.")


def test_one_of_two_keepers_is_enough(healthy, clock, report_all):
    run_process("keeper", machine="other")
    clock.tick(minutes=4)
    report_all()
    Process.update(seen_at=clocks.now() - timedelta(minutes=4)).where(Process.machine == "other").execute()

    assert part("keeper").health is Health.UP


def test_a_redis_that_does_not_answer_the_keeper_is_told(healthy):
    heartbeats.mark_bad(heartbeats.REDIS, "Connection refused")

    assert part("redis").text == "Redis has not answered the keeper for less than a minute (Connection refused)."
    assert now().health is Health.DOWN


def test_a_redis_that_answers_again_is_well(healthy):
    heartbeats.mark_bad(heartbeats.REDIS, "Connection refused")
    heartbeats.mark_good(heartbeats.REDIS)

    assert part("redis").health is Health.UP


def test_a_pause_names_who_paused_and_why_and_is_no_outage(healthy, eve):
    pausing.pause(LANE, eve, "Month end.")

    assert now().sentence == "Exports are paused: Eve Laurent paused exports just now: Month end. Resume them under Settings, Company."
    assert now().exports_are_up


def test_a_pause_by_the_portal_is_an_outage(healthy):
    Lane.update(paused_at=clocks.now(), reason="Spectrum refuses the sign-in").where(Lane.name == LANE).execute()

    assert part("exports").health is Health.DOWN
    assert part("exports").text == "The portal paused exports just now: Spectrum refuses the sign-in."


def test_work_that_nothing_works_on_is_told_although_all_processes_report(healthy, clock, report_all):
    outbox.promise("export:17", LANE, Task.EXPORT, 17)
    clock.tick(minutes=5)
    report_all()

    assert part("exports").text == "Work for exports has been due for 5 min and nothing works on it."


def test_what_fell_due_while_the_portal_was_off_is_no_standstill(healthy, clock):
    outbox.promise("export:17", LANE, Task.EXPORT, 17)
    clock.tick(hours=10)
    Process.update(seen_at=clocks.now(), started_at=clocks.now()).execute()

    assert part("exports").health is Health.UP


def test_a_spectrum_out_of_reach_is_told_while_exports_wait(healthy, make_change_order, clock, report_all):
    make_change_order("exported")
    queued = make_change_order("queued")
    clock.tick(minutes=10)
    failed_at = clocks.now()
    Attempt.create(export=queued.export, line=1, claim=1, outcome="not sent", started_at=failed_at, ended_at=failed_at)
    clock.tick(hours=2)
    report_all()

    assert part("spectrum").text == "Spectrum has been out of reach for 2 h. Exports waiting: 1."


def test_a_spectrum_that_refused_a_line_since_is_within_reach(healthy, make_change_order, clock):
    queued = make_change_order("queued")
    for outcome in ("not sent", "refused"):
        clock.tick(minutes=1)
        Attempt.create(export=queued.export, line=1, claim=1, outcome=outcome, started_at=clocks.now(), ended_at=clocks.now())

    assert part("spectrum").health is Health.UP


def test_a_mail_server_that_refuses_the_portal_is_told_and_exports_stay_up(healthy, eve):
    outbox.promise(f"code:1:{eve.id}", MAIL, Task.CODE, 1)
    refusals.refused(Dispatch.get(), "535 wrong password")

    assert now().sentence.startswith(
        "Exports are up, but: The mail server has refused the portal for less than a minute: 535 wrong password."
    )


def test_mail_that_failed_is_counted(healthy, eve):
    outbox.promise(f"code:1:{eve.id}", MAIL, Task.CODE, 1)
    outbox.finish(Dispatch.get(), "550 no such mailbox", outbox.DispatchOutcome.FAILED)

    assert part("mail").text == "1 mail failed."


def test_an_audit_trail_in_doubt_is_told(healthy):
    heartbeats.mark_bad("audit-heads@srv", "The file of heads is gone.")

    assert part("audit").text == "The audit trail has been in doubt for less than a minute: The file of heads is gone."


def test_processes_of_another_version_are_told(healthy):
    Process.update(version="0.0.9").where(Process.kind == "mail").execute()

    assert "others run 0.0.9" in part("versions").text


def test_a_clock_of_another_machine_that_runs_ahead_is_told(healthy):
    Process.update(seen_at=clocks.now() + timedelta(minutes=2)).where(Process.kind == "mail").execute()

    assert part("clock").text == "The clocks of two machines differ by 120 seconds."


def test_a_backup_is_missed_after_26_hours(healthy, clock, report_all):
    clock.tick(hours=26)
    report_all()
    assert part("backup").health is Health.UP

    clock.tick(seconds=1)

    assert part("backup").text == "The last verified backup was taken 1 d ago."
    assert part("backup").health is Health.DEGRADED


def test_a_portal_without_any_backup_is_told(company):
    assert part("backup").text == "No verified backup was recorded."


def test_an_outside_heartbeat_that_is_not_taken_is_told(healthy):
    heartbeats.mark_bad(heartbeats.OUTSIDE, "answered 404")

    assert part("outside heartbeat").text == "The outside heartbeat has not been taken for less than a minute (answered 404)."


def test_a_migration_that_is_missing_is_an_outage(healthy, monkeypatch):
    monkeypatch.setattr(facts.database, "server", lambda: Server("SQLite", PAGES, timedelta(0), ["0042_processes"]))

    assert now().sentence.startswith("Exports are down: The database lacks a migration.")


def test_attempts_are_counted_by_the_hour_in_which_they_ended(healthy, make_change_order, clock):
    clock.set(clocks.now().replace(minute=10))
    exported, failed = make_change_order("exported"), make_change_order("failed")
    clock.tick(hours=2)
    make_change_order("unknown")

    latest, before = facts.gather().hours

    assert (before.attempts, before.sent, before.refused) == (2, 1, 1)
    assert (latest.attempts, latest.unknown, latest.failures) == (1, 1, 1)
    assert latest.begins - before.begins == timedelta(hours=2)
    assert latest.begins.minute == 0
    assert {exported.state, failed.state} == {"exported", "failed"}


def test_attempts_of_more_than_a_day_ago_are_not_counted(healthy, make_change_order, clock):
    make_change_order("exported")
    clock.tick(hours=25)

    assert facts.gather().hours == []


def test_the_facts_know_the_database_and_its_size(healthy, database_url):
    server = facts.gather().database

    assert server.name.startswith("PostgreSQL " if database_url.startswith("postgres") else "SQLite ")
    assert server.size > 100_000
    assert abs(server.ahead) < timedelta(seconds=30)


def test_gathering_takes_the_same_number_of_queries_whatever_there_is(healthy, make_change_order, eve):
    with count_queries() as few:
        facts.gather()
    for number in range(5):
        make_change_order("exported")
        make_change_order("queued")
        run_process("exports", pid=100 + number)
        outbox.promise(f"code:{number}:{eve.id}", MAIL, Task.CODE, number)

    with count_queries() as many:
        facts.gather()

    assert len(many) == len(few) <= 18


def test_what_programs_get_is_json_without_anything_lost(healthy, make_change_order):
    make_change_order("exported")

    found = report.of(now())

    assert found["status"] == "up"
    assert found["parts"]["exports"] == {"status": "up", "text": "1 running, 0 waiting.", "action": ""}
    assert {process["kind"] for process in found["processes"]} == set(processes.KINDS)
    assert found["last_success"]["at"].endswith("Z")
    assert found["backup"]["name"] == "portal.tar"
    assert backups.latest().size == found["backup"]["bytes"]
