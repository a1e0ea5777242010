"""Signing in with the company's identity provider: a real one, in a process of its own."""

from urllib.parse import parse_qs, urlsplit

import flask
import pytest
from structlog.testing import capture_logs

from portal.domain import events, people
from portal.domain.accounts import identities, rights
from portal.domain.accounts.identities import Identity
from portal.domain.accounts.sessions import Session
from portal.domain.people import Level, User
from tests.conftest import KEY, PASSWORD, path_of
from tests.oidc import site
from tests.oidc.process import Visitor


def told(person):
    """What was written down of the account: action and facts, without those that every test repeats."""
    return [(event.action, event.facts) for event in events.history("user", person.id)]


def signed_in(client):
    """The address of whom the portal lets in, or an empty text."""
    page = client.get("/profile")
    return page.text.split("<dt>E-mail</dt>")[1].split("<dd>")[1].split("</dd>")[0] if page.status_code == 200 else ""


def test_the_button_stands_first_and_leads_to_the_provider(client, provider):
    page = client.get("/login?next=/jobs").text

    assert 'href="/login/oidc?next=/jobs"' in page
    assert page.index("Sign in with your company account") < page.index('name="email"')


def test_without_a_provider_there_is_no_button_and_no_road(make_app, company):
    client = make_app().test_client()

    assert "/login/oidc" not in client.get("/login").text
    assert [client.get(path).status_code for path in ("/login/oidc", "/login/oidc/return?code=x&state=y")] == [404, 404]


def test_what_the_portal_asks_for_has_state_nonce_and_a_challenge_and_the_address_of_its_setting(client, provider):
    """The request came to http://localhost; the provider is to lead back to PORTAL_URL."""
    url = urlsplit(client.get("/login/oidc").location)
    asked = {name: value for name, (value,) in parse_qs(url.query).items()}

    assert url._replace(query="").geturl() == f"{provider.issuer}/authorize/"
    assert (asked["response_type"], asked["scope"], asked["code_challenge_method"]) == ("code", "openid email profile", "S256")
    assert asked["redirect_uri"] == "http://127.0.0.1:8000/login/oidc/return"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3


def test_the_cookie_tells_nobody_what_proves_the_answer_to_be_ours(client, provider):
    with client:
        url = urlsplit(client.get("/login/oidc").location)
        kept = str(dict(flask.session))

    secrets = [parse_qs(url.query)[name][0] for name in ("state", "nonce")]
    assert not any(secret in kept for secret in [*secrets, "verifier"])


@pytest.mark.parametrize(("older", "status"), [(KEY, 303), ("", 400)], ids=["the old key is named", "it is not"])
def test_who_is_at_the_provider_while_the_key_is_changed_comes_back_if_the_old_one_is_named(oidc_app, client, provider, older, status):
    there = Visitor().answer(client.get("/login/oidc").location, "nia", "Allow")

    later = oidc_app(provider, SECRET_KEY="1f60-another-for-tests-88d2-of-no-use-elsewhere", SECRET_KEY_FALLBACKS=older).test_client()
    later.set_cookie("portal-8000", client.get_cookie("portal-8000").value)

    assert later.get(path_of(there)).status_code == status


def test_the_first_sign_in_makes_an_account_that_may_do_nothing(client, through, provider):
    answer = through(client, "nia")

    assert (answer.status_code, answer.location) == (303, "/")
    assert signed_in(client) == "nia@example.test"
    nia = people.find("nia@example.test")
    assert (nia.name, nia.level, nia.can_push, nia.password) == ("Nia Brandt", Level.NONE, False, None)
    subject = identities.of(nia).subject
    by = {"identity_provider": provider.issuer}
    assert told(nia) == [
        ("account created", {"level": "None", "can_push": False} | by),
        ("identity linked", {"identity": subject} | by),
    ]


def test_the_next_sign_in_opens_the_same_account_whatever_the_address_is_by_then(client, through, provider):
    through(client, "nia")
    client.post("/logout")
    provider.say("nia", email="nia.brandt-lopez@example.test", email_verified=False, name="Nia Brandt Lopez")

    through(client, "nia")

    assert signed_in(client) == "nia@example.test"
    assert (User.select().count(), Identity.select().count()) == (1, 1)


def test_an_account_with_the_same_verified_address_is_opened_and_keeps_its_rights(client, through, ana):
    through(client, "ana")

    assert signed_in(client) == "ana@example.test"
    fresh = people.by_id(ana.id)
    assert (fresh.level, fresh.can_push) == (Level.STANDARD, True)
    assert [action for action, _ in told(ana)] == ["identity linked"]


def test_a_password_still_opens_an_account_that_is_linked(client, through, ana):
    through(client, "ana")
    client.post("/logout")

    assert client.post("/login", data={"email": ana.email, "password": PASSWORD}).status_code == 303


