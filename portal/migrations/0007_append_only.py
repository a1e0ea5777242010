"""The audit trail is append-only: the database itself refuses to change, replace or remove an event.

It keeps the portal, and everybody with a slip of the hand, from doing so. Whoever owns the database can drop the triggers;
what they change then `portal audit verify` finds.
"""

from peewee import SqliteDatabase

SQLITE = {
    "event_unchanged": "BEFORE UPDATE ON event",
    "event_kept": "BEFORE DELETE ON event",
    # INSERT OR REPLACE would remove an event without asking the trigger above.
    "event_not_replaced": "BEFORE INSERT ON event WHEN EXISTS (SELECT 1 FROM event WHERE seq >= NEW.seq OR hash = NEW.hash)",
}
POSTGRES = {
    "event_unchanged": "BEFORE UPDATE OR DELETE ON event FOR EACH ROW",
    "event_kept": "BEFORE TRUNCATE ON event FOR EACH STATEMENT",
}
REFUSAL = "the audit trail is append-only"


def up(migrator, db):
    if isinstance(db, SqliteDatabase):
        for name, when in SQLITE.items():
            db.execute_sql(f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END")
        return
    body = f"BEGIN RAISE EXCEPTION '{REFUSAL}'; END"
    db.execute_sql(f"CREATE FUNCTION event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    for name, when in POSTGRES.items():
        db.execute_sql(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION event_is_append_only()")


def down(migrator, db):
    if isinstance(db, SqliteDatabase):
        for name in SQLITE:
            db.execute_sql(f"DROP TRIGGER {name}")
        return
    for name in POSTGRES:
        db.execute_sql(f"DROP TRIGGER {name} ON event")
    db.execute_sql("DROP FUNCTION event_is_append_only()")
