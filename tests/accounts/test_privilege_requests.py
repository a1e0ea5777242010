"""Somebody who may not decide asks for Can Push to Accounting; an administrator grants or declines it; both sides get mail."""

import pytest
from bs4 import BeautifulSoup

from portal import db, mail, messages
from portal.domain import events, outbox, people
from portal.domain.accounts import privilege_requests, request_privilege, rights
from portal.domain.accounts.privilege_requests import PrivilegeRequest
from portal.domain.lanes import MAIL, Lane
from portal.domain.mail import letters
from portal.domain.mail.letters import LEASE
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import Level, NotPermitted, User
from tests.conftest import HTMX, count_queries, sign_in
from tests.pages import soup, words

pytestmark = pytest.mark.databases_differ("locks and races")

ASK = "/settings/privilege-requests"


@pytest.fixture
def admin(client, eve):
    return sign_in(client, eve)


def answer(client, request, how, **form):
    return client.post(f"{ASK}/{request.id}/answer", data={"answer": how} | form)


def told(person):
    return [event.action for event in events.history("user", person.id)]


@pytest.fixture
def posted(app, settings):
    """Sends what is promised; answers the mails as (recipient, subject, text), in the order of their promises."""
    with app.app_context():
        yield lambda: posted_with(settings)


def posted_with(settings):
    claim, sent = Lane.take(MAIL, LEASE), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mail, "send", lambda _, message: sent.append(message))
        for dispatch in Dispatch.select().where(Dispatch.task == Task.PRIVILEGE).order_by(Dispatch.id):
            notice = letters.begin(dispatch, claim)
            if notice:
                mail.send(settings, messages.privilege(settings, notice))
                outbox.finish(dispatch)
    Lane.release(MAIL, claim)
    return [(message["To"].addresses[0].display_name, message["Subject"], message.get_body(("plain",)).get_content()) for message in sent]


@pytest.mark.parametrize("view", ["ready", "failed"])
def test_where_the_buttons_are_missing_stands_why_and_a_way_to_ask(client, ben, eve, change_order, view):
    sign_in(client, ben)

    for page in (client.get(f"/change-orders?view={view}"), client.get(f"/change-orders/{change_order.id}"), client.get("/profile")):
        asking = soup(page).find(id="asking")
        assert "You have view-only access. To accept or reject, ask for Can Push to Accounting." in words(asking)
        assert words(asking.find("button")) == "Ask for it"


def test_an_approver_is_asked_nothing(client, ana, change_order):
    sign_in(client, ana)

    for path in ("/change-orders", f"/change-orders/{change_order.id}", "/profile"):
        assert soup(client.get(path)).find(id="asking") is None


def test_one_click_asks_and_the_page_then_says_so(client, ben, eve, clock):
    sign_in(client, ben)

    asked = client.post(ASK, headers=HTMX)

    assert asked.status_code == 200
    asking = soup(asked).find(id="asking")
    assert "You asked at" in words(asking)
    assert "Eve Laurent can grant it; you get mail." in words(asking)
    assert asking["data-focus"] == "#asking"
    assert asking.find("form") is None
    assert "You asked at" in client.get("/change-orders").text
    assert told(ben) == ["privilege asked for"]


def test_the_fragment_is_the_part_of_the_page(client, ben, eve, clock):
    sign_in(client, ben)
    fragment = client.post(ASK, headers=HTMX).text
    asking = soup(client.get("/change-orders")).find(id="asking")

    answered = BeautifulSoup(fragment, "html.parser").find(id="asking")
    del answered["data-say"], answered["data-focus"]

    assert str(answered) == str(asking)


def test_without_script_one_is_led_back_to_where_one_asked(client, ben, eve):
    sign_in(client, ben)

    asked = client.post(
        ASK, data={"note": "I clear the list while Ana is away"}, headers={"Referer": "http://localhost/change-orders?view=failed"}
    )

    assert (asked.status_code, asked.location) == (303, "/change-orders?view=failed")
    assert PrivilegeRequest.get().note == "I clear the list while Ana is away"


def test_one_is_never_led_to_another_site(client, ben, eve):
    sign_in(client, ben)

    assert client.post(ASK, headers={"Referer": "https://evil.example/change-orders"}).location == "/"


def test_where_nobody_else_is_administrator_the_asker_reads_that_nobody_can_grant_it(admin, eve):
    asked = admin.post(ASK, headers=HTMX)

    assert "No one can grant it yet: there is no other administrator." in words(soup(asked).find(id="asking"))


