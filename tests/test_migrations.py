"""The migrations make exactly the tables the models expect."""

import pytest
from playhouse.schema_diff import diff_models

from portal import db
from portal.domain.tables import TABLES


@pytest.fixture
def migrated(empty_url):
    db.init(empty_url)
    with db.connected():
        db.migrate()
        yield db.database.obj


def test_models_and_migrated_schema_agree(migrated):
    assert not diff_models(migrated, list(TABLES))


def test_the_migrated_tables_have_the_columns_and_types_of_the_models(migrated):
    made = {model.__name__: columns(migrated, model) for model in TABLES}
    migrated.drop_tables(list(TABLES))

    migrated.create_tables(list(TABLES))

    assert made == {model.__name__: columns(migrated, model) for model in TABLES}


def test_migrating_twice_changes_nothing(migrated):
    assert db.migrate() == []


def columns(database, model):
    """Name, type without its length, and whether it may be null."""
    return {(one.name, one.data_type.split("(")[0].upper(), one.null) for one in database.get_columns(model._meta.table_name)}