def test_an_account_made_by_the_provider_has_no_password(client, through):
    through(client, "nia")
    client.post("/logout")

    for password in ("", "None", site.PASSWORD):
        assert client.post("/login", data={"email": "nia@example.test", "password": password}).status_code == 422


def test_one_ends_up_where_one_wanted_to_be(client, through, ana):
    assert through(client, "ana", address="/login/oidc?next=/change-orders?view%3Dfailed").location == "/change-orders?view=failed"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "/login/oidc"])
def test_nobody_is_led_anywhere_else(client, through, ana, elsewhere):
    assert through(client, "ana", address=f"/login/oidc?next={elsewhere}").location == "/"


def test_what_the_provider_keeps_for_userinfo_is_asked_for_there(client, through, provider):
    provider.say("nia", thin=True)

    through(client, "nia")

    assert people.find("nia@example.test").name == "Nia Brandt"


def test_the_session_is_one_like_any_other(client, through, clock):
    through(client, "nia")
    with client:
        client.get("/profile")
        assert "provider_trip" not in flask.session
    assert Session.select().count() == 1

    clock.tick(minutes=31)

    assert client.get("/profile").status_code == 303


def test_signing_out_ends_our_session_and_says_so(client, through):
    through(client, "nia")
    client.post("/logout")

    assert "You are signed out." in client.get("/login").text
    assert Session.get().ended_at is not None


def test_who_is_signed_in_already_is_led_on(client, through, ana):
    through(client, "ana")

    assert client.get("/login/oidc?next=/jobs").location == "/jobs"


def test_without_a_verified_address_there_is_no_first_sign_in(client, through, provider):
    answer = through(client, "max")

    assert answer.status_code == 403
    assert "does not say that your e-mail address is verified" in answer.text
    assert (User.select().count(), Identity.select().count(), signed_in(client)) == (0, 0, "")


def test_an_unverified_address_opens_nobody_s_account(client, through, provider, ana):
    provider.say("max", email=ana.email)

    assert through(client, "max").status_code == 403
    assert identities.of(ana) is None


def test_groups_give_a_level_at_each_sign_in_and_the_trail_names_the_provider(oidc_app, provider, through, company, eve):
    client = oidc_app(provider, OIDC_LEVELS="finance=Standard,portal-admins=Admin").test_client()
    provider.say("nia", groups=["canteen", "finance"])
    through(client, "nia")
    nia = people.find("nia@example.test")
    assert (nia.level, nia.can_push) == (Level.STANDARD, False)
    client.post("/logout")
    provider.say("nia", groups=["canteen"])

    through(client, "nia")

    changes = [event for event in events.history("user", nia.id) if event.action == "level changed"]
    assert [(event.facts["old"], event.facts["new"], event.facts["identity_provider"]) for event in changes] == [
        ("None", "Standard", provider.issuer),
        ("Standard", "None", provider.issuer),
    ]


def test_the_groups_may_be_in_a_claim_of_another_name(oidc_app, provider, through, company):
    client = oidc_app(provider, OIDC_LEVELS="finance=Read Only", OIDC_GROUPS_CLAIM="nickname").test_client()
    provider.say("nia", nickname="finance", groups=[])

    through(client, "nia")

    assert people.find("nia@example.test").level == Level.READ_ONLY


def test_a_deactivated_account_stays_closed_and_says_so(client, through, ana):
    through(client, "ana")
    rights.set_active(ana.id, False)

    answer = through(client, "ana")

    assert answer.status_code == 403
    assert "Your account in the portal is deactivated. Ask an administrator." in answer.text
    assert signed_in(client) == ""


def test_a_deactivated_account_is_not_linked_either(client, through, ana):
    rights.set_active(ana.id, False)

    assert through(client, "ana").status_code == 403
    assert identities.of(ana) is None


def test_an_account_that_one_identity_opens_is_not_opened_by_another(client, through, provider, ana):
    through(client, "ana")
    client.post("/logout")
    provider.say("ada", email=ana.email, email_verified=True, name="Not Ana", groups=[])

    answer = through(client, "ada")

    assert answer.status_code == 403
    assert "belongs to another person at your identity provider" in answer.text


def test_cancelling_at_the_provider_leads_back_with_a_sentence(client, through):
    with capture_logs() as logged:
        answer = through(client, "nia", "Cancel", "/login/oidc?next=/jobs")

    assert answer.status_code == 403
    assert "You did not sign in at the identity provider." in answer.text
    assert 'name="next" value="/jobs"' in answer.text
    assert [line["reason"] for line in logged if "reason" in line] == ["error: access_denied"]


def test_the_audit_trail_names_the_provider(client, through, ana, eve):
    through(client, "ana")
    client.post("/logout")
    through(client, "eve")

    page = client.get("/settings/audit").text

    assert "The identity provider" in page
    assert "Identity linked" in page
