"""The portal knows the last backup that was read back and found good."""

from datetime import UTC, datetime, timedelta

from portal.domain import backups

NIGHT = datetime(2026, 11, 23, 2, tzinfo=UTC)


def test_before_the_first_backup_there_is_none(database):
    assert backups.latest() is None


def test_the_last_verified_backup_counts(database):
    backups.record(NIGHT, "portal-1.tar", 4096, True)
    backups.record(NIGHT + timedelta(days=1), "portal-2.tar", 8192, True)
    backups.record(NIGHT + timedelta(days=2), "portal-3.tar", 16, False)

    last = backups.latest()

    assert last is not None
    assert (last.at, last.name, last.size, last.verified) == (NIGHT + timedelta(days=1), "portal-2.tar", 8192, True)


def test_a_backup_that_was_not_verified_is_known_too(database):
    backups.record(NIGHT, "portal-1.tar", 4096, False)

    assert backups.latest() is None
    assert backups.latest(verified=False).name == "portal-1.tar"
