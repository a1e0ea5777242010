"""The page of one change order: its lines, facts, findings, history, and what went to Spectrum."""

import pytest
from bs4 import BeautifulSoup

from portal.domain.events import Event
from portal.domain.projects import sending
from tests.conftest import HTMX, count_queries, sign_in
from tests.pages import words

TWO_LINES = [("16-2000", "SUB", "1.00"), ("16-3000", "M", "2.50")]


def page(client, change_order):
    answer = client.get(f"/change-orders/{change_order.id}")
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def section(page, heading):
    return next(card for card in page.find_all("section") if card.h2 and words(card.h2).startswith(heading))


@pytest.mark.parametrize(
    "status", ["draft", "ready", "queued", "exporting", "exported", "failed", "unknown", "rejected", "retrieved", "void"]
)
def test_there_is_a_page_in_every_state(client, ana, dee, make_change_order, status):
    made = make_change_order(status)

    shown = page(sign_in(client, dee if status in ("draft", "void") else ana), made)

    assert shown.h1.get_text() == "CCO 001: Relocate duct bank"
    assert made.label in words(shown.main) or status == "ready"


def test_the_lines_are_listed_with_their_total(client, ana, make_change_order):
    shown = page(sign_in(client, ana), make_change_order(lines=TWO_LINES))

    table = shown.find("section", {"aria-label": "Lines"})
    assert [words(row) for row in table.select("tbody tr")] == ["1 16-2000 SUB $1.00", "2 16-3000 M $2.50"]
    assert words(table.tfoot) == "Total of the lines $3.50"


def test_the_facts_name_what_spectrum_knows_it_by(client, ana, make_change_order):
    facts = section(page(sign_in(client, ana), make_change_order("exported", description="North wall")), "Facts")

    told = {words(fact.dt): words(fact.dd) for fact in facts.find_all("div")}
    assert told["Customer code"] == "NORTHSIDE"
    assert told["Spectrum subcontract"] == "SC-014"
    assert told["Spectrum number"] == "S014-001"
    assert told["Description"] == "North wall"
    assert told["Sent"] == "Dee Sørensen, now , revision 1"


def test_the_decision_is_made_here_as_in_the_list(client, ana, change_order):
    sign_in(client, ana)

    shown = client.get(f"/change-orders/{change_order.id}").text
    row = client.get(f"/change-orders/{change_order.id}/row", headers=HTMX).text

    assert row in shown
    assert "Accept" in row


def test_the_findings_are_told_with_who_can_mend_them(client, dee, make_change_order):
    shown = page(sign_in(client, dee), make_change_order("draft", title="A title that is far longer than thirty"))

    assert "The title has 38 characters; Spectrum holds 30." in words(section(shown, "Checks"))
    assert "The project team can fix this." in words(section(shown, "Checks"))


def test_the_history_tells_who_did_what_oldest_first(client, ana, dee, make_change_order):
    rejected = make_change_order("rejected")
    sending.send(rejected.id, by=dee, version=rejected.version)

    history = section(page(sign_in(client, ana), rejected), "History")

    assert [words(entry.p) for entry in history.find_all("li")] == [
        "Dee Sørensen wrote it.",
        "Dee Sørensen sent it to accounting.",
        "Ana Ortiz sent it back.",
        "Dee Sørensen sent revision 2.",
    ]
    assert words(history.blockquote) == "Wrong cost type on line 1"


def test_the_history_of_an_export_tells_the_portals_part(client, ana, make_change_order):
    history = section(page(sign_in(client, ana), make_change_order("exported", lines=TWO_LINES)), "History")

    assert [words(entry.p) for entry in history.find_all("li")][2:] == [
        "Ana Ortiz accepted it as S014-001.",
        "Started sending to Spectrum as S014-001.",
        "Exported to Spectrum as S014-001, 2 lines.",
    ]


def test_every_event_of_a_change_order_has_a_sentence(client, dee, make_change_order):
    for status in ("draft", "exported", "failed", "unknown", "rejected"):
        made = make_change_order(status)
        history = section(page(sign_in(client, dee), made), "History")

        told = [words(entry.p) for entry in history.find_all("li")]
        assert len(told) == Event.select().where(Event.subject == "change_order", Event.ref == made.id).count()
        assert all(len(sentence.split()) > 2 for sentence in told)


def test_each_attempt_is_shown_with_its_outcome_and_spectrums_words(client, ana, make_change_order):
    shown = page(sign_in(client, ana), make_change_order("failed"))

    attempt = section(shown, "Export as S014-001").select_one("tbody tr")
    assert words(attempt.find(attrs={"data-label": "Outcome"})) == "Refused"
    answer = words(attempt.find(attrs={"data-label": "Spectrum’s answer"}))
    assert "Spectrum said: “Phase is not on the job”." in answer
    assert "CR_Phase_Code" in answer


def test_what_spectrum_receives_is_the_frozen_lines(client, ana, make_change_order):
    shown = page(sign_in(client, ana), make_change_order("queued", lines=TWO_LINES))

    received = section(shown, "Export as S014-001").details
    common = {words(field.code): words(field.select_one("dd.code")) for field in received.select("dl > div")}
    lines = received.table
    assert common["Company_Code"] == "ABC"
    assert common["Change_Request_Number"] == "S014-001"
    names = [cell.code and words(cell.code) for cell in lines.select("thead th")][1:]
    rows = [
        dict(zip(names, (words(cell.select_one(".code")) for cell in row.find_all("td")), strict=True)) for row in lines.select("tbody tr")
    ]
    assert [row["CR_Phase_Code"] for row in rows] == ["162000", "163000"]
    assert [row["Change_Request_Amount"] for row in rows] == ["1.00", "2.50"]


def test_a_member_of_the_job_without_a_level_may_look(client, dee, make_change_order):
    made = make_change_order("queued")

    shown = page(sign_in(client, dee), made)

    assert "Queued" in words(shown.main)
    assert not shown.main.select("tr[hx-get]")
    assert not shown.find("button", string="Accept")


def test_a_stranger_without_a_level_may_not(client, make_user, change_order):
    answer = sign_in(client, make_user("Pat Quinn")).get(f"/change-orders/{change_order.id}")

    assert answer.status_code == 403
    assert "membership of the job" in answer.text


def test_who_only_looks_is_told_why_there_is_nothing_to_decide_with_and_can_ask(client, ben, change_order):
    shown = page(sign_in(client, ben), change_order)

    assert "You have view-only access." in words(shown.main)
    assert [button.get_text() for button in shown.main.find_all("button")] == ["Ask for it"]


def test_the_number_of_queries_does_not_grow_with_the_lines(client, ana, make_change_order):
    one, many = make_change_order(), make_change_order(lines=[(f"16-{n:04}", "SUB", "1.00") for n in range(60)])
    sign_in(client, ana)
    with count_queries() as few:
        page(client, one)

    with count_queries() as more:
        page(client, many)

    assert len(more) == len(few)


def test_words_of_people_are_never_markup(client, ana, make_change_order):
    made = make_change_order(title="<b>{{7*7}}</b>", description="<script>alert(1)</script>")

    shown = page(sign_in(client, ana), made)

    assert shown.h1.get_text() == "CCO 001: <b>{{7*7}}</b>"
    assert not shown.main.find_all(["b", "script"])


def test_the_history_names_the_file_a_change_order_came_from(client, dee, commitment, company):
    imported = sending.create(commitment, dee, sending.Draft("001", "Duct bank", "", []), file="october.csv")

    history = section(page(sign_in(client, dee), imported), "History")

    assert words(history.find("li").p) == "Dee Sørensen imported it from october.csv."
