"""Failed exports carry their cause, so that they are grouped without reading events."""

import json
import re
from typing import Any

import peewee

LONGEST_TEXT = 200
QUOTED = re.compile(r"“[^”]*”|‘[^’]*’|\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)")


def up(migrator, db):
    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Base):
        pass

    class ChangeOrder(Base):
        status = peewee.CharField()
        cause = peewee.IntegerField(null=True)
        failed_at = peewee.DateTimeField(null=True)

    class Event(Base):
        seq = peewee.BigIntegerField(primary_key=True)
        at = peewee.DateTimeField()
        subject = peewee.CharField()
        ref = peewee.IntegerField()
        data = peewee.TextField()

    class FailureCause(Base):
        id = peewee.AutoField()
        kind = peewee.CharField(max_length=10)
        code = peewee.CharField(max_length=20, default="")
        field = peewee.CharField(max_length=60, default="")
        text = peewee.CharField(max_length=LONGEST_TEXT, default="")
        who = peewee.CharField(max_length=60, default="")
        first_seen_at = peewee.DateTimeField()
        returned_at = peewee.DateTimeField(null=True)
        name = peewee.CharField(max_length=80, default="")
        words = peewee.CharField(max_length=80, default="")
        pinned_to = peewee.ForeignKeyField("self", null=True, on_delete="RESTRICT")
        owner = peewee.ForeignKeyField(User, null=True, on_delete="RESTRICT")
        note = peewee.TextField(default="")
        archived_at = peewee.DateTimeField(null=True)

        class Meta:
            indexes = ((("kind", "code", "field", "text"), True),)

    db.create_tables([FailureCause])
    migrator.migrate(migrator.add_column("change_order", "cause", peewee.IntegerField(null=True)))
    migrator.migrate(migrator.add_column("change_order", "failed_at", peewee.DateTimeField(null=True)))
    for (id,) in db.execute_sql("SELECT id FROM change_order WHERE status = 'failed'").fetchall():
        mark(id, ChangeOrder, Event, FailureCause)
    db.execute_sql('CREATE INDEX "change_order_failed" ON "change_order" ("cause", "export") WHERE status = \'failed\'')


def mark(id: int, change_order: Any, event: Any, cause: Any) -> None:
    """The cause of what failed before, by the event that said so."""
    told = event.select().where(event.subject == "change_order", event.ref == id).order_by(event.seq.desc())
    for said in told:
        facts = json.loads(said.data)
        if "cause" in facts:
            code, field, text = named(facts)
            kept = {"kind": facts["cause"], "code": code, "field": field, "text": text}
            made, _ = cause.get_or_create(**kept, defaults={"who": facts.get("who", "")[:60], "first_seen_at": said.at})
            change_order.update(cause=made.id, failed_at=said.at).where(change_order.id == id).execute()
            return


def named(facts: dict[str, Any]) -> tuple[str, str, str]:
    for code, field, said in facts.get("rows") or ():
        if code not in ("G", "S"):
            return code[:20], field[:60], "" if code in ("check", "connect") else normalized(said)
    if facts.get("http") in (401, 403):
        return "http", str(facts["http"]), ""
    return "", "", normalized(facts.get("text", ""))


def normalized(text: str) -> str:
    words = QUOTED.sub("…", text).split()
    plain = ("…" + word[len(word.rstrip(".,;:")) :] if any(one.isdigit() for one in word) else word for word in words)
    return " ".join(plain)[:LONGEST_TEXT]


def down(migrator, db):
    db.execute_sql('DROP INDEX "change_order_failed"')
    migrator.migrate(migrator.drop_column("change_order", "failed_at"))
    migrator.migrate(migrator.drop_column("change_order", "cause"))
    migrator.migrate(migrator.drop_table("failure_cause"))
