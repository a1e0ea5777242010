"""Looking back: through the simulator's tables with the code that reads SQL Server, and at the seam of its driver."""

import sqlite3
import sys
from decimal import Decimal
from types import SimpleNamespace

import pytest

from portal.spectrum.infolink import InfoLink, Server, simulated, sql_server
from portal.spectrum.readback import Comparison, Stored, StoredLine, compare
from portal.spectrum.records import Unanswered

KEYS = ("ABC", "24-117", "NORTHSIDE", "S014-003")
DUCT = StoredLine("162000", "SUB", Decimal("4250.00"))
SLAB = StoredLine("033000", "SUB", Decimal("-10.00"))


@pytest.fixture
def infolink(simulator):
    return simulated(simulator.data / "spectrum.db")


# Through the simulator's tables


def test_what_was_sent_is_there_and_equal(spectrum, infolink, record):
    spectrum.change_request(record(), "g")

    stored = infolink.look(*KEYS)

    assert stored == Stored("CR", "", (DUCT,))
    assert compare([StoredLine.sent(record())], stored) == Comparison("equal", (True,))


def test_what_was_not_sent_is_absent(infolink):
    assert infolink.look(*KEYS) is None


def test_a_header_without_lines_is_absent(simulator, infolink):
    keys = dict(zip(("Company_Code", "Job_Number", "Customer_Code", "Change_Request_Number"), KEYS, strict=True))
    simulator.control("change-requests", [{**keys, "CR_Status": "CR"}])

    assert infolink.look(*KEYS) is None


def test_keys_are_compared_without_blanks_and_case(simulator, infolink):
    keys = {"Company_Code": "ABC", "Job_Number": "   24-117", "Customer_Code": "Northside ", "Change_Request_Number": "s014-003"}
    line = {"CR_Phase_Code": " 162000", "CR_Cost_Type": "sub", "Change_Request_Amount": "4250"}
    simulator.control("change-requests", [{**keys, **line, "Change_Order_Number": " 7 "}])

    assert infolink.look("abc", "24-117 ", "NORTHSIDE", "S014-003") == Stored("", "7", (DUCT,))


def test_another_jobs_number_is_not_ours(spectrum, infolink, record):
    spectrum.change_request(record(), "g")

    assert infolink.look("ABC", "24-118", "NORTHSIDE", "S014-003") is None


def test_the_tables_can_be_tried(infolink):
    infolink.check()


def test_the_simulators_books_are_opened_for_reading_only(simulator, infolink):
    connection = infolink._connect()

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM journal")
    connection.close()


@pytest.mark.parametrize("content", [None, b"", b"not a database" * 100])
def test_tables_that_cannot_be_read_are_not_absent(tmp_path, content):
    if content is not None:
        (tmp_path / "spectrum.db").write_bytes(content)

    with pytest.raises(Unanswered, match="could not be read"):
        simulated(tmp_path / "spectrum.db").look(*KEYS)


# At the seam of the driver


class Tables:
    """A DB-API connection that gives these rows."""

    def __init__(self, rows=(), error=None):
        self.rows, self.error, self.executed, self.closed = rows, error, [], 0

    def cursor(self):
        return self

    def execute(self, sql, parameters):
        self.executed.append((sql, parameters))
        if self.error:
            raise self.error

    def fetchall(self):
        return self.rows

    def close(self):
        self.closed += 1


@pytest.mark.parametrize("amount", [Decimal("4250.00"), 4250.0, "4250", " 4250.00 ", Decimal("4250.0000"), 4250])
def test_an_amount_may_come_in_any_form(amount):
    tables = Tables([("CR", None, "16-2000 ", "SUB", amount)])

    assert InfoLink(lambda: tables, (), "%s").look(*KEYS) == Stored("CR", "", (DUCT,))
    assert tables.closed == 2


@pytest.mark.parametrize("amount", ["(5.00)", "many", b"\x00"])
def test_an_amount_that_is_none_is_not_guessed(amount):
    with pytest.raises(Unanswered, match="no number"):
        InfoLink(lambda: Tables([("CR", "", "162000", "SUB", amount)]), (), "%s").look(*KEYS)


def test_a_hair_of_a_cent_is_a_difference():
    stored = InfoLink(lambda: Tables([("CR", "", "162000", "SUB", Decimal("4250.001"))]), (), "?").look(*KEYS)

    assert compare([DUCT], stored).verdict == "different"


def test_the_driver_is_asked_for_tls_and_nothing_is_written(monkeypatch):
    asked, tables = {}, Tables([])
    driver = SimpleNamespace(connect=lambda **settings: asked.update(settings) or tables, Error=RuntimeError)
    monkeypatch.setitem(sys.modules, "pytds", driver)
    monkeypatch.setitem(sys.modules, "OpenSSL", SimpleNamespace())

    found = sql_server(Server("db.example.test", "Spectrum", "reader", "s3cret")).look(*KEYS)

    assert found is None
    assert (asked["dsn"], asked["port"], asked["database"], asked["user"]) == ("db.example.test", 1433, "Spectrum", "reader")
    assert asked["cafile"]
    assert (asked["validate_host"], asked["enc_login_only"], asked["readonly"]) == (True, False, True)
    ((sql, parameters),) = tables.executed
    assert parameters == ("ABC", "24-117", "NORTHSIDE", "S014-003")
    assert sql.count("%s") == 4
    assert sql.strip().startswith("SELECT")
    assert not any(word in sql.upper().split() for word in ("INSERT", "UPDATE", "DELETE", "INTO", "EXEC"))


def test_what_the_driver_says_is_not_repeated(monkeypatch):
    error = RuntimeError("Login failed for user 'reader' s3cret")
    monkeypatch.setitem(sys.modules, "pytds", SimpleNamespace(connect=lambda **settings: Tables(error=error), Error=RuntimeError))
    monkeypatch.setitem(sys.modules, "OpenSSL", SimpleNamespace())
    server = Server("db.example.test", "Spectrum", "reader", "s3cret")

    with pytest.raises(Unanswered) as problem:
        sql_server(server).look(*KEYS)

    assert "s3cret" not in f"{problem.value}{problem.value.__cause__}{server!r}"


def test_without_the_driver_it_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytds", None)

    with pytest.raises(Unanswered, match="python-tds"):
        sql_server(Server("h", "d", "u", "p"))


# The comparison


@pytest.mark.parametrize(
    ("sent", "lines", "verdict", "present"),
    [
        ([DUCT, SLAB], [DUCT, SLAB], "equal", (True, True)),
        ([DUCT, SLAB], [SLAB, DUCT], "equal", (True, True)),
        ([DUCT, SLAB], [SLAB], "part", (False, True)),
        ([DUCT], [DUCT, SLAB], "different", (True,)),
        ([DUCT], [SLAB], "different", (False,)),
        ([DUCT], [DUCT, DUCT], "different", (True,)),
        ([DUCT, DUCT], [DUCT], "part", (True, False)),
        ([DUCT], [], "absent", (False,)),
    ],
)
def test_lines_are_compared_one_by_one(sent, lines, verdict, present):
    assert compare(sent, Stored("CR", "", tuple(lines))) == Comparison(verdict, present)
