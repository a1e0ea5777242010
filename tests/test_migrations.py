"""The migrations make exactly the tables the models expect."""

from decimal import Decimal

import pytest
from playhouse import migrations
from playhouse.migrate import SchemaMigrator
from playhouse.schema_diff import diff_models

from portal import db
from portal.domain import status_totals
from portal.domain.change_orders import ChangeOrder
from portal.domain.exporting.failure_causes import FailureCause
from portal.domain.projects import sending
from portal.domain.recovery import recount
from tests.tables import TABLES

pytestmark = pytest.mark.databases_differ("constraints and triggers")


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


def once_more(name):
    """Take the migration back, and run it over what is there."""
    known = migrations.Runner(db.database.obj, str(db.MIGRATIONS)).status()
    migration = next(one for one in known if one.name.endswith(name)).load()
    migrator = SchemaMigrator.from_database(db.database.obj)
    with db.transaction():
        migration.down(migrator, db.database.obj)
        migration.up(migrator, db.database.obj)


def test_what_had_come_back_and_was_being_corrected_counts_as_it_was_sent(database, make_change_order, dee):
    returned, waiting = make_change_order("rejected"), make_change_order("ready")
    sending.edit(returned.id, dee, returned.version, sending.Draft("001", "Corrected", "", []))

    once_more("_sent_amount")

    amounts = {one.id: (one.amount, one.sent_amount) for one in ChangeOrder.select()}
    assert amounts == {returned.id: (Decimal(0), Decimal(4250)), waiting.id: (Decimal(4250), Decimal(4250))}


def test_what_had_failed_before_gets_its_cause(database, make_change_order):
    failed = make_change_order("failed")
    kept = FailureCause.select().dicts().get()

    once_more("_failure_causes")

    made = FailureCause.select().dicts().get()
    assert made | {"first_seen_at": ""} == kept | {"first_seen_at": ""}
    assert ChangeOrder.get_by_id(failed.id).cause == made["id"]


def test_what_stood_in_each_status_before_is_counted(database, make_change_order):
    for status in ("ready", "ready", "rejected", "exported", "draft", "void"):
        make_change_order(status)
    before = status_totals.read()

    once_more("_status_totals")

    assert status_totals.read() == {status: total for status, total in before.items() if total.count}
    assert not recount.differences()


def test_what_was_sent_before_is_found_by_its_words_as_they_were_sent(database, make_change_order, dee):
    waiting, returned = make_change_order("ready", title="Köln, area 1"), make_change_order("rejected", number="007")
    make_change_order("draft")
    sending.edit(returned.id, dee, returned.version, sending.Draft("007", "Corrected", "", []))

    once_more("_search_text")

    texts = {one.id: one.search_text for one in ChangeOrder.select()}
    assert texts == {waiting.id: "001 koln, area 1", returned.id: "007 relocate duct bank", waiting.id + 2: ""}
