"""Levels and the privilege, changed by an administrator on the people page."""

import threading

import pytest
from bs4 import BeautifulSoup

from portal import db
from portal.domain import events, people
from portal.domain.accounts import rights
from portal.domain.people import Level, NotPermitted
from tests.conftest import HTMX, count_queries, sign_in
from tests.pages import words


@pytest.fixture
def admin(client, eve):
    return sign_in(client, eve)


def row(page, person):
    return BeautifulSoup(page, "html.parser").find(id=f"person-{person.id}")


def told(person):
    return [(event.action, event.facts["old"], event.facts["new"]) for event in events.history("user", person.id)]


def test_the_page_says_what_everybody_may_do(admin, ana, ben, dee, sam):
    page = admin.get("/settings/people").text

    assert "Sees everything, looks after failed exports, accepts, rejects and retries." in words(row(page, ana))
    assert "Sees all lists, details and history; changes nothing." in words(row(page, ben))
    assert "Works on the change orders of their jobs only." in words(row(page, dee))
    assert "Sees everything, looks after failed exports." in words(row(page, sam))
    assert "never" in words(row(page, sam))


def test_a_new_level_replaces_the_row_and_is_said(admin, ben, eve, clock):
    answer = admin.post(f"/settings/people/{ben.id}/level", data={"level": "Standard"}, headers=HTMX)

    assert answer.status_code == 200
    found = row(answer.text, ben)
    assert found.find("option", selected=True).get_text() == "Standard"
    assert found["data-say"].startswith("Saved ")
    assert found["data-focus"] == f"#level-{ben.id}"
    assert people.by_id(ben.id).level == Level.STANDARD
    assert told(ben) == [("level changed", "Read Only", "Standard")]
    assert events.history("user", ben.id)[-1].actor == eve


def test_the_privilege_is_granted_and_removed(admin, sam):
    answer = admin.post(f"/settings/people/{sam.id}/privilege", data={"can_push": "on"}, headers=HTMX)
    assert "accepts, rejects and retries" in words(row(answer.text, sam))
    assert people.by_id(sam.id).may_decide

    answer = admin.post(f"/settings/people/{sam.id}/privilege", headers=HTMX)
    assert not people.by_id(sam.id).may_decide

    assert told(sam) == [("privilege granted", False, True), ("privilege removed", True, False)]


def test_a_change_to_what_it_is_already_is_no_event(admin, ben):
    assert admin.post(f"/settings/people/{ben.id}/level", data={"level": "Read Only"}, headers=HTMX).status_code == 200

    assert told(ben) == []


def test_the_privilege_below_standard_is_kept_shown_as_inactive_and_says_what_to_do(admin, ben):
    answer = admin.post(f"/settings/people/{ben.id}/privilege", data={"can_push": "on"}, headers=HTMX)

    assert answer.status_code == 200
    assert "‘Can Push to Accounting’ is inactive below Standard." in words(row(answer.text, ben))
    assert "Needs at least Standard." in words(row(answer.text, ben))
    assert people.by_id(ben.id).can_push
    assert not people.by_id(ben.id).may_decide


def test_without_script_the_form_leads_back_to_the_person(admin, ben):
    answer = admin.post(f"/settings/people/{ben.id}/level", data={"level": "Standard"})

    assert (answer.status_code, answer.location) == (303, f"/settings/people#person-{ben.id}")
    assert "Ben Okafor: Sees everything, looks after failed exports." in admin.get("/settings/people").text


def test_one_s_own_row_has_no_controls_and_says_why(admin, eve, ben):
    page = admin.get("/settings/people").text

    assert row(page, eve).find("form") is None
    assert "You can’t change your own rights" in words(row(page, eve))
    assert len(row(page, ben).find_all("form")) == 4


@pytest.mark.parametrize(("path", "data"), [("level", {"level": "Standard"}), ("privilege", {"can_push": "on"})])
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_nobody_changes_their_own_rights_even_with_a_form_of_their_own(admin, eve, path, data, headers):
    answer = admin.post(f"/settings/people/{eve.id}/{path}", data=data, headers=headers)

    assert answer.status_code == 403
    assert "You can’t change your own rights. Ask another administrator." in answer.text
    assert (people.by_id(eve.id).level, people.by_id(eve.id).can_push) == (Level.ADMIN, False)


