"""The floor: the least that a signed-in list of these rows can cost. A WSGI function, a session row, one statement, one string."""

import html
import os
import sqlite3
import threading
from http.cookies import SimpleCookie

DATABASE = os.environ["ROWS_DATABASE"]
SESSION = "SELECT user_id FROM session WHERE token_hash = ? AND ended_at IS NULL"
ROWS = """
    SELECT co.id, co.number, co.title, job.number, job.name, commitment.number, vendor.name, vendor.code, co.amount, sender.name, co.sent_at
    FROM change_order AS co JOIN commitment ON commitment.id = co.commitment_id JOIN job ON job.id = commitment.job_id
    LEFT JOIN vendor ON vendor.id = commitment.vendor_id LEFT JOIN "user" AS sender ON sender.id = co.sent_by_id
    WHERE co.status = 'ready' AND co.sent_at IS NOT NULL ORDER BY co.sent_at, co.id LIMIT 50"""
ROW = (
    '<tr id="change-order-{}"><th scope="row"><a href="/change-orders/{}"><span class="number">{}</span> {}</a></th>'
    '<td>{} {}</td><td>{}</td><td>{} {}</td><td class="amount">{:,.2f}</td><td>{} {}</td>'
    "<td><button>Accept</button> <button>Reject</button></td></tr>"
)
PAGE = '<!doctype html><html lang="en"><head><title>Ready</title></head><body><main><table><tbody>{}</tbody></table></main></body></html>'
_own = threading.local()


def connection():
    if not hasattr(_own, "connection"):
        _own.connection = sqlite3.connect(DATABASE, isolation_level=None)
    return _own.connection


def application(environ, start_response):
    cookie = SimpleCookie(environ.get("HTTP_COOKIE", "")).get("session")
    if cookie is None or connection().execute(SESSION, (cookie.value,)).fetchone() is None:
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"Sign in first."]
    rows = connection().execute(ROWS).fetchall()
    escaped = ([html.escape(value) if isinstance(value, str) else value for value in row] for row in rows)
    body = "".join([ROW.format(row[0], *row[:8], row[8] / 100, *row[9:]) for row in escaped])
    content = PAGE.format(body).encode()
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(content)))])
    return [content]
