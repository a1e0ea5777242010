"""Support looks after a cause: an owner, a note, the archive; administrators pin causes together."""

import pytest

from portal.domain import companies, events
from portal.domain.exporting.failure_causes import FailureCause
from portal.domain.people import NotPermitted
from portal.domain.settings import company_settings
from portal.domain.triage import groups, upkeep
from portal.spectrum.records import Refused, Row
from tests.conftest import sign_in


def refused(text, column="Origination_Date"):
    return Refused("Refused.", http=200, rows=[Row("I", text, column)])


@pytest.fixture
def cause(fail):
    return FailureCause.get_by_id(fail().cause)


def told():
    return [(event.action, event.facts.get("old"), event.facts.get("new")) for event in events.history(upkeep.SUBJECT, 1)]


def test_a_cause_that_was_assigned_belongs_to_that_person_instead_of_the_rule(cause, sam, lee):
    upkeep.assign(cause.id, sam, lee.id)

    assert groups.one(cause.id).owner.names == ["Lee Nakamura"]
    assert told() == [("owner assigned", "", "Lee Nakamura")]

    upkeep.assign(cause.id, sam, None)

    assert groups.one(cause.id).owner.names == ["Dee Sørensen"]


@pytest.mark.parametrize("who", ["ben", "dee"])
def test_who_has_no_level_for_it_does_not_get_it(cause, sam, who, request):
    with pytest.raises(upkeep.Invalid):
        upkeep.assign(cause.id, sam, request.getfixturevalue(who).id)


def test_who_only_looks_looks_after_nothing(cause, ben):
    for act in (
        lambda: upkeep.assign(cause.id, ben, ben.id),
        lambda: upkeep.archive(cause.id, ben),
        lambda: upkeep.write_note(cause.id, ben, "x", ""),
    ):
        with pytest.raises(NotPermitted):
            act()

    assert told() == []


def test_a_note_is_kept_with_the_one_before_in_the_audit_trail(cause, sam, lee):
    upkeep.write_note(cause.id, sam, " Period opens on Monday. ", "")
    upkeep.write_note(cause.id, lee, "Period is open.", "Period opens on Monday.")

    assert FailureCause.get().note == "Period is open."
    assert told()[-1] == ("note written", "Period opens on Monday.", "Period is open.")


def test_a_note_that_someone_else_wrote_meanwhile_is_not_overwritten(cause, sam, lee):
    upkeep.write_note(cause.id, sam, "Ask Kim.", "")

    with pytest.raises(upkeep.Invalid, match="Ask Kim"):
        upkeep.write_note(cause.id, lee, "Ask Joe.", "")


@pytest.mark.parametrize("note", ["x" * 1001, "bell\x07"])
def test_a_note_that_is_too_long_or_cannot_be_printed_is_refused(cause, sam, note):
    with pytest.raises(upkeep.Invalid):
        upkeep.write_note(cause.id, sam, note, "")


def test_what_is_archived_comes_back_when_it_grows(cause, fail, sam, clock):
    upkeep.archive(cause.id, sam)
    assert groups.one(cause.id).is_archived
    clock.tick(minutes=1)

    fail()

    assert not groups.one(cause.id).is_archived


def test_what_is_archived_can_be_taken_out(cause, sam):
    upkeep.archive(cause.id, sam)

    upkeep.restore(cause.id, sam)

    assert not groups.one(cause.id).is_archived
    assert [action for action, _, _ in told()] == ["archived until it grows", "taken out of the archive"]


def test_causes_with_the_pinned_words_are_one_group_now_and_later(cause, fail, eve):
    fail(refused("Posting period is locked by GL", "Approved_Date"))
    pinned = upkeep.pin(cause.id, eve, "Closed period", "period")
    fail(refused("The PERIOD of the approved date ended", "Approved_Date"))
    fail(refused("Phase is missing", "CR_Phase_Code"))

    shown = {group.cause.title: group.count for group in groups.overview().groups}

    assert pinned == 1
    assert shown == {"Closed period": 3, "The phase and cost type may be missing on the job, or Complete.": 1}


def test_without_the_words_each_stands_for_itself_again(cause, fail, eve):
    fail(refused("Posting period is locked", "Approved_Date"))
    upkeep.pin(cause.id, eve, "Closed period", "period")

    upkeep.pin(cause.id, eve, "", "")

    assert [group.count for group in groups.overview().groups] == [1, 1]


def test_a_cause_that_is_shown_under_another_one_has_no_page_of_its_own(client, cause, fail, eve):
    other = fail(refused("Posting period is locked", "Approved_Date"))
    upkeep.pin(cause.id, eve, "Closed period", "period")

    assert sign_in(client, eve).get(f"/failures/{other.cause}").status_code == 404


@pytest.mark.parametrize(("name", "words"), [("x", "ab"), ("x", "y" * 81), ("x" * 81, "period"), ("x\x07", "period")])
def test_words_that_fit_everything_or_nothing_are_refused(cause, eve, name, words):
    with pytest.raises(upkeep.Invalid):
        upkeep.pin(cause.id, eve, name, words)


def test_only_administrators_pin(cause, sam):
    with pytest.raises(NotPermitted):
        upkeep.pin(cause.id, sam, "Closed period", "period")


def test_the_settings_name_who_is_it(company, eve, sam):
    company_settings.change("owners", {"it_people": "sam@example.test\n"}, eve)

    assert companies.current().it_people == "sam@example.test"


@pytest.mark.parametrize("address", ["ben@example.test", "nobody@example.test"])
def test_the_settings_take_no_one_who_could_not_look_after_a_failure(company, eve, ben, address):
    with pytest.raises(company_settings.Invalid, match=address):
        company_settings.change("owners", {"it_people": address}, eve)


def test_the_forms_of_the_page_keep_what_they_say(client, cause, sam, lee):
    sign_in(client, sam)

    client.post(f"/failures/{cause.id}/owner", data={"owner": lee.id})
    client.post(f"/failures/{cause.id}/note", data={"note": "Ask Kim.", "seen": ""})
    answer = client.post(f"/failures/{cause.id}/archive", follow_redirects=True)

    assert "Ask Kim." in answer.text
    assert "Archived since" in answer.text
    assert groups.one(cause.id).owner.names == ["Lee Nakamura"]


def test_a_refused_note_is_shown_as_it_was_typed(client, cause, sam):
    answer = sign_in(client, sam).post(f"/failures/{cause.id}/note", data={"note": "y" * 1001, "seen": ""})

    assert answer.status_code == 422
    assert "y" * 1001 in answer.text
    assert "The note has 1001 characters; 1000 fit. Shorten it." in answer.text


def test_the_audit_trail_tells_what_was_done_with_a_cause(client, cause, sam, eve):
    upkeep.write_note(cause.id, sam, "Ask Kim.", "")

    page = sign_in(client, eve).get("/settings/audit?subject=failure_cause").text

    assert "Note written" in page
    assert "Ask Kim." in page
    assert "Cause: The accounting period of that date may be closed in Spectrum." in page
