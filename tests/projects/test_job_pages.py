"""A job with its change orders and commitments, a commitment with its value, and a new change order."""

from decimal import Decimal

import pytest

from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.events import Event
from portal.domain.people import NotPermitted
from portal.domain.projects import jobs, sending
from tests.conftest import count_queries, path_of, sign_in
from tests.pages import page_of, words


def listed(page):
    return [int(row["id"].removeprefix("change-order-")) for row in page.select("tbody tr[id]")]


@pytest.fixture
def elsewhere(company, vendor):
    """A commitment of a job that Dee is no member of."""
    job = Job.create(company=company, number="24-200", name="Mill Street", customer="MILL")
    return Commitment.create(job=job, vendor=vendor, number="SC-900", title="Steel", subcontract="SC-900")


def test_the_value_of_a_commitment_counts_exported_as_approved_and_the_rest_with_accounting_as_pending(commitment, make_change_order):
    Commitment.update(original_amount=Decimal("10000.00")).execute()
    for status, amount in (
        ("exported", "100.00"),
        ("exported", "-30.00"),
        ("ready", "5.00"),
        ("unknown", "7.00"),
        ("draft", "1000.00"),
        ("rejected", "1000.00"),
    ):
        make_change_order(status, lines=[("16-2000", "SUB", amount)])

    worth = jobs.worth(Commitment.get_by_id(commitment.id))

    assert (worth.approved, worth.pending, worth.revised) == (Decimal("70.00"), Decimal("12.00"), Decimal("10070.00"))


def test_without_an_original_value_there_is_no_revised_one(commitment, make_change_order):
    make_change_order("exported")

    assert jobs.worth(commitment).revised is None


def test_a_commitment_without_change_orders_is_worth_its_original_value(commitment):
    commitment.original_amount = Decimal("5.00")

    assert jobs.worth(commitment).revised == Decimal("5.00")


@pytest.mark.parametrize(
    ("taken", "proposed"), [([], "001"), (["001"], "002"), (["009", "002"], "010"), (["99"], "100"), (["A-1"], "001"), (["٣"], "001")]
)
def test_the_next_number_is_one_more_than_the_highest(commitment, dee, taken, proposed):
    for number in taken:
        ChangeOrder.create(commitment=commitment, number=number, title="", amount=Decimal(0), created_by=dee)

    assert jobs.next_number(commitment) == proposed


def test_a_job_page_lists_its_change_orders_to_members_newest_first(client, dee, job, make_change_order):
    made = [make_change_order(status) for status in ("draft", "ready", "exported", "void")]

    page = page_of(sign_in(client, dee).get(f"/jobs/{job.id}"))

    assert listed(page) == [one.id for one in reversed(made)]
    assert page.select_one(f"#change-order-{made[0].id} .name a")["href"] == f"/change-orders/{made[0].id}/edit?place=/jobs/{job.id}"


def test_finance_sees_there_what_was_sent(client, ben, job, make_change_order):
    make_change_order("draft")
    sent = [make_change_order(status) for status in ("ready", "exported", "rejected")]

    page = page_of(sign_in(client, ben).get(f"/jobs/{job.id}"))

    assert listed(page) == [one.id for one in reversed(sent)]
    assert page.select_one(".name a")["href"] == f"/change-orders/{sent[-1].id}?place=/jobs/{job.id}"


@pytest.mark.parametrize(
    "path", ["/jobs/{job}", "/jobs/{job}/commitments", "/commitments/{commitment}", "/commitments/{commitment}/change-orders/new"]
)
def test_to_somebody_else_it_is_not_there(client, dee, elsewhere, path):
    sign_in(client, dee)
    missing = client.get(path.format(job=4711, commitment=4711))

    answer = client.get(path.format(job=elsewhere.job_id, commitment=elsewhere.id))

    assert answer.status_code == missing.status_code == 404
    assert unnumbered(answer) == unnumbered(missing)


def unnumbered(answer):
    """The page without the id of its own request."""
    return answer.text.replace(answer.headers["X-Request-ID"], "")


@pytest.mark.parametrize("path", ["/jobs/4711", "/jobs/4711/commitments", "/commitments/4711", "/commitments/4711/change-orders/new"])
def test_what_is_not_there_is_not_found(client, dee, path):
    assert sign_in(client, dee).get(path).status_code == 404


@pytest.mark.parametrize("after", ["0", "-1", "x", "1' OR 1=1", "9" * 30, "١"])
def test_a_cursor_that_is_none_is_not_found(client, dee, job, commitment, after):
    sign_in(client, dee)

    assert client.get(f"/jobs/{job.id}", query_string={"after": after}).status_code == 404
    assert client.get(f"/commitments/{commitment.id}", query_string={"after": after}).status_code == 404


def test_the_pages_of_a_long_list_follow_each_other(client, dee, job, make_change_order, monkeypatch):
    monkeypatch.setattr(jobs, "PAGE", 2)
    made = [make_change_order("draft").id for _ in range(5)]
    sign_in(client, dee)
    page, found = page_of(client.get(f"/jobs/{job.id}")), []

    while True:
        found += listed(page)
        following = page.find("a", rel="next")
        if not following:
            break
        page = page_of(client.get(following["href"]))

    assert found == made[::-1]


