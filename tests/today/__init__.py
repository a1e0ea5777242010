"""Another day: `--today 2028-02-29` or `--today 2027-03-14T01:30` moves the clock of the portal, in the test run and in all that it starts.

The machine's own clock is left alone, so what asks it (TLS, Redis, the file system) lives on the day of the run. A process of the run is
moved by `sitecustomize.py` of this folder, which Python loads by itself where PYTHONPATH names its folder: the portal has no door for it.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from portal import clock
from tests.today.sitecustomize import AHEAD, move

FOLDER = str(Path(__file__).parent)
ZONE = ZoneInfo("America/Chicago")  # of a company that changed no setting
MIDDAY = timedelta(hours=12)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--today", type=moment, metavar="MOMENT", help="date (midday) or moment, in Chicago, at which the run begins")


def pytest_configure(config: pytest.Config) -> None:
    """Once in the whole run: what the first process worked out is what its children, and theirs, are told."""
    wanted: datetime | None = config.getoption("today")
    if wanted is None:
        return
    ahead = os.environ.setdefault(AHEAD, str((wanted - clock.machine()).total_seconds()))
    os.environ["PYTHONPATH"] = path(os.environ.get("PYTHONPATH", ""))
    move(float(ahead))


def pytest_report_header(config: pytest.Config) -> str | None:
    return f"today: {clock.machine().astimezone(ZONE):%a %Y-%m-%d %H:%M %Z}" if config.getoption("today") else None


def ahead() -> timedelta:
    """How far the run is from the machine's day."""
    return timedelta(seconds=float(os.environ.get(AHEAD, 0)))


def path(*more: str) -> str:
    """PYTHONPATH for a process that needs `more` of its own."""
    folders = [FOLDER] if AHEAD in os.environ else []
    return os.pathsep.join([*folders, *(one for one in more if one and one != FOLDER)])


def moment(text: str) -> datetime:
    """Raises ValueError, which pytest tells as its own."""
    read = datetime.fromisoformat(text)
    local = read if read.tzinfo else read.replace(tzinfo=ZONE)
    return local if "T" in text or " " in text else local + MIDDAY
