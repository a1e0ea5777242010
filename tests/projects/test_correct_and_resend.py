"""The sender corrects what came back, or finishes a draft, and sends it to accounting."""

from decimal import Decimal

import pytest

from portal import clock
from portal.domain.change_orders import Status, load
from portal.domain.events import Event
from portal.domain.people import Membership
from portal.domain.projects import jobs, sending
from portal.domain.rules.spectrum_lists import SpectrumPhase
from tests.conftest import HTMX, path_of, sign_in
from tests.pages import soup, words

LINE = {"phase_code": "16-2000", "cost_type": "SUB", "line_description": "", "quantity": "", "unit": "", "amount": "10.00", "bid_item": ""}


@pytest.fixture
def returned(make_change_order):
    return make_change_order("rejected")


def editing(change_order):
    return f"/change-orders/{change_order.id}/edit"


def typed(change_order, *lines, **words):
    """The form as filled in: lines as dicts of what differs from LINE."""
    lines = [LINE | line for line in lines or ({},)]
    columns = {name: [line[name] for line in lines] for name in LINE}
    return {"version": change_order.version, "number": "001", "title": "Relocate duct bank", "description": ""} | columns | words


def test_the_list_holds_drafts_what_came_back_and_what_waits(client, dee, make_change_order):
    made = {status: make_change_order(status) for status in ("draft", "rejected", "retrieved", "ready", "exported")}

    page = soup(sign_in(client, dee).get("/jobs"))

    listed = {row["id"] for row in page.select("tbody tr[id]")}
    assert listed == {f"change-order-{made[status].id}" for status in ("draft", "rejected", "retrieved", "ready")}
    assert "Wrong cost type on line 1" in words(page.main)


def test_the_list_of_somebody_without_jobs_says_what_would_be_there(client, ana, returned):
    page = soup(sign_in(client, ana).get("/jobs"))

    assert "Nothing waits for you." in words(page.main)


def test_the_start_page_of_a_sender_is_the_list(client, dee, company):
    answer = sign_in(client, dee).get("/")

    assert path_of(answer.location) == "/jobs"


def test_the_page_opens_with_the_reason_and_what_is_written(client, dee, returned):
    page = soup(sign_in(client, dee).get(editing(returned)))

    assert "Sent back by Ana Ortiz at " in words(page.main)
    assert words(page.blockquote) == "Wrong cost type on line 1"
    assert page.find("input", {"name": "title"})["value"] == "Relocate duct bank"
    assert page.find("input", {"name": "amount"})["value"] == "4250.00"


def test_saving_keeps_everything_that_was_typed(client, dee, returned):
    line = {"cost_type": "M", "line_description": "Duct", "quantity": "12.5", "unit": "LF", "amount": "-20.10", "bid_item": "B1"}
    form = typed(returned, line, {"phase_code": "16-3000"}, number="002", title="Duct bank", description="As per RFI 12")

    answer = sign_in(client, dee).post(editing(returned), data=form)

    assert answer.status_code == 303
    assert path_of(answer.location) == editing(returned)
    now = load(returned.id)
    assert (now.number, now.title, now.description, now.amount) == ("002", "Duct bank", "As per RFI 12", Decimal("-10.10"))
    first = now.lines[0]
    assert (first.cost_type, first.description, first.quantity, first.unit, first.amount, first.bid_item) == (
        "M",
        "Duct",
        Decimal("12.5"),
        "LF",
        Decimal("-20.10"),
        "B1",
    )
    assert now.state is Status.REJECTED


def test_the_findings_are_shown_after_saving_beside_their_fields(client, dee, returned):
    sign_in(client, dee).post(editing(returned), data=typed(returned, {"cost_type": ""}, title="x" * 40))

    page = soup(client.get(editing(returned)))

    summary = words(page.find("section", {"aria-labelledby": "checks"}))
    assert "The title has 40 characters; Spectrum holds 30." in summary
    assert "Line 1 has no cost type." in summary
    assert "The title has 40 characters" in words(page.find(id="at-title"))
    assert "Line 1 has no cost type." in words(page.find(id="at-cost_type-1"))
    assert page.find(id="cost_type-1")["aria-invalid"] == "true"


def test_the_reason_stays_while_it_is_worked_on(client, dee, returned):
    sign_in(client, dee).post(editing(returned), data=typed(returned))

    assert "Wrong cost type on line 1" in client.get(editing(returned)).text