def test_asking_needs_no_new_proof_of_who_one_is_and_answering_does(client, sam, eve, clock):
    sign_in(client, sam)
    clock.tick(minutes=16)
    assert client.post(ASK, headers=HTMX).status_code == 200

    sign_in(client, eve)
    clock.tick(minutes=16)
    answered = answer(client, PrivilegeRequest.get(), "granted")

    assert answered.status_code == 401
    assert not people.by_id(sam.id).can_push


def test_asking_twice_is_one_request_one_event_and_one_mail(client, ben, eve):
    sign_in(client, ben)

    for _ in range(2):
        assert client.post(ASK, headers=HTMX).status_code == 200

    assert (PrivilegeRequest.select().count(), told(ben)) == (1, ["privilege asked for"])
    assert Dispatch.select().where(Dispatch.task == Task.PRIVILEGE).count() == 1


def test_the_database_itself_holds_one_open_request_per_person(ben):
    PrivilegeRequest.create(person=ben)

    with pytest.raises(Exception, match=r"(?i)unique"), db.transaction():
        PrivilegeRequest.create(person=ben)


@pytest.mark.parametrize("note", ["x" * 301, "two\nlines", "\x00", "bell\x07"])
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_note_that_is_none_is_refused_with_the_reason_and_stays_to_be_corrected(client, ben, note, headers):
    sign_in(client, ben)

    asked = client.post(ASK, data={"note": note}, headers=headers)

    assert asked.status_code == 422
    assert "A note is one line of at most 300 characters." in soup(asked).find(id="asking-problem").get_text()
    assert soup(asked).find(id="asking-note")["value"] == note
    assert PrivilegeRequest.select().count() == 0


def test_who_has_the_privilege_has_nothing_to_ask_for(client, ana):
    sign_in(client, ana)

    asked = client.post(ASK)

    assert asked.status_code == 422
    assert "You have ‘Can Push to Accounting’ already" in asked.text
    assert told(ana) == []


def test_administrators_see_how_many_ask_on_every_page(client, ben, eve):
    request_privilege.ask(ben)
    sign_in(client, eve)

    tab = soup(client.get("/change-orders")).find("nav", attrs={"aria-label": "Main"}).find("a", href="/settings/people")

    assert words(tab) == "Settings 1 request for Can Push to Accounting"


def test_nobody_else_sees_the_count(client, ben, sam):
    request_privilege.ask(ben)
    sign_in(client, sam)

    assert "request for Can Push" not in client.get("/change-orders").text


def test_the_list_names_who_asks_why_and_since_when(admin, sam, clock):
    request_privilege.ask(sam, "Ana is <away>")

    found = words(soup(admin.get("/settings/people")).find(id="requests"))

    assert "1 request for Can Push to Accounting" in found
    assert "Sam Ito sam@example.test, level Standard, asked at " in found
    assert "Ana is <away>" in found
    assert admin.get(ASK).location == "/settings/people#requests"


def test_granting_gives_the_privilege_and_answers_the_request(admin, sam, eve, clock):
    request = request_privilege.ask(sam)

    granted = answer(admin, request, "granted", note="Welcome")

    assert (granted.status_code, granted.location) == (303, f"/settings/people#person-{sam.id}")
    assert people.by_id(sam.id).may_decide
    answered = PrivilegeRequest.get_by_id(request.id)
    assert (answered.granted, answered.answered_by, answered.answer) == (True, eve, "Welcome")
    assert told(sam) == ["privilege asked for", "privilege granted"]
    page = admin.get("/settings/people")
    assert "Eve Laurent granted the request of Sam Ito at" in page.text
    assert soup(page).find(id="requests") is None


def test_declining_leaves_the_rights_and_the_person_may_ask_again(client, sam, eve, clock):
    request = request_privilege.ask(sam)
    sign_in(client, eve)

    assert answer(client, request, "declined", note="Two approvers are enough").status_code == 303

    assert not people.by_id(sam.id).can_push
    assert told(sam) == ["privilege asked for", "privilege declined"]
    asking = soup(sign_in(client, sam).get("/profile")).find(id="asking")
    assert "Eve Laurent declined your request" in words(asking)
    assert "“Two approvers are enough”" in words(asking)
    assert client.post(ASK, headers=HTMX).status_code == 200
    assert PrivilegeRequest.select().count() == 2


