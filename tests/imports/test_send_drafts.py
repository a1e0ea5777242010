"""The page of an import leads to the drafts that came of it and sends them together; what cannot go stays and is told with the reason."""

import re

import pytest
from bs4 import BeautifulSoup

from portal.db import Busy
from portal.domain import change_orders, events
from portal.domain.change_orders import ChangeOrder
from portal.domain.imports import send_drafts
from portal.domain.imports.staging import Import, ImportResult, Staged
from portal.domain.people import Membership
from portal.domain.projects import sending
from tests.conftest import count_queries, sign_in
from tests.import_files import text_of
from tests.imports.test_import_page import hand_in, work  # noqa: F401
from tests.pages import main_words

pytestmark = pytest.mark.databases_differ("locks and races")

LONG = "A title that is much longer than thirty"


@pytest.fixture
def bring(client, dee, job, commitment, hand_in, work):  # noqa: F811
    """Import rows as Dee, a member of the job; answers the address of the import's page."""

    def confirm(*rows):
        sign_in(client, dee)
        page = hand_in(text_of(*rows))
        client.post(f"{page}/confirmation")
        work()
        return page

    return confirm


def numbered(*numbers, **more):
    return [{"cco_number": number, "title": f"Work {number}"} | more for number in numbers]


def main_of(answer):
    return BeautifulSoup(answer.text, "html.parser").find("main")


def seen(answer):
    """What the button of the page would send."""
    return [field["value"] for field in main_of(answer).select("input[name=seen]")]


def press(client, page):
    return client.post(page, data={"seen": seen(client.get(page))})


def told(answer):
    """Change order and what became of it, as the results say it."""
    section = main_of(answer).select_one("[aria-labelledby=results]")
    return section and [" ".join(one.get_text(" ").split()) for one in section.find_all("li")]


def listed(answer):
    """Change order and what is in the way, as the table says it."""
    rows = main_of(answer).select("[aria-labelledby=waiting] tbody tr")
    return [[" ".join(cell.get_text(" ").split()) for cell in (row.th, row.find_all("td")[-1])] for row in rows]


def status_of(number):
    return ChangeOrder.get(number=number).status


def test_an_import_keeps_which_change_orders_came_of_it_when_its_rows_go(client, bring, make_change_order):
    make_change_order("ready", number="009")

    bring(*numbered("001", "002"), *numbered("009"))

    kept = [(one.change_order.number, one.outcome) for one in ImportResult.select().order_by(ImportResult.id)]
    assert kept == [("001", "new"), ("002", "new"), ("009", "left alone")]
    assert not Staged.select().exists()


def test_the_page_leads_to_its_drafts_and_sends_them_together(client, bring, dee):
    page = bring(*numbered("001", "002"))

    shown = client.get(page)
    assert "Send 2 drafts to accounting" in main_words(shown)
    assert listed(shown) == [[f"Job 24-117, SC-014, CCO {number}", "Nothing"] for number in ("001", "002")]
    links = [link["href"] for link in main_of(shown).select("[aria-labelledby=waiting] tbody a")]
    assert links == [f"/change-orders/{one.id}/edit" for one in ChangeOrder.select().order_by(ChangeOrder.number)]
    answer = press(client, page)

    assert answer.status_code == 200
    assert "2 sent to accounting" in main_words(answer)
    assert told(answer) == [f"Job 24-117, SC-014, CCO {number} : sent." for number in ("001", "002")]
    assert listed(answer) == []
    assert {(one.status, one.sent_by_id) for one in ChangeOrder.select()} == {("ready", dee.id)}
    assert [event.action for event in events.history("change_order", ChangeOrder.get().id)] == ["created", "sent"]


def test_what_a_rule_blocks_stays_a_draft_and_is_listed_with_the_reason(client, bring):
    page = bring(*numbered("001"), *numbered("002", title=LONG))

    shown = client.get(page)
    answer = press(client, page)

    reason = f"The title has {len(LONG)} characters; Spectrum holds 30. Shorten the title."
    assert "Send 1 draft to accounting" in main_words(shown)
    assert listed(shown)[1] == listed(answer)[0] == ["Job 24-117, SC-014, CCO 002", reason]
    assert (status_of("001"), status_of("002")) == ("ready", "draft")