def test_adding_a_line_keeps_what_was_typed_and_saves_nothing(client, dee, returned):
    answer = sign_in(client, dee).post(editing(returned), data=typed(returned, title="Typed") | {"add": "line"})

    assert answer.status_code == 200
    page = soup(answer)
    assert page.find("input", {"name": "title"})["value"] == "Typed"
    assert len(page.find_all("input", {"name": "phase_code"})) == 2
    assert page.find(id="phase_code-2").has_attr("autofocus")
    assert load(returned.id).title == "Relocate duct bank"


def test_removing_a_line_takes_that_line_away(client, dee, returned):
    form = typed(returned, {"phase_code": "A"}, {"phase_code": "B"}, {"phase_code": "C"}) | {"remove": "2"}

    page = soup(sign_in(client, dee).post(editing(returned), data=form))

    assert [field["value"] for field in page.find_all("input", {"name": "phase_code"})] == ["A", "C"]


@pytest.mark.parametrize("position", ["0", "-1", "9", "", "x", "١", "9" * 400])
def test_removing_a_line_that_is_not_there_removes_nothing(client, dee, returned, position):
    answer = sign_in(client, dee).post(editing(returned), data=typed(returned) | {"remove": position})

    assert answer.status_code == 200
    assert len(soup(answer).find_all("input", {"name": "phase_code"})) == 1


@pytest.mark.parametrize("amount", ["1.234,50", "12,50", "1.234", "NaN", "1e5", "12345678901", "١٢", "--1", "0x10", "1_000"])
def test_an_amount_that_is_none_comes_back_as_typed(client, dee, returned, amount):
    answer = sign_in(client, dee).post(editing(returned), data=typed(returned, {"amount": amount}))

    assert answer.status_code == 422
    page = soup(answer)
    assert page.find(id="amount-1")["value"] == amount
    assert page.find(id="amount-1")["aria-invalid"] == "true"
    assert page.select_one(".problem a")["href"] == "#amount-1"
    assert "is not an amount" in words(page.select_one(".problem"))
    assert load(returned.id).amount == Decimal("4250.00")


@pytest.mark.parametrize("quantity", ["1,5", "abc", "NaN", "1e9", "1" * 41])
def test_a_quantity_that_is_none_comes_back_as_typed(client, dee, returned, quantity):
    answer = sign_in(client, dee).post(editing(returned), data=typed(returned, {"quantity": quantity}))

    assert answer.status_code == 422
    assert "is not a quantity" in words(soup(answer).select_one(".problem"))


def test_a_draft_may_still_lack_an_amount(client, dee, make_change_order):
    draft = make_change_order("draft")

    answer = sign_in(client, dee).post(editing(draft), data=typed(draft, {"amount": ""}))

    assert answer.status_code == 303
    assert "Line 1 has no amount." in words(soup(client.get(editing(draft))))


KEYS = ("number", "phase_code", "cost_type")  # told with name and place, as in every key


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("title", "A\x00B"),
        ("description", "A\x1bB"),
        ("number", "0\x07"),
        ("phase_code", "1\x00"),
        ("cost_type", "S\x00"),
        ("unit", "L\x7f"),
    ],
)
def test_control_characters_are_refused(client, dee, returned, field, text):
    form = typed(returned, {field: text}) if field in LINE else typed(returned, **{field: text})

    answer = sign_in(client, dee).post(editing(returned), data=form)

    assert answer.status_code == 422
    told = "an invisible character, control character (U+" if field in KEYS else "contains control characters"
    assert told in words(soup(answer).select_one(".problem"))


@pytest.mark.parametrize("field", ["number", "title", "description", "phase_code", "cost_type", "unit", "line_description", "bid_item"])
def test_what_is_far_too_long_is_refused(client, dee, returned, field):
    text = "x" * 5000
    form = typed(returned, {field: text}) if field in LINE else typed(returned, **{field: text})

    answer = sign_in(client, dee).post(editing(returned), data=form)

    assert answer.status_code == 422
    assert "has 5000 characters" in words(soup(answer).select_one(".problem"))


def test_five_hundred_lines_fit_and_one_more_does_not(client, dee, returned):
    sign_in(client, dee)
    lines = [{"phase_code": f"{n:06}"} for n in range(501)]

    too_many = client.post(editing(returned), data=typed(returned, *lines))
    enough = client.post(editing(returned), data=typed(returned, *lines[:500]))

    assert too_many.status_code == 422
    assert "There are 501 lines; 500 fit." in too_many.text
    assert enough.status_code == 303
    assert len(load(returned.id).lines) == 500


