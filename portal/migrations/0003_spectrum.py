"""Spectrum: what it said of jobs, phases and vendors, how to sign in there, and the accounting period."""

from peewee import SQL, BooleanField, CharField, DateField, DateTimeField, ForeignKeyField, IntegerField, Model, TextField


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Company(Base):
        pass

    class User(Base):
        pass

    class SpectrumJob(Base):
        company = ForeignKeyField(Company, on_delete="RESTRICT")
        number = CharField(max_length=20)
        description = CharField(default="")
        customer = CharField(max_length=20, default="")
        contract = CharField(max_length=20, default="")
        status = CharField(max_length=1, default="")
        read_at = DateTimeField()

        class Meta:
            indexes = ((("company", "number"), True),)

    class SpectrumPhase(Base):
        company = ForeignKeyField(Company, on_delete="RESTRICT")
        job = CharField(max_length=20)
        phase = CharField(max_length=30)
        cost_type = CharField(max_length=10)
        description = CharField(default="")
        status = CharField(max_length=1, default="")
        unit = CharField(max_length=10, default="")
        read_at = DateTimeField()

        class Meta:
            indexes = ((("company", "job", "phase", "cost_type"), True),)

    class SpectrumVendor(Base):
        company = ForeignKeyField(Company, on_delete="RESTRICT")
        code = CharField(max_length=20)
        name = CharField(default="")
        read_at = DateTimeField()

        class Meta:
            indexes = ((("company", "code"), True),)

    class Reading(Base):
        company = ForeignKeyField(Company, on_delete="RESTRICT")
        listing = CharField(max_length=20)
        job = CharField(max_length=20, default="")
        refresh = IntegerField()
        read_at = DateTimeField(null=True)
        complete = BooleanField(default=False)
        reason = CharField(default="")
        error = TextField(default="")

        class Meta:
            indexes = ((("company", "listing", "job"), True),)

    class Refresh(Base):
        key = CharField(unique=True)
        company = ForeignKeyField(Company, on_delete="RESTRICT")
        asked_by = ForeignKeyField(User, null=True, on_delete="RESTRICT")
        asked_at = DateTimeField()
        finished_at = DateTimeField(null=True)
        error = TextField(default="")

    class Connection(Base):
        company = ForeignKeyField(Company, unique=True, on_delete="RESTRICT")
        authorization_id = TextField(default="")
        basic = BooleanField(default=False)
        enhanced = BooleanField(default=False)
        client_id = CharField(max_length=100, default="")
        client_secret = TextField(default="")
        secret_expires_on = DateField(null=True)
        version = CharField(max_length=7, default="1")
        token = TextField(default="")

    class ConnectionTest(Base):
        company = ForeignKeyField(Company, on_delete="RESTRICT")
        asked_by = ForeignKeyField(User, null=True, on_delete="RESTRICT")
        asked_at = DateTimeField()
        finished_at = DateTimeField(null=True)
        ok = BooleanField(default=False)
        milliseconds = IntegerField(default=0)
        said = TextField(default="")
        advice = TextField(default="")

    migrator.migrate(
        migrator.add_column("company", "accounting_dates", _switch(), allow_not_null=True),
        migrator.add_column("company", "period_from", DateField(null=True)),
        migrator.add_column("company", "period_to", DateField(null=True)),
        migrator.add_column("commitment", "unit_price", _switch(), allow_not_null=True),
    )
    db.create_tables([SpectrumJob, SpectrumPhase, SpectrumVendor, Reading, Refresh, Connection, ConnectionTest])


def down(migrator, db):
    for table in ("connection_test", "connection", "refresh", "reading", "spectrum_vendor", "spectrum_phase", "spectrum_job"):
        migrator.migrate(migrator.drop_table(table))
    migrator.migrate(
        migrator.drop_column("commitment", "unit_price"),
        migrator.drop_column("company", "period_to"),
        migrator.drop_column("company", "period_from"),
        migrator.drop_column("company", "accounting_dates"),
    )


def _switch() -> BooleanField:
    return BooleanField(default=False, constraints=[SQL("DEFAULT FALSE")])
