"""`portal backup`: one private file, verified, made while others write; and what it refuses to call good."""

import shutil
import stat
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from portal import backup, db
from portal.backup import archive, postgres, sealed
from portal.domain import backups, events
from portal.domain.audit import heads
from portal.domain.change_orders import ChangeOrder
from portal.domain.people import User
from tests.conftest import KEY

pytestmark = pytest.mark.databases_differ("what copies a database, and what reads the copy")


def silent(*_):
    pass


@pytest.fixture
def at_the_snapshot(monkeypatch):
    """What happens at the moment when the counts of the database are taken: `then(snapshot)` answers another one, or the same."""

    def once(then):
        take, waiting = backup.snapshot.take, [then]
        monkeypatch.setattr(backup.snapshot, "take", lambda *given: waiting.pop()(take(*given)) if waiting else take(*given))

    return once


def test_a_backup_is_one_private_file_that_was_verified(command, history, tmp_path, data):
    told = command("backup", tmp_path, "--json")

    file = tmp_path / told["file"]
    assert told["verified"]
    assert told["faults"] == []
    assert told["rows"]["change_order"] == ChangeOrder.select().count() == 4
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.stat().st_size == told["bytes"]
    assert sorted(data.iterdir()) == [data / heads.HEADS], "nothing is left of it in the data folder"


def test_a_backup_is_recorded_for_its_age_to_be_shown(command, history, tmp_path):
    told = command("backup", tmp_path / "one.backup", "--json")

    last = backups.latest()
    assert (last.name, last.size, last.verified, last.at.isoformat()) == ("one.backup", told["bytes"], True, told["taken_at"])


def test_it_holds_everything_but_the_key(command, history, tmp_path, data):
    (data / "secret_key").write_text(KEY)

    file = command("backup", tmp_path, "--unencrypted", "--json")["file"]

    with tarfile.open(file) as tar:
        assert set(tar.getnames()) == {archive.MANIFEST, archive.DATABASE, archive.HEADS}
        assert KEY.encode() not in b"".join(tar.extractfile(name).read() for name in tar.getnames())


def test_an_encrypted_backup_shows_nothing_and_opens_with_its_key_only(command, history, tmp_path):
    file = tmp_path / "one.backup"
    command("backup", file)

    assert b"Relocate duct bank" not in file.read_bytes()
    assert file.read_bytes().startswith(sealed.FIRST_LINE)
    with pytest.raises(backup.Refused, match="BACKUP_KEY is another one"):
        archive.unpack(file, tmp_path, "another key " * 4, silent)
    with pytest.raises(backup.Refused, match="is encrypted, and BACKUP_KEY is not set"):
        archive.unpack(file, tmp_path, "", silent)


def test_without_a_key_the_operator_has_to_say_that_it_may_be_read(command, tmp_path):
    assert "BACKUP_KEY: is not set" in command("backup", tmp_path, key="", status=2)
    assert list(tmp_path.glob("*.backup")) == []


def test_a_file_that_is_there_is_not_written_over(command, history, tmp_path):
    (tmp_path / "one.backup").write_text("another")

    assert "is there already" in command("backup", tmp_path / "one.backup", status=2)
    assert (tmp_path / "one.backup").read_text() == "another"


def test_a_folder_that_is_not_there_is_one_sentence(command, history, tmp_path):
    assert "The backup could not be written" in command("backup", tmp_path / "nowhere" / "one.backup", status=2)


def test_only_the_newest_are_kept_and_nothing_else_is_removed(command, history, tmp_path):
    old = [tmp_path / f"portal-2026010{day}-020000.backup" for day in (1, 2, 3)]
    for file in (*old, tmp_path / "by-hand.backup"):
        file.write_text("")

    told = command("backup", tmp_path, "--keep", 2, "--json")

    assert told["removed"] == [str(file) for file in old[:2]]
    assert sorted(file.name for file in tmp_path.glob("*.backup")) == sorted([old[2].name, "by-hand.backup", Path(told["file"]).name])