def test_what_could_not_be_done_stands_in_the_row_of_whom_it_concerns_and_in_no_other(admin, ben, sam):
    page = admin.post(f"/settings/people/{ben.id}/level", data={"level": "Boss"}).text

    assert "Choose a level from the list." in words(row(page, ben))
    assert [one["id"] for one in BeautifulSoup(page, "html.parser").select("tbody tr:has(.error)")] == [f"person-{ben.id}"]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_last_active_admin_is_not_lowered(admin, eve, make_user, headers):
    fay = make_user("Fay Wong", level=Level.ADMIN)
    eve.level = Level.STANDARD
    eve.save()
    admin_now = sign_in(admin, fay)
    make_user("Gus Hall", level=Level.ADMIN, active=False)

    with pytest.raises(rights.Refused, match=r"Fay Wong is the last active Admin. Make someone else Admin first."):
        rights.set_level(fay.id, Level.STANDARD)
    answer = admin_now.post(f"/settings/people/{fay.id}/level", data={"level": "None"}, headers=headers)

    assert answer.status_code == 403
    assert people.by_id(fay.id).level == Level.ADMIN


def test_the_last_admin_cannot_be_deactivated_either(eve):
    with pytest.raises(rights.Refused, match="last active Admin"):
        rights.set_active(eve.id, False)


def test_one_of_two_admins_can_be_lowered(admin, make_user):
    fay = make_user("Fay Wong", level=Level.ADMIN)

    assert admin.post(f"/settings/people/{fay.id}/level", data={"level": "Standard"}, headers=HTMX).status_code == 200


def test_of_two_admins_who_lower_each_other_at_once_one_stays(eve, make_user):
    fay = make_user("Fay Wong", level=Level.ADMIN)
    start, ends = threading.Barrier(2), []

    def lower(by, whom):
        with db.connected():
            start.wait()
            try:
                rights.set_level(whom.id, Level.STANDARD, by=by)
                ends.append("lowered")
            except (NotPermitted, rights.Refused):
                ends.append("refused")

    racers = [threading.Thread(target=lower, args=pair) for pair in ((eve, fay), (fay, eve))]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()

    assert sorted(ends) == ["lowered", "refused"]
    assert len(people.administrators()) == 1


def test_rights_to_change_rights_are_read_in_the_transaction(eve, ben):
    stale = people.by_id(eve.id)
    eve.level = Level.STANDARD
    eve.save()

    with pytest.raises(NotPermitted, match=r"Only an administrator changes rights."):
        rights.set_level(ben.id, Level.ADMIN, by=stale)


@pytest.mark.parametrize("level", ["", "Boss", "admin", "None ", "Ａdmin", "x" * 10_000, "<script>"])
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_level_that_is_none_is_refused_with_a_sentence(admin, ben, level, headers):
    answer = admin.post(f"/settings/people/{ben.id}/level", data={"level": level}, headers=headers)

    assert answer.status_code == 422
    assert "Choose a level from the list." in answer.text
    assert people.by_id(ben.id).level == Level.READ_ONLY


@pytest.mark.parametrize("id", ["0", "-1", "4711", "01", "1.0", "٣", "null", "999999999999999999", "9" * 400, "%00"])
@pytest.mark.parametrize("path", ["level", "privilege"])
def test_nobody_by_that_id_is_a_404(admin, id, path):
    assert admin.post(f"/settings/people/{id}/{path}", data={"level": "Standard"}, headers=HTMX).status_code == 404


def test_the_fragment_is_the_row_of_the_page(admin, ben):
    fragment = admin.post(f"/settings/people/{ben.id}/level", data={"level": "Standard"}, headers=HTMX).text
    said = row(fragment, ben)["data-say"]

    page = admin.get("/settings/people").text

    plain = fragment.replace(f' data-say="{said}" data-focus="#level-{ben.id}"', "")
    assert plain.strip() in page


def test_the_page_asks_the_database_as_often_for_many_as_for_few(admin, make_user):
    with count_queries() as few:
        admin.get("/settings/people")
    for n in range(40):
        make_user(f"Approver {n}")
    with count_queries() as many:
        page = admin.get("/settings/people").text

    assert "Approver 39" in page
    assert len(many) == len(few)


def test_an_approver_without_admin_sees_no_settings(client, ana):
    sign_in(client, ana)

    assert client.get("/settings/people").status_code == 403
    assert "/settings/people" not in client.get("/change-orders").text