@pytest.mark.parametrize("level", [Level.NONE, Level.READ_ONLY])
def test_below_standard_granting_says_that_it_raises_the_level_and_does_both_in_one_step(admin, make_user, level):
    gus = make_user("Gus Hall", level=level)
    request = request_privilege.ask(gus)
    shown = soup(admin.get("/settings/people")).find(id=f"request-{request.id}")
    assert f"Needs at least Standard; Gus Hall has {level}." in words(shown)
    assert "Raise to Standard and grant" in words(shown)

    assert answer(admin, request, "granted", level="Standard").status_code == 303

    assert people.by_id(gus.id).may_decide
    assert told(gus) == ["privilege asked for", "level changed", "privilege granted"]
    assert PrivilegeRequest.get_by_id(request.id).granted


def test_a_level_that_fell_since_the_page_was_drawn_is_not_raised_unasked(admin, sam):
    request = request_privilege.ask(sam)
    rights.set_level(sam.id, Level.READ_ONLY)

    refused = answer(admin, request, "granted")

    assert refused.status_code == 422
    assert "Sam Ito has level Read Only. Can Push to Accounting needs at least Standard." in refused.text
    assert not people.by_id(sam.id).can_push


def test_an_administrator_who_asks_keeps_the_level(admin, make_user):
    fay = make_user("Fay Wong", level=Level.ADMIN)
    request = request_privilege.ask(fay)

    assert answer(admin, request, "granted", level="Standard").status_code == 303

    assert (people.by_id(fay.id).level, people.by_id(fay.id).may_decide) == (Level.ADMIN, True)


def test_nobody_answers_their_own_request(admin, eve):
    request = request_privilege.ask(eve)

    own = answer(admin, request, "granted")

    assert own.status_code == 403
    assert "You can’t change your own rights. Ask another administrator." in own.text
    assert "This is your own request. Another administrator must answer it." in own.text
    assert PrivilegeRequest.get_by_id(request.id).is_open


@pytest.mark.parametrize("how", ["granted", "declined"])
def test_who_answers_second_is_told_who_answered_when(admin, sam, make_user, how, clock):
    fay = make_user("Fay Wong", level=Level.ADMIN)
    request = request_privilege.ask(sam)
    request_privilege.decline(request.id, fay)

    late = answer(admin, request, how)

    assert late.status_code == 409
    assert "Nothing was recorded. Fay Wong declined the request of Sam Ito at" in late.text
    assert told(sam) == ["privilege asked for", "privilege declined"]


@pytest.mark.parametrize(("how", "action"), [("granted", "privilege granted"), ("declined", "privilege declined")])
def test_the_same_answer_twice_is_recorded_once(admin, sam, how, action):
    request = request_privilege.ask(sam)

    for _ in range(2):
        assert answer(admin, request, how).status_code == 303

    assert told(sam) == ["privilege asked for", action]


def test_a_deactivated_person_waits_for_nothing_and_is_granted_nothing(admin, sam):
    request = request_privilege.ask(sam)
    rights.set_active(sam.id, False)

    assert privilege_requests.count() == 0
    refused = answer(admin, request, "granted")

    assert refused.status_code == 422
    assert "The account of Sam Ito is deactivated." in refused.text
    assert not people.by_id(sam.id).can_push


def test_the_privilege_given_on_the_people_page_answers_the_request_too(admin, sam, eve):
    request = request_privilege.ask(sam)

    admin.post(f"/settings/people/{sam.id}/privilege", data={"can_push": "on"}, headers=HTMX)

    answered = PrivilegeRequest.get_by_id(request.id)
    assert (answered.granted, answered.answered_by) == (True, eve)


def test_a_level_that_makes_the_privilege_count_answers_the_request_too(admin, make_user, posted):
    gus = make_user("Gus Hall", level=Level.READ_ONLY, can_push=True)
    request = request_privilege.ask(gus)

    admin.post(f"/settings/people/{gus.id}/level", data={"level": "Standard"}, headers=HTMX)

    assert PrivilegeRequest.get_by_id(request.id).granted
    assert [subject for _, subject, _ in posted()] == ["Can Push to Accounting granted: Gus Hall"] * 2


def test_the_note_of_an_answer_that_was_refused_stays_beside_its_request(admin, sam, ben):
    request_privilege.ask(ben)
    request = request_privilege.ask(sam)

    refused = answer(admin, request, "declined", note="x" * 301)

    assert refused.status_code == 422
    assert [one["value"] for one in soup(refused).find(id="requests").find_all("input", attrs={"name": "note"})] == ["", "x" * 301]


def test_an_answer_that_is_none_is_refused(admin, sam):
    request = request_privilege.ask(sam)

    assert answer(admin, request, "maybe").status_code == 400
    assert admin.post(f"{ASK}/4711/answer", data={"answer": "granted"}).status_code == 404
    assert PrivilegeRequest.get_by_id(request.id).is_open


