"""The migrations make exactly the tables the models expect."""

import pytest
from playhouse.schema_diff import diff_models

from portal import db
from portal.domain.tables import TABLES


@pytest.fixture
def migrated(tmp_path):
    db.init(f"sqlite:///{tmp_path / 'portal.db'}")
    with db.connected():
        db.migrate()
        yield db.database.obj


def test_models_and_migrated_schema_agree(migrated):
    assert not diff_models(migrated, list(TABLES))


def test_the_migrated_tables_have_the_columns_and_types_of_the_models(migrated):
    made = {(table, row[1]): row[2].split("(")[0].upper() for table in migrated.get_tables() for row in _columns(migrated, table)}

    for model in TABLES:
        for field in model._meta.sorted_fields:
            declared = field.ddl_datatype(migrated.get_sql_context()).sql.split("(")[0].upper()
            assert made[model._meta.table_name, field.column_name] == declared, f"{model.__name__}.{field.name}"


def test_migrating_twice_changes_nothing(migrated):
    assert db.migrate() == []


def _columns(database, table):
    return database.execute_sql(f'PRAGMA table_info("{table}")').fetchall()
