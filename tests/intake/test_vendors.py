"""Who the vendor of a file is: the code decides, in anybody's file, and nothing is sent to a vendor that the file does not mean."""

from pathlib import Path

import pytest

from portal.domain import events
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.commitments import Commitment, Vendor
from portal.domain.imports import import_run, staging
from portal.domain.imports.entries import BadFile
from portal.domain.imports.staging import Staged
from portal.intake import files
from tests.conftest import sign_in
from tests.import_files import text_of

pytestmark = pytest.mark.databases_differ("sorting, searching and paging")

CASES = Path(__file__).parent / "cases"
SMITH = {"vendor_name": "Smith Construction", "vendor_code": "SMITHTX", "commitment_number": "SC-701", "subcontract_number": "SC-701"}
OHIO = SMITH | {"vendor_code": "SMITHOH", "commitment_number": "SC-702", "subcontract_number": "SC-702"}


def codes():
    """The vendor code under which each commitment's change orders are sent."""
    return {one.number: one.vendor_code for one in Commitment.select().order_by(Commitment.number)}


def sifted(text, by=None):
    reading = files.understand(text.encode(), "orders.csv")
    return import_run.prepare(reading.entries, reading.problems, by)


def refusal(text, by=None):
    with pytest.raises(BadFile) as refused:
        sifted(text, by)
    return str(refused.value)


@pytest.fixture
def texas(company):
    return Vendor.create(company=company, name="Smith Construction", code="SMITHTX")


def test_two_vendors_of_one_name_in_one_file_are_two_vendors(command):
    result = command(CASES / "two-vendors-of-one-name.csv")

    assert result.exit_code == 0, result.output
    assert codes() == {"SC-701": "SMITHTX", "SC-702": "SMITHOH"}
    assert "Vendor Smith Construction: SMITHTX stays as it is; SMITHOH in the file is another vendor of that name." in result.stdout


def test_two_vendors_of_one_name_in_two_files_are_two_vendors(command):
    command(CASES / "first-file-vendor-of-texas.csv")

    command(CASES / "second-file-same-name-of-ohio.csv")

    assert codes() == {"SC-701": "SMITHTX", "SC-702": "SMITHOH"}


def test_a_name_without_a_code_that_fits_two_vendors_is_refused_with_both_codes(texas, company):
    Vendor.create(company=company, name="smith  construction", code="SMITHOH")

    said = refusal(text_of(SMITH | {"vendor_code": ""}))

    assert said == "line 2, vendor: Smith Construction fits 2 vendors: SMITHOH and SMITHTX. State the vendor code."


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (0, 2, 1)])
def test_a_bare_name_beside_two_codes_of_it_is_refused_in_whatever_row_it_stands(company, order):
    rows = [SMITH, OHIO, SMITH | {"vendor_code": "", "commitment_number": "SC-703"}]

    said = refusal(text_of(*(rows[place] for place in order)))

    assert "Smith Construction fits 2 vendors: SMITHOH and SMITHTX." in said


def test_a_bare_name_of_a_commitment_that_is_known_here_is_its_vendor(command, csv_file, job, texas, company):
    Vendor.create(company=company, name="Smith Construction", code="SMITHOH")
    Commitment.create(job=job, vendor=texas, number="SC-701", subcontract="SC-701")

    result = command(csv_file(SMITH | {"vendor_code": ""}))

    assert result.exit_code == 0, result.output
    assert codes() == {"SC-701": "SMITHTX"}


def test_a_code_outweighs_the_name_and_the_other_name_is_told(command, csv_file, texas):
    result = command(csv_file(SMITH | {"vendor_name": "Smith Bros", "vendor_code": "smithtx"}))

    assert [one.name for one in Vendor.select()] == ["Smith Construction"]
    assert "Kept: Vendor SMITHTX: name stays “Smith Construction”; the file says “Smith Bros”." in result.stdout


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"vendor_code": "V2"}, "Volt Electric Co (V2)"),
        ({"vendor_name": "Somebody Else", "vendor_code": ""}, "Somebody Else (no code)"),
        ({"vendor_name": "Volt Electric Co", "vendor_code": "SMITHTX"}, "Smith Construction (SMITHTX)"),
        ({"vendor_name": "Smith Construction", "vendor_code": ""}, "Smith Construction (SMITHTX)"),
    ],
)
@pytest.mark.parametrize("sending", [(), ("--send", "dee@example.test")])
def test_a_file_whose_commitment_has_another_vendor_than_here_is_refused(command, csv_file, commitment, texas, dee, row, said, sending):
    result = command(csv_file(row), *sending)

    assert result.exit_code == 2
    assert f"Commitment SC-014 of job 24-117 belongs to Volt Electric Co (VOLTCO) here; the file says {said}." in result.stderr
    assert not ChangeOrder.select().exists()


