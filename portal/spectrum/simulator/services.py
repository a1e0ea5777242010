"""What each service does with a well-formed call: the rows it answers with. No error row means it did its work."""

import time
from collections.abc import Callable, Mapping

from portal.spectrum.outcomes import Row
from portal.spectrum.simulator import checks, rules
from portal.spectrum.simulator.ledger import Ledger
from portal.spectrum.simulator.master import Master

SESSION_S = 24 * 60 * 60  # a GUID unused for longer has timed out [D1]

Service = Callable[[Mapping[str, str], Master, Ledger], list[Row]]


def change_request(values: Mapping[str, str], master: Master, ledger: Ledger) -> list[Row]:
    """ARChangeRequest. The errors of the first level that has any [D7]; else stores, and names the number it invented."""
    if rows := list(checks.authorisation(values, "ARChangeRequest", master)) or _session("ARChangeRequest", values, ledger):
        return rows
    if rows := list(checks.required(values)):
        return rows
    values = checks.cut(values)
    if rows := list(checks.masks(values)):
        return rows
    case = rules.Case(values, ledger.header(values) if values["Change_Request_Number"] else None, master)
    if rows := list(rules.broken(case)):
        return rows
    return _store(case, ledger)


def _store(case: rules.Case, ledger: Ledger) -> list[Row]:
    values = {name: "" if name in rules.ignored(case) else value for name, value in case.values.items()}
    today = time.strftime("%m/%d/%Y")
    if case.stored is None:
        values["Origination_Date"] = values["Origination_Date"] or today  # the processing date [D12]
    rows = []
    if not values["Change_Request_Number"]:
        values["Change_Request_Number"] = ledger.next_number(values)
        rows.append(Row("G", values["Change_Request_Number"], "Change_Request_Number"))
    ledger.store(values)
    return rows


def _session(method: str, values: Mapping[str, str], ledger: Ledger) -> list[Row]:
    """A GUID labels a group of records [D1]. A repeated one suppresses nothing: it is no protection against doubles."""
    guid, who, now = values["GUID"][:36], values["Authorization_ID"], time.time()
    if not guid:
        return []
    known = ledger.session(method, guid)
    if known and known[0] != who:
        return [Row("A", "GUID is in use by another Authorization ID", "GUID")]
    if known and now - known[1] > SESSION_S:
        return [Row("A", "Time out has occurred", "GUID")]  # text [D1], code and column [A]
    ledger.use_session(method, guid, who, now)
    return []


def test_connection(values: Mapping[str, str], master: Master, ledger: Ledger) -> list[Row]:
    """WSTestConnection [D11]: the only service that says S for success [D2]."""
    if rows := list(checks.authorisation(values, "WSTestConnection", master)):
        return rows
    if not values["Version"]:
        return [Row("M", "Version must be supplied", "Version")]
    return [Row("S", "Connection successful", "")]


SERVICES: Mapping[str, Service] = {"ARChangeRequest": change_request, "WSTestConnection": test_connection}
