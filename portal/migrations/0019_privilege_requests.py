"""Requests for Can Push to Accounting."""

import peewee


def up(migrator, db):
    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Base):
        pass

    class PrivilegeRequest(Base):
        person = peewee.ForeignKeyField(User, on_delete="RESTRICT", backref="+")
        note = peewee.CharField(max_length=300, default="")
        asked_at = peewee.DateTimeField()
        answered_at = peewee.DateTimeField(null=True)
        answered_by = peewee.ForeignKeyField(User, null=True, on_delete="RESTRICT", backref="+")
        granted = peewee.BooleanField(null=True)
        answer = peewee.CharField(max_length=300, default="")

    still_open = PrivilegeRequest.index(
        PrivilegeRequest.person, unique=True, where=PrivilegeRequest.answered_at.is_null(), name="privilege_request_open"
    )
    PrivilegeRequest.add_index(still_open)  # one per person
    db.create_tables([PrivilegeRequest])


def down(migrator, db):
    db.execute_sql('DROP TABLE "privilege_request"')
