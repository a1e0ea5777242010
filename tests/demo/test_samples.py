"""The sample looks like a contractor's month, and the Spectrum that ships knows all of it but one thing."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest

from portal import clock
from portal.background import tasks
from portal.demo import sample_master, samples
from portal.domain import change_orders, companies, outbox, people
from portal.domain.accounts import access_review
from portal.domain.change_orders import Status
from portal.domain.commitments import Job
from portal.domain.events import Event
from portal.domain.exporting import send
from portal.domain.lanes import Lane
from portal.domain.people import Membership, User
from portal.domain.review import bulk_accept, lists, views
from portal.domain.rules import checks, spectrum_rules
from portal.domain.rules.findings import blocking
from portal.spectrum.client import Spectrum
from portal.spectrum.simulator.master import SHIPPED, Master
from tests.cast import signed
from tests.spectrum.process import SimulatorProcess


@pytest.fixture
def loaded(database):
    samples.load()
    return change_orders.with_lines(change_orders.complete())


@pytest.fixture
def shipped(tmp_path):
    """The simulator as it ships."""
    simulator = SimulatorProcess(tmp_path / "simulator")
    yield simulator
    simulator.kill()


def ready(loaded):
    return [one for one in loaded if one.state is Status.READY]


def test_there_are_about_60_over_6_jobs_most_of_them_ready(loaded):
    by_status = Counter(one.state for one in loaded)

    assert len(loaded) == 57
    assert Job.select().count() == 6
    assert by_status == {Status.READY: 45, Status.DRAFT: 10, Status.REJECTED: 2}


def test_it_has_what_makes_a_month_difficult(loaded):
    findings = Counter(finding.rule for one in loaded for finding in blocking(checks.at_send(one)))

    assert sum(one.amount < 0 for one in ready(loaded)) >= 5  # credits
    assert max(len(one.lines) for one in ready(loaded)) == 40
    assert {2, 3, 4, 5, 9, 11} <= findings.keys()  # long title, not approved, purchase order, vendor code, repeated pair, total
    assert {letter for one in loaded for letter in one.commitment.vendor.name} >= set("ñüŁ")
    assert any(one.commitment.is_purchase_order for one in ready(loaded))
    assert {line.cost_type for one in loaded for line in one.lines} == {"SUB", "M", "L", "E", "O"}
    assert all("-" in line.phase_code for one in loaded for line in one.lines)


def test_every_draft_stays_one_for_a_reason_and_nothing_ready_is_blocked(loaded):
    assert all(blocking(checks.at_send(one)) for one in loaded if one.state is Status.DRAFT)
    assert not any(blocking(checks.on_review(one)) for one in ready(loaded))


def test_the_ages_spread_over_five_days_and_never_run_backwards(loaded):
    sent = [one.sent_at for one in ready(loaded)]
    said = [event.at for event in Event.select().order_by(Event.seq)]

    assert clock.now() - min(sent) > timedelta(days=4, hours=20)
    assert clock.now() - max(sent) < timedelta(hours=1)
    assert len({moment.date() for moment in sent}) >= 5
    assert [event.action for event in Event.select().where(Event.action == "rejected")] == ["rejected", "rejected"]
    assert said == sorted(said)


def test_those_sent_back_were_sent_before(loaded):
    assert all(one.sent_at < one.decided_at for one in loaded if one.state is Status.REJECTED)


def test_the_accounts_sign_in_with_the_password_and_do_what_they_are_for(loaded):
    by_purpose = {account["what"]: people.find(account["email"]) for account in samples.ACCOUNTS}

    assert all(person.verify(samples.PASSWORD) for person in by_purpose.values())
    assert len(samples.PASSWORD) >= 15
    assert {what for what, person in by_purpose.items() if person.may_decide} == {"approver", "second approver"}
    assert {what for what, person in by_purpose.items() if person.may_administer} == {"admin"}
    assert {what for what, person in by_purpose.items() if not person.may_look} == {"sender"}
    assert Membership.select().where(Membership.user == by_purpose["sender"]).count() == 6


def test_the_access_review_knows_since_when_the_accounts_have_their_rights(loaded):
    given = access_review.grants(User.select())

    assert all(one.level for one in given.values())
    assert {person.name for person in User.select() if given[person.id].privilege} == {"Ana Ortiz", "Lee Nakamura"}


def test_an_approver_may_decide_all_that_is_ready(loaded):
    rows = lists.page(views.BY_KEY["ready"], people.find("ana@example.test"), size=100).rows

    assert len(rows) == 45
    assert not any(row.why_not for row in rows)


def test_an_approver_finds_clean_ones_to_accept_at_once_and_others_that_need_a_look(loaded):
    sheet = bulk_accept.sheet(lists.page(views.BY_KEY["ready"], people.find("ana@example.test")).rows)

    assert len(sheet.going) > 10
    assert len(sheet.staying) > 10


def test_loading_twice_or_where_somebody_is_already_changes_nothing(loaded):
    before = Event.select().count()

    samples.load()

    assert Event.select().count() == before
    assert User.select().count() == len(samples.ACCOUNTS)


def test_the_shipped_master_data_are_those_of_the_sample():
    assert SHIPPED.read_text(encoding="utf-8") == sample_master.text(), "write it again: python -m portal.demo.sample_master > " + str(
        SHIPPED
    )


def test_spectrum_knows_every_ready_change_order_but_the_one_that_shows_a_refusal(loaded):
    master, refused = Master.load(), []

    for one in ready(loaded):
        company, job, commitment = one.company.code, one.job, one.commitment
        subcontract, known = master.subcontracts[company, commitment.subcontract], master.jobs[company, job.number]
        assert (subcontract.vendor, subcontract.job) == (commitment.vendor.code, job.number)
        assert (company, commitment.vendor.code) in master.vendors
        assert (known.customer, known.status, bool(known.contract)) == (job.customer, "A", True)
        phases = [master.phases[company, job.number, line.phase_code.replace("-", ""), line.cost_type] for line in one.lines]
        refused += [one.title for phase in phases if phase.status == "C"]

    assert refused == ["Added fire caulking at shaft 2"]


def test_all_of_it_arrives_in_the_shipped_spectrum_but_that_one(loaded, shipped, tmp_path):
    company, ana = companies.current(), people.find("ana@example.test")
    type(company).update(export_delay=0).execute()
    for one in ready(loaded):
        signed(one.id, by=ana, version=one.version)

    claim, call = Lane.take(company.lane, tasks.LEASE), Spectrum(shipped.url, "PORTALTEST", tmp_path / "wsdl").change_request
    for dispatch in outbox.due(company.lane, timedelta(minutes=1)):
        send.step(dispatch, claim, call)

    after = [change_orders.load(one.id) for one in ready(loaded)]
    booked = [Decimal(line["Sub_Amount"]) for request in shipped.ledger() for line in request["lines"]]
    exported = [one for one in after if one.state is Status.EXPORTED]
    assert [one.title for one in after if one not in exported] == ["Added fire caulking at shaft 2"]
    assert len(shipped.ledger()) == len(exported) == 44
    assert sum(booked) == sum(one.amount for one in exported)


def test_the_company_settings_are_those_of_the_shipped_spectrum(loaded):
    company, master = loaded[0].company, Master.load()

    assert not list(spectrum_rules.company_settings(company))
    assert master.statuses[company.code, company.cr_status].action_type == 3
    assert company.code in master.companies
