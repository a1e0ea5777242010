"""The buttons and forms of what is on its way, in trouble, exported, or with the project: who is offered which, and every refusal."""

from datetime import UTC, datetime

import pytest

from portal.domain import events
from portal.domain.change_orders import Status, load
from portal.domain.companies import REPLACES
from portal.domain.people import User
from portal.domain.recovery import resolutions
from portal.spectrum.records import OutcomeUnknown
from tests.cast import export, signed
from tests.conftest import HTMX, path_of, sign_in
from tests.pages import soup, words
from tests.today import ZONE


def path(change_order, place):
    return f"/change-orders/{change_order.id}/{place}"


def seen(change_order, **fields):
    return {"version": change_order.version, **fields}


def buttons(tag):
    return [words(button) for button in tag.find_all("button")]


NOON = datetime(2026, 11, 23, 18, tzinfo=UTC)  # in the company's zone: far from midnight, when a time of day gets its day
OFFERED = [
    ("queued", "ana", ["Recall"]),
    ("queued", "lee", []),
    ("queued", "eve", ["Recall"]),
    ("failed", "ben", []),
    ("failed", "sam", []),
    ("failed", "ana", ["Retry", "Review again", "Reject"]),
    ("failed", "ada", ["Retry", "Review again", "Reject", "Mark as entered by hand"]),
    ("unknown", "ana", ["It is in Spectrum"]),
    ("unknown", "eve", []),
    ("exported", "ana", []),
    ("exported", "ada", ["Unlink"]),
]


@pytest.mark.parametrize(("status", "who", "offered"), OFFERED)
def test_a_row_offers_what_its_person_may_do(client, make_change_order, request, status, who, offered):
    one = make_change_order(status)

    row = soup(sign_in(client, request.getfixturevalue(who)).get(path(one, "row"), headers=HTMX)).tr

    assert buttons(row) == offered


def test_not_there_is_offered_after_the_quiet_window_and_until_then_its_time(client, ana, make_change_order, clock):
    clock.set(NOON)
    one = make_change_order("unknown")
    sign_in(client, ana)
    early = soup(client.get(path(one, "row"), headers=HTMX)).tr
    clock.tick(minutes=15)

    late = soup(client.get(path(one, "row"), headers=HTMX)).tr

    assert "You can choose “It is not there” from 1" in words(early)
    assert buttons(late) == ["It is in Spectrum", "It is not there"]


def test_support_sees_retry_where_the_company_allows_it_and_the_data_are_fine(client, sam, company, make_change_order):
    company.support_may_retry = True
    company.save()
    one = make_change_order("failed")  # its class is data

    answer = sign_in(client, sam).post(path(one, "retry"), data=seen(one), headers=HTMX)

    assert answer.status_code == 403
    assert "The data must change first" in words(soup(answer).tr)


def test_recall_brings_the_buttons_back(client, ana, make_change_order):
    one = make_change_order("queued")

    answer = sign_in(client, ana).post(path(one, "recall"), data=seen(one), headers=HTMX)

    assert answer.status_code == 200
    row = soup(answer).tr
    assert buttons(row) == ["Accept", "Reject"]
    assert row["data-say"] == "CCO 001 of SC-014 recalled: it is ready to be decided again."
    assert row["data-focus"] == f"#cco-{one.id}"


def test_who_comes_too_late_to_recall_sees_how_it_stands(client, ana, make_change_order):
    one = make_change_order("exported")

    answer = sign_in(client, ana).post(path(one, "recall"), data={"version": one.version - 2}, headers=HTMX)

    assert answer.status_code == 409
    assert "Nothing was recorded. Accepted by Ana Ortiz" in words(soup(answer).tr)


def test_retry_queues_again_and_the_second_approver_is_told(client, ana, lee, make_change_order):
    one = make_change_order("failed")
    first = sign_in(client, ana).post(path(one, "retry"), data=seen(one), headers=HTMX)

    second = sign_in(client, lee).post(path(one, "retry"), data=seen(one), headers=HTMX)

    assert (first.status_code, second.status_code) == (200, 409)
    assert "Queued" in words(soup(first).tr)
    assert "Nothing was recorded. Ana Ortiz retried it at" in words(soup(second).tr)


def test_a_retry_that_a_rule_forbids_says_which(client, ana, vendor, make_change_order):
    one = make_change_order("failed")
    vendor.code = ""
    vendor.save()

    answer = sign_in(client, ana).post(path(one, "retry"), data=seen(one), headers=HTMX)

    assert answer.status_code == 422
    assert "has no Spectrum vendor code" in words(soup(answer).tr)
    assert soup(answer).tr["data-focus"] == f"#error-{one.id}"


