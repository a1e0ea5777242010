"""How busy the exports lane keeps Spectrum, and how many lines it sends a second.

    python benchmarks/export_lane.py [--seconds 2] [--orders 4]      busy, at answers of that many seconds
    python benchmarks/export_lane.py --seconds 0 --orders 60         lines a second, at answers that come at once

Spectrum is a small SOAP server of its own process that knows one good answer. The lane is busy while a call is with it; the rest is
what the portal does between two calls.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.queues import Queue

import config
from benchmarks.data import LINES, fill
from benchmarks.serving import machine
from portal import create_app, db
from portal.background import tasks
from portal.domain import change_orders, companies
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.review import decisions, signature
from portal.spectrum.outcomes import Row
from portal.spectrum.simulator import wire

SERVICE = "ARChangeRequest"
GOOD = wire.answer(SERVICE, [Row("G", "", "")])


def serve(seconds: float, told: "Queue[object]") -> None:
    """Answer every change request after so many seconds; tell the port, then when each call began and ended."""

    class Spectrum(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.reply(wire.wsdl(SERVICE, f"http://{self.headers['Host']}").encode())

        def do_POST(self) -> None:
            began = time.monotonic()
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(seconds)
            self.reply(GOOD)
            told.put((began, time.monotonic()))

        def reply(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: a line for each call would be measured too."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Spectrum)
    told.put(server.server_port)
    server.serve_forever()


def accepted(orders: int) -> None:
    """So many change orders wait for the lane."""
    ana = fill(orders)[0]
    for id in range(1, orders + 1):
        one = change_orders.load(id)
        decisions.accept(id, ana, one.version, signature.marks(one))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--orders", type=int, default=4)
    wanted = parser.parse_args()
    print(machine())
    told: Queue[object] = multiprocessing.Queue()
    spectrum = multiprocessing.Process(target=serve, args=(wanted.seconds, told), daemon=True)
    spectrum.start()
    with tempfile.TemporaryDirectory() as folder:
        places = {"DATABASE_URL": f"sqlite:///{folder}/portal.db", "PORTAL_DATA": folder, "SPECTRUM_URL": f"http://127.0.0.1:{told.get()}"}
        app = create_app(config.load(places | {"SECRET_KEY": "measure" * 8}))
        with app.app_context(), db.connected():
            db.migrate()
            accepted(wanted.orders)
            before = resource.getrusage(resource.RUSAGE_SELF)
            while ChangeOrder.select().where(ChangeOrder.status.in_((Status.QUEUED, Status.EXPORTING))).exists():
                tasks.drain(companies.current().lane)
            after = resource.getrusage(resource.RUSAGE_SELF)
            exported = ChangeOrder.select().where(ChangeOrder.status == Status.EXPORTED).count()
    spectrum.terminate()
    if exported != wanted.orders:
        raise SystemExit(f"Only {exported} of {wanted.orders} change orders were exported.")
    report(told, wanted.orders * LINES, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def report(told: "Queue[object]", lines: int, processor: float) -> None:
    calls: list[tuple[float, float]] = sorted(told.get() for _ in range(lines))  # type: ignore[type-var]
    whole, busy = calls[-1][1] - calls[0][0], sum(end - begin for begin, end in calls)
    print(f"{lines} lines in {whole:.1f} s: {lines / whole:.1f} lines/s, Spectrum busy {busy / whole:.1%} of the time")
    print(f"processor between two calls: {processor / lines * 1000:.1f} ms for a line")


if __name__ == "__main__":
    main()