def test_the_commitments_of_a_job_are_listed_with_what_they_are_worth(client, dee, commitment, make_change_order, job):
    Commitment.update(original_amount=Decimal("10000.00")).execute()
    make_change_order("exported")

    page = page_of(sign_in(client, dee).get(f"/jobs/{job.id}/commitments"))

    assert words(page.select_one("tbody tr")) == "SC-014 Electrical Volt Electric Co $10,000.00 $4,250.00 $14,250.00 $0.00"


def test_more_commitments_need_no_more_queries(client, dee, job, vendor, commitment):
    sign_in(client, dee)

    def count():
        with count_queries() as sent:
            client.get(f"/jobs/{job.id}/commitments")
        return len(sent)

    few = count()
    for number in range(5):
        Commitment.create(job=job, vendor=Vendor.create(company=job.company, name=f"V{number}"), number=f"SC-1{number}")
    assert count() == few


def test_the_page_of_a_commitment_tells_its_value_and_lists_its_own_change_orders(client, dee, commitment, make_change_order, job, vendor):
    other = Commitment.create(job=job, vendor=vendor, number="SC-015", subcontract="SC-015", original_amount=Decimal("3.00"))
    make_change_order("draft")
    mine = make_change_order("exported", commitment=other)

    page = page_of(sign_in(client, dee).get(f"/commitments/{other.id}"))

    worth = {words(fact.dt): words(fact.dd) for fact in page.select(".worth > div")}
    assert (worth["Original value"], worth["Approved changes"], worth["Revised value"]) == ("$3.00", "$4,250.00", "$4,253.00")
    assert listed(page) == [mine.id]


def test_finance_sees_why_it_cannot_write_a_new_one(client, ben, commitment):
    page = page_of(sign_in(client, ben).get(f"/commitments/{commitment.id}"))

    button = page.find("button", string="New change order")
    assert button.has_attr("disabled")
    assert "Only members of job 24-117 write its change orders." in words(page.find(id=button["aria-describedby"]))


def test_a_new_change_order_is_kept_as_a_draft_and_opened(client, dee, commitment, make_change_order):
    make_change_order()
    page = page_of(sign_in(client, dee).get(f"/commitments/{commitment.id}/change-orders/new"))
    assert page.find(id="number")["value"] == "002"

    answer = client.post(f"/commitments/{commitment.id}/change-orders/new", data={"number": " 002 ", "title": "Landing steel"})

    made = ChangeOrder.get(ChangeOrder.number == "002")
    assert (answer.status_code, path_of(answer.location)) == (303, f"/change-orders/{made.id}/edit")
    assert (made.title, made.state, made.created_by, made.amount) == ("Landing steel", Status.DRAFT, dee, Decimal(0))
    event = Event.select().order_by(Event.seq.desc()).first()
    assert (event.action, event.actor, event.ref) == ("created", dee, made.id)


@pytest.mark.parametrize(
    ("number", "title", "said"),
    [
        ("001", "T", "already has a CCO 001"),
        ("", "T", "needs 1 to 12 characters"),
        ("x" * 13, "T", "12 fit"),
        ("2", "A\x00", "control characters"),
        ("2", "x" * 201, "200 fit"),
    ],
)
def test_what_cannot_be_kept_comes_back_as_typed(client, dee, commitment, make_change_order, number, title, said):
    make_change_order()

    answer = sign_in(client, dee).post(f"/commitments/{commitment.id}/change-orders/new", data={"number": number, "title": title})

    page = page_of(answer, 422)
    assert said in words(page.select_one(".problem"))
    assert page.find(id="number")["value"] == number
    assert ChangeOrder.select().count() == 1


@pytest.mark.parametrize("who", ["ana", "eve", "ben"])
def test_only_members_write_one(client, commitment, who, request):
    answer = sign_in(client, request.getfixturevalue(who)).post(
        f"/commitments/{commitment.id}/change-orders/new", data={"number": "1", "title": "T"}
    )

    assert answer.status_code == 403
    assert ChangeOrder.select().count() == 0


def test_the_domain_asks_for_membership_itself(commitment, ana):
    with pytest.raises(NotPermitted, match="not a member of job 24-117"):
        sending.begin(commitment, ana, sending.Draft("001", "T", "", []))


def test_the_start_page_of_a_member_leads_to_the_jobs(client, dee, job, elsewhere):
    page = page_of(sign_in(client, dee).get("/jobs"))

    assert [words(link) for link in page.select(".subtabs a")] == ["24-117 Harbor Tower"]


def test_names_with_markup_are_shown_as_text(client, dee, commitment, make_change_order, job):
    Job.update(name="<i>x</i>").execute()
    Commitment.update(title="<i>y</i>").execute()
    make_change_order(title="<i>z</i>")
    sign_in(client, dee)

    for path in (
        f"/jobs/{job.id}",
        f"/jobs/{job.id}/commitments",
        f"/commitments/{commitment.id}",
        f"/commitments/{commitment.id}/change-orders/new",
    ):
        assert page_of(client.get(path)).find("i") is None
