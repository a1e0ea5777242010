"""Count and sum of the change orders in each status, kept by the moves; and an index for each view that shows several statuses."""

import peewee

VIEWS = {
    "change_order_listed_progress": "status IN ('queued', 'exporting')",
    "change_order_listed_failed": "status IN ('failed', 'unknown')",
    "change_order_listed_returned": "status IN ('rejected', 'retrieved')",
    "change_order_listed_all": "status NOT IN ('draft', 'void')",
}
FILL = """
    INSERT INTO status_total (company_id, status, change_orders, amount)
    SELECT job.company_id, change_order.status, COUNT(*),
           SUM(CASE WHEN change_order.status IN ('draft', 'rejected', 'retrieved') THEN COALESCE(sent_amount, amount) ELSE amount END)
    FROM change_order JOIN commitment ON commitment.id = change_order.commitment_id JOIN job ON job.id = commitment.job_id
    WHERE sent_at IS NOT NULL GROUP BY job.company_id, change_order.status"""


def up(migrator, db):
    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Company(Base):
        pass

    class StatusTotal(Base):
        company = peewee.ForeignKeyField(Company, on_delete="RESTRICT", backref="+")
        status = peewee.CharField(max_length=20)
        change_orders = peewee.IntegerField()
        amount = peewee.BigIntegerField()

    db.create_tables([StatusTotal])
    db.execute_sql(FILL)
    for name, statuses in VIEWS.items():
        db.execute_sql(f"CREATE INDEX {name} ON change_order (sent_at, id) WHERE {statuses} AND sent_at IS NOT NULL")


def down(migrator, db):
    for name in VIEWS:
        db.execute_sql(f"DROP INDEX {name}")
    db.execute_sql("DROP TABLE status_total")