def test_a_number_that_its_commitment_has_already_is_refused(client, dee, make_change_order):
    make_change_order(number="007")
    draft = make_change_order("draft", number="008")

    answer = sign_in(client, dee).post(editing(draft), data=typed(draft, number="007"))

    assert answer.status_code == 422
    assert "Commitment SC-014 already has a CCO 007." in answer.text
    assert load(draft.id).number == "008"


def test_resending_saves_first_and_sends_then(client, dee, returned):
    page = soup(sign_in(client, dee).get(editing(returned)))
    button = page.find("button", string="Re-send to ERP")

    answer = client.post(button["formaction"], data=typed(returned, {"cost_type": "M"}))

    assert answer.status_code == 303
    now = load(returned.id)
    assert (now.state, now.revision, now.lines[0].cost_type) == (Status.READY, 2, "M")
    assert "CCO 001 sent to accounting." in client.get(answer.location).text


def test_a_draft_is_sent_not_re_sent(client, dee, make_change_order):
    draft = make_change_order("draft")

    page = soup(sign_in(client, dee).get(editing(draft)))

    assert page.find("button", string="Send to ERP")


def test_sending_without_fields_sends_what_is_kept(client, dee, returned):
    answer = sign_in(client, dee).post(f"/change-orders/{returned.id}/sending", data={"version": returned.version})

    assert answer.status_code == 303
    assert load(returned.id).state is Status.READY


def test_what_breaks_a_rule_is_saved_but_not_sent(client, dee, returned):
    form = typed(returned, title="x" * 31)

    answer = sign_in(client, dee).post(f"/change-orders/{returned.id}/sending", data=form)

    assert answer.status_code == 422
    problem = words(soup(answer).select_one(".problem"))
    assert "Saved, but not sent" in problem
    assert "The title has 31 characters; Spectrum holds 30." in problem
    now = load(returned.id)
    assert (now.state, now.title) == (Status.REJECTED, "x" * 31)
    assert soup(answer).find("input", {"name": "version"})["value"] == str(now.version)


def test_what_waits_in_accounting_can_only_be_read_or_retrieved(client, dee, change_order):
    page = soup(sign_in(client, dee).get(editing(change_order)))

    assert "Locked while accounting has it. To change it, a member of the job presses Retrieve from ERP." in words(page.main)
    assert [words(button) for button in page.main.find_all("button") if not button.has_attr("disabled")] == ["Retrieve from ERP"]
    assert page.find("input", {"name": "title"}).has_attr("readonly")


def test_saving_what_waits_in_accounting_is_refused(client, dee, change_order):
    answer = sign_in(client, dee).post(editing(change_order), data=typed(change_order, title="Sneaky"))

    assert answer.status_code == 409
    assert "Nothing was recorded" in answer.text
    assert load(change_order.id).title == "Relocate duct bank"


def test_a_second_writer_sees_the_first_and_keeps_the_text(client, dee, returned):
    sending.edit(returned.id, dee, returned.version, sending.Draft("001", "First", "", [sending.LineDraft("1", "SUB", Decimal(1))]))

    answer = sign_in(client, dee).post(editing(returned), data=typed(returned, title="Second"))

    assert answer.status_code == 409
    page = soup(answer)
    assert "the change order is no longer what you saw" in words(page)
    assert page.find("input", {"name": "title"})["value"] == "Second"
    assert page.find("input", {"name": "version"})["value"] == str(load(returned.id).version)
    assert load(returned.id).title == "First"


def test_sending_twice_sends_once(client, dee, returned):
    sign_in(client, dee).post(f"/change-orders/{returned.id}/sending", data={"version": returned.version})

    again = client.post(f"/change-orders/{returned.id}/sending", data={"version": returned.version})

    assert (again.status_code, again.location) == (303, "/jobs")
    assert Event.select().where(Event.action == "sent", Event.ref == returned.id).count() == 2


@pytest.mark.parametrize("who", ["ana", "eve"])
def test_only_members_of_the_job_write(client, returned, who, request):
    sign_in(client, request.getfixturevalue(who))

    looked = client.get(editing(returned))
    saved = client.post(editing(returned), data=typed(returned, title="Mine"))
    sent = client.post(f"/change-orders/{returned.id}/sending", data={"version": returned.version})

    assert (looked.status_code, saved.status_code, sent.status_code) == (403, 403, 403)
    assert "You are not a member of job 24-117." in looked.text
    assert load(returned.id).state is Status.REJECTED