def test_the_reason_to_reject_a_failed_one_is_prefilled_with_its_error(client, ana, make_change_order):
    one = make_change_order("failed")

    form = soup(sign_in(client, ana).get(path(one, "rejection"), headers=HTMX))

    assert "Phase is not on the job" in form.find("textarea", {"name": "reason"}).text
    assert not form.find("input", {"name": "removed"})


def test_a_failed_one_is_rejected(client, ana, make_change_order):
    one = make_change_order("failed")

    answer = sign_in(client, ana).post(path(one, "rejection"), data=seen(one, reason="Wrong phase"), headers=HTMX)

    assert answer.status_code == 200
    assert load(one.id).state is Status.REJECTED


def test_lines_in_spectrum_want_a_tick(client, ana, ada, make_change_order, clock):
    one = make_change_order("unknown", lines=[("16-2000", "SUB", "1.00"), ("16-2100", "SUB", "2.00")])
    resolutions.mark_present(one.id, ana, one.version, "S014-001", "seen")
    one = load(one.id)
    sign_in(client, ana)

    without = client.post(path(one, "rejection"), data=seen(one, reason="Wrong phase"), headers=HTMX)
    ticked = client.post(path(one, "rejection"), data=seen(one, reason="Wrong phase", removed="on"), headers=HTMX)

    assert (without.status_code, ticked.status_code) == (422, 200)
    box = soup(without).find("input", {"name": "removed"})
    assert soup(without).find("label", {"for": box["id"]})
    assert soup(without).find("a", href=f"#{box['id']}")
    assert load(one.id).state is Status.REJECTED


def test_what_spectrum_shows_is_recorded_with_its_note(client, ana, make_change_order):
    one = make_change_order("unknown")
    form = soup(sign_in(client, ana).get(f"{path(one, 'resolution')}?answer=present", headers=HTMX))

    answer = client.post(path(one, "resolution"), data=seen(one, answer="present", number="S014-001", note="In the CR list"), headers=HTMX)

    assert form.find("input", {"name": "number"})["value"] == ""
    assert answer.status_code == 200
    assert load(one.id).state is Status.EXPORTED
    assert "In the CR list" in words(soup(answer).tr)


def test_a_wrong_number_brings_the_form_back_with_what_was_typed(client, ana, make_change_order):
    one = make_change_order("unknown")

    answer = sign_in(client, ana).post(
        path(one, "resolution"), data=seen(one, answer="present", number="S099-1", note="In the CR list"), headers=HTMX
    )

    assert answer.status_code == 422
    assert soup(answer).tr["data-focus"] == f"#problem-{one.id}"
    assert soup(answer).find("input", {"name": "number"})["value"] == "S099-1"
    assert "In the CR list" in soup(answer).find("textarea").text


def test_not_there_too_early_comes_back(client, ana, make_change_order):
    one = make_change_order("unknown")

    answer = sign_in(client, ana).post(path(one, "resolution"), data=seen(one, answer="absent", note="Not in the list"), headers=HTMX)

    assert answer.status_code == 422
    assert "Spectrum may still be processing it" in words(soup(answer))


@pytest.mark.parametrize(
    ("server", "replaces", "said"),
    [
        ("simulator", False, "The portal will check Spectrum at "),
        ("", True, "The portal will send it again at "),
        ("", False, "The portal has no read access to Spectrum. Someone in accounting must look up S014-001."),
    ],
)
def test_the_portal_says_what_it_does_about_a_doubt_only_where_it_can(
    make_app, ana, make_change_order, company, clock, server, replaces, said
):
    clock.set(clock.now().astimezone(ZONE).replace(hour=12).astimezone(UTC))  # what comes next comes on the same day
    company.resending = REPLACES if replaces else ""
    company.save()
    one = make_change_order("unknown")

    page = words(soup(sign_in(make_app(INFOLINK_SERVER=server).test_client(), ana).get("/change-orders?view=failed")))

    assert said in page
    assert ("The portal will" in page) is (server != "" or replaces)
    assert "Spectrum may still be processing it. You can choose “It is not there” from " in page
    assert load(one.id).state is Status.UNKNOWN


def test_not_there_is_failed(client, ana, make_change_order, clock):
    one = make_change_order("unknown")
    clock.tick(minutes=16)

    answer = sign_in(client, ana).post(path(one, "resolution"), data=seen(one, answer="absent", note="Not in the list"), headers=HTMX)

    assert answer.status_code == 200
    assert {"Retry", "Reject"} <= set(buttons(soup(answer).tr))
    assert "No line is in Spectrum." in words(soup(answer).tr)