def test_one_commitment_with_two_codes_in_one_file_is_refused(company):
    assert "“SMITHOH” contradicts “SMITHTX” at line 2" in refusal(text_of(SMITH, SMITH | {"cco_number": "002", "vendor_code": "SMITHOH"}))


def test_a_members_file_finds_the_vendor_by_its_code_and_links_none(dee, job, texas, company):
    Vendor.create(company=company, name="Smith Construction", code="SMITHOH")

    (entry,) = sifted(text_of(SMITH), dee)

    assert (entry.vendor_code, entry.may_link, entry.subcontract) == ("SMITHTX", False, "")


def test_a_members_file_makes_no_second_vendor_of_a_name(dee, job, texas):
    said = refusal(text_of(OHIO), dee)

    assert "Smith Construction may be several vendors: SMITHOH and SMITHTX. No vendor here has code SMITHOH yet" in said


def test_a_members_code_is_not_linked_and_an_administrators_is(command, csv_file, company, job):
    Vendor.create(company=company, name="Smith Construction")
    (entry,) = sifted(text_of(SMITH))

    command(csv_file(SMITH))

    assert entry.may_link
    assert codes() == {"SC-701": "SMITHTX"}
    assert events.history("vendor", Vendor.get().id)[-1].facts["new"] == {"code": "SMITHTX"}


@pytest.mark.parametrize("known", [False, True])
def test_a_vendor_without_a_code_is_not_guessed_between_two_codes(company, job, known):
    bare = Vendor.create(company=company, name="Smith Construction")
    for number in ("SC-701", "SC-702") if known else ():
        Commitment.create(job=job, vendor=bare, number=number)

    said = refusal(text_of(SMITH, OHIO))

    assert "Smith Construction" in said
    assert "administrator" in said


def test_what_became_of_another_vendor_between_check_and_import_is_left_alone(command, csv_file, commitment, texas, monkeypatch):
    write = staging.write

    def overtake(origin, batch):
        write(origin, batch)
        Commitment.update(vendor=texas).execute()

    monkeypatch.setattr(staging, "write", overtake)

    result = command(csv_file({}))

    assert "1 skipped." in result.stdout
    assert "belongs to Smith Construction (SMITHTX) here; the file says Volt Electric Co (VOLTCO)." in result.stdout
    assert not Staged.select().exists()


def test_a_commitment_without_a_vendor_gets_the_one_that_a_file_names(command, csv_file, job, vendor):
    nameless = Commitment.create(job=job, number="SC-014", subcontract="SC-014")

    command(csv_file({}))

    assert Commitment.get_by_id(nameless.id).vendor == vendor
    assert events.history("commitment", nameless.id)[-1].facts["new"]["vendor"] == "Volt Electric Co"
    assert ChangeOrder.get().checks == "clean"


@pytest.fixture
def nameless(job, make_change_order):
    """A draft of a commitment that nobody has named a vendor for."""
    return make_change_order("draft", commitment=Commitment.create(job=job, number="SC-900", subcontract="SC-900"))


def test_a_draft_without_a_vendor_says_so_and_cannot_be_sent(nameless):
    assert (nameless.state, nameless.checks) == (Status.DRAFT, "block")
    assert staging.why_not(nameless, files.understand(text_of({}).encode(), "x.csv").entries[0], staging.RowOutcome.CHANGED).startswith(
        "Commitment SC-900 has no vendor."
    )


def test_a_draft_without_a_vendor_stands_in_every_list(client, dee, nameless):
    job, commitment = nameless.job.id, nameless.commitment.id
    sign_in(client, dee)

    for page in (
        "/jobs",
        f"/jobs/{job}",
        f"/jobs/{job}/commitments",
        f"/commitments/{commitment}",
        f"/commitments/{commitment}/change-orders/new",
        f"/change-orders/{nameless.id}",
        f"/change-orders/{nameless.id}/edit",
    ):
        shown = client.get(page, follow_redirects=True)
        assert shown.status_code == 200, page
        assert "SC-900" in shown.text, page
        assert "No vendor" in shown.text or page == f"/jobs/{job}", page
