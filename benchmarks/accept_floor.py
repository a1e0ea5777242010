"""The floor under an Accept: the same writes in one transaction, with no rule, no right and no page around them."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import config
from portal import clock, db

FROZEN = '{"header":{},"lines":[' + ",".join(['{"position":1,"elements":{"Phase_Code":"16-0001","Cost_Type":"SUB"}}'] * 5) + "]}"
ZEROS = "0" * 64
FACTS = '{"number":"S0000001","revision":1,"seen":1,"title":null,"total":"5.00"}'  # which pages about others show
DECIDE = "UPDATE change_order SET status = ?, version = ?, decided_by_id = ?, decided_at = ?, export = ? WHERE id = ?"

settings = config.load()
db.init(settings.DATABASE_URL)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """POST /ID accepts; anything else says that the server is there."""
    if environ["REQUEST_METHOD"] == "POST":
        db.connect()
        accept(int(environ["PATH_INFO"].strip("/")))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


def accept(id: int) -> None:
    now, number = clock.now().replace(tzinfo=None), f"S{id:07}"
    with db.transaction():
        insert("spectrum_number", company="ABC", job="00-100", customer="CUST", number=number, change_order_id=id, turn=1)
        frozen = {"format": "ARChangeRequest/1", "frozen": FROZEN, "sha256": ZEROS}
        insert("export", change_order_id=id, revision=1, number=number, **frozen, created_at=now)
        write(DECIDE, "queued", 2, 1, now, id, id)
        due = {"due_at": now, "tries": 0, "promised_at": now, "outcome": "", "error": ""}
        insert("dispatch", key=f"export:{id}", lane="exports:1", task="export", subject=id, **due)
        if not db.is_sqlite():
            write("SELECT pg_advisory_xact_lock(?)", 0x0CC0)
        last, previous = write("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        chained = {"previous": previous, "hash": hashlib.sha256(f"{last}{previous}".encode()).hexdigest()}
        insert("event", seq=last + 1, at=now, actor_id=1, subject="change_order", ref=id, action="accepted", data=FACTS, **chained)


def insert(table: str, **row: object) -> None:
    write(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", *row.values())  # noqa: S608 -- names of ours


def write(sql: str, *values: object) -> Any:
    return db.database.execute_sql(sql if db.is_sqlite() else sql.replace("?", "%s"), values)
