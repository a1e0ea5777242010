"""Whoever wants the promise broken: kills, freezes and confuses by a schedule that its seed gives, and counts its kills."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from portal.failpoints import POINTS
from tests.chaos.cluster import Cluster
from tests.chaos.sink import MODE_FILE
from tests.processes import alive

WORKERS = ("exports.1", "exports.2", "mail.1")
KEEPERS = ("keeper.1", "keeper.2")
FREEZABLE = (*WORKERS, *KEEPERS, "web", "valkey", "simulator", "sink")
NOT_RUNNING = ("migrate.mid",)  # nothing that runs all the time passes it; test_rehearsals.py has a test of its own
RARE = ("summary.inserted", "mail.claimed", "mail.after_dot")  # armed first, to have the longest time
HORSE_WAIT_S = 0.2
PAUSE_S = (0.02, 0.2)  # between two strikes
SHORTEST_ICE_S = 0.3  # real seconds that something stays frozen; at the most Pace.longest_s

# Answers of Spectrum that say nothing certain, by their share of all ambiguous ones. Waits are real seconds, at the most `longest_s`.
AMBIGUOUS: tuple[tuple[int, dict[str, Any]], ...] = (
    (4, {"fault": "commit_then_reset"}),
    (2, {"fault": "commit_then_hang", "seconds": 3}),
    (3, {"fault": "commit_later", "seconds": 0.2, "longest": 4}),
    (1, {"fault": "delay", "seconds": 2}),
    (4, {"fault": "reset_before_commit"}),
    (4, {"fault": "http_500"}),
    (4, {"fault": "commit_then_500"}),
    (1, {"fault": "header_only"}),
    (1, {"fault": "another_number"}),
    (1, {"fault": "earlier_answer"}),
    (2, {"fault": "truncated"}),
    (2, {"fault": "html_200"}),
    (1, {"fault": "drip", "seconds": 0.2}),
    (1, {"fault": "redirect"}),
    (1, {"fault": "redirect_302"}),
    (1, {"fault": "empty_200", "commit": True}),
    (1, {"fault": "unknown_code", "commit": True}),
    (2, {"fault": "soap_fault"}),
)

REFUSED = 0.02  # of the calls, for a reason in the data: somebody has to press Retry


def ambiguous(share: float, seed: int, longest_s: float) -> list[dict[str, Any]]:
    """Faults of the simulator that together strike this share of the calls that store something; a few are plainly refused besides."""
    whole, faults, left = sum(weight for weight, _ in AMBIGUOUS), [], 1.0
    for number, (weight, fault) in enumerate(AMBIGUOUS):
        chance = share * weight / whole
        waits = {name: min(fault[name], longest_s) for name in ("seconds", "longest") if name in fault}
        faults.append({**fault, **waits, "method": "ARChangeRequest", "probability": chance / left, "seed": seed * 100 + number})
        left -= chance  # each is asked only where none before it struck
    return [*faults, {"fault": "refuse", "method": "ARChangeRequest", "probability": REFUSED, "seed": seed}]


@dataclass
class Nemesis:
    """`strike` does one thing; `run` does so until `kills` processes were killed, no faster than `may_go_on` allows; `heal` undoes all."""

    cluster: Cluster
    seed: int
    kills: int
    may_go_on: Callable[[int], bool] = lambda killed: True
    over: threading.Event = field(default_factory=threading.Event)
    direct: int = 0
    done: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    _ice: dict[int, float] = field(default_factory=dict)
    _seen: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(f"nemesis {self.seed}")
        self.points, self.log = self.cluster.rehearsal / "points", self.cluster.rehearsal / "reached.log"

    @property
    def killed(self) -> int:
        """SIGKILLs so far, our own and those that processes gave themselves at a point."""
        return self.direct + sum(line.split()[2] in ("kill", "exit") for line in self.reached())

    def reached(self) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if len(line.split()) >= 4] if self.log.exists() else []

    @property
    def satisfied(self) -> bool:
        return self.killed >= self.kills

    def run(self) -> None:
        """Until `over`: when enough were killed it stays to thaw what it froze."""
        while not self.over.is_set():
            if self.satisfied:
                self.disarm()
            elif self.may_go_on(self.killed):
                for _ in range(self.chance.choices((1, 2, 3), weights=(6, 3, 1))[0]):
                    self.strike()
            self.over.wait(self.chance.uniform(*PAUSE_S))
            self.thaw()

    def sweep(self, passes: int, at_once: int = 1, patience_s: float = 4, longest_s: float = 45) -> None:
        """Kill at the k-th pass of every point, k = 1 to `passes`, `at_once` at a time; what nobody reached goes into `missed`.

        A point that is rarely passed stays armed while others have their turn.
        """
        for k in range(1, passes + 1):
            waiting = [*RARE, *(point for point in POINTS if point not in (*RARE, *NOT_RUNNING))]
            for start in range(0, len(waiting), at_once):
                armed = waiting[start : start + at_once]
                for point in armed:
                    self.arm(point, "kill", k)
                self._await(armed, patience_s)
            self._await(waiting, longest_s)
            self.missed += [f"{point} {k}" for point in waiting if (self.points / point).exists()]
            self.disarm()

    def _await(self, armed: list[str], patience_s: float) -> None:
        end = time.monotonic() + patience_s
        while any((self.points / point).exists() for point in armed) and time.monotonic() < end and not self.over.is_set():
            self.over.wait(0.05)

    def strike(self) -> None:
        names = list(DEEDS)
        name = self.chance.choices(names, weights=[weight for weight, _ in DEEDS.values()])[0]
        self.done[name] += 1
        DEEDS[name][1](self)

    def heal(self) -> None:
        """Take everything back: from here on nothing goes wrong."""
        self.over.set()
        self.disarm()
        for _ in range(20):  # who is about to stop at a point that was just taken away may still do so
            self.thaw(everybody=True)
            time.sleep(0.05)
        self.sink("accept")
        self.cluster.set_faults([])

    def kill(self, pid: int) -> None:
        if alive(pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.direct += 1

    def freeze(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            self._ice[pid] = time.monotonic() + self.moment()

    def moment(self) -> float:
        """Longer than a lease, shorter than the quiet window."""
        return self.chance.uniform(SHORTEST_ICE_S, self.cluster.pace.longest_s)

    def thaw(self, everybody: bool = False) -> None:
        """Let go on whose time has come, those included who froze themselves at a point."""
        lines = self.reached()
        for line in lines[self._seen :]:
            _, _, action, pid, *_ = line.split()
            if action == "stop":
                self._ice[int(pid)] = time.monotonic() + self.moment()
        self._seen = len(lines)
        for pid in [pid for pid, until in self._ice.items() if everybody or until <= time.monotonic()]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
            if not everybody:
                del self._ice[pid]

    def arm(self, point: str, action: str, k: int, *seconds: float) -> None:
        draft = self.points / f".{point}"
        draft.write_text(" ".join([action, str(k), *map(str, seconds)]))
        draft.rename(self.points / point)

    def disarm(self) -> None:
        for file in self.points.iterdir():
            file.unlink(missing_ok=True)

    def horse(self, kind: str) -> int | None:
        """A work-horse at work, if one shows itself soon."""
        names, end = [name for name in WORKERS if name.startswith(kind)], time.monotonic() + HORSE_WAIT_S
        while time.monotonic() < end and not self.over.is_set():
            for name in self.chance.sample(names, len(names)):
                if horses := self.cluster.kin(name):
                    return horses[0]
        return None

    def sink(self, mode: str) -> None:
        (self.cluster.folder / MODE_FILE).write_text(mode)

    def kill_horse(self, kind: str) -> None:
        if horse := self.horse(kind):
            self.kill(horse)

    def kill_any(self, *names: str) -> None:
        self.kill(self.cluster.members[self.chance.choice(names)].pid)

    def kill_keepers(self) -> None:
        for name in KEEPERS:
            self.kill_any(name)

    def kill_group(self, *names: str) -> None:
        for pid in self.cluster.group(self.chance.choice(names)):
            self.kill(pid)

    def kill_web_worker(self) -> None:
        if workers := self.cluster.kin("web"):
            self.kill(self.chance.choice(workers))

    def freeze_any(self) -> None:
        name = self.chance.choice(FREEZABLE)
        self.freeze(self.chance.choice(self.cluster.kin(name) or [self.cluster.members[name].pid]))

    def arm_any(self, *actions: str) -> None:
        point, action = self.chance.choice([one for one in POINTS if one not in NOT_RUNNING]), self.chance.choice(actions)
        seconds = (round(self.moment(), 2),) if action == "sleep" else ()
        self.arm(point, action, self.chance.choice((1, 1, 2, 3)), *seconds)

    def flush(self) -> None:
        with suppress(RedisError):  # frozen or dead: then there is nothing to flush
            Redis.from_url(self.cluster.redis.url, socket_timeout=1, socket_connect_timeout=1).flushall()

    def spoil_mail(self) -> None:
        self.sink(self.chance.choice(("accept", "accept", "4xx", "hang", "die")))


DEEDS: dict[str, tuple[int, Callable[[Nemesis], None]]] = {
    "point, killed": (30, lambda it: it.arm_any("kill", "kill", "exit")),
    "point, otherwise": (8, lambda it: it.arm_any("raise", "stop", "sleep")),
    "export horse": (14, lambda it: it.kill_horse("exports")),
    "mail horse": (3, lambda it: it.kill_horse("mail")),
    "worker without its horse": (6, lambda it: it.kill_any(*WORKERS)),
    "worker with its horse": (6, lambda it: it.kill_group(*WORKERS)),
    "web worker": (8, Nemesis.kill_web_worker),
    "whole web": (2, lambda it: it.kill_group("web")),
    "keeper": (7, lambda it: it.kill_any(*KEEPERS)),
    "both keepers": (2, Nemesis.kill_keepers),
    "Redis": (4, lambda it: it.kill_any("valkey")),
    "mail server": (1, lambda it: it.kill_any("sink")),
    "Spectrum": (1, lambda it: it.kill_any("simulator")),
    "freeze": (6, Nemesis.freeze_any),
    "flush Redis": (4, Nemesis.flush),
    "spoil mail": (3, Nemesis.spoil_mail),
}
