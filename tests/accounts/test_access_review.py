"""Administrators and auditors look through the people: who can decide, who granted what when, who left; on the page and as CSV."""

import csv
import io
import re
from datetime import timedelta

import pytest

from portal.domain import events, outbox, people
from portal.domain.accounts import api_tokens, request_privilege, rights
from portal.domain.accounts.identities import Identity
from portal.domain.lanes import MAIL
from portal.domain.outbox import Dispatch
from portal.domain.people import Level, Membership, User
from tests.conftest import HTMX, PASSWORD, count_queries, sign_in
from tests.pages import soup, words

pytestmark = pytest.mark.databases_differ("constraints and triggers")

PEOPLE = "/settings/people"


@pytest.fixture
def admin(client, eve):
    return sign_in(client, eve)


def names(answer):
    return [row.th.get_text() for row in soup(answer).find_all("tr", id=re.compile("^person-"))]


def table(answer):
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))


def test_one_press_shows_who_can_decide(admin, ana, ben, lee, sam, make_user):
    make_user("Gus Hall", level=Level.READ_ONLY, can_push=True)
    make_user("Hal Left", level=Level.STANDARD, can_push=True, active=False)

    shown = soup(admin.get(PEOPLE)).find("nav", attrs={"aria-label": "Show"}).find("a", string="Can decide")

    assert shown["href"] == f"{PEOPLE}?show=decide"
    assert names(admin.get(shown["href"])) == ["Ana Ortiz", "Lee Nakamura"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Ana Ortiz", "Ben Okafor", "Dee Sørensen", "Eve Laurent"]),
        ("q=ANA", ["Ana Ortiz"]),
        ("q=s%C3%98r", ["Dee Sørensen"]),
        ("q=ben%40example", ["Ben Okafor"]),
        ("q=%25", []),
        ("q=_", []),
        ("level=Read+Only", ["Ben Okafor"]),
        ("level=None", ["Dee Sørensen"]),
        ("q=e&level=Admin", ["Eve Laurent"]),
        ("q=ben&show=decide", []),
    ],
)
def test_text_and_level_find_people_under_an_address_to_share(admin, ana, ben, dee, query, found):
    assert names(admin.get(f"{PEOPLE}?{query}")) == found
    assert [row["Name"] for row in table(admin.get(f"{PEOPLE}.csv?{query}"))] == found


def test_who_asked_is_shown(admin, ben, sam):
    request_privilege.ask(sam)

    assert names(admin.get(f"{PEOPLE}?show=asked")) == ["Sam Ito"]


def test_who_was_not_active_for_90_days_is_shown_but_no_new_or_closed_account(admin, make_user, clock):
    now = clock.now()
    make_user("Old Hand", level=Level.STANDARD, created_at=now - timedelta(days=2500), last_active_at=now - timedelta(days=2000))
    make_user("Never Came", level=Level.STANDARD, created_at=now - timedelta(days=2500))
    make_user("Left Long", level=Level.STANDARD, created_at=now - timedelta(days=2500), active=False)
    make_user("Just Made", level=Level.STANDARD)

    assert names(admin.get(f"{PEOPLE}?show=idle")) == ["Never Came", "Old Hand"]


def test_deactivated_accounts_are_shown_apart(admin, ben, make_user):
    make_user("Gus Hall", active=False)

    assert names(admin.get(f"{PEOPLE}?show=closed")) == ["Gus Hall"]


def test_nobody_found_says_so_and_leads_on(admin):
    page = soup(admin.get(f"{PEOPLE}?q=nobody+at+all"))

    assert "No one matches these filters." in words(page.main)
    assert page.find("a", string="Show everyone")["href"] == PEOPLE


@pytest.mark.parametrize("query", ["level=Boss", "show=x", "show=decide%00"])
@pytest.mark.parametrize("path", [PEOPLE, f"{PEOPLE}.csv"])
def test_a_filter_that_is_none_is_a_404(admin, query, path):
    assert admin.get(f"{path}?{query}").status_code == 404


def test_the_filter_stays_in_the_form_and_in_the_links(admin, ana):
    page = soup(admin.get(f"{PEOPLE}?q=ana&level=Standard&show=decide"))

    assert page.find(id="q")["value"] == "ana"
    assert page.find(id="level").find("option", selected=True).get_text() == "Standard"
    assert page.find("a", string="Deactivated")["href"] == f"{PEOPLE}?q=ana&level=Standard&show=closed"
    assert page.find("a", string="Download CSV")["href"] == f"{PEOPLE}.csv?q=ana&level=Standard&show=decide"


