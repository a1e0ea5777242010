"""Files handed in on a page: kept until they are imported or withdrawn, with what the preview said."""

from peewee import AutoField, BlobField, CharField, DateTimeField, ForeignKeyField, IntegerField, Model, TextField


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class Upload(Model):
        id = AutoField()
        file = CharField(max_length=255)
        sha256 = CharField(max_length=64)
        size = IntegerField()
        content = BlobField(null=True)
        by = ForeignKeyField(User, on_delete="RESTRICT")
        received_at = DateTimeField()
        read_at = DateTimeField(null=True)
        preview = TextField(default="")
        refused = IntegerField(default=0)
        confirmed_at = DateTimeField(null=True)
        withdrawn_at = DateTimeField(null=True)
        finished_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "upload"

    db.create_tables([Upload])
    migrator.migrate(migrator.add_column("import", "upload_id", ForeignKeyField(Upload, field=Upload.id, null=True, on_delete="RESTRICT")))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("import", "upload_id"))
    migrator.migrate(migrator.drop_table("upload"))