def test_a_membership_taken_away_between_page_and_click_counts(client, dee, returned):
    sign_in(client, dee).get(editing(returned))
    Membership.delete().where(Membership.user == dee).execute()

    answer = client.post(editing(returned), data=typed(returned, title="Mine"))

    assert answer.status_code == 403
    assert load(returned.id).title == "Relocate duct bank"


def test_columns_of_different_length_are_refused(client, dee, returned):
    answer = sign_in(client, dee).post(editing(returned), data=typed(returned) | {"amount": ["1", "2"]})

    assert answer.status_code == 400
    assert "The lines of the form are incomplete." in answer.text


def test_what_came_back_is_never_pushed_off_the_page_by_what_waits(client, dee, make_change_order, monkeypatch):
    monkeypatch.setattr(jobs, "PAGE", 2)
    returned = make_change_order("rejected", title="Came back long ago")
    waiting = [make_change_order("ready", title=f"Waits {n}") for n in (1, 2, 3)]
    sign_in(client, dee)

    page = client.get("/jobs").text

    assert page.index(returned.title) < page.index(waiting[-1].title)
    assert waiting[0].title not in page


SEVEN = [
    {"phase_code": "", "amount": "1.00"},
    {"cost_type": "SUBC", "amount": "2.00"},
    {"phase_code": "16-3000", "amount": "x"},
    {"phase_code": "16-4000", "quantity": "abc"},
    {"phase_code": "16-5000"},
    {"phase_code": "16-5000"},
]


def test_while_it_is_typed_all_findings_are_told_at_once_and_nothing_is_kept(client, dee, returned):
    form = typed(returned, *SEVEN, title="x" * 31, number="")

    page = soup(sign_in(client, dee).post(f"/change-orders/{returned.id}/findings", data=form, headers=HTMX))

    places = [item["data-at"] for item in page.select("li.blocking")]
    assert sorted(places) == ["amount-3", "cost_type-2", "lines", "number", "phase_code-1", "quantity-4", "title"]
    assert words(page.find(id="verdict")) == "7 things must be corrected before it can be sent."
    assert words(page.find("hx-partial")) == "$33.00"
    assert "<html" not in str(page)
    assert load(returned.id).title == "Relocate duct bank"
    assert load(returned.id).version == returned.version


def test_when_nothing_is_wrong_that_is_told(client, dee, returned):
    page = soup(sign_in(client, dee).post(f"/change-orders/{returned.id}/findings", data=typed(returned), headers=HTMX))

    assert page.select("li") == []
    assert words(page.find(id="verdict")) == "Ready to send."


@pytest.mark.parametrize("text", ["\x00", "‮", "x" * 5000, "<script>"])
def test_whatever_is_typed_the_findings_answer(client, dee, returned, text):
    form = typed(returned, dict.fromkeys(LINE, text), number=text, title=text, description=text)

    assert sign_in(client, dee).post(f"/change-orders/{returned.id}/findings", data=form).status_code == 200


def test_a_refused_save_tells_what_the_checks_say_of_the_rest_too(client, dee, returned):
    answer = sign_in(client, dee).post(editing(returned), data=typed(returned, *SEVEN, title="x" * 31))

    assert answer.status_code == 422
    page = soup(answer)
    assert "is not an amount" in words(page.find(id="at-amount-3"))
    assert "The title has 31 characters" in words(page.find(id="at-title"))
    assert "Combine them into one line." in words(page.find(id="at-lines"))


@pytest.mark.parametrize("who", ["ana", "eve"])
def test_only_members_may_ask_for_findings(client, returned, who, request):
    answer = sign_in(client, request.getfixturevalue(who)).post(f"/change-orders/{returned.id}/findings", data=typed(returned))

    assert answer.status_code == 403


def test_the_total_is_shown_under_the_lines(client, dee, returned):
    page = soup(sign_in(client, dee).post(editing(returned), data=typed(returned, {}, {"amount": "-2.50"}) | {"add": "line"}))

    assert words(page.find(id="total")) == "$7.50"


def test_focus_goes_to_the_line_that_took_the_place_of_a_removed_one(client, dee, returned):
    sign_in(client, dee)
    for position, focused in (("1", "phase_code-1"), ("2", "phase_code-1")):
        page = soup(client.post(editing(returned), data=typed(returned, {}, {"phase_code": "B"}) | {"remove": position}))
        assert page.find(id=focused).has_attr("autofocus")
    page = soup(client.post(editing(returned), data=typed(returned) | {"remove": "1"}))
    assert page.find(id="add").has_attr("autofocus")