def test_a_trail_that_is_not_as_it_was_written_is_told_and_the_backup_kept_under_another_name(command, history, tmp_path):
    for trigger in ("event_unchanged", "event_kept"):
        db.database.execute_sql(f"DROP TRIGGER {trigger}" + ("" if db.is_sqlite() else " ON event"))
    db.database.execute_sql("UPDATE event SET action = 'exported' WHERE seq = 2")

    told = command("backup", tmp_path / "one.backup", "--json", status=1)

    assert told["faults"] == ["The content of event 2 was changed after it was recorded: it does not match its hash."]
    assert told["file"] == str(tmp_path / "one.backup.unverified")
    assert backups.latest() is None
    assert not backups.latest(verified=False).verified


def test_an_end_that_was_cut_off_is_seen_by_the_heads(command, history, tmp_path, data):
    with (data / heads.HEADS).open("a") as file:
        file.write('{"date": "2026-01-01 12:00", "seq": 900, "hash": "00"}\n')

    told = command("backup", tmp_path, "--json", status=1)

    assert "its end was cut off" in told["faults"][0]


def test_a_lost_row_is_seen(command, history, tmp_path, at_the_snapshot):
    at_the_snapshot(lambda taken: replace(taken, counts=taken.counts | {"user": taken.counts["user"] + 1}))

    told = command("backup", tmp_path, "--json", status=1)

    users = User.select().count()
    assert told["faults"] == [f"The table user has {users} rows in the backup, not {users + 1}."]


@pytest.mark.parametrize("key", ["", "a key for backups " * 2])
def test_a_backup_that_was_cut_off_or_changed_is_refused(command, history, tmp_path, key):
    file, folder = tmp_path / "one.backup", tmp_path / "out"
    folder.mkdir()
    command("backup", file, *([] if key else ["--unencrypted"]), key=key)
    whole = file.read_bytes()
    middle = len(whole) // 2

    for changed in (whole[:middle], whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :], whole[: -2 if key else middle], b""):
        file.write_bytes(changed)
        with pytest.raises(backup.Refused):
            archive.unpack(file, folder, key, silent)


def test_chunks_cannot_be_moved_left_out_or_taken_from_another_backup(tmp_path, monkeypatch):
    monkeypatch.setattr(sealed, "CHUNK", 10)

    def sealed_lines(name):
        with (tmp_path / name).open("wb") as out:
            writer = sealed.Writer(out, KEY)
            writer.write(b"0123456789" * 3)
            writer.close()
        return (tmp_path / name).read_bytes().splitlines(keepends=True)[1:]

    def opened(lines):
        (tmp_path / "read").write_bytes(b"".join(lines))
        with (tmp_path / "read").open("rb") as file:
            return sealed.Reader(file, KEY).read()

    one, other = sealed_lines("one"), sealed_lines("other")
    assert opened(one) == b"0123456789" * 3
    for lines in ([one[1], one[0], *one[2:]], [one[0], *one[2:]], one[:-1], [one[0], other[1], *one[2:]]):
        with pytest.raises(backup.Refused):
            opened(lines)


def test_a_file_with_another_name_inside_is_refused(tmp_path):
    (tmp_path / "evil").write_text("x")
    with tarfile.open(tmp_path / "bad.backup", "w:gz") as tar:
        tar.add(tmp_path / "evil", "../../evil")

    with pytest.raises(backup.Refused, match="is not a backup of the portal"):
        archive.unpack(tmp_path / "bad.backup", tmp_path, "", silent)


def test_without_the_programs_of_postgresql_the_command_says_which_one_is_missing(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(postgres, "PLACES", Path("/nonexistent"))

    with pytest.raises(backup.Refused, match="pg_dump is not installed on this machine"):
        postgres.program("pg_dump")


def test_a_password_is_no_argument_of_a_program():
    with postgres.at("postgresql://portal:secr%3At@db.example/portal?sslmode=verify-full") as server:
        file = dict(part.split("=", 1) for part in server.split())["passfile"]

        assert "secr" not in server
        assert "sslmode=verify-full" in server
        assert Path(file).read_text() == "*:*:*:*:secr\\:t\n"
        assert stat.S_IMODE(Path(file).stat().st_mode) == 0o600


def test_events_written_during_the_backup_are_not_in_it_and_do_no_harm(command, history, tmp_path, company, at_the_snapshot):
    """The snapshot is one moment, whoever writes beside it."""

    def someone_writes(taken):
        events.record("company", company.id, "settings changed", None)
        return taken

    at_the_snapshot(someone_writes)

    told = command("backup", tmp_path, "--json")

    assert told["verified"]
    assert told["last_event"] == events.Event.select().count() - 1
