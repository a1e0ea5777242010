"""One rehearsal: build, let people work while everything breaks, heal, wait for rest, and hold the books against each other.

python -m tests.chaos.run --seed 7 --database sqlite --orders 200 --kills 40
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from portal import clock, db
from tests.chaos import books, checker, ground
from tests.chaos.cluster import SECRET_KEY, Cluster, Pace
from tests.chaos.generator import Crowd
from tests.chaos.nemesis import Nemesis, ambiguous
from tests.chaos.people import History
from tests.processes import Postgres, running

ZONE = "America/Chicago"
IN_LINE = 40  # accepted change orders that wait to be sent, at most: people do not run ahead of the worker
TRICKLE = 2.0  # change orders a second while the sweep lasts
SLACK = 8  # change orders, and kills, that either side may be ahead of the other
LOOK_EVERY_S = 0.5


@dataclass
class Scenario:
    """What happens, and how much of it.

    passes, at_once  how many passes of each fail-point the sweep before the random faults kills at, and how many points at a time
    ambiguous        share of Spectrum's answers that say nothing certain
    repeat, lag_s    what Spectrum does with a line that comes again, and how long Info-Link does not show a new one
    speed            of the portal's clock
    patience_s       real seconds without any progress after which the rehearsal has failed
    """

    seed: int = 1
    database: str = "sqlite"
    orders: int = 200
    kills: int = 40
    passes: int = 0
    at_once: int = 1
    ambiguous: float = 0.3
    repeat: str = "append"
    lag_s: float = 1
    speed: float = 90
    patience_s: float = 120

    @property
    def command(self) -> str:
        told = [f"--{name.replace('_', '-')} {value}" for name, value in asdict(self).items() if value != getattr(Scenario, name)]
        return f"python -m tests.chaos.run {' '.join(told)}"


class Disaster(AssertionError):
    """The promise was broken; the text says how, and how to see it again."""


class Rehearsal:
    """One run of a scenario in `folder`, which holds all evidence afterwards."""

    def __init__(self, scenario: Scenario, folder: Path, database_url: str) -> None:
        self.scenario, self.folder, self.database_url = scenario, folder, database_url
        self.states = dict[str, int]()
        self.sweeping_since = 0.0
        self.figures: dict[str, Any] = {"scenario": asdict(scenario)}

    def run(self) -> dict[str, Any]:
        wanted = self.scenario
        ids = build(self.database_url, wanted.orders, wanted.seed)
        pace = Pace(wanted.speed)
        faults = ambiguous(wanted.ambiguous, wanted.seed, pace.longest_s)
        options = {"repeat": wanted.repeat, "lag_s": wanted.lag_s}
        with Cluster(self.folder, self.database_url, wanted.orders, pace, faults, options, until_morning()) as cluster:
            history = History(self.folder / "history.jsonl")
            self.crowd = Crowd(cluster.url, ids, wanted.seed, history, self.people_may_go_on, self.failed)
            self.nemesis = Nemesis(cluster, wanted.seed, wanted.kills, self.nemesis_may_go_on)
            try:
                self.perform(cluster)
            finally:
                self.nemesis.heal()
                self.crowd.stop()
                history.close()
        self.settle_accounts(ids)
        return self.figures

    def perform(self, cluster: Cluster) -> None:
        started, wanted = time.monotonic(), self.scenario
        self.watch()
        self.crowd.start()
        working = threading.Thread(target=self.crowd.guarded, args=(self.disturb,), name="nemesis")
        working.start()
        self.until(lambda: self.crowd.done() and self.nemesis.satisfied, "everything was decided and everybody killed")
        self.nemesis.over.set()
        working.join()
        self.nemesis.heal()
        healed = time.monotonic()
        self.until(self.at_rest, "everything was at rest")
        self.crowd.stop()  # who looks after what failed may just have begun again
        self.until(self.at_rest, "everything was at rest again")
        self.figures |= {
            "seconds": round(time.monotonic() - started, 1),
            "seconds_to_rest": round(time.monotonic() - healed, 1),
            "kills": self.nemesis.killed,
            "missed": self.nemesis.missed,
            "deeds": dict(self.nemesis.done),
            "lives": {name: member.lives for name, member in cluster.members.items()},
            "answers": dict(self.crowd.answers),
            "wanted_kills": wanted.kills,
        }

    def disturb(self) -> None:
        if self.scenario.passes:
            self.sweeping_since = time.monotonic()
            self.nemesis.sweep(self.scenario.passes, self.scenario.at_once)
            self.sweeping_since = 0.0
        self.nemesis.run()

    def at_rest(self) -> bool:
        return not any(self.states.get(state) for state in ("ready", *books.UNDER_WAY)) and checker.at_rest(self.database_url)

    def failed(self) -> list[int]:
        return books.failed(self.database_url)

    def people_may_go_on(self, accepted: int) -> bool:
        """Not too far ahead of the worker, nor of the nemesis; while that sweeps, a steady trickle."""
        if sum(self.states.get(state, 0) for state in books.UNDER_WAY) >= IN_LINE:
            return False
        if self.sweeping_since:
            return accepted < min(TRICKLE * (time.monotonic() - self.sweeping_since) + SLACK, self.scenario.orders * 0.7)
        return accepted * self.scenario.kills <= (self.nemesis.killed + SLACK) * self.scenario.orders

    def nemesis_may_go_on(self, killed: int) -> bool:
        return killed * self.scenario.orders <= (self.crowd.accepted + SLACK) * self.scenario.kills

    def watch(self) -> None:
        self.states = dict(books.states(self.database_url))

    def until(self, what: Callable[[], bool], name: str) -> None:
        """Wait; raise a Disaster when nothing moves for so long that nothing will."""
        end, before = time.monotonic() + self.scenario.patience_s, None
        while not what():
            self.watch()
            if self.crowd.faults:
                raise self.crowd.faults[0]
            if before != (before := (self.states, self.crowd.accepted, self.nemesis.killed)):
                end = time.monotonic() + self.scenario.patience_s
            if time.monotonic() > end:
                raise self.disaster(f"Not {name}, and nothing moved for {self.scenario.patience_s:g} s: {before}")
            time.sleep(LOOK_EVERY_S)

    def settle_accounts(self, ids: list[int]) -> None:
        self.watch()
        self.figures |= {"accepted": self.crowd.accepted, **{name: self.states.get(name, 0) for name in ("exported", "failed", "unknown")}}
        self.figures |= books.compare(self.database_url, self.folder / "simulator")
        secrets = {"authorization_id": ground.AUTHORIZATION_ID, "secret_key": SECRET_KEY, "password": ground.PASSWORD}
        evidence = self.folder / "run.json"
        evidence.write_text(json.dumps(self.figures | {"seed": self.scenario.seed, "secrets": secrets}, indent=1))
        self.figures["violations"] = [str(found) for found in checker.check(checker.Evidence(self.folder, self.database_url))]
        if self.figures["violations"] or self.figures["lost"] or self.figures["doubled"] or self.figures["strangers"]:
            raise self.disaster(json.dumps(self.figures, indent=1))

    def disaster(self, text: str) -> Disaster:
        return Disaster(f"{text}\nAgain: {self.scenario.command}\nEvidence: {self.folder}")


def until_morning() -> float:
    """Seconds until shortly before the daily summary of the next working day, in the zone of a company that changed no setting."""
    now = clock.machine().astimezone(ZoneInfo(ZONE))
    morning = (now + timedelta(days=1)).replace(hour=6, minute=50)
    while morning.isoweekday() > 5:
        morning += timedelta(days=1)
    return (morning - now).total_seconds()


def build(database_url: str, orders: int, seed: int, recall_s: int = ground.RECALL_S) -> list[int]:
    """A migrated database with `orders` change orders that are ready."""
    db.init(database_url)
    with db.connected():
        db.migrate()
        return ground.build(orders, seed, recall_s)


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database of this kind."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'portal.db'}"
        return
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cco-pg-", dir="/tmp")))
        server = Postgres(place)
        server.create()
        stack.enter_context(running(server))
        yield server.new_database()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.run", description=__doc__)
    for name, value in asdict(Scenario()).items():
        kind = (lambda text: text == "True") if isinstance(value, bool) else type(value)
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=value)
    parser.add_argument("--folder", type=Path, help="for the evidence; default: a new one in /tmp")
    wanted = vars(parser.parse_args(arguments))
    folder = wanted.pop("folder") or Path(tempfile.mkdtemp(prefix="rehearsal-", dir="/tmp"))
    folder.mkdir(parents=True, exist_ok=True)
    scenario = Scenario(**wanted)
    try:
        with database(scenario.database, folder) as url:
            figures = Rehearsal(scenario, folder, url).run()
    except Disaster as disaster:
        print(disaster, file=sys.stderr)
        return 1
    print(json.dumps(figures | {"evidence": str(folder)}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