def test_the_row_says_who_granted_what_when(admin, ben, eve, clock):
    rights.set_level(ben.id, Level.STANDARD, by=eve)
    rights.set_privilege(ben.id, True)

    row = words(soup(admin.get(PEOPLE)).find(id=f"person-{ben.id}"))

    assert re.search(r"Level since \d\d:\d\d ?, given by Eve Laurent", row)
    assert re.search(r"Privilege since \d\d:\d\d ?, given by Command line", row)


def test_the_csv_says_who_holds_what_since_when_granted_by_whom(admin, ben, eve, job, clock):
    rights.set_level(ben.id, Level.STANDARD, by=eve)
    rights.set_privilege(ben.id, True)
    Membership.create(user=ben, job=job)
    now = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    row = next(row for row in table(admin.get(f"{PEOPLE}.csv")) if row["Name"] == "Ben Okafor")

    assert row == {
        "Name": "Ben Okafor",
        "E-mail": "ben@example.test",
        "Account": "active",
        "Level": "Standard",
        "Level since (UTC)": now,
        "Level given by": "Eve Laurent",
        "Can Push to Accounting": "yes",
        "Privilege since (UTC)": now,
        "Privilege granted by": "Command line",
        "May decide": "yes",
        "Jobs": "24-117",
        "Last active (UTC)": "",
        "Signs in with": "password",
        "Access tokens": "",
        "Account made (UTC)": now,
        "Account made by": "",
        "Deactivated (UTC)": "",
        "Deactivated by": "",
        "Effective rights": "Sees everything, looks after failed exports, accepts, rejects and retries.",
    }


