"""Whom the identity provider names, and which account opens: by subject, never by address alone; levels by group, the privilege never."""

from dataclasses import replace
from datetime import timedelta

import peewee
import pytest
from structlog.testing import capture_logs

from portal.domain import events, people
from portal.domain.accounts import identities, rights, sessions
from portal.domain.accounts.identities import Claims, Identity, Unwelcome
from portal.domain.accounts.sessions import SignInMethod
from portal.domain.people import Level, NotPermitted, User
from tests.conftest import PASSWORD, count_queries

pytestmark = pytest.mark.databases_differ("locks and races")

ISSUER = "https://id.example.test"
LEVELS = {"finance": Level.STANDARD, "portal-admins": Level.ADMIN, "guests": Level.READ_ONLY}
NIA = Claims(ISSUER, "4711", "nia@example.test", True, "Nia Brandt", frozenset())


def at(*groups, claims=NIA):
    return replace(claims, groups=frozenset(groups))


def of(person, claims=NIA):
    return replace(claims, email=person.email, subject=f"subject of {person.name}")


def actions(person):
    return [(event.action, event.facts.get("new")) for event in events.history("user", person.id)]


def level_of(person):
    return people.by_id(person.id).level


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"email_verified": False}, "does not say that your e-mail address is verified"),
        ({"email": ""}, "does not say that your e-mail address is verified"),
        ({"email": "nia"}, "that the portal cannot use"),
        ({"email": "nia@example.test\r\nBcc: x@y.test"}, "that the portal cannot use"),
        ({"email": f"{'x' * 250}@example.test"}, "that the portal cannot use"),
    ],
)
def test_without_a_usable_verified_address_nobody_is_let_in(database, said, sentence):
    with pytest.raises(Unwelcome, match=sentence):
        identities.admit(replace(NIA, **said), {})

    assert (User.select().count(), Identity.select().count()) == (0, 0)


@pytest.mark.parametrize("name", ["", "4711", "\x1b[31mNia", "x" * 101])
def test_a_name_that_is_none_gives_way_to_the_address(database, name):
    assert identities.admit(replace(NIA, name=name), {}).name == "nia@example.test"


@pytest.mark.parametrize("email", ["NIA@Example.Test", "ｎia@example.test"])
def test_the_spelling_of_an_address_does_not_make_a_second_account(database, email):
    nia = rights.add("nia@example.test", "Nia", Level.READ_ONLY, False, PASSWORD)

    assert identities.admit(replace(NIA, email=email), {}) == nia


def test_the_same_subject_at_another_issuer_is_somebody_else(database):
    identities.admit(NIA, {})

    with pytest.raises(Unwelcome, match="belongs to another person"):
        identities.admit(replace(NIA, issuer="https://other.example.test"), {})


def test_an_address_that_passes_to_somebody_else_passes_no_account_on(database):
    nia = identities.admit(NIA, {})

    with pytest.raises(Unwelcome, match="belongs to another person"):
        identities.admit(replace(NIA, subject="4712"), {})

    assert identities.find(ISSUER, "4711").user == nia


def test_once_unlinked_the_account_opens_to_the_next_with_its_address(database):
    nia = identities.admit(NIA, {})
    identities.unlink(nia)

    assert identities.admit(replace(NIA, subject="4712"), {}) == nia
    assert [action for action, _ in actions(nia)] == ["account created", "identity linked", "identity unlinked", "identity linked"]


def test_who_unlinks_is_in_the_audit_trail_and_an_administrator(eve, ben):
    nia = identities.admit(NIA, {})
    with pytest.raises(NotPermitted):
        identities.unlink(nia, ben)

    identities.unlink(nia, eve)

    assert events.history("user", nia.id)[-1].actor == eve


def test_unlinking_ends_the_sessions_that_the_identity_may_have_begun(database):
    nia = identities.admit(NIA, {})
    token = sessions.start(nia, SignInMethod.OPENID).token

    identities.unlink(nia)

    assert sessions.find(token) is None


def test_what_is_not_linked_cannot_be_unlinked(ana):
    with pytest.raises(rights.Refused, match="there is no identity to unlink"):
        identities.unlink(ana)


