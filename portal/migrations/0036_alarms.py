"""The last mail on failed exports that a person was promised is found without reading all promises."""


def up(migrator, db):
    db.execute_sql("CREATE INDEX dispatch_alarms ON dispatch (subject) WHERE task = 'failed exports'")


def down(migrator, db):
    db.execute_sql("DROP INDEX dispatch_alarms")