def test_what_came_to_be_blocked_meanwhile_is_told_and_the_others_are_sent(client, bring, commitment):
    page = bring(*numbered("001", "002"))
    offered = seen(client.get(page))
    first = ChangeOrder.get(number="001")
    ChangeOrder.update(project_status="Pending").where(ChangeOrder.id == first.id).execute()

    answer = client.post(page, data={"seen": offered})

    assert "1 sent to accounting, 1 not sent" in main_words(answer)
    assert told(answer)[0].startswith("Job 24-117, SC-014, CCO 001 : Not sent. The change order is “Pending” on the project, not Approved.")
    assert listed(answer)[0][0] == "Job 24-117, SC-014, CCO 001"
    assert "“Pending”" in listed(answer)[0][1]
    assert (status_of("001"), status_of("002")) == ("draft", "ready")


def test_what_looks_like_another_one_stays_and_says_so(client, bring, make_change_order):
    page = bring(*numbered("001", "002"))
    offered = seen(client.get(page))
    make_change_order("draft", number="1")

    answer = client.post(page, data={"seen": offered})

    assert "CCO 001 looks like 1" in told(answer)[0]
    assert (status_of("001"), status_of("002")) == ("draft", "ready")


def test_what_changed_since_the_page_was_shown_is_skipped_with_the_reason(client, bring, dee):
    page = bring(*numbered("001", "002", "003"))
    offered = seen(client.get(page))
    corrected, gone = ChangeOrder.get(number="001"), ChangeOrder.get(number="002")
    sending.edit(corrected.id, dee, corrected.version, sending.Draft("001", "Corrected", "", []))
    sending.void(gone.id, dee, gone.version)

    answer = client.post(page, data={"seen": offered})

    assert told(answer) == [
        "Job 24-117, SC-014, CCO 001 : Not sent. Someone changed it meanwhile. Check it, then send it.",
        "Job 24-117, SC-014, CCO 002 : Not sent. It is no longer with the project. It is now: Void.",
        "Job 24-117, SC-014, CCO 003 : sent.",
    ]
    assert [status_of(number) for number in ("001", "002", "003")] == ["draft", "void", "ready"]


def test_a_second_press_sends_nothing_twice(client, bring):
    page = bring(*numbered("001", "002"))
    offered = seen(client.get(page))

    first, second = (client.post(page, data={"seen": offered}) for _ in range(2))

    assert told(first) == told(second)
    assert {(one.status, one.revision) for one in ChangeOrder.select()} == {("ready", 1)}
    for one in ChangeOrder.select():
        assert [event.action for event in events.history("change_order", one.id)] == ["created", "sent"]


def test_who_is_no_longer_a_member_is_told_and_sends_nothing(client, bring):
    page = bring(*numbered("001"))
    offered = seen(client.get(page))
    Membership.delete().execute()

    answer = client.post(page, data={"seen": offered})

    refusal = "You are not a member of job 24-117. Ask an administrator to add you."
    assert told(answer) == [f"Job 24-117, SC-014, CCO 001 : Not sent. {refusal}"]
    assert listed(answer) == [["Job 24-117, SC-014, CCO 001", refusal]]
    assert seen(answer) == []
    assert status_of("001") == "draft"


def test_an_administrator_who_is_no_member_sees_no_drafts_of_another_and_gets_no_button(client, bring, eve):
    page = bring(*numbered("001"))
    sign_in(client, eve)

    shown = client.get(page)

    assert listed(shown) == []
    assert "to accounting" not in main_words(shown)


def test_another_ones_import_takes_no_sending(client, bring, make_user, job):
    page = bring(*numbered("001"))
    offered = seen(client.get(page))
    other = make_user("Oli Other")
    Membership.create(user=other, job=job)
    sign_in(client, other)

    assert client.post(page, data={"seen": offered}).status_code == 404
    assert status_of("001") == "draft"


