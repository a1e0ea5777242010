"""How long an Accept takes: 50 people who each pause a second between two, and eight who do not pause, beside the floor.

    python benchmarks/accept.py [--rows 10000] [--people 50] [--each 10] [--database postgresql://...]

The floor does the same writes in one transaction through the same server (accept_floor.py). Rounds with the portal and the floor take
turns; medians and the ratio of each round are printed. On PostgreSQL two processes serve, and the database has to be empty.
"""

import argparse
import html
import http.client
import re
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple
from urllib.parse import urlencode

from benchmarks.data import PASSWORD, fill
from benchmarks.serving import PORTAL, Server, machine, serving
from portal import db

PAUSE_S, ROUNDS, AT_ONCE = 1.0, 3, 8
FIELD = re.compile(r'name="(csrf_token|version|seen)" value="([^"]*)"')
FORM = {"Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true"}


class Answered(NamedTuple):
    seconds: float
    status: int


class Person:
    """A browser of somebody who is signed in, with one connection."""

    def __init__(self, port: int, email: str) -> None:
        self.connection, self.cookie = http.client.HTTPConnection("127.0.0.1", port, timeout=60), ""
        token = dict(FIELD.findall(self.ask("GET", "/login")[1]))["csrf_token"]
        status, _ = self.ask("POST", "/login", {"email": email, "password": PASSWORD, "csrf_token": token})
        if status != 303:
            raise SystemExit(f"Cannot sign in: {status}.")

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        headers = (FORM if form or "acceptance" in path else {}) | {"Cookie": self.cookie}
        body = urlencode(form) if form else None
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):  # the server ends a connection that rested
            self.connection.close()
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
        if cookie := answer.headers.get("Set-Cookie"):
            self.cookie = cookie.partition(";")[0]
        return answer.status, answer.read().decode()

    def form_of(self, id: int) -> dict[str, str]:
        """The Accept form of the change order, as it would be sent."""
        found = FIELD.findall(self.ask("GET", f"/change-orders/{id}/acceptance")[1])
        return {name: html.unescape(value) for name, value in found} | {"number": ""}

    def accept(self, id: int, form: dict[str, str]) -> Answered:
        began = time.perf_counter()
        status, _ = self.ask("POST", f"/change-orders/{id}/acceptance", form)
        return Answered(time.perf_counter() - began, status)


Work = tuple[Person, list[tuple[int, dict[str, str]]]]  # the forms that somebody has opened, by id


def together(jobs: list[Callable[[], list[Answered]]]) -> list[Answered]:
    """What all of them answered, each in a thread."""
    found: list[Answered] = []
    threads = [threading.Thread(target=lambda job=job: found.extend(job())) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def opened(people: list[Person], ids: Iterator[int], each: int) -> list[Work]:
    """Everybody opens so many forms."""
    return [(person, [(id, person.form_of(id)) for id in islice(ids, each)]) for person in people]


def paused(work: list[Work]) -> list[Answered]:
    """Everybody accepts what they have opened, a second apart."""

    def act(person: Person, forms: list[tuple[int, dict[str, str]]], late: float) -> list[Answered]:
        time.sleep(late)
        answered = []
        for id, form in forms:
            answered.append(person.accept(id, form))
            time.sleep(PAUSE_S)
        return answered

    return together([lambda p=p, f=f, n=n: act(p, f, n * PAUSE_S / len(work)) for n, (p, f) in enumerate(work)])


def unpaused(work: list[Work]) -> tuple[float, list[Answered]]:
    """Decisions a second of those who do not pause."""
    began = time.perf_counter()
    answered = together([lambda p=p, f=f: [p.accept(*one) for one in f] for p, f in work])
    return len(answered) / (time.perf_counter() - began), answered


def floor(port: int, ids: Iterator[int], each: int) -> float:
    """Decisions a second of the floor."""
    work = [[next(ids) for _ in range(each)] for _ in range(AT_ONCE)]

    def act(mine: list[int]) -> list[Answered]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for id in mine:
            connection.request("POST", f"/{id}")
            connection.getresponse().read()
        return []

    began = time.perf_counter()
    together([lambda mine=mine: act(mine) for mine in work])
    return AT_ONCE * each / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--each", type=int, default=10)
    parser.add_argument("--database", default="")
    wanted = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        url = wanted.database or f"sqlite:///{folder}/portal.db"
        processes = 1 if url.startswith("sqlite") else 2
        environment = {"DATABASE_URL": url, "PORTAL_DATA": folder, "SECRET_KEY": "measure" * 8}
        needed = wanted.each * (wanted.people + ROUNDS * 2 * AT_ONCE)
        db.init(url)
        with db.connected():
            db.migrate()
            emails = [user.email for user in fill(max(needed, wanted.rows // 10), wanted.rows - wanted.rows // 10, wanted.people)]
        first = wanted.rows - wanted.rows // 10 + 1
        with serving(PORTAL, environment, workers=processes) as portal, serving("accept_floor:app", environment, workers=processes) as bare:
            report(portal, bare, emails, iter(range(first, first + needed)), wanted.each)


def report(portal: Server, bare: Server, emails: list[str], ids: Iterator[int], each: int) -> None:
    people = [Person(portal.port, email) for email in emails]
    prepared = opened(people, ids, each)
    before = portal.processor_s()
    answered = paused(prepared)
    spent = (portal.processor_s() - before) / len(answered) * 1000
    cuts = statistics.quantiles([one.seconds * 1000 for one in answered], n=100)
    print(f"{len(people)} people with pauses: p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms, p99 {cuts[98]:.0f} ms; {failures(answered)}")
    print(f"    processor {spent:.1f} ms for a decision")
    rounds = []
    for _ in range(ROUNDS):
        prepared = opened(people[:AT_ONCE], ids, each)
        before = portal.processor_s()
        rate, decided = unpaused(prepared)
        spent = (portal.processor_s() - before) / len(decided) * 1000
        below = floor(bare.port, ids, each)
        rounds.append((rate / below, spent))
        print(f"    {rate:6.1f}/s at {spent:.1f} ms of processor, floor {below:6.1f}/s, ratio {rate / below:.2f}; {failures(decided)}")
    ratio, spent = (statistics.median(figures) for figures in zip(*rounds, strict=True))
    print(f"{AT_ONCE} without pauses: median ratio {ratio:.2f}, {spent:.1f} ms of processor for a decision")
    print(f"web server: {portal.memory_mb():.0f} MB")


def failures(answered: list[Answered]) -> str:
    failed = sorted(one.status for one in answered if one.status != 200)
    return f"{len(answered)} decided" if not failed else f"{len(failed)} of {len(answered)} NOT decided: {failed[:5]}"


if __name__ == "__main__":
    main()