def test_the_csv_says_how_each_account_is_used_who_made_it_and_who_ended_it(admin, ben, eve, job, clock):
    admin.post(PEOPLE, data=NEW)
    gus = people.find("gus@example.test")
    Identity.create(issuer="https://id.example.test", subject="gus", user=gus)
    for name in ("Zeta", "Feeder"):
        api_tokens.make(name, gus.id, {api_tokens.Scope.READ}, None, eve)
    revoked, _ = api_tokens.make("Old", gus.id, {api_tokens.Scope.READ}, None, eve)
    api_tokens.revoke(revoked.id, eve)
    rights.set_active(ben.id, False, by=eve)
    asked = ("Signs in with", "Access tokens", "Account made by", "Deactivated (UTC)", "Deactivated by")

    told = {row["Name"]: [row[column] for column in asked] for row in table(admin.get(f"{PEOPLE}.csv"))}

    assert told["Gus Hall"] == ["identity provider", "Feeder, Zeta", "Eve Laurent", "", ""]
    assert told["Ben Okafor"] == ["password", "", "", clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"), "Eve Laurent"]


def test_the_csv_asks_the_database_as_often_for_many_people_as_for_few(admin, make_user):
    with count_queries() as few:
        admin.get(f"{PEOPLE}.csv")
    for n in range(6):
        make_user(f"Approver {n}", level=Level.STANDARD, can_push=True)
    with count_queries() as many:
        admin.get(f"{PEOPLE}.csv")

    assert len(many) == len(few)


def test_a_privilege_that_was_taken_away_has_no_since(admin, ana, eve):
    rights.set_privilege(ana.id, False, by=eve)

    row = next(row for row in table(admin.get(f"{PEOPLE}.csv")) if row["Name"] == "Ana Ortiz")

    assert (row["Can Push to Accounting"], row["Privilege since (UTC)"], row["May decide"]) == ("no", "", "no")


def test_no_cell_of_the_csv_is_a_formula(admin, database):
    User.create(name="=HYPERLINK(1)", email="+evil@example.test", handle="+evil@example.test", level=Level.READ_ONLY, can_push=True)

    row = table(admin.get(f"{PEOPLE}.csv"))[0]

    assert (row["Name"], row["E-mail"], row["Can Push to Accounting"]) == ("'=HYPERLINK(1)", "'+evil@example.test", "inactive")


def test_an_account_is_deactivated_after_a_second_press_and_its_sessions_end(admin, ben, app):
    elsewhere = sign_in(app.test_client(), ben)
    row = soup(admin.get(PEOPLE)).find(id=f"person-{ben.id}")
    assert "Ben Okafor is signed out at once and cannot sign in." in words(row.find("details"))

    answer = admin.post(f"{PEOPLE}/{ben.id}/deactivation", headers=HTMX)

    assert answer.status_code == 200
    assert "Deactivated: cannot sign in." in words(soup(answer))
    assert soup(answer).tr["data-focus"] == f"#account-{ben.id}"
    assert elsewhere.get("/change-orders").status_code == 303
    assert app.test_client().post("/login", data={"email": ben.email, "password": PASSWORD}).status_code != 303
    assert events.history("user", ben.id)[-1].action == "account closed"


def test_a_deactivated_account_is_reactivated_with_the_rights_it_had(admin, ana):
    admin.post(f"{PEOPLE}/{ana.id}/deactivation")
    row = soup(admin.get(PEOPLE)).find(id=f"person-{ana.id}")
    assert "Ana Ortiz can sign in again, with level Standard and Can Push to Accounting." in words(row.find("details"))

    answer = admin.post(f"{PEOPLE}/{ana.id}/reactivation")

    assert (answer.status_code, answer.location) == (303, f"{PEOPLE}#person-{ana.id}")
    assert people.by_id(ana.id).may_decide


def test_nobody_deactivates_themselves(admin, eve):
    answer = admin.post(f"{PEOPLE}/{eve.id}/deactivation")

    assert answer.status_code == 403
    assert "You can’t change your own rights." in answer.text
    assert people.by_id(eve.id).active


def test_the_switch_for_somebody_below_standard_offers_to_raise_the_level(admin, ben):
    answer = admin.post(f"{PEOPLE}/{ben.id}/privilege", data={"can_push": "on"}, headers=HTMX)
    button = soup(answer).find("button", attrs={"aria-label": "Raise Ben Okafor to Standard"})

    admin.post(button.find_parent("form")["action"], data={button["name"]: button["value"]})

    assert people.by_id(ben.id).may_decide


def test_the_last_ten_changes_stand_below_with_who_and_when(admin, ben, eve):
    for n in range(12):
        rights.set_privilege(ben.id, n % 2 == 0, by=eve)
    events.record("user", ben.id, "daily summary declined", ben)

    latest = soup(admin.get(PEOPLE)).find(class_="latest")

    rows = [words(row) for row in latest.find("tbody").find_all("tr")]
    assert len(rows) == 10
    assert "Eve Laurent Privilege removed" in rows[0]
    assert latest.find("a", string="The full log")["href"] == "/settings/audit?subject=user"


def test_each_person_s_events_are_one_press_away(admin, ben):
    row = soup(admin.get(PEOPLE)).find(id=f"person-{ben.id}")

    assert row.find("a", string="Events")["href"] == f"/settings/audit?person={ben.id}"


NEW = {"name": "Gus Hall", "email": "gus@example.test", "level": "Standard", "can_push": "on", "jobs": "24-117, 24-117"}


def test_a_person_is_added_with_jobs_and_gets_mail_to_choose_a_password(admin, eve, job):
    answer = admin.post(PEOPLE, data=NEW)

    gus = people.find("gus@example.test")
    assert (answer.status_code, answer.location) == (303, f"{PEOPLE}#person-{gus.id}")
    assert (gus.name, gus.may_decide, gus.is_member_of(job), gus.password) == ("Gus Hall", True, True, None)
    assert [event.action for event in events.history("user", gus.id)][:2] == ["account created", "job joined"]
    assert {event.actor for event in events.history("user", gus.id)} == {eve}
    assert Dispatch.select().where(Dispatch.lane == MAIL, Dispatch.task == outbox.Task.LINK).count() == 1
    assert "leads to choosing a password" in admin.get(PEOPLE).text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"email": "nobody"}, "An e-mail address has a name, an @ and a domain"),
        ({"email": "EVE@example.test"}, "There is already an account with the address EVE@example.test."),
        ({"name": ""}, "A name has 1 to 100 characters, letters among them."),
        ({"level": "Boss"}, "Choose a level from the list."),
        ({"jobs": "24-117, 99-999"}, "There is no job 99-999."),
    ],
)
def test_what_is_wrong_with_a_new_person_is_told_and_nothing_is_recorded(admin, job, wrong, sentence):
    answer = admin.post(PEOPLE, data=NEW | wrong)

    assert answer.status_code == 422
    add = soup(answer).find(id="add")
    assert sentence in words(add)
    assert f"No one was added. {sentence}" in words(soup(answer).find(class_="alert"))
    assert soup(answer).select("tbody .error") == []
    assert (add.has_attr("open"), add.find(id="name")["value"]) == (True, (NEW | wrong)["name"])
    assert User.select().where(User.name == "Gus Hall").count() == 0
    assert Dispatch.select().count() == 0


def test_who_is_added_twice_at_the_same_moment_is_there_once_and_the_second_form_says_so(admin, eve, job, monkeypatch):
    monkeypatch.setattr(people, "find", lambda _: None)  # the other one is not there yet when we look

    answer = admin.post(PEOPLE, data=NEW | {"email": eve.email})

    assert answer.status_code == 422
    assert f"No one was added. There is already an account with the address {eve.email}." in words(soup(answer).find(class_="alert"))
    assert User.select().where(User.name == "Gus Hall").count() == 0


def test_nobody_chooses_a_password_for_somebody_else(admin, job):
    admin.post(PEOPLE, data=NEW | {"password": PASSWORD})

    assert people.find("gus@example.test").password is None