@pytest.mark.parametrize("answer", ["", "maybe"])
def test_an_answer_that_is_none_is_refused(client, ana, make_change_order, answer):
    one = make_change_order("unknown")
    sign_in(client, ana)

    assert client.get(f"{path(one, 'resolution')}?answer={answer}").status_code == 400
    assert client.post(path(one, "resolution"), data=seen(one, answer=answer, note="x")).status_code == 400


def test_the_note_of_who_came_too_late_is_not_lost(client, ana, lee, make_change_order):
    one = make_change_order("unknown")
    resolutions.mark_present(one.id, lee, one.version, "S014-001", "seen")

    answer = sign_in(client, ana).post(path(one, "resolution"), data=seen(one, answer="absent", note="Not in the list"), headers=HTMX)

    assert answer.status_code == 409
    assert "Lee Nakamura said that it is in Spectrum as S014-001" in words(soup(answer).tr)
    assert "You had written: “Not in the list”" in words(soup(answer).tr)


def test_entered_by_hand_is_manual_in_every_list(client, ada, make_change_order):
    one = make_change_order("failed")
    form = soup(sign_in(client, ada).get(path(one, "manual-entry"), headers=HTMX))

    answer = client.post(path(one, "manual-entry"), data=seen(one, number="S014-001", note="Typed by Kim"), headers=HTMX)

    assert form.find("input", {"name": "number"})["value"] == "S014-001"
    assert answer.status_code == 200
    assert soup(client.get("/change-orders?view=exported")).find("span", string="manual")


def test_unlinking_wants_the_number(client, ada, make_change_order):
    one = make_change_order("exported")
    sign_in(client, ada)

    wrong = client.post(path(one, "unlinking"), data=seen(one, number="S014"), headers=HTMX)
    right = client.post(path(one, "unlinking"), data=seen(one, number="S014-001"), headers=HTMX)

    assert (wrong.status_code, right.status_code) == (422, 200)
    assert "Retrieved" in words(soup(right).tr)


@pytest.mark.parametrize(
    ("place", "status", "button"),
    [
        ("resolution?answer=present", "unknown", "present"),
        ("resolution?answer=absent", "unknown", "absent"),
        ("manual-entry", "failed", "manual"),
        ("unlinking", "exported", "unlink"),
        ("retry", "failed", "retry"),
        ("rejection", "failed", "reject"),
    ],
)
def test_a_form_is_a_page_without_javascript_and_cancel_leads_back_to_its_button(
    client, ada, make_change_order, clock, place, status, button
):
    one = make_change_order(status)
    clock.tick(minutes=16)
    sign_in(client, ada)

    page = soup(client.get(path(one, place)))
    cancel = page.find("form", id=f"cancel-{one.id}")
    row = soup(client.get(cancel["hx-get"], headers=HTMX)).tr

    assert page.html
    assert page.find("form", {"method": "post", "class": "decision"})
    assert row["data-focus"] == f"#{button}-{one.id}"
    assert row.find("button", id=f"{button}-{one.id}")


@pytest.mark.parametrize("place", ["resolution?answer=present", "manual-entry", "unlinking"])
def test_a_form_in_another_state_is_refused(client, ada, change_order, place):
    assert sign_in(client, ada).get(path(change_order, place), headers=HTMX).status_code == 409


def test_a_form_for_somebody_who_may_not_is_refused(client, ana, make_change_order):
    one = make_change_order("exported")

    assert sign_in(client, ana).get(path(one, "unlinking"), headers=HTMX).status_code == 403


@pytest.mark.parametrize("place", ["recall", "retry", "resolution", "manual-entry", "unlinking", "retrieval", "void"])
@pytest.mark.parametrize("version", ["", "x", "99999999999"])
def test_a_form_without_a_version_records_nothing(client, ada, change_order, place, version):
    answer = sign_in(client, ada).post(path(change_order, place), data={"version": version, "answer": "present"})

    assert answer.status_code == 400
    assert load(change_order.id).state is Status.READY


def test_without_javascript_a_retry_leads_back_to_the_list(client, ana, make_change_order):
    one = make_change_order("failed")

    answer = sign_in(client, ana).post(path(one, "retry"), data=seen(one))

    assert answer.status_code == 303
    assert path_of(answer.location) == f"/change-orders?view=failed#change-order-{one.id}"
    assert "CCO 001 of SC-014 queued again." in client.get("/change-orders?view=failed").text


