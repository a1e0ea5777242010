"""What each service does with a well-formed call, and the answer it gives. A Put without an error row did its work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from portal.spectrum.outcomes import Row
from portal.spectrum.simulator import checks, rules, wire
from portal.spectrum.simulator.gets import GETS
from portal.spectrum.simulator.world import World

SESSION_S = 24 * 60 * 60  # a GUID unused for longer has timed out [D1]
NOTE_KEYS = ("Company_Code", "Job_Number", "Customer_Code", "Type", "CR_CO_Number", "Notes_Text")

Values = Mapping[str, str]
Put = Callable[[Values, World], list[Row]]


@dataclass(frozen=True)
class Answer:
    """`outcome`: stored, answered or refused."""

    body: bytes
    outcome: str
    rows: list[Row]


def answer(service: str, values: Values, world: World) -> Answer:
    """Let `service` work: everything it stores is in the ledger's current transaction."""
    return _put(service, values, world) if service in PUTS else _get(service, values, world)


def change_request(values: Values, world: World) -> list[Row]:
    """ARChangeRequest. The errors of the first level that has any [D7]; else stores, and names the number it invented."""
    if rows := _admitted("ARChangeRequest", values, world) or list(checks.required(values)):
        return rows
    values = checks.cut(values)
    if rows := list(checks.masks(values)):
        return rows
    stored = world.ledger.header(values) if values["Change_Request_Number"] else None
    case = rules.Case(values, stored, world.master, world.ledger.billing(values))
    if rows := list(rules.broken(case)):
        return rows
    return _store(case, world)


def _store(case: rules.Case, world: World) -> list[Row]:
    values = {name: "" if name in rules.ignored(case) else value for name, value in case.values.items()}
    if case.stored is None:
        values["Origination_Date"] = values["Origination_Date"] or world.clock.moment().strftime("%m/%d/%Y")  # processing date [D12]
    rows = []
    if not values["Change_Request_Number"]:
        values["Change_Request_Number"] = world.ledger.next_number(values)
        rows.append(Row("G", values["Change_Request_Number"], "Change_Request_Number"))
    world.store(values)
    return rows


def note(values: Values, world: World) -> list[Row]:
    """ChgReqChgOrderNotes [D19]: appends, or replaces all notes; the change request must exist."""
    if rows := _admitted("ChgReqChgOrderNotes", values, world):
        return rows
    if rows := [Row("M", f"{name} must be supplied", name) for name in NOTE_KEYS if not values[name]]:
        return rows
    if values["Type"] != "CR":
        return [Row("I", "Type is invalid, only change requests are simulated", "Type")]
    keys = {**values, "Change_Request_Number": values["CR_CO_Number"][:8]}
    if world.ledger.header(keys) is None:
        return [Row("I", "CR_CO_Number is invalid, change request does not exist", "CR_CO_Number")]
    world.ledger.note(keys, values["Notes_Text"][:1000], append=values["Append_Note"] == "Y")
    return []


def test_connection(values: Values, world: World) -> list[Row]:
    """WSTestConnection [D11]: the only service that says S for success [D2]."""
    if rows := _admitted("WSTestConnection", values, world):
        return rows
    if not values["Version"]:
        return [Row("M", "Version must be supplied", "Version")]
    if not checks.VERSION.fullmatch(values["Version"]):
        return [Row("I", checks.MASK.format("Version"), "Version")]
    return [Row("S", "Connection successful", "")]


PUTS: Mapping[str, Put] = {"ARChangeRequest": change_request, "ChgReqChgOrderNotes": note, "WSTestConnection": test_connection}
SERVICES = (*PUTS, *GETS)


def _put(service: str, values: Values, world: World) -> Answer:
    rows = PUTS[service](values, world)
    done = "answered" if service == "WSTestConnection" else "stored"
    return Answer(wire.answer(service, rows), done if all(row.code in "GS" for row in rows) else "refused", rows)


def _get(service: str, values: Values, world: World) -> Answer:
    """Rows up to the stop, then one with W [O5]. What may not be asked is one empty row with E [D4]."""
    known = world.ledger.session(service, values["GUID"][:36]) if values["GUID"] else None
    if refused := _admitted(service, values, world):
        denied = [
            Row("E", "The web service is not Authorized" if row.column == "Authorization_ID" else row.text, row.column) for row in refused
        ]
        return Answer(wire.listing(service, [], denied), "refused", denied)
    if known and world.options.used_guid_empty:
        return Answer(wire.listing(service, [], [Row("", "", "")]), "answered", [])
    rows = list(GETS[service](values, world.master))
    stop = world.options.get_stop
    told = [Row("W", f"Only the first {stop} rows are given", "")] if stop and len(rows) > stop else []
    return Answer(wire.listing(service, rows[:stop] if told else rows, told), "answered", told)


def _admitted(service: str, values: Values, world: World) -> list[Row]:
    """Level 1 of every service: who calls, and with which session."""
    return list(checks.authorisation(values, service, world.master)) or _session(service, values, world)


def _session(service: str, values: Values, world: World) -> list[Row]:
    """A GUID labels a group of records [D1]. A repeated one suppresses nothing: it is no protection against doubles."""
    guid, who, now = values.get("GUID", "")[:36], values["Authorization_ID"], world.clock.now()
    if not guid:
        return [Row("M", "GUID must be supplied", "GUID")] if world.options.strict_guid and "GUID" in values else []
    known = world.ledger.session(service, guid)
    if known and known[0] != who:
        return [Row("A", "GUID is in use by another Authorization ID", "GUID")]
    if known and now - known[1] > SESSION_S:
        return [Row("A", "Time out has occurred", "GUID")]  # text [D1], code and column [A]
    world.ledger.use_session(service, guid, who, now)
    return []
