"""What errors mean: the page with every cause, and the way to it from a change order that failed."""

import pytest

from portal.domain import events
from portal.domain.change_orders import load
from portal.spectrum.records import NotSent, OutcomeUnknown, Refused, Row, catalogue
from tests.cast import export
from tests.conftest import sign_in
from tests.pages import page_of, words

HELP = "/help/errors"


def row(client, change_order, view):
    return page_of(client.get(f"/change-orders?view={view}")).find(id=f"change-order-{change_order.id}")


def entry_of(client, link):
    """The entry of the help page that a link leads to."""
    path, _, anchor = link["href"].partition("#")
    return page_of(client.get(path)).find(id=anchor)


@pytest.mark.parametrize("who", ["dee", "ben", "ana", "eve"])
def test_everybody_signed_in_may_read_it(client, request, who):
    page = page_of(sign_in(client, request.getfixturevalue(who)).get(HELP))

    assert words(page.h1) == "What errors mean"


def test_nobody_else_may(client):
    assert client.get(HELP).status_code == 303


def test_every_entry_of_the_catalogue_is_there_once_with_all_it_says(client, ben):
    page = page_of(sign_in(client, ben).get(HELP))

    entries = page.select("tbody tr")
    assert len(entries) == len(catalogue.ENTRIES) == len({entry["id"] for entry in entries})
    told = [words(entry) for entry in entries]
    for entry in catalogue.ENTRIES:
        assert any(all(part in text for part in (entry.code, entry.meaning, entry.kind, entry.who, entry.remedy)) for text in told), entry


def test_an_element_is_told_by_its_plain_name(client, ben):
    page = page_of(sign_in(client, ben).get(HELP))

    assert words(page.find(id="I-CR_Phase_Code").th) == "I Phase code CR_Phase_Code"
    assert words(page.find(id="A-any").th) == "A anything else"


def test_the_menu_of_the_person_leads_there(client, dee):
    page = page_of(sign_in(client, dee).get("/jobs"))

    assert page.find("a", string="What errors mean")["href"] == HELP


@pytest.mark.parametrize(
    ("answer", "view", "who", "remedy"),
    [
        (Refused("", http=200, rows=[Row("I", "No", "CR_Phase_Code")]), "failed", "Accounting", "Add the phase and cost type to the job"),
        (Refused("", http=200, rows=[Row("A", "No", "Authorization_ID")]), "failed", "IT", "Make the Authorization ID active"),
        (Refused("", http=401), "failed", "IT", "Check the Authorization ID"),
        (Refused("", http=200, rows=[Row("M", "No", "Something_New")]), "failed", "Accounting", "Set it in Spectrum, then retry"),
        (OutcomeUnknown("No answer in time.", cause="timeout"), "failed", "Accounting", "Look it up in Spectrum"),
        (NotSent("Refused.", cause="certificate"), "progress", "IT", "Check its validity and its name"),
    ],
)
def test_the_row_says_who_can_fix_it_and_what_to_do_and_leads_to_the_meaning(client, ana, make_change_order, answer, view, who, remedy):
    made = make_change_order("queued")
    export(load(made.id), answer)

    shown = row(sign_in(client, ana), made, view)

    assert f"{who} can fix this. {remedy}" in words(shown)
    entry = entry_of(client, shown.find("a", string="What does this mean?"))
    assert words(entry.find(attrs={"data-label": "Who can fix it"})) == who


def test_two_faults_of_one_kind_are_explained_once(client, ana, make_change_order):
    made = make_change_order("queued")
    export(load(made.id), Refused("", http=200, rows=[Row("I", "No", "CR_Phase_Code"), Row("I", "Not either", "CR_Phase_Code")]))

    assert len(row(sign_in(client, ana), made, "failed").find_all("a", string="What does this mean?")) == 1


@pytest.mark.parametrize(
    ("column", "said", "sentence"),
    [
        ("CR_Phase_Code", "CR_Phase_Code is invalid, the phase is complete", "Phase 07-84-13 is Complete on job 24-117."),
        ("CR_Phase_Code", "CR_Phase_Code is invalid", "Phase 07-84-13 with cost type SUB may be missing on job 24-117, or Complete."),
        ("CR_Cost_Type", "Not complete", "Phase 07-84-13 with cost type SUB may be missing on job 24-117, or Complete."),
    ],
)
def test_a_refused_phase_is_named_as_its_project_writes_it(client, ana, make_change_order, column, said, sentence):
    made = make_change_order("queued", lines=[("07-84-13", "SUB", "10.00")])
    export(load(made.id), Refused("", http=200, rows=[Row("I", said, column)]))

    assert f"{sentence} Spectrum said: “{said}”." in words(row(sign_in(client, ana), made, "failed"))


def test_what_the_portal_itself_stopped_says_who_can_fix_it(client, ana, make_change_order, vendor):
    made = make_change_order("queued")
    vendor.code = ""
    vendor.save()
    export(load(made.id), None)

    shown = words(row(sign_in(client, ana), made, "failed"))

    assert "has no Spectrum vendor code. An administrator or approver sets it on the page of the commitment, under Spectrum codes." in shown
    assert "Accounting can fix this." in shown
    assert events.history("change_order", made.id)[-1].facts["who"] == "accounting"


def test_the_page_of_the_change_order_leads_there_from_the_attempt(client, ana, make_change_order):
    page = page_of(sign_in(client, ana).get(f"/change-orders/{make_change_order('failed').id}"))

    link = page.select_one("td[data-label='Spectrum’s answer'] a")
    assert words(link) == "I CR_Phase_Code"
    assert words(entry_of(client, link).th).startswith("I Phase code")


def test_an_answer_nobody_understood_is_quoted_in_the_attempt(client, ana, make_change_order):
    made = make_change_order("queued")
    export(load(made.id), OutcomeUnknown("Spectrum did not answer in time.", cause="timeout"))

    page = page_of(sign_in(client, ana).get(f"/change-orders/{made.id}"))

    assert "Spectrum did not answer in time." in words(page.select_one("td[data-label='Spectrum’s answer']"))
