"""Reading back through Info-Link: Spectrum's tables in SQL Server, read only. In tests the simulator's tables, by the same code.

Off unless it is configured. Only the columns seen in public SQL are used [O7]; names of tables are [P2] [D27].
"""

import importlib
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from portal.spectrum.outcomes import Unanswered
from portal.spectrum.readback import Stored, StoredLine, normal

LOGIN_S = 10
QUERY_S = 30

#: `{0}` is the driver's mark for a parameter. Job numbers may be padded with blanks [O7].
QUERY = """
SELECT h.Status, h.Change_Order_Number, d.Phase_Code, d.Cost_Type, d.Change_Request_Amount
FROM CR_CHNG_REQ_HDR_MC h
LEFT JOIN CR_CHNG_REQ_CON_DET_MC d
  ON d.Company_Code = h.Company_Code AND d.Job_Number = h.Job_Number
 AND d.Customer_Code = h.Customer_Code AND d.Change_Request_Number = h.Change_Request_Number
WHERE UPPER(LTRIM(RTRIM(h.Company_Code))) = {0} AND UPPER(LTRIM(RTRIM(h.Job_Number))) = {0}
  AND UPPER(LTRIM(RTRIM(h.Customer_Code))) = {0} AND UPPER(LTRIM(RTRIM(h.Change_Request_Number))) = {0}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """Where Info-Link is [P1] [P5], e.g. database `Spectrum`. `ca_file`: authority of its certificate; empty for the well-known ones."""

    host: str
    database: str
    user: str
    password: str = field(repr=False)
    port: int = 1433
    ca_file: str = ""


class InfoLink:
    """`connect` gives a DB-API connection, `errors` are what it and its cursors raise, `mark` is its mark for a parameter."""

    def __init__(self, connect: Callable[[], Any], errors: tuple[type[Exception], ...], mark: str) -> None:
        self._connect = connect
        self._errors: tuple[type[Exception], ...] = (*errors, OSError)
        self._query = QUERY.format(mark)

    def look(self, company_code: str, job_number: str, customer_code: str, change_request_number: str) -> Stored | None:
        """The change request of these four keys, None when there is none or it has no lines. Raises Unanswered when it cannot be read."""
        rows = self._rows([normal(key) for key in (company_code, job_number, customer_code, change_request_number)])
        lines = tuple(StoredLine(phase, cost_type, _amount(amount)) for _, _, phase, cost_type, amount in rows if normal(phase))
        return Stored(normal(rows[0][0]), normal(rows[0][1]), lines) if lines else None

    def check(self) -> None:
        """Try the way there, our rights, and the names of tables and columns [A]. Raises Unanswered with a sentence."""
        self._rows([""] * 4)

    def _rows(self, keys: Sequence[str]) -> list[tuple[Any, ...]]:
        try:
            with closing(self._connect()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute(self._query, tuple(keys))
                return list(cursor.fetchall())
        except self._errors as error:
            kind = type(error).__name__  # not its text, which may name the user or the server
            raise Unanswered(f"Spectrum's tables could not be read through Info-Link ({kind}).", cause="infolink") from None


def sql_server(server: Server) -> InfoLink:
    """Info-Link in production. Raises Unanswered when the driver (python-tds with pyOpenSSL) is not installed.

    TLS for the whole connection with the server's name verified: the driver has none without a file of authorities, so one is always
    given. The connection asks for read-only intent; that nothing can be written is for the rights of the database user to ensure.
    """
    try:
        driver = importlib.import_module("pytds")
        importlib.import_module("OpenSSL")
    except ImportError:
        raise Unanswered("Info-Link needs the packages python-tds and pyOpenSSL.", cause="infolink") from None

    def connect() -> Any:
        return driver.connect(
            dsn=server.host,
            port=server.port,
            database=server.database,
            user=server.user,
            password=server.password,
            cafile=server.ca_file or DEFAULT_CA_BUNDLE_PATH,
            validate_host=True,
            enc_login_only=False,
            readonly=True,
            login_timeout=LOGIN_S,
            timeout=QUERY_S,
            appname="CCO-Portal",
        )

    return InfoLink(connect, (driver.Error,), "%s")


def simulated(ledger: Path) -> InfoLink:
    """The simulator's tables: `spectrum.db` in its data folder, opened for reading only."""
    return InfoLink(lambda: sqlite3.connect(f"{ledger.absolute().as_uri()}?mode=ro", uri=True, timeout=LOGIN_S), (sqlite3.Error,), "?")


def _amount(value: object) -> Decimal:
    """An amount as the driver gives it (Decimal, float, text). What is none raises Unanswered: it must not read as absent."""
    try:
        return Decimal(str(value).strip() or "0") if value is not None else Decimal(0)
    except InvalidOperation:
        raise Unanswered("Spectrum's tables hold an amount that is no number.", cause="infolink") from None