def test_the_known_phases_of_the_job_are_there_to_pick_from(client, dee, returned, job):
    told = {"company": job.company, "job": "24-117", "cost_type": "SUB", "read_at": clock.now()}
    for phase, status in (("162000", "A"), ("163000", "A"), ("164000", "C")):
        SpectrumPhase.create(phase=phase, description=f"Name of {phase}", status=status, **told)

    page = soup(sign_in(client, dee).get(editing(returned)))

    found = {option["value"]: words(option) for option in page.select("datalist#phases option")}
    assert found == {"16-2000": "Name of 162000", "163000": "Name of 163000"}
    assert page.find(id="phase_code-1")["list"] == "phases"


def test_combining_is_shown_first_and_keeps_nothing_yet(client, dee, returned):
    form = typed(returned, {"amount": "1.00"}, {"phase_code": "B"}, {"phase_code": "162000", "amount": "2.50"})

    page = soup(sign_in(client, dee).post(editing(returned), data=form | {"combine": "preview"}))

    shown = words(page.find("section", {"aria-labelledby": "combining"}))
    assert "Lines 1 and 3 become one line: 16-2000 SUB" in shown
    assert "$3.50" in shown
    assert "The total stays $13.50" in shown
    assert len(page.find_all("input", {"name": "phase_code"})) == 3
    assert load(returned.id).version == returned.version


def test_combining_saves_and_is_recorded(client, dee, returned):
    form = typed(returned, {"amount": "1.00"}, {"phase_code": "B"}, {"phase_code": "162000", "amount": "2.50"})

    answer = sign_in(client, dee).post(editing(returned), data=form | {"combine": "now"})

    assert answer.status_code == 303
    now = load(returned.id)
    assert [(line.phase_code, line.amount) for line in now.lines] == [("16-2000", Decimal("3.50")), ("B", Decimal("10.00"))]
    assert now.amount == Decimal("13.50")
    page = client.get(f"/change-orders/{returned.id}").text
    assert "Dee Sørensen combined lines 1, 3." in page


def test_where_nothing_repeats_combining_says_so(client, dee, returned):
    answer = sign_in(client, dee).post(editing(returned), data=typed(returned) | {"combine": "now"})

    assert answer.status_code == 422
    assert "No two lines use the same cost code, cost type and bid item." in answer.text
    assert load(returned.id).version == returned.version


def test_combining_over_somebody_elses_save_changes_nothing(client, dee, returned):
    sending.edit(returned.id, dee, returned.version, sending.Draft("001", "First", "", [sending.LineDraft("1", "SUB", Decimal(1))]))

    answer = sign_in(client, dee).post(editing(returned), data=typed(returned, {}, {}) | {"combine": "now"})

    assert answer.status_code == 409
    assert load(returned.id).title == "First"


@pytest.mark.parametrize(
    ("status", "reasons"),
    [
        ("draft", {"Retrieve from ERP": "Nothing to retrieve: accounting doesn’t have it."}),
        (
            "ready",
            {"Re-send to ERP": "It waits in accounting. Retrieve it to change it.", "Void": "It waits in accounting. Retrieve it first."},
        ),
        (
            "exported",
            dict.fromkeys(["Re-send to ERP", "Retrieve from ERP", "Void"], "Accounting has answered: it is Exported."),
        ),
        ("void", dict.fromkeys(["Send to ERP", "Retrieve from ERP", "Void"], "It is void for good.")),
    ],
)
def test_a_button_that_cannot_be_pressed_says_why_beside_it(client, dee, make_change_order, status, reasons):
    page = soup(sign_in(client, dee).get(editing(make_change_order(status))))

    disabled = page.main.find_all("button", disabled=True)
    assert {words(button): words(page.find(id=button["aria-describedby"])) for button in disabled} == reasons


def test_who_did_not_write_it_reads_who_can_void_it(client, make_user, make_change_order, job):
    other = make_user("Tom Adler")
    Membership.create(user=other, job=job)

    page = soup(sign_in(client, other).get(editing(make_change_order("draft"))))

    assert words(page.find(id="why-not-void")) == "Only the person who wrote it, or an administrator, can void it."


def test_an_amount_that_cannot_be_read_is_not_called_zero(client, dee, returned):
    page = soup(sign_in(client, dee).post(f"/change-orders/{returned.id}/findings", data=typed(returned, {"amount": "x"})))

    assert [item["data-at"] for item in page.select("li")] == ["amount-1"]