def test_what_was_rejected_goes_again_only_when_it_was_corrected(client, bring, dee, ana):
    page = bring(*numbered("001"))
    press(client, page)
    sent = change_orders.load(ChangeOrder.get().id)
    sending.retrieve(sent.id, dee, sent.version)

    assert listed(client.get(page)) == [["Job 24-117, SC-014, CCO 001", "Retrieved before, and nothing has changed since."]]
    assert seen(client.get(page)) == []
    back = change_orders.load(sent.id)
    lines = [sending.LineDraft(line.phase_code, line.cost_type, line.amount) for line in back.lines]
    sending.edit(back.id, dee, back.version, sending.Draft("001", "Corrected", "", lines))

    assert "Send 1 change order to accounting" in main_words(client.get(page))
    press(client, page)
    assert status_of("001") == "ready"


@pytest.mark.parametrize("wrong", [[], ["x"], ["1"], ["1-1-1"], ["0-1"], ["9999-1"], ["٣-1"], ["foreign"], ["too many"]])
def test_a_form_that_names_nothing_of_the_import_is_refused(client, bring, make_change_order, wrong):
    page = bring(*numbered("001"))
    foreign = make_change_order("draft", number="777")
    offered = seen(client.get(page))
    values = {"foreign": [f"{foreign.id}-{foreign.version}", *offered], "too many": offered * 51}.get("".join(wrong), wrong)

    answer = client.post(page, data={"seen": values})

    assert answer.status_code == 400
    assert "Load the page of the import again." in main_words(answer)
    assert {one.status for one in ChangeOrder.select()} == {"draft"}


def test_fifty_are_shown_and_the_rest_is_counted_and_what_cannot_go_hides_nothing(client, bring):
    page = bring(*numbered(*(f"A{number:02}" for number in range(1, 52)), title=LONG), *numbered("B01", "B02"))

    shown = client.get(page)

    assert [one[0][-3:] for one in listed(shown)[:3]] == ["B01", "B02", "A01"]
    assert len(listed(shown)) == 50
    assert "50 are shown, 3 more follow when these are sent or corrected" in main_words(shown)
    assert len(seen(shown)) == 2


def test_the_page_asks_the_database_as_often_for_many_drafts_as_for_few(client, bring):
    few, many = bring(*numbered("001", "002")), bring(*numbered(*(f"B{number:02}" for number in range(60))))

    asked = []
    for page in (few, many):
        client.get(page)
        with count_queries() as queries:
            client.get(page)
        asked.append(len(queries))

    assert asked[0] == asked[1]


def test_what_a_rule_blocks_costs_one_query_each_and_no_more_than_are_shown(client, bring):
    few, many = (bring(*numbered(*(f"{name}{number:02}" for number in range(size)), title=LONG)) for name, size in (("A", 1), ("B", 60)))

    asked = []
    for page in (few, many):
        client.get(page)
        with count_queries() as queries:
            client.get(page)
        asked.append(len(queries))

    assert asked[1] - asked[0] == 49


def test_when_the_database_is_busy_the_rest_is_not_tried_and_stays(client, bring, monkeypatch):
    page = bring(*numbered("001", "002", "003"))
    real, tried = sending.send, []

    def second_waits(id, by, version):
        tried.append(id)
        if len(tried) == 2:
            raise Busy("The database is busy.")
        return real(id, by, version)

    monkeypatch.setattr(send_drafts.sending, "send", second_waits)
    answer = press(client, page)

    assert [bool(re.search("Not sent. The database is busy.", one)) for one in told(answer)] == [True, True, False]
    assert len(tried) == 2
    assert [status_of(number) for number in ("001", "002", "003")] == ["ready", "draft", "draft"]


def test_an_import_of_before_keeps_no_links_and_is_shown_as_it_was(client, bring):
    page = bring(*numbered("001"))
    ImportResult.delete().execute()

    shown = client.get(page)

    assert "Imported: 1 new" in main_words(shown)
    assert listed(shown) == []
    assert Import.select().count() == 1
