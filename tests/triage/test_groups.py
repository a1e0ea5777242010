"""Failed exports are shown in groups by cause, each with an owner before anyone has opened the page."""

from datetime import timedelta
from decimal import Decimal

import pytest

from portal.domain.change_orders import ChangeOrder
from portal.domain.companies import Company
from portal.domain.exporting.failure_causes import FailureCause
from portal.domain.recovery import resolutions
from portal.domain.triage import groups, members
from portal.domain.triage.groups import Badge
from portal.spectrum import catalogue
from portal.spectrum.records import NotSent
from tests.cast import export
from tests.conftest import count_queries, path_of, sign_in
from tests.pages import page_of
from tests.triage.conftest import NO_RIGHTS

pytestmark = pytest.mark.databases_differ("sums, grouping, partial index")


def only():
    (group,) = groups.overview().groups
    return group


def test_a_group_says_how_many_how_much_and_since_when(fail, clock):
    first = fail()
    began = clock.now()
    clock.tick(hours=30)
    fail()

    group = only()

    assert (group.count, group.total) == (2, Decimal("8500.00"))
    assert (group.cause.first_seen_at, group.last_seen, group.oldest) == (began, clock.now(), first.sent_at)


def test_what_was_retried_is_counted_no_more(fail, ana):
    fail()
    failed = fail()

    resolutions.retry(failed.id, ana, failed.version)

    assert only().count == 1


def test_the_largest_group_stands_first(fail, make_change_order):
    make_change_order("failed")
    fail()
    fail()

    assert [group.count for group in groups.overview().groups] == [2, 1]


@pytest.mark.parametrize(
    ("passed", "badge"), [(timedelta(hours=23), Badge.NEW), (timedelta(hours=25), None)], ids=["within a day", "after a day"]
)
def test_a_cause_is_new_for_a_day(fail, clock, passed, badge):
    fail()

    clock.tick(seconds=passed.total_seconds())

    assert only().badge is badge


def test_a_cause_grows_while_more_fail_than_the_day_before(fail, clock):
    fail()
    clock.tick(hours=30)
    fail()
    fail()

    assert only().badge is Badge.GROWING


def test_a_cause_that_had_been_cleared_is_back_again(fail, ana, clock):
    failed = fail()
    resolutions.retry(failed.id, ana, failed.version)
    clock.tick(minutes=1)

    fail()

    assert only().badge is Badge.BACK


def test_what_failed_for_its_data_is_the_senders(fail):
    fail()

    assert (only().owner.group, only().owner.names) == ("Sender", ["Dee Sørensen"])


def test_what_was_refused_for_rights_belongs_to_the_people_of_it_whom_the_settings_name(fail, eve, sam):
    Company.update(it_people="SAM@example.test").execute()
    fail(NO_RIGHTS)

    assert (only().owner.group, only().owner.names) == ("IT", ["Sam Ito"])


def test_where_the_settings_name_no_one_it_is_the_administrators(fail, eve):
    fail(NO_RIGHTS)

    assert only().owner.names == ["Eve Laurent"]


def test_archived_until_it_grows(fail, clock):
    fail()
    FailureCause.update(archived_at=clock.now()).execute()
    clock.tick(minutes=1)
    assert only().is_archived

    fail()

    assert not only().is_archived


def test_what_goes_again_by_itself_is_told_apart(make_change_order, clock):
    waiting = make_change_order("queued")
    export(waiting, NotSent("Connection refused."))

    found = groups.waiting()

    assert (found.count, found.total) == (1, Decimal("4250.00"))
    assert found.next_try == clock.now() + timedelta(seconds=30)
    assert groups.overview().groups == []


def test_groups_and_rows_take_the_same_number_of_queries_however_many_there_are(fail, make_change_order, ana):
    def queries():
        with count_queries() as sent:
            for group in groups.overview().groups[:1]:
                members.of_group(group, ana)
            groups.waiting()
        return len(sent)

    fail()
    one = queries()
    make_change_order("failed")
    for _ in range(4):
        fail()

    assert queries() == one


def test_rows_come_in_the_order_of_their_acceptance_page_by_page(fail, ana):
    ids = [fail().id for _ in range(5)]

    first = members.of_group(only(), ana, size=3)
    second = members.of_group(only(), ana, first.after, size=3)

    assert [member.row.change_order.id for member in first.members + second.members] == ids
    assert second.after == ""


def test_the_page_shows_each_group_and_the_band_of_unknown_outcomes(client, fail, make_change_order, sam):
    fail()
    unknown = make_change_order("unknown")

    page = sign_in(client, sam).get("/failures").text

    assert "The accounting period of that date may be closed in Spectrum." in page
    assert "Spectrum said: “Period … is closed”" in page
    assert f'id="change-order-{unknown.id}"' in page
    assert "1 failed export · $4,250.00 · 1 cause" in page


def test_where_nothing_failed_the_page_says_how_many_went_through(client, make_change_order, sam, clock):
    make_change_order("exported")
    clock.tick(days=31)
    make_change_order("exported")
    make_change_order("exported")

    page = page_of(sign_in(client, sam).get("/failures"))

    assert " ".join(page.find(class_="empty").get_text().split()) == "No failed exports. 2 went through in the last 30 days."


def test_the_page_of_a_group_shows_its_rows_with_their_attempts(client, fail, sam):
    failed = fail()

    page = sign_in(client, sam).get(f"/failures/{failed.cause}").text

    assert f'id="change-order-{failed.id}"' in page
    assert "Line 1" in page and "Refused." in page
    assert "1 attempt, last" in page and "No automatic try." in page
    assert "Owner: Dee Sørensen" in page


def test_each_cause_of_the_catalogue_is_said_with_who_can_fix_it_and_what_to_do(client, fail, sam):
    failed, known = fail(), [entry for entry in catalogue.ENTRIES if entry.kind not in ("good", "unknown")]
    sign_in(client, sam)

    for entry in known:
        column = "" if entry.column == catalogue.ANY else entry.column
        cause = FailureCause.create(kind=entry.kind, code=entry.code, field=column)
        ChangeOrder.update(cause=cause.id).where(ChangeOrder.id == failed.id).execute()
        row = " ".join(page_of(client.get(f"/failures/{cause.id}")).find(id=f"failure-{cause.id}").get_text(" ").split())
        assert entry.meaning in row
        assert entry.remedy in row
        assert entry.who == "No one yet" or f"{entry.who.lower()} can fix this." in row.lower()

    assert {entry.code for entry in known} == {"check", "connect", "A", "E", "http", "I", "M"}


@pytest.mark.parametrize("address", ["/failures/999", "/failures/1?after=x", "/failures/unknown?after=-1"])
def test_an_address_that_leads_nowhere_is_not_found(client, fail, sam, address):
    fail()

    assert sign_in(client, sam).get(address).status_code == 404


def test_a_row_decided_without_javascript_leads_back_to_its_group(client, fail, ana):
    failed, address = fail(), "/failures/1"
    form = page_of(sign_in(client, ana).get(address)).find(id=f"retry-{failed.id}").find_parent("form")
    data = {field["name"]: field["value"] for field in form.find_all("input")}

    answer = client.post(form["action"], data=data)

    assert path_of(answer.location) == f"{address}#change-order-{failed.id}"
