"""Spectrum numbers in one spelling, in the order in which they were taken, and taken under every key under which something was accepted.

Until now a number was taken once, under the company, job and customer of that moment; whoever was accepted again after one of
them had changed held it there in name only. Nothing is merged: where two change orders already share a key, the first keeps it.
"""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import peewee

KEY = ("company", "job", "customer", "number")
ELEMENTS = ("Company_Code", "Job_Number", "Customer_Code", "Change_Request_Number")


def up(migrator, db):
    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class SpectrumNumber(Base):
        id = peewee.AutoField()
        company = peewee.CharField()
        job = peewee.CharField()
        customer = peewee.CharField()
        number = peewee.CharField()
        change_order_id = peewee.IntegerField()
        turn = peewee.IntegerField(default=1)

    class Export(Base):
        id = peewee.AutoField()
        change_order_id = peewee.IntegerField()
        frozen = peewee.TextField()

    class Event(Base):
        seq = peewee.BigIntegerField(primary_key=True)
        subject = peewee.CharField()
        ref = peewee.IntegerField()
        action = peewee.CharField()
        data = peewee.TextField()

    class ChangeOrder(Base):
        id = peewee.AutoField()
        manual = peewee.BooleanField()

    turn = peewee.IntegerField(default=1, constraints=[peewee.SQL("DEFAULT 1")])
    migrator.migrate(migrator.add_column("spectrum_number", "turn", turn, allow_not_null=True))
    rows = list(SpectrumNumber.select().order_by(SpectrumNumber.id))
    turns: Counter[int] = Counter()
    holders: dict[tuple[str, ...], int] = {key: row.change_order_id for row in rows if (key := _as_it_is(row)) == _spelled(key)}
    for row in rows:
        turns[row.change_order_id] += 1
        changes: dict[str, Any] = {"turn": turns[row.change_order_id]}
        key = _spelled(_as_it_is(row))
        if key not in holders:
            holders[key] = row.change_order_id
            changes |= dict(zip(KEY, key, strict=True))
        SpectrumNumber.update(changes).where(SpectrumNumber.id == row.id).execute()
    for export in Export.select().order_by(Export.id).iterator():
        header, holder = json.loads(export.frozen)["header"], export.change_order_id
        named = dict(zip(KEY, _spelled(header[name] for name in ELEMENTS), strict=True))
        turns[holder] += 1
        if holders.setdefault(tuple(named.values()), holder) == holder:
            SpectrumNumber.insert(**named, change_order_id=holder, turn=turns[holder]).on_conflict_ignore().execute()
            theirs = [getattr(SpectrumNumber, name) == value for name, value in named.items()]
            SpectrumNumber.update(turn=turns[holder]).where(*theirs).execute()
    manual = ChangeOrder.select(ChangeOrder.id).where(ChangeOrder.manual)
    by_hand = Event.select().where(Event.subject == "change_order", Event.action == "entered by hand", Event.ref.in_(manual))
    for event in by_hand.order_by(Event.seq):
        held = SpectrumNumber.select().where(SpectrumNumber.change_order_id == event.ref)
        if found := held.where(SpectrumNumber.number == json.loads(event.data)["number"]).order_by(SpectrumNumber.turn.desc()).first():
            turns[event.ref] += 1
            SpectrumNumber.update(turn=turns[event.ref]).where(SpectrumNumber.id == found.id).execute()


def _as_it_is(row: Any) -> tuple[str, ...]:
    return tuple(getattr(row, name) for name in KEY)


def _spelled(key: Iterable[str]) -> tuple[str, ...]:
    return tuple(part.strip().upper() for part in key)


def down(migrator, db):
    migrator.migrate(migrator.drop_column("spectrum_number", "turn"))