def test_rights_to_answer_are_read_in_the_transaction(sam, make_user):
    fay = make_user("Fay Wong", level=Level.ADMIN)
    make_user("Gus Hall", level=Level.ADMIN)
    request, stale = request_privilege.ask(sam), people.by_id(fay.id)
    rights.set_level(fay.id, Level.STANDARD)

    with pytest.raises(NotPermitted):
        request_privilege.grant(request.id, stale)


def test_asking_tells_the_administrators_by_mail(ben, eve, ada, posted):
    request_privilege.ask(ben, "Ana is away")

    mails = posted()

    assert [(to, subject) for to, subject, _ in mails] == [
        ("Eve Laurent", "Can Push to Accounting asked for: Ben Okafor"),
        ("Ada Quist", "Can Push to Accounting asked for: Ben Okafor"),
    ]
    assert "Ben Okafor (ben@example.test, level Read Only) asks for Can Push to Accounting." in mails[0][2]
    assert "Note: Ana is away" in mails[0][2]
    assert "/settings/people#requests" in mails[0][2]


def test_no_mail_asks_for_what_was_answered_meanwhile(sam, eve, ada, posted):
    request_privilege.decline(request_privilege.ask(sam).id, eve)

    assert {subject for _, subject, _ in posted()} == {"Can Push to Accounting declined: Sam Ito"}


@pytest.mark.parametrize("verb", ["granted", "declined", "removed"])
def test_both_sides_get_mail_about_the_answer(sam, eve, ada, verb, posted):
    if verb == "removed":
        people.User.update(can_push=True).where(people.User.id == sam.id).execute()
        rights.set_privilege(sam.id, False, eve)
    else:
        request = request_privilege.ask(sam)
        (request_privilege.grant if verb == "granted" else request_privilege.decline)(request.id, eve, "Because")

    mails = {to: (subject, body) for to, subject, body in posted()}

    assert set(mails) == {"Eve Laurent", "Ada Quist", "Sam Ito"}
    assert {subject for subject, _ in mails.values()} == {f"Can Push to Accounting {verb}: Sam Ito"}
    said = {"granted": "granted Can Push to Accounting to", "declined": "declined", "removed": "took Can Push to Accounting from"}[verb]
    assert f"Eve Laurent {said} you" in mails["Sam Ito"][1]
    assert "Your rights now: Sees everything, looks after failed exports" in mails["Sam Ito"][1]
    assert "/profile" in mails["Sam Ito"][1]
    assert "Sam Ito" in mails["Ada Quist"][1]
    assert ("Note: Because" in mails["Sam Ito"][1]) == (verb != "removed")


def test_the_command_line_is_named_as_such(sam, eve, posted):
    rights.set_privilege(sam.id, True)

    assert (
        "An administrator at the command line granted Can Push to Accounting to you." in {to: body for to, _, body in posted()}["Sam Ito"]
    )


def test_a_page_asks_the_database_as_often_for_many_requests_as_for_few(admin, make_user, sam):
    request_privilege.ask(sam)
    with count_queries() as few:
        admin.get("/settings/people")
    for n in range(20):
        request_privilege.ask(make_user(f"Approver {n}", level=Level.STANDARD))
    with count_queries() as many:
        assert "21 requests" in admin.get("/settings/people").text

    assert len(many) == len(few)


ROADS = {
    "a new account": lambda ben: rights.add("new@example.test", "New Person", Level.STANDARD, True),
    "a switch": lambda ben: rights.set_privilege(ben.id, True),
    "a level raised over a privilege that had no effect": lambda ben: rights.set_level(ben.id, Level.STANDARD),
    "an account opened again": lambda ben: rights.set_active(ben.id, True),
}


@pytest.mark.parametrize("road", ROADS)
def test_the_privilege_given_by_any_road_tells_the_administrators(ben, eve, ada, posted, road):
    before = {"a level raised over a privilege that had no effect": {"can_push": True}}
    before |= {"an account opened again": {"can_push": True, "level": Level.STANDARD, "active": False}}
    User.update(**before.get(road, {"can_push": False})).where(User.id == ben.id).execute()

    ROADS[road](ben)

    mails = posted()
    assert {"Eve Laurent", "Ada Quist"} < {to for to, _, _ in mails}
    assert {subject.partition(":")[0] for _, subject, _ in mails} == {"Can Push to Accounting granted"}


def test_a_level_without_the_privilege_tells_nobody(ben, eve):
    rights.set_level(ben.id, Level.STANDARD)
    rights.add("new@example.test", "New Person", Level.STANDARD, False)

    assert Dispatch.select().count() == 0
