"""The amount of a change order as it was last sent: what accounting adds up while the project corrects it."""

import json
from decimal import Decimal

import peewee


def up(migrator, db):
    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class ChangeOrder(Base):
        id = peewee.AutoField()
        status = peewee.CharField()
        amount = peewee.BigIntegerField()
        sent_at = peewee.DateTimeField(null=True)
        sent_amount = peewee.BigIntegerField(null=True)

    class Event(Base):
        seq = peewee.BigIntegerField(primary_key=True)
        subject = peewee.CharField()
        ref = peewee.IntegerField()
        action = peewee.CharField()
        data = peewee.TextField()

    migrator.migrate(migrator.add_column("change_order", "sent_amount", peewee.BigIntegerField(null=True)))
    ChangeOrder.update(sent_amount=ChangeOrder.amount).where(ChangeOrder.sent_at.is_null(False)).execute()
    returned = ChangeOrder.select(ChangeOrder.id).where(ChangeOrder.status.in_(("rejected", "retrieved")))
    sent = Event.select().where(Event.subject == "change_order", Event.action == "sent", Event.ref.in_(returned))
    for event in sent.order_by(Event.seq):
        cents = int(Decimal(json.loads(event.data)["snapshot"]["amount"]).scaleb(2))
        ChangeOrder.update(sent_amount=cents).where(ChangeOrder.id == event.ref).execute()


def down(migrator, db):
    migrator.migrate(migrator.drop_column("change_order", "sent_amount"))
