"""A file and a system that bring the same change order at the same moment: it is made once, and both are told what became of it."""

import threading
from contextlib import contextmanager

import pytest

from portal import db
from portal.domain import companies
from portal.domain.change_orders import ChangeOrder
from portal.domain.imports import entries, import_run, matching, staging
from portal.domain.imports.staging import Import, RowOutcome, Staged
from portal.domain.projects import delivery
from portal.intake import files
from tests.api.conftest import change, make_system, system  # noqa: F401 -- fixtures
from tests.import_files import csv_file  # noqa: F401 -- likewise

pytestmark = pytest.mark.databases_differ("a database that is lost, slow or busy")

LOOK_S = 0.5  # in which the second one comes as far as it can


@pytest.fixture
def staged(csv_file, commitment):  # noqa: F811
    """Change order 001 of SC-014, about to be put in place by an import."""
    file = csv_file({"title": "As the file says"})
    (entry,) = import_run.prepare(files.read(file).entries)
    matching.MasterData(companies.current()).commitment(entry)  # what a file fills in would make the second one wait by itself
    origin = Import.create(file=file.name, sha256="", size=1)
    return Staged.create(origin=origin, position=1, content=entries.dump(entry))


def placed(row):
    """What the import does in its turn."""
    with db.transaction():
        staging.put(row, matching.MasterData(companies.current(), None), row.origin)


@contextmanager
def beside(call):
    """Runs beside the block in a thread with a connection of its own; its answer is in the list once the block is left."""
    answers = []

    def run():
        with db.connected():
            answers.append(call())

    thread = threading.Thread(target=run)
    yield thread, answers
    thread.join(30)
    assert not thread.is_alive()


def test_a_system_that_comes_while_the_import_writes_finds_what_it_wrote(staged, system, change):  # noqa: F811
    with beside(lambda: system.put("001", change)) as (thread, answers), db.transaction():
        staging.put(staged, matching.MasterData(companies.current(), None), staged.origin)
        thread.start()
        thread.join(LOOK_S)

    (answer,) = answers
    assert (answer.status_code, answer.json["title"]) == (200, "Relocate duct bank")
    assert ChangeOrder.select().count() == 1


def test_an_import_that_comes_while_a_system_delivers_finds_what_it_delivered(staged, change, dee):  # noqa: F811
    from portal.api.schemas import Change

    draft = Change.model_validate(change).draft("001")
    with beside(lambda: placed(staged)) as (thread, _), db.transaction():
        delivery.put("24-117", "SC-014", draft, dee)
        thread.start()
        thread.join(LOOK_S)

    assert Staged.get().outcome == RowOutcome.CHANGED
    assert [one.title for one in ChangeOrder.select()] == ["As the file says"]