def test_two_first_sign_ins_at_the_same_moment_make_one_account(database, monkeypatch):
    """The other one wrote between our look and our write: the database refuses the second row, and we look again."""
    create = Identity.create

    def too_late(**row):
        monkeypatch.setattr(Identity, "create", create)
        raise peewee.IntegrityError

    monkeypatch.setattr(Identity, "create", too_late)

    nia = identities.admit(NIA, {})

    assert (User.select().count(), identities.of(nia).subject) == (1, "4711")


def test_a_sign_in_that_may_change_a_level_waits_its_turn_before_its_first_event_and_so_never_in_a_circle(eve, database_kind):
    with count_queries() as sent:
        identities.admit(replace(NIA, groups=frozenset({"finance"})), LEVELS)

    waits = [statement for statement in sent if "FOR NO KEY UPDATE" in statement or "pg_advisory_xact_lock" in statement]
    assert [statement for statement in waits[:1] if "pg_advisory" in statement] == []
    assert bool(waits) == (database_kind == "postgresql")


@pytest.mark.parametrize(
    ("groups", "level"),
    [
        ((), "None"),
        (("finance",), "Standard"),
        (("guests", "finance", "canteen"), "Standard"),
        (("canteen",), "None"),
        (("Finance",), "None"),
    ],
)
def test_the_highest_level_of_the_groups_is_given_and_written_down(database, groups, level):
    nia = identities.admit(at(*groups), LEVELS)

    assert (nia.level, nia.can_push) == (level, False)
    changed = [(action, new) for action, new in actions(nia) if action == "level changed"]
    assert changed == ([] if level == "None" else [("level changed", level)])
    assert events.history("user", nia.id)[-1].facts["identity_provider"] == ISSUER


def test_a_group_left_takes_its_level_along_at_the_next_sign_in(database):
    nia = identities.admit(at("finance"), LEVELS)

    assert identities.admit(at("guests"), LEVELS).level == "Read Only"
    assert identities.admit(at(), LEVELS).level == "None"
    assert level_of(nia) == "None"


def test_a_level_given_by_hand_stays_while_no_group_speaks(database):
    nia = identities.admit(at(), LEVELS)
    rights.set_level(nia.id, Level.STANDARD)

    assert identities.admit(at(), LEVELS).level == "Standard"
    assert identities.admit(at("guests"), LEVELS).level == "Read Only"


def test_a_level_changed_by_hand_after_the_group_gave_one_stays_when_the_group_goes(database):
    nia = identities.admit(at("finance"), LEVELS)
    rights.set_level(nia.id, Level.READ_ONLY)

    assert identities.admit(at(), LEVELS).level == "Read Only"
    assert identities.of(nia).level == ""


def test_without_levels_by_group_levels_are_in_the_hands_of_administrators(ben):
    assert identities.admit(replace(of(ben), groups=frozenset({"portal-admins"})), {}).level == "Read Only"


def test_the_privilege_stays_as_administrators_set_it(ana):
    assert identities.admit(replace(of(ana), groups=frozenset({"guests"})), LEVELS).can_push is True


def test_the_last_admin_keeps_the_level_whatever_the_groups_say(eve):
    with capture_logs() as logged:
        assert identities.admit(replace(of(eve), groups=frozenset({"guests"})), LEVELS).level == "Admin"

    assert "last active Admin" in logged[0]["reason"]
    assert [action for action, _ in actions(eve)] == ["identity linked"]


def test_an_admin_who_is_not_the_last_is_lowered(eve, ada):
    assert identities.admit(replace(of(eve), groups=frozenset({"guests"})), LEVELS).level == "Read Only"


def test_a_deactivated_account_opens_to_nobody_and_keeps_its_level(ana, eve):
    identities.admit(of(ana), LEVELS)
    rights.set_active(ana.id, False)

    with pytest.raises(Unwelcome, match="deactivated"):
        identities.admit(replace(of(ana), groups=frozenset({"portal-admins"})), LEVELS)

    assert level_of(ana) == "Standard"


def test_when_somebody_was_linked_is_known(database, clock):
    nia = identities.admit(NIA, {})
    clock.tick(hours=1)
    identities.admit(NIA, {})

    assert clock.now() - identities.of(nia).linked_at == timedelta(hours=1)
