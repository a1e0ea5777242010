"""What Spectrum says of jobs, phases and vendors reaches the checks; what it did not say is never held against anybody."""

from datetime import UTC, datetime

import pytest

from portal import clock as clocks
from portal.background import keeper, tasks
from portal.domain import companies, events
from portal.domain.change_orders import load
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.exporting import pausing
from portal.domain.lanes import Lane, Lost
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import NotPermitted
from portal.domain.rules import checks, spectrum_lists
from portal.domain.rules.findings import Blocked
from portal.domain.rules.spectrum_lists import Reading, SpectrumJob, SpectrumPhase
from portal.domain.settings import refresh_lists
from portal.domain.settings.refresh_lists import Refresh
from tests.cast import signed
from tests.conftest import count_queries


@pytest.fixture
def app(make_app, simulator, company):
    return make_app(SPECTRUM_URL=simulator.url, SPECTRUM_CONNECT_S=2, SPECTRUM_DEADLINE_S=5)


@pytest.fixture
def refresh(app, company, eve):
    """Asks for a refresh and lets the worker work until nothing is due; answers the refresh."""

    def run():
        asked = refresh_lists.ask(by=eve)
        work(app, company)
        return Refresh.get_by_id(asked.id)

    return run


def work(app, company):
    with app.app_context():
        for _ in range(9):
            tasks.drain(company.lane)


def found(change_order):
    return [(finding.rule, str(finding)) for finding in checks.at_send(change_order)]


def texts(change_order):
    return [text for _, text in found(change_order)]


def commitment_on(company, vendor, number, customer):
    """A subcontract on another job."""
    job = Job.create(company=company, number=number, name="Another job", customer=customer)
    return Commitment.create(job=job, vendor=vendor, number="SC-9", subcontract="SC-9")


# What is known


def test_a_refresh_reads_jobs_vendors_and_the_phases_of_active_jobs(refresh, change_order, simulator):
    done = refresh()

    assert (done.error, done.finished_at is not None) == ("", True)
    assert {job.number: job.contract for job in SpectrumJob.select()} == {"24-117": "24-117", "24-118": ""}
    phases = {(phase.phase, phase.cost_type): phase.status for phase in SpectrumPhase.select()}
    assert phases == {("162000", "SUB"): "A", ("033000", "SUB"): "A", ("010000", "SUB"): "C"}
    assert [call["elements"]["pJob_Number"] for call in simulator.journal("GetPhase")] == ["24-117", "24-117"]
    assert found(change_order) == []


def test_a_job_whose_change_orders_are_all_at_rest_is_not_asked_about(refresh, make_change_order, simulator):
    make_change_order(status="exported")

    refresh()

    assert simulator.journal("GetPhase") == []


@pytest.mark.parametrize(
    ("phase", "cost_type", "sentence"),
    [
        ("99-9999", "SUB", "Phase 99-9999 / cost type SUB does not exist on job 24-117 in Spectrum."),
        ("16-2000", "M", "Phase 16-2000 / cost type M does not exist on job 24-117 in Spectrum."),
        ("01-0000", "SUB", "Phase 01-0000 is Complete on job 24-117."),
    ],
)
def test_rule_8_a_phase_and_cost_type_exist_on_the_job_and_are_not_complete(refresh, make_change_order, phase, cost_type, sentence):
    change_order = make_change_order(status="draft", lines=[(phase, cost_type, "10.00")])
    assert found(change_order) == []

    refresh()

    ((rule, text),) = found(change_order)
    assert rule == 8
    assert text.startswith(sentence)
    assert load(change_order.id).checks == "block"


def test_codes_are_compared_without_dashes_and_case(refresh, make_change_order):
    change_order = make_change_order(lines=[("16-20-00", "sub", "10.00")])

    refresh()

    assert found(change_order) == []


def test_a_job_that_spectrum_does_not_list_may_be_complete(refresh, make_change_order, company, vendor):
    old = commitment_on(company, vendor, "23-001", "LAKEVIEW")
    change_order = make_change_order(status="draft", commitment=old, lines=[("16-2000", "SUB", "1.00")])

    refresh()

    assert "Job 23-001 was not found in Spectrum (it may be Complete)." in " ".join(texts(change_order))


def test_a_job_without_a_contract_takes_no_change_request(refresh, make_change_order, company, vendor):
    bare = commitment_on(company, vendor, "24-118", "NORTHSIDE")
    change_order = make_change_order(status="draft", commitment=bare, lines=[("16-2000", "SUB", "1.00")])

    refresh()

    assert texts(change_order) == ["Job 24-118 has no contract in Spectrum. Set up the contract first."]


def test_a_vendor_that_is_not_active_is_told(refresh, make_change_order, job, company):
    gone = Commitment.create(
        job=job, vendor=Vendor.create(company=company, name="Gone Concrete", code="GONE"), number="SC-9", subcontract="SC-9"
    )
    change_order = make_change_order(status="draft", commitment=gone)

    refresh()

    (text,) = texts(change_order)
    assert text.startswith("Vendor Gone Concrete is not active in Spectrum.")


