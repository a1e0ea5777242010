"""Number and title of change orders as searches read them, as they were last sent; and Spectrum numbers by themselves."""

import json

import peewee

from portal.domain import keys

KNOWN = "SELECT id, number, title FROM change_order WHERE status NOT IN ('draft', 'void') AND sent_at IS NOT NULL"
SENT = """
    SELECT ref, data FROM event WHERE subject = 'change_order' AND action = 'sent'
    AND ref IN (SELECT id FROM change_order WHERE status IN ('rejected', 'retrieved')) ORDER BY seq"""


def up(migrator, db):
    text = peewee.TextField(default="", constraints=[peewee.SQL("DEFAULT ''")])
    migrator.migrate(migrator.add_column("change_order", "search_text", text, allow_not_null=True))
    rows = [(number, title, id) for id, number, title in db.execute_sql(KNOWN).fetchall()]
    snapshots = ((json.loads(data)["snapshot"], ref) for ref, data in db.execute_sql(SENT).fetchall())
    rows += [(snapshot["number"], snapshot["title"], ref) for snapshot, ref in snapshots]
    db.cursor().executemany(
        f"UPDATE change_order SET search_text = {db.param} WHERE id = {db.param}",  # noqa: S608 -- a mark of the driver
        [(keys.searched(f"{number} {title}"), id) for number, title, id in rows],
    )
    db.execute_sql("CREATE INDEX spectrumnumber_number ON spectrum_number (number)")


def down(migrator, db):
    db.execute_sql("DROP INDEX spectrumnumber_number")
    migrator.migrate(migrator.drop_column("change_order", "search_text"))
