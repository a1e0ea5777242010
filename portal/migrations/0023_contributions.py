"""Who had a hand in what each change order says: for those that exist, as their events tell it."""

import json

import peewee

WRITTEN = "SELECT DISTINCT ref, actor_id, 'wrote' FROM event WHERE subject = 'change_order' AND action IN ('created', 'edited', 'sent')"
AUTHORS = "SELECT id, {column}, 'wrote' FROM change_order WHERE {column} IS NOT NULL ON CONFLICT DO NOTHING"


def up(migrator, db):
    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Base):
        pass

    class ChangeOrder(Base):
        pass

    class Event(Base):
        seq = peewee.BigIntegerField(primary_key=True)
        subject = peewee.CharField()
        ref = peewee.IntegerField()
        action = peewee.CharField()
        data = peewee.TextField()

    class Contribution(Base):
        change_order = peewee.ForeignKeyField(ChangeOrder, on_delete="RESTRICT")
        person = peewee.ForeignKeyField(User, on_delete="RESTRICT")
        deed = peewee.CharField(max_length=10)

        class Meta:
            indexes = ((("change_order", "person"), True),)

    db.create_tables([Contribution])
    into = "INSERT INTO contribution (change_order_id, person_id, deed)"
    db.execute_sql(f"{into} {WRITTEN} AND actor_id IS NOT NULL")
    for column in ("created_by_id", "sent_by_id"):
        db.execute_sql(f"{into} {AUTHORS.format(column=column)}")
    by_token = Event.action.in_(("created", "edited", "sent")) & Event.data.contains('"token_made_by":')
    for event in Event.select().where(Event.subject == "change_order", by_token):
        if maker := json.loads(event.data).get("token_made_by"):
            Contribution.insert(change_order=event.ref, person=maker, deed="token").on_conflict_ignore().execute()


def down(migrator, db):
    db.execute_sql('DROP TABLE "contribution"')