def test_another_customer_than_spectrums_is_a_warning_only(refresh, change_order, job):
    Job.update(customer="LAKEVIEW").execute()

    refresh()

    (finding,) = checks.on_review(load(change_order.id))
    assert (finding.blocking, finding.text) == (False, "Job 24-117 belongs to customer NORTHSIDE in Spectrum, not LAKEVIEW.")


def test_a_job_without_a_customer_takes_the_one_spectrum_names(refresh, job):
    Job.update(customer="").execute()

    refresh()

    assert Job.get().customer == "NORTHSIDE"
    assert events.history("job", job.id)[-1].facts == {"old": "", "new": "NORTHSIDE"}


def test_what_is_known_stops_an_accept_and_the_worker(app, company, refresh, make_change_order, ana):
    wrong, right = make_change_order(lines=[("99-9999", "SUB", "1.00")]), make_change_order()
    accepted = signed(wrong.id, by=ana, version=wrong.version)
    pausing.pause(company.lane, by_admin(), "month-end close")
    refresh()

    with pytest.raises(Blocked, match="does not exist"):
        signed(make_again(make_change_order).id, by=ana, version=2)
    pausing.resume(company.lane, by_admin())
    Dispatch.update(due_at=Dispatch.promised_at).where(Dispatch.task == Task.EXPORT).execute()
    work(app, company)

    assert load(accepted.id).state == "failed"
    assert found(load(right.id)) == []


def make_again(make_change_order):
    """One more with the wrong phase, put there before anybody knew."""
    change_order = make_change_order()
    for line in change_order.lines:
        line.phase_code = "99-9999"
        line.save()
    return change_order


def by_admin():
    return refresh_lists.User.get(refresh_lists.User.email == "eve@example.test")


# What is not known


def test_nothing_is_known_before_the_first_refresh(make_change_order):
    assert found(make_change_order(status="draft", lines=[("99-9999", "SUB", "1.00")])) == []


def test_a_list_that_stopped_at_500_rows_says_nothing_of_what_it_lacks(refresh, make_change_order, simulator):
    listed, missing = make_change_order(), make_change_order(lines=[("99-9999", "SUB", "1.00")])
    simulator.options(get_stop=1)

    done = refresh()

    assert done.error == ""
    reading = Reading.get(Reading.listing == spectrum_lists.PHASES)
    assert (reading.complete, reading.reason) == (False, "Spectrum warned that its list is not whole.")
    assert SpectrumPhase.select().where(SpectrumPhase.status != "C").count() == 1
    assert found(listed) == found(missing) == []


def test_an_incomplete_answer_adds_to_what_was_known(refresh, change_order, simulator):
    refresh()
    simulator.options(get_stop=1)

    refresh()

    assert SpectrumPhase.select().count() == 3


def test_after_three_days_nothing_is_known_any_more(clock, refresh, make_change_order):
    clock.set(clocks.machine())
    change_order = make_change_order(lines=[("99-9999", "SUB", "1.00")])
    refresh()
    assert found(change_order) != []

    clock.tick(days=3, seconds=1)

    assert found(change_order) == []


def test_a_failure_says_why_and_keeps_the_old_answers(refresh, make_change_order, simulator):
    change_order = make_change_order(lines=[("99-9999", "SUB", "1.00")])
    refresh()
    before = found(change_order)
    simulator.fail("soap_fault", method="GetPhase")

    done = refresh()

    assert done.error == "Spectrum reported an internal error (HTTP 500)."
    assert found(change_order) == before != []
    assert Reading.get(Reading.listing == spectrum_lists.PHASES).error == "Spectrum reported an internal error (HTTP 500)."


def test_after_three_failed_calls_the_rest_waits_for_the_next_time(refresh, make_change_order, company, vendor, simulator):
    for number in range(5):
        job = Job.create(company=company, number=f"J{number}", name="A job", customer="NORTHSIDE")
        commitment = Commitment.create(job=job, vendor=vendor, number="SC-1", subcontract="SC-1")
        make_change_order(status="draft", commitment=commitment)
    simulator.stop()

    done = refresh()

    assert done.error.endswith("The rest is left for the next time.")
    assert Reading.select().where(Reading.error != "").count() == 3


def test_other_books_make_what_was_known_void(refresh, make_change_order, eve):
    from portal.domain.settings import company_settings

    change_order = make_change_order(lines=[("99-9999", "SUB", "1.00")])
    refresh()

    company_settings.change("spectrum", {"code": "XYZ", "cr_status": "CR", "cost_reimbursable": "N", "sub_status": "P"}, by=eve)

    assert found(change_order) == []


# How it is done


