"""The backups that `portal backup` finished, so that the portal can say how old the last good one is."""

from datetime import datetime

import peewee

from portal.db import Model, UtcField, transaction


class Backup(Model):
    """One finished backup.

    at        when the backup was taken: what was written later is not in it
    name      name of its file, without the folder
    size      bytes
    verified  whether it was opened and checked after it was written
    """

    at = UtcField()
    name = peewee.CharField(max_length=255)
    size = peewee.BigIntegerField()
    verified = peewee.BooleanField()


def record(moment: datetime, path_name: str, bytes: int, verified: bool) -> Backup:
    """Record a backup after its file is complete on disk."""
    with transaction():
        backup: Backup = Backup.create(at=moment, name=path_name[-255:], size=bytes, verified=verified)
        return backup


def latest(*, verified: bool = True) -> Backup | None:
    """The last backup that was verified; with `verified` False the last one of any kind."""
    newest = Backup.select().order_by(Backup.id.desc())
    backup: Backup | None = (newest.where(Backup.verified) if verified else newest).first()
    return backup
