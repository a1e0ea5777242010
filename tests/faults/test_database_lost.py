"""The database is away, lost in the middle of the work, read-only, or of another version: everybody is told so in plain words."""

import peewee
import pytest

from portal import db
from portal.db import errors
from portal.domain.change_orders import Status, load
from tests.cast import seen
from tests.conftest import HTMX, sign_in
from tests.web.test_headers import protected

pytestmark = pytest.mark.databases_differ("a database that is lost, slow or busy")

NOWHERE = {"sqlite": "sqlite:////nowhere/portal.db", "postgresql": "postgresql:///portal?host=/nowhere&user=postgres"}


@pytest.fixture
def lose(client, database_kind):
    """Takes the database away from whatever comes."""

    def away():
        db.database.close()
        db.init(NOWHERE[database_kind])

    return away


def in_words(answer, words=errors.AWAY):
    protected(answer)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    assert words in answer.text


def press_accept(client, change_order, form, **headers):
    return client.post(f"/change-orders/{change_order.id}/acceptance", data=form, headers=headers)


@pytest.mark.parametrize("path", ["/change-orders", "/", "/login", "/nope", "/settings/people"])
def test_without_its_database_a_page_is_a_503_in_the_portals_words_with_all_headers(client, ana, lose, path):
    sign_in(client, ana)

    lose()

    answer = client.get(path)
    in_words(answer)
    assert "<h1" in answer.text


def test_without_its_database_a_press_is_answered_where_htmx_shows_it_and_the_row_stays(client, ana, change_order, lose):
    sign_in(client, ana)
    form = seen(change_order)

    lose()

    answer = press_accept(client, change_order, form, **HTMX)
    in_words(answer)
    assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == ("#alert", "innerHTML")
    assert answer.text.startswith('<p class="alert">')


def test_without_its_database_the_interface_answers_with_a_problem(client, lose):
    lose()

    answer = client.get("/api/v1/change-orders", headers={"Authorization": "Bearer cco_x"})

    in_words(answer)
    assert answer.content_type == "application/problem+json"
    assert answer.json["detail"] == f"{errors.AWAY} Reference: {answer.headers['X-Request-ID']}."


def test_without_its_database_it_is_not_ready_and_lives(client, lose):
    lose()

    ready, alive = client.get("/readyz"), client.get("/healthz")

    protected(ready)
    assert (ready.status_code, ready.json["status"], ready.headers["Retry-After"]) == (503, "not ready", "10")
    assert alive.status_code == 200


def test_a_file_that_is_not_there_is_told_without_the_database_too(client, lose):
    lose()

    answer = client.get("/static/nothing.css")

    protected(answer)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_a_database_that_was_never_migrated_or_is_older_is_not_ready(client, database):
    name = database.execute_sql("SELECT max(name) FROM schema_migration").fetchone()[0]
    database.execute_sql(f"DELETE FROM schema_migration WHERE name = '{name}'")

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert "`portal db migrate`" in answer.json["parts"]["database"]


LOST = [
    peewee.OperationalError("disk I/O error"),
    peewee.OperationalError("unable to open database file"),
    errors.Away(errors.AWAY),
]


@pytest.mark.parametrize("error", LOST, ids=str)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_database_lost_in_mid_work_is_told_without_a_promise_that_cannot_be_kept(app, client, ana, change_order, error, method):
    """What was being written when the connection broke may have been committed."""

    def view(**_):
        raise error

    sign_in(client, ana)
    app.view_functions["deciding.accept"] = app.view_functions["frame.home"] = view

    answer = client.open("/" if method == "GET" else f"/change-orders/{change_order.id}/acceptance", method=method)

    looked = method == "GET" or isinstance(error, errors.Away)
    in_words(answer, errors.AWAY if looked else "What you sent is recorded as a whole or not at all")


def test_a_statement_of_ours_that_is_wrong_is_a_fault_and_no_outage(app, client, ana):
    def view():
        db.database.execute_sql("SELEKT 1")

    sign_in(client, ana)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.view_functions["frame.home"] = view

    answer = client.get("/")

    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    protected(answer)


def test_a_database_that_can_only_be_read_shows_its_pages_and_refuses_what_writes_in_plain_words(client, ana, change_order, clock):
    sign_in(client, ana)
    clock.tick(minutes=5)  # the use of the session would be noted
    form = seen(change_order)
    db.database.execute_sql("PRAGMA query_only = ON" if db.is_sqlite() else "SET default_transaction_read_only = on")

    page, refused, fragment = (
        client.get("/change-orders"),
        press_accept(client, change_order, form),
        press_accept(client, change_order, form, **HTMX),
    )

    assert page.status_code == 200
    for answer in (refused, fragment):
        in_words(answer, "The database is read-only. Nothing was recorded.")
    db.database.execute_sql("PRAGMA query_only = OFF" if db.is_sqlite() else "SET default_transaction_read_only = off")
    assert load(change_order.id).state is Status.READY
