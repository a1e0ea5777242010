"""Rehearsing disasters: a clock that runs as a test says, and named places where a test stops the process.

Nothing of it exists unless PORTAL_REHEARSAL names a folder, which the settings refuse for anything but this machine's
own stand-ins. Of the folder two things are read:

clock.json      {"started": UNIX seconds, "speed": 60, "offset_s": 0}: the portal's time since `started` runs that fast,
                and is that far off; `offset_s.NAME` instead of `offset_s` is for the process whose PORTAL_REHEARSAL_NAME it is.
                `clock.steady` runs as fast, and is never off
points/POINT    "ACTION PASS [SECONDS]": the process that passes the point for the PASS-th time acts. The file is gone then, and a
                line in reached.log says who it was
"""

import json
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from config import Settings
from portal import clock

POINTS = (
    "accept.before_commit",
    "accept.after_commit",
    "wake.before",
    "claim.before_commit",
    "claim.after_commit",
    "preflight.after",
    "exporting.before_commit",
    "exporting.after_commit",
    "send.connected",
    "send.half_body",
    "send.body_sent",
    "send.answer_read",
    "settle.before_commit",
    "settle.after_commit",
    "verify.after_read",
    "mail.claimed",
    "mail.after_dot",
    "summary.inserted",
    "audit.before_insert",
    "keeper.mid_scan",
    "migrate.mid",
)


class Rehearsed(RuntimeError):
    """What the action `raise` raises: a defect no one thought of."""


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _freeze() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _raise() -> None:
    raise Rehearsed("a fault of a rehearsal")


def _leave() -> None:
    os._exit(70)


ACTIONS: dict[str, Callable[[], None]] = {"kill": _die, "stop": _freeze, "raise": _raise, "exit": _leave}


class Scenario:
    """The folder, and what this process does when it passes a point."""

    def __init__(self, folder: Path, name: str) -> None:
        self.points, self.clock, self.log, self.name = folder / "points", folder / "clock.json", folder / "reached.log", name
        self._read_at, self._pace = 0, (0.0, 1.0, 0.0)

    def now(self) -> datetime:
        """The portal's time as clock.json tells it; the machine's without the file."""
        started, speed, offset = self._read_pace()
        real = clock.machine().timestamp()
        return datetime.fromtimestamp(started + (real - started) * speed + offset, UTC)

    def steady(self) -> float:
        """Runs as fast as the portal's time, and is never off."""
        return clock.STARTED + (time.monotonic() - clock.STARTED) * self._read_pace()[1]

    def trigger(self, point: str) -> None:
        taken = self.points / f"{point}.{os.getpid()}"
        try:
            (self.points / point).rename(taken)
        except FileNotFoundError:
            return
        action, passes, *seconds = taken.read_text(encoding="utf-8").split()
        if int(passes) > 1:
            taken.write_text(f"{action} {int(passes) - 1} {' '.join(seconds)}", encoding="utf-8")
            taken.rename(self.points / point)
            return
        taken.unlink()
        self._say(f"{clock.machine().timestamp():.6f} {point} {action} {os.getpid()} {self.name}\n")
        if action == "sleep":
            time.sleep(float(seconds[0]))
        else:
            ACTIONS[action]()

    def _read_pace(self) -> tuple[float, float, float]:
        try:
            changed = self.clock.stat().st_mtime_ns
        except FileNotFoundError:
            return self._pace
        if changed != self._read_at:
            told = json.loads(self.clock.read_text(encoding="utf-8"))
            offset = told.get(f"offset_s.{self.name}", told.get("offset_s", 0))
            self._read_at, self._pace = changed, (float(told["started"]), float(told.get("speed", 1)), float(offset))
        return self._pace

    def _say(self, line: str) -> None:
        out = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(out, line.encode())
        finally:
            os.close(out)


_scenario: Scenario | None = None


def begin(settings: Settings) -> None:
    """Follow the rehearsal's folder from now on, if the settings name one."""
    global _scenario
    _scenario = Scenario(Path(settings.PORTAL_REHEARSAL), settings.PORTAL_REHEARSAL_NAME) if settings.PORTAL_REHEARSAL else None
    if _scenario:
        clock.system, clock.steady = _scenario.now, _scenario.steady


def hit(point: str) -> None:
    """Pass the failpoint: nothing happens, unless a rehearsal waits here."""
    if _scenario:
        _scenario.trigger(point)
