"""Numbers of jobs, commitments and change orders in the form in which they are compared, and in which look-alikes are found.

Two that have one key already stay two: all but the first get their id as `twin`, which keeps the index unique.
"""

from typing import Any

import peewee

from portal.domain import keys

OWNERS = {"job": "company", "commitment": "job", "change_order": "commitment"}


def up(migrator, db):
    for table, owner in OWNERS.items():
        migrator.migrate(
            *(migrator.add_column(table, name, _text(), allow_not_null=True) for name in ("key", "loose")),
            migrator.add_column(table, "twin", peewee.IntegerField(default=0, constraints=[peewee.SQL("DEFAULT 0")]), allow_not_null=True),
        )
        _fill(db, table, owner)
        migrator.migrate(
            migrator.add_index(table, (f"{owner}_id", "key", "twin"), unique=True),
            migrator.add_index(table, (f"{owner}_id", "loose")),
        )


def down(migrator, db):
    for table, owner in OWNERS.items():
        migrator.migrate(*(migrator.drop_index(table, f"{table}_{owner}_id_{name}") for name in ("loose", "key_twin")))
        migrator.migrate(*(migrator.drop_column(table, name) for name in ("key", "loose", "twin")))


def _fill(db: Any, table: str, owner: str) -> None:
    class Made(peewee.Model):
        id = peewee.AutoField()
        place = peewee.IntegerField(column_name=f"{owner}_id")
        number = peewee.CharField()
        key = peewee.TextField()
        loose = peewee.TextField()
        twin = peewee.IntegerField()

        class Meta:
            database = db
            table_name = table

    first: set[tuple[int, str]] = set()
    rows: Any = Made.select(Made.id, Made.place, Made.number).order_by(Made.id).tuples()
    for id, place, number in list(rows):
        key = keys.canonical(number)
        Made.update(key=key, loose=keys.loose(number), twin=id if (place, key) in first else 0).where(Made.id == id).execute()
        first.add((place, key))


def _text() -> peewee.TextField:
    return peewee.TextField(default="", constraints=[peewee.SQL("DEFAULT ''")])
