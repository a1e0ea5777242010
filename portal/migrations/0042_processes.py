"""Each keeper and worker reports itself; attempts are found by how and when they ended."""

from peewee import AutoField, CharField, DateTimeField, IntegerField, Model


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Process(Base):
        id = AutoField()
        kind = CharField(max_length=20)
        machine = CharField(max_length=100)
        pid = IntegerField()
        version = CharField(max_length=50)
        started_at = DateTimeField()
        seen_at = DateTimeField()

        class Meta:
            indexes = ((("kind", "machine", "pid"), True),)

    db.create_tables([Process])
    db.execute_sql("CREATE INDEX attempt_outcome ON attempt (outcome, ended_at)")


def down(migrator, db):
    db.execute_sql("DROP INDEX attempt_outcome")
    migrator.migrate(migrator.drop_table("process"))