def test_a_privilege_taken_away_between_page_and_click_counts(client, ana, make_change_order):
    one = make_change_order("failed")
    sign_in(client, ana)
    User.update(can_push=False).where(User.id == ana.id).execute()

    answer = client.post(path(one, "retry"), data=seen(one), headers=HTMX)

    assert answer.status_code == 403
    assert load(one.id).state is Status.FAILED


def test_a_member_of_the_job_retrieves_what_waits_on_its_edit_page(client, dee, change_order):
    page = soup(sign_in(client, dee).get(path(change_order, "edit")))

    answer = client.post(page.find("button", string="Retrieve from ERP").find_parent("form")["action"], data=seen(change_order))

    assert path_of(answer.location) == path(change_order, "edit")
    assert load(change_order.id).state is Status.RETRIEVED
    assert "CCO 001 retrieved." in client.get(path(change_order, "edit")).text


def test_what_was_answered_meanwhile_is_not_retrieved(client, dee, ana, change_order):
    signed(change_order.id, by=ana, version=change_order.version)

    answer = sign_in(client, dee).post(path(change_order, "retrieval"), data=seen(change_order))

    assert answer.status_code == 409
    assert "Nothing was recorded. Accepted by Ana Ortiz" in words(soup(answer).main)


def test_an_administrator_retrieves_on_the_page_of_the_change_order(client, eve, change_order):
    page = soup(sign_in(client, eve).get(f"/change-orders/{change_order.id}"))

    answer = client.post(page.find("button", string="Retrieve from ERP").find_parent("form")["action"], data=seen(change_order))

    assert answer.status_code == 303
    assert load(change_order.id).state is Status.RETRIEVED


def test_a_draft_is_voided_on_its_edit_page(client, dee, make_change_order):
    draft = make_change_order("draft")
    page = soup(sign_in(client, dee).get(path(draft, "edit")))

    answer = client.post(page.find("button", string=f"Void CCO {draft.number} of SC-014").find_parent("form")["action"], data=seen(draft))

    assert path_of(answer.location) == "/jobs"
    assert load(draft.id).state is Status.VOID


@pytest.mark.parametrize("place", ["retrieval", "void"])
def test_a_stranger_learns_nothing_about_the_change_order(client, make_user, change_order, place):
    answer = sign_in(client, make_user("Nora Vale")).post(path(change_order, place), data=seen(change_order))

    assert answer.status_code == 403
    assert change_order.title not in answer.text
    assert load(change_order.id).state is Status.READY


def test_the_history_tells_every_step(client, ana, ada, make_change_order, clock):
    one = make_change_order("unknown")
    clock.tick(minutes=16)
    resolutions.mark_absent(one.id, ana, one.version, "Not in the list")
    resolutions.mark_entered_manually(one.id, ada, load(one.id).version, "S014-001", "Typed by Kim")
    resolutions.unlink(one.id, ada, load(one.id).version, "S014-001")

    page = soup(sign_in(client, ana).get(f"/change-orders/{one.id}"))

    told = [words(item.p) for item in page.select("ol.history li")]
    assert told[-3:] == [
        "Ana Ortiz said that it is not in Spectrum.",
        "Ada Quist marked it as entered by hand as S014-001.",
        "Ada Quist unlinked it from S014-001 in Spectrum.",
    ]
    assert "Not found in Spectrum by Ana Ortiz" in words(page.main)


def test_the_row_of_an_unknown_outcome_says_what_came(client, ana, make_change_order):
    one = make_change_order("queued")
    export(one, OutcomeUnknown("Spectrum reported an internal error (HTTP 502). The answer was a web page titled “Bad Gateway”.", http=502))

    row = words(soup(sign_in(client, ana).get("/change-orders?view=failed")).select_one("tbody tr"))

    assert "The answer was a web page titled “Bad Gateway”." in row
    assert "heard back" not in row


def test_why_the_outcome_was_unknown_stays_to_be_read_after_it_is_not_there(client, ana, make_change_order, clock):
    one = make_change_order("unknown")
    why = events.history("change_order", one.id)[-1].facts["text"]
    clock.tick(minutes=16)
    resolutions.mark_absent(one.id, ana, one.version, "Not in the list")

    row = words(soup(sign_in(client, ana).get("/change-orders?view=failed")).select_one("tbody tr"))

    assert "Not in the list" in row
    assert why in row
    resolutions.retry(one.id, ana, load(one.id).version)
    assert why not in words(soup(client.get(path(one, "row"), headers=HTMX)).tr)