def test_a_refresh_lets_exports_go_first_after_each_call(app, company, change_order, ana, eve, simulator):
    refresh_lists.ask(by=eve)
    accepted = signed(change_order.id, by=ana, version=change_order.version)

    with app.app_context():
        tasks.drain(company.lane)

    assert load(accepted.id).state == "exported"
    assert [Reading.select().count(), Refresh.get().finished_at] == [1, None]
    assert refresh_lists.progress(company).running


def test_a_pause_stops_sends_and_not_look_ups(refresh, company, eve):
    pausing.pause(company.lane, eve, "month-end close")

    assert refresh().finished_at is not None


def test_every_call_is_made_under_the_lane(app, company, eve):
    refresh_lists.ask(by=eve)
    claim = Lane.take(company.lane, tasks.LEASE)
    Lane.update(claim=claim + 1).execute()

    with app.app_context(), pytest.raises(Lost):
        tasks.STEPS["exports"]()(Dispatch.get(Dispatch.task == Task.LOOK_UP), claim)

    assert Reading.select().count() == 0


def test_asking_twice_asks_once(company, eve):
    assert refresh_lists.ask(by=eve) == refresh_lists.ask(by=eve)


def test_only_an_administrator_asks(company, ana):
    with pytest.raises(NotPermitted):
        refresh_lists.ask(by=ana)


def test_progress_counts_jobs(app, company, change_order, eve, refresh):
    assert (refresh_lists.progress(company).read, refresh_lists.progress(company).total) == (0, 1)

    refresh()

    progress = refresh_lists.progress(company)
    assert (progress.read, progress.total, progress.running) == (1, 1, False)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-23T01:00:00-06:00", "2026-11-23T02:00:00-06:00"),
        ("2026-11-23T02:00:00-06:00", "2026-11-24T02:00:00-06:00"),
        ("2026-03-07T12:00:00-06:00", "2026-03-08T03:00:00-05:00"),  # the night that has no two o'clock
        ("2026-10-31T12:00:00-05:00", "2026-11-01T02:00:00-06:00"),
    ],
)
def test_the_coming_night_is_planned_once(company, clock, now, due):
    clock.set(datetime.fromisoformat(now).astimezone(UTC))

    refresh_lists.plan()
    refresh_lists.plan()

    (dispatch,) = Dispatch.select()
    assert dispatch.due_at == datetime.fromisoformat(due)
    assert dispatch.lane == company.lane


def test_the_planned_refresh_is_done_when_its_time_has_come(app, company, change_order):
    refresh_lists.plan()
    Dispatch.update(due_at=Dispatch.promised_at).execute()

    work(app, company)

    assert (Refresh.get().asked_by, Refresh.get().error) == (None, "")
    assert Dispatch.get().finished_at is not None


def test_two_refreshes_at_once_come_to_an_end(app, company, change_order, eve, simulator):
    refresh_lists.ask(by=eve)
    refresh_lists.plan()
    Dispatch.update(due_at=Dispatch.promised_at).execute()

    for _ in range(3):
        work(app, company)

    assert Refresh.select().where(Refresh.finished_at.is_null(False)).count() == 2
    assert len(simulator.journal("GetPhase")) <= 4


def test_the_keeper_plans_the_night(company):
    keeper.plan()

    assert Dispatch.get().task == Task.LOOK_UP


def test_without_a_company_code_there_is_nothing_to_ask_for(refresh, company):
    companies.Company.update(code="").execute()

    assert refresh().error == "The company settings lack the Spectrum company code."


def test_a_refresh_that_costs_three_workers_is_given_up(app, company, eve):
    refresh_lists.ask(by=eve)
    Dispatch.update(tries=3).execute()

    work(app, company)

    assert "The worker stopped 3 times" in Refresh.get().error
    assert Dispatch.get().finished_at is not None


def test_what_is_known_about_fifty_takes_as_many_queries_as_about_two(refresh, make_change_order):
    orders = [make_change_order(lines=[("16-2000", "SUB", "1.00"), (f"{n:02}-0000", "SUB", "1.00")]) for n in range(2, 12)]
    refresh()

    with count_queries() as two:
        spectrum_lists.known(orders[:2])
    with count_queries() as ten:
        spectrum_lists.known(orders)

    assert len(two) == len(ten) <= 4


def test_a_repeated_row_of_an_answer_does_no_harm(company):
    row = {"number": "1", "description": "", "customer": "", "contract": "", "status": "A"}

    spectrum_lists.keep(company, spectrum_lists.JOBS, "", [row, row, {**row, "number": "2"}], 1, complete=True, reason="")

    assert SpectrumJob.select().count() == 2


def test_an_answer_of_hundreds_of_rows_is_kept(company):
    rows = [{"job": "J", "phase": str(n), "cost_type": "SUB", "description": "", "status": "A", "unit": ""} for n in range(1234)]

    spectrum_lists.keep(company, spectrum_lists.PHASES, "J", rows, 1, complete=True, reason="")
    spectrum_lists.keep(company, spectrum_lists.PHASES, "J", rows[:1000], 2, complete=True, reason="")

    assert SpectrumPhase.select().count() == 1000
