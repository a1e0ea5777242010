"""The whole portal with everything around it, each part a process of its own, and somebody who starts again what dies.

The evidence folder is the portal's data folder too, because the read-back looks for the simulator's books there.
"""

import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portal import clock, secret_path
from portal.standalone.machine import HOST
from portal.standalone.supervisor import members
from tests.chaos import ground
from tests.chaos.nursery import Nursery
from tests.ports import free_port
from tests.processes import Valkey, alive, environment, eventually

SECRET_KEY = "a key for rehearsals only, " * 2
QUIET_S = 900  # of the portal's time
LOOK_EVERY_S, REST_S = 0.05, 0.2  # of the minder: between two looks, and between a death and the next start


@dataclass
class Member:
    """One program. `pid` is that of its present life."""

    name: str
    argv: list[str]
    start_one: Callable[["Member"], int]
    after: Callable[[], None] = lambda: None
    pid: int = 0
    lives: int = 0

    def start(self) -> None:
        self.pid = self.start_one(self)
        self.lives += 1
        self.after()

    def ended(self) -> bool:
        return not alive(self.pid)


@dataclass
class Redis:
    """Valkey, as a member like any other."""

    server: Valkey
    name: str = "valkey"
    lives: int = 0

    @property
    def pid(self) -> int:
        return self.server.pid

    def start(self) -> None:
        """Without waiting until it answers: it may be killed or frozen before that."""
        with self.server.log.open("ab") as log:
            self.server.popen = subprocess.Popen(self.server.command, env=self.server.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.lives += 1

    def ended(self) -> bool:
        return self.server.ended()


@dataclass
class Pace:
    """How fast the portal's clock runs, and how long it waits for Spectrum (real seconds)."""

    speed: float = 60
    connect_s: float = 0.5

    @property
    def deadline_s(self) -> float:
        """The lane is held for 130 s of the portal's time while a call is under way, and the call must end well within it."""
        return min(1.5, 90 / self.speed)

    @property
    def longest_s(self) -> float:
        """The longest that Spectrum or anything else may be late by accident: well within the quiet window, by which the portal judges."""
        return min(4.0, 0.4 * QUIET_S / self.speed)


@dataclass
class Cluster:
    """The portal and its surroundings in `folder`, for as long as the `with` block lasts.

    faults, options  what the simulator is told each time it starts; it forgets when it dies
    ahead_s          how far the portal's clock is ahead of the machine's at the start
    """

    folder: Path
    database_url: str
    orders: int
    pace: Pace = field(default_factory=Pace)
    faults: list[dict[str, Any]] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    ahead_s: float = 0
    members: dict[str, Member | Redis] = field(default_factory=dict)
    sessions: set[int] = field(default_factory=set)

    def __enter__(self) -> "Cluster":
        self.rehearsal, self.logs = self.folder / "rehearsal", self.folder / "logs"
        for place in (self.folder, self.logs, self.rehearsal, self.rehearsal / "points"):
            place.mkdir(parents=True, exist_ok=True)
        self.sockets = tempfile.TemporaryDirectory(prefix="cco-", dir="/tmp")
        self.ports = {name: free_port() for name in ("web", "simulator", "smtp")}
        started = clock.machine().timestamp()
        (self.rehearsal / "clock.json").write_text(json.dumps({"started": started, "speed": self.pace.speed, "offset_s": self.ahead_s}))
        ground.write_master(self.folder / "master.json", self.orders)
        self.nursery = Nursery(self.logs / "nursery.log")
        self._over, self.resting = threading.Event(), set[str]()
        try:
            self._populate()
            self._minder = threading.Thread(target=self._mind, name="minder")
            self._minder.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._minder.join()
        self._end()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.ports['web']}"

    @property
    def spectrum_url(self) -> str:
        return f"http://{HOST}:{self.ports['simulator']}/{secret_path.word(self.folder / 'simulator')}"

    @property
    def web_processes(self) -> int:
        return 1 if self.database_url.startswith("sqlite") else 3

    def environment(self, name: str) -> dict[str, str]:
        """What the portal's programs are told."""
        return environment(
            PORTAL_DATA=self.folder, PORTAL_PORT=self.ports["web"], DATABASE_URL=self.database_url, SECRET_KEY=SECRET_KEY,
            REDIS_URL=self.redis.url, SPECTRUM_URL=self.spectrum_url,
            SPECTRUM_AUTHORIZATION_ID=ground.AUTHORIZATION_ID, SPECTRUM_CONNECT_S=self.pace.connect_s,
            SPECTRUM_DEADLINE_S=self.pace.deadline_s, INFOLINK_SERVER="simulator", SMTP_HOST=HOST, SMTP_PORT=self.ports["smtp"],
            PORTAL_REHEARSAL=self.rehearsal, PORTAL_REHEARSAL_NAME=name, PYTHONUNBUFFERED=1,
        )  # fmt: skip

    def tell_simulator(self, what: str, wanted: Any, method: str = "POST") -> None:
        """One request to its controls. Raises OSError when it does not listen."""
        request = urllib.request.Request(
            f"{self.spectrum_url}/__sim/{what}",
            data=json.dumps(wanted).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10):
            return

    def set_faults(self, faults: list[dict[str, Any]]) -> None:
        """These and no others, also after the simulator's next start."""
        self.faults = faults
        with suppress(OSError):  # it is dead at the moment and is told when it is back
            self.tell_simulator("faults", None, "DELETE")
            self.tell_simulator("faults", faults)

    def kin(self, name: str) -> list[int]:
        """The process ids of a member's children: work-horses, or gunicorn's workers."""
        return children(self.members[name].pid)

    def group(self, name: str) -> set[int]:
        """All processes of a member's session, the orphans of its former lives not included."""
        return members(self.members[name].pid)

    def _populate(self) -> None:
        self.redis = Valkey(Path(self.sockets.name))
        portal, threads = ["-m", "portal.cli"], "8"
        web = ["--bind", f"{HOST}:{self.ports['web']}", "--worker-class", "gthread", "--workers", str(self.web_processes)]
        simulator = ["--port", str(self.ports["simulator"]), "--data", str(self.folder / "simulator"), "--controls"]
        self._add(Redis(self.redis))
        self._member("simulator", [*portal, "simulator", *simulator, "--master", str(self.folder / "master.json")], after=self._tell_faults)
        self._member("sink", ["-m", "tests.chaos.sink", str(self.ports["smtp"]), str(self.folder)])
        self._member("web", ["-m", "gunicorn", *web, "--threads", threads, "--no-control-socket", "portal:create_app()"])
        for name in ("exports.1", "exports.2", "mail.1"):
            self._member(name, ["worker.py", name.partition(".")[0]])
        for name in ("keeper.1", "keeper.2"):
            self._member(name, [*portal, "keeper"])
        eventually(self.redis.ready)
        for port in self.ports.values():
            eventually(lambda port=port: listens(port))

    def _member(self, name: str, argv: list[str], **more: Any) -> None:
        self._add(Member(name, argv, self._bear, **more))

    def _add(self, member: Member | Redis) -> None:
        self.members[member.name] = member
        member.start()

    def _bear(self, member: Member) -> int:
        pid = self.nursery.start(member.argv, self.environment(member.name), self.logs / f"{member.name}.log")
        self.sessions.add(pid)
        return pid

    def _tell_faults(self) -> None:
        simulator = self.members["simulator"]
        eventually(lambda: listens(self.ports["simulator"]) or simulator.ended())
        self.tell_simulator("options", self.options)
        self.tell_simulator("faults", self.faults)

    def _mind(self) -> None:
        """Start again what has died, a moment later, as a supervisor would; not what somebody lets rest (`resting`)."""
        while not self._over.wait(LOOK_EVERY_S):
            for member in self.members.values():
                if member.name not in self.resting and member.ended() and not self._over.wait(REST_S):
                    with suppress(OSError, AssertionError):  # killed or frozen again while it was told its faults
                        member.start()

    def _end(self) -> None:
        self.nursery.close()
        end_all(pid for session in self.sessions for pid in members(session))
        self.redis.kill()
        self.sockets.cleanup()


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port), 1):
        return True
    return False


def children(parent: int) -> list[int]:
    """The living children of a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == parent and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return found


def end_all(pids: Iterator[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
