"""`portal audit verify` and `portal audit head`: clear sentences, and an exit status for scripts."""

import platform

import pytest
from click.testing import CliRunner

from portal import db
from portal.cli import main
from portal.domain import events
from portal.domain.accounts import rights
from portal.domain.audit import chain, heads
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.people import Level, User
from tests.audit.test_chain import TRIGGERS


@pytest.fixture
def portal(database_url, database, company, tmp_path):
    """Runs `portal audit ...` on a trail of three events."""
    with db.transaction():
        for number in (1, 2, 3):
            events.record("change_order", number, "accepted", None)

    def run(*arguments):
        environment = {"DATABASE_URL": database_url, "PORTAL_DATA": str(tmp_path)}
        return CliRunner().invoke(main, ["audit", *arguments], env=environment)

    yield run
    db.init(database_url)


def remove(seq):
    for name in TRIGGERS if db.is_sqlite() else TRIGGERS[:2]:
        db.database.execute_sql(f"DROP TRIGGER {name}" if db.is_sqlite() else f"DROP TRIGGER {name} ON event")
    db.database.execute_sql(f"DELETE FROM event WHERE seq = {seq}")


def test_a_good_trail_is_told_with_its_head(portal):
    answer = portal("verify")

    assert answer.exit_code == 0
    assert f"The audit trail is as it was written: 3 events, head {chain.head().hash}." in answer.output
    assert "No head was written out yet" in answer.output


def test_the_heads_of_the_data_folder_are_compared(portal, tmp_path):
    heads.write_head(tmp_path / heads.HEADS)

    assert "1 head fits the trail; the last one was written out on" in portal("verify").output


@pytest.mark.parametrize("left", [None, ""])
def test_a_file_of_heads_that_is_gone_is_said_to_be_gone_and_what_to_do(portal, tmp_path, left):
    file = tmp_path / heads.HEADS
    heads.keep(file)
    file.unlink() if left is None else file.write_text(left)

    answer = portal("verify")

    assert answer.exit_code == 1
    assert "No head was written out yet" not in answer.output
    assert f"{file} is gone or holds no head, although the keeper on {platform.node()} wrote some." in answer.output
    assert "Put the file back from a backup or from the log" in answer.output


def test_heads_kept_elsewhere_do_instead_of_the_file_that_is_gone(portal, tmp_path):
    file = tmp_path / heads.HEADS
    heads.keep(file)

    answer = portal("verify", "--heads", str(file.rename(tmp_path / "elsewhere.jsonl")))

    assert answer.exit_code == 0
    assert "is gone" not in answer.output


def test_a_bad_trail_ends_with_status_1_and_says_where(portal):
    remove(2)

    answer = portal("verify")

    assert answer.exit_code == 1
    assert answer.output == "Event 2 is missing: deleted after being recorded.\n1 event before it is as recorded.\n"


def test_heads_kept_elsewhere_show_an_end_that_was_cut_off(portal, tmp_path):
    elsewhere = tmp_path / "elsewhere.jsonl"
    elsewhere.write_text(portal("head").output)
    remove(3)

    assert portal("verify").exit_code == 0
    answer = portal("verify", "--heads", str(elsewhere))
    assert answer.exit_code == 1
    assert "its end was cut off" in answer.output


def test_a_file_that_holds_no_heads_ends_with_status_2(portal, tmp_path):
    (tmp_path / "notes.txt").write_text("remember the milk\n")

    answer = portal("verify", "--heads", str(tmp_path / "notes.txt"))

    assert answer.exit_code == 2
    assert "is not the head of an audit trail" in answer.output


def test_what_the_verdict_does_not_say_is_named(portal):
    assert "Not vouched for: the last 3 events, which no head covers." in portal("verify").output


@pytest.fixture
def eve(portal):
    """Her account and rights, each with its event."""
    person = rights.add("eve@example.test", "Eve Laurent", Level.STANDARD, False)
    rights.set_privilege(person.id, True)
    return person


def test_rights_that_their_events_gave_are_in_order(portal, eve):
    rights.set_level(eve.id, Level.READ_ONLY)
    rights.set_active(eve.id, False)

    assert portal("verify").exit_code == 0


@pytest.mark.parametrize(
    ("around", "said"),
    [
        ({"level": "Admin"}, "level is Admin, but the last event says Standard."),
        ({"can_push": False}, "Can Push to Accounting is no, but the last event says yes."),
        ({"active": False}, "account open is no, but the last event says yes."),
    ],
)
def test_a_right_that_no_event_gave_is_named_and_ends_with_status_1(portal, eve, around, said):
    User.update(**around).where(User.id == eve.id).execute()

    answer = portal("verify")

    assert answer.exit_code == 1
    assert f"eve@example.test: {said} It was changed around the portal." in answer.output


def test_a_state_that_no_event_gave_is_named_and_ends_with_status_1(portal, make_change_order):
    one = make_change_order("ready")
    ChangeOrder.update(status=Status.EXPORTED).where(ChangeOrder.id == one.id).execute()

    answer = portal("verify")

    assert answer.exit_code == 1
    assert "the state is Exported, but the last event says Ready to Export." in answer.output