def test_an_administrator_puts_people_on_jobs_and_takes_them_off(admin, ben, eve, job):
    address = f"/settings/people/{ben.id}/jobs"

    answer = admin.post(address, data={"job": " 24-117 "}, headers=HTMX)
    assert answer.status_code == 200
    assert row(answer.text, ben).find("button", value="24-117")["aria-label"] == "Take Ben Okafor off job 24-117"
    assert row(answer.text, ben)["data-focus"] == f"#job-{ben.id}"
    assert ben.is_member_of(job)

    answer = admin.post(f"{address}/removal", data={"job": "24-117"}, headers=HTMX)
    assert "none" in words(row(answer.text, ben).find(class_="jobs"))
    assert not ben.is_member_of(job)

    found = [(event.action, event.actor, event.facts) for event in events.history("user", ben.id)]
    assert found == [("job joined", eve, {"job": "24-117"}), ("job left", eve, {"job": "24-117"})]


def test_joining_twice_is_one_membership_and_one_event(admin, ben, job):
    for _ in range(2):
        assert admin.post(f"/settings/people/{ben.id}/jobs", data={"job": "24-117"}, headers=HTMX).status_code == 200

    assert len(events.history("user", ben.id)) == 1


@pytest.mark.parametrize("number", ["", "99-999", "x" * 5000, "24-117; DROP TABLE job", "\x00"])
@pytest.mark.parametrize("way", ["", "/removal"])
def test_a_job_that_is_none_is_refused_with_the_reason_and_what_was_typed(admin, ben, job, number, way):
    answer = admin.post(f"/settings/people/{ben.id}/jobs{way}", data={"job": number}, headers=HTMX)

    assert answer.status_code == 422
    assert "job" in words(row(answer.text, ben).find(class_="error"))
    assert row(answer.text, ben).find(id=f"job-{ben.id}")["value"] == ("" if way else number)
    assert events.history("user", ben.id) == []


@pytest.mark.parametrize("way", ["", "/removal"])
def test_nobody_puts_themselves_on_a_job_or_off_it(admin, eve, job, way):
    answer = admin.post(f"/settings/people/{eve.id}/jobs{way}", data={"job": "24-117"}, headers=HTMX)

    assert answer.status_code == 403
    assert "You can’t change your own rights." in answer.text
    assert not eve.is_member_of(job)


def test_without_htmx_the_page_comes_back_with_what_was_saved(admin, ben, job):
    answer = admin.post(f"/settings/people/{ben.id}/jobs", data={"job": "24-117"}, follow_redirects=True)

    assert row(answer.text, ben).find("button", value="24-117")
    assert admin.get("/settings/people").text.count('<option value="24-117">') == 1


@pytest.mark.parametrize(
    "name",
    ["Ana Ortiz", "ana  ortiz", "Ana Ort\u0456z", "\u0410na \u041ertiz", "An\u00e1 Ortiz", "Ana 0rtiz", "Ana\u200b Ortiz", "Ana Ortlz"],
)
def test_two_people_whose_names_look_alike_are_told_apart(admin, ana, ben, make_user, name):
    other = make_user(name, email="other@example.test")

    page = admin.get("/settings/people").text

    assert f"Looks like {name}, other@example.test" in row(page, ana).get_text()
    assert f"Looks like {ana.name}, {ana.email}" in row(page, other).get_text()
    assert "Looks like" not in row(page, ben).get_text()


def test_a_row_that_is_saved_still_tells_whom_it_looks_like(admin, ben, make_user):
    other = make_user(ben.name, email="other@example.test")

    answer = admin.post(f"/settings/people/{ben.id}/level", data={"level": "Standard"}, headers=HTMX)

    assert f"Looks like {other.name}, other@example.test" in row(answer.text, ben).get_text()


def test_a_closed_account_looks_like_nobody(admin, ana, make_user):
    make_user(ana.name, email="other@example.test", active=False)

    assert "Looks like" not in admin.get("/settings/people").text


def test_whoever_adds_a_person_with_a_name_like_anothers_is_told(admin, ana):
    form = {"name": ana.name.upper(), "email": "new@example.test", "level": "None"}

    page = admin.post("/settings/people", data=form, follow_redirects=True).text

    assert f"The name looks like that of {ana.name}, {ana.email}." in page
