"""Everything the first change order needs: people, commitments, change orders, exports, promises, the audit trail.

Money is whole US cents; times are UTC.
"""

from datetime import datetime
from typing import Any

from peewee import BigIntegerField, BooleanField, CharField, DateTimeField, ForeignKeyField, IntegerField, Model, TextField


def up(migrator: Any, db: Any) -> None:
    class Company(Model):
        name = CharField(max_length=100)
        code = CharField(max_length=3, default="")
        cr_status = CharField(max_length=2, default="")
        cost_reimbursable = CharField(max_length=1, default="")
        sub_status = CharField(max_length=1, default="")
        custom_title = BooleanField(default=False)
        edit_number = BooleanField(default=True)
        four_eyes = BooleanField(default=True)
        export_delay = IntegerField(default=10)
        time_zone = CharField(default="America/Chicago")

        class Meta:
            database = db
            table_name = "company"

    class Job(Model):
        company = ForeignKeyField(Company, on_delete="RESTRICT")
        number = CharField(max_length=10)
        name = CharField(max_length=100)
        customer = CharField(max_length=10, default="")

        class Meta:
            database = db
            table_name = "job"
            indexes = ((("company", "number"), True),)

    class Vendor(Model):
        company = ForeignKeyField(Company, on_delete="RESTRICT")
        name = CharField(max_length=100)
        code = CharField(max_length=10, default="")

        class Meta:
            database = db
            table_name = "vendor"
            indexes = ((("company", "name"), True),)

    class Commitment(Model):
        job = ForeignKeyField(Job, on_delete="RESTRICT")
        vendor = ForeignKeyField(Vendor, on_delete="RESTRICT")
        number = CharField(max_length=30)
        title = CharField(max_length=100, default="")
        kind = CharField(default="subcontract")
        as_subcontract = BooleanField(default=False)
        subcontract = CharField(max_length=10, default="")
        original_amount = BigIntegerField(null=True)

        class Meta:
            database = db
            table_name = "commitment"
            indexes = ((("job", "number"), True),)

    class User(Model):
        email = CharField(max_length=254)
        handle = CharField(unique=True, max_length=254)
        name = CharField(max_length=100)
        password = CharField(null=True)
        level = CharField(default="None")
        can_push = BooleanField(default=False)
        active = BooleanField(default=True)
        created_at = DateTimeField()
        last_active_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "user"

    class Membership(Model):
        user = ForeignKeyField(User, on_delete="RESTRICT")
        job = ForeignKeyField(Job, on_delete="RESTRICT")

        class Meta:
            database = db
            table_name = "membership"
            indexes = ((("user", "job"), True),)

    class Session(Model):
        token_hash = CharField(unique=True, max_length=64)
        user = ForeignKeyField(User, on_delete="RESTRICT")
        started_at = DateTimeField()
        seen_at = DateTimeField()
        ended_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "session"

    class ChangeOrder(Model):
        commitment = ForeignKeyField(Commitment, on_delete="RESTRICT")
        number = CharField(max_length=12)
        title = TextField()
        description = TextField(default="")
        amount = BigIntegerField()
        project_status = CharField(default="Approved")
        status = CharField(default="draft")
        version = IntegerField(default=1)
        revision = IntegerField(default=0)
        checks = CharField(default="clean")
        created_by = ForeignKeyField(User, null=True, on_delete="RESTRICT")
        created_at = DateTimeField()
        sent_by = ForeignKeyField(User, null=True, on_delete="RESTRICT")
        sent_at = DateTimeField(null=True)
        decided_by = ForeignKeyField(User, null=True, on_delete="RESTRICT")
        decided_at = DateTimeField(null=True)
        export = IntegerField(null=True)

        class Meta:
            database = db
            table_name = "change_order"
            indexes = ((("commitment", "number"), True), (("status", "sent_at", "id"), False))

    class LineItem(Model):
        change_order = ForeignKeyField(ChangeOrder, on_delete="RESTRICT")
        position = IntegerField()
        phase_code = CharField(max_length=30, default="")
        cost_type = CharField(max_length=10, default="")
        bid_item = CharField(max_length=11, default="")
        description = TextField(default="")
        quantity = CharField(null=True, max_length=40)  # an exact decimal as text
        unit = CharField(max_length=10, default="")
        amount = BigIntegerField(null=True)

        class Meta:
            database = db
            table_name = "line_item"
            indexes = ((("change_order", "position"), True),)

    class SpectrumNumber(Model):
        company = CharField(max_length=3)
        job = CharField(max_length=10)
        customer = CharField(max_length=10)
        number = CharField(max_length=8)
        change_order = ForeignKeyField(ChangeOrder, on_delete="RESTRICT")

        class Meta:
            database = db
            table_name = "spectrum_number"
            indexes = ((("company", "job", "customer", "number"), True),)

    class Export(Model):
        change_order = ForeignKeyField(ChangeOrder, on_delete="RESTRICT")
        revision = IntegerField()
        number = CharField(max_length=8)
        format = CharField(default="ARChangeRequest/1")
        frozen = TextField()
        sha256 = CharField(max_length=64)
        created_at = DateTimeField()

        class Meta:
            database = db
            table_name = "export"

    class Attempt(Model):
        export = ForeignKeyField(Export, on_delete="RESTRICT")
        line = IntegerField()
        kind = CharField(default="send")
        claim = IntegerField()
        guid = CharField(max_length=36, default="")
        started_at = DateTimeField()
        ended_at = DateTimeField(null=True)
        outcome = CharField(null=True)
        http = IntegerField(null=True)
        codes = TextField(default="[]")
        answer = TextField(default="")

        class Meta:
            database = db
            table_name = "attempt"

    class Lane(Model):
        name = CharField(primary_key=True)
        claim = IntegerField(default=0)
        until = DateTimeField()
        paused_at = DateTimeField(null=True)
        paused_by = ForeignKeyField(User, null=True, on_delete="RESTRICT")
        reason = CharField(default="")

        class Meta:
            database = db
            table_name = "lane"

    class Dispatch(Model):
        key = CharField(unique=True)
        lane = CharField()
        task = CharField()
        subject = IntegerField()
        due_at = DateTimeField()
        tries = IntegerField(default=0)
        promised_at = DateTimeField()
        finished_at = DateTimeField(null=True)
        error = CharField(default="")

        class Meta:
            database = db
            table_name = "dispatch"

    class Heartbeat(Model):
        name = CharField(primary_key=True)
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "heartbeat"

    class Event(Model):
        seq = BigIntegerField(primary_key=True)
        at = DateTimeField()
        actor = ForeignKeyField(User, null=True, on_delete="RESTRICT")
        subject = CharField()
        ref = IntegerField()
        action = CharField()
        data = TextField(default="{}")
        previous = CharField(max_length=64)
        hash = CharField(unique=True, max_length=64)

        class Meta:
            database = db
            table_name = "event"
            indexes = ((("subject", "ref", "seq"), False),)

    Attempt.add_index(Attempt.index(Attempt.export, unique=True, where=Attempt.ended_at.is_null(), name="attempt_open"))  # one in flight
    Dispatch.add_index(Dispatch.index(Dispatch.lane, Dispatch.due_at, where=Dispatch.finished_at.is_null(), name="dispatch_due"))
    db.create_tables(
        [
            Company,
            Job,
            Vendor,
            Commitment,
            User,
            Membership,
            Session,
            ChangeOrder,
            LineItem,
            SpectrumNumber,
            Export,
            Attempt,
            Lane,
            Dispatch,
            Heartbeat,
            Event,
        ]
    )
    company: Any = Company.create(name="Our company")  # the settings page edits the only one
    for lane in ("mail", f"exports:{company.id}"):
        Lane.insert(name=lane, until=datetime(1970, 1, 1)).execute()  # noqa: DTZ001 (UTC, as the table keeps it)


def down(migrator: Any, db: Any) -> None:
    migrator.migrate(migrator.drop_table("event"))
    migrator.migrate(migrator.drop_table("heartbeat"))
    migrator.migrate(migrator.drop_table("dispatch"))
    migrator.migrate(migrator.drop_table("lane"))
    migrator.migrate(migrator.drop_table("attempt"))
    migrator.migrate(migrator.drop_table("export"))
    migrator.migrate(migrator.drop_table("spectrum_number"))
    migrator.migrate(migrator.drop_table("line_item"))
    migrator.migrate(migrator.drop_table("change_order"))
    migrator.migrate(migrator.drop_table("session"))
    migrator.migrate(migrator.drop_table("membership"))
    migrator.migrate(migrator.drop_table("user"))
    migrator.migrate(migrator.drop_table("commitment"))
    migrator.migrate(migrator.drop_table("vendor"))
    migrator.migrate(migrator.drop_table("job"))
    migrator.migrate(migrator.drop_table("company"))
