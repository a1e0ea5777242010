"""How numbers and times read on a page."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from flask import Flask

from portal import clock
from portal.domain.companies import Company
from portal.domain.money import dollars
from portal.web import surroundings

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
AGES_UP_TO = 7 * DAY  # then the date says more


def init_app(app: Flask) -> None:
    for filter in (dollars, percent, ago, duration, exact, at_time, iso, bytes_short):
        app.add_template_filter(filter)


def percent(share: Decimal) -> str:
    """4.2 -> +4.2%; a decrease with a true minus sign."""
    return f"{'−' if share < 0 else '+' if share else ''}{abs(share):,}%"


def ago(moment: datetime) -> str:
    """Now, 4 min, 3 h, 2 d 4 h, then the date in the company's zone."""
    passed = clock.present() - moment
    if passed < AGES_UP_TO:
        step = HOUR if passed >= HOUR else MINUTE
        clock.changes_at(moment + max(passed // step + 1, 1) * step)
    if passed < MINUTE:
        return "now"
    if passed < AGES_UP_TO:
        return duration(passed)
    local = moment.astimezone(zone())
    return f"{local:%b} {local.day}, {local.year}"


def duration(passed: timedelta) -> str:
    """0 min, 4 min, 3 h, 2 d 4 h."""
    if passed < HOUR:
        return f"{passed // MINUTE} min"
    if passed < DAY:
        return f"{passed // HOUR} h"
    hours = passed % DAY // HOUR
    return f"{passed // DAY} d {hours} h" if hours else f"{passed // DAY} d"


def exact(moment: datetime) -> str:
    """Mon Nov 23, 2026, 10:44:03 CST, in the company's zone."""
    local = moment.astimezone(zone())
    return f"{local:%a %b} {local.day}, {local:%Y, %H:%M:%S %Z}"


def at_time(moment: datetime) -> str:
    """10:44, in the company's zone; Nov 22, 10:44 when that is not today; Nov 22, 2025, 10:44 when it is not this year."""
    local, day = moment.astimezone(zone()), today()
    return f"{local:%H:%M}" if local.date() == day else f"{day_in(local, day)}, {local:%H:%M}"


def day_in(local: datetime, today: date) -> str:
    """Nov 22; Nov 22, 2025 when that is not this year."""
    year = "" if local.year == today.year else f", {local.year}"
    return f"{local:%b} {local.day}{year}"


def today() -> date:
    """The day it is in the company's zone."""
    here = clock.present().astimezone(zone())
    clock.changes_at(datetime.combine(here.date() + DAY, time(), zone()).astimezone(UTC))
    return here.date()


def iso(moment: datetime) -> str:
    """For machines: UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def bytes_short(count: int) -> str:
    """820 bytes, 12 kB, 4.2 MB, 1.8 GB."""
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count // 1000} kB" if count >= 1000 else f"{count} bytes"


def zone() -> ZoneInfo:
    """The company's zone."""
    return ZoneInfo(company().time_zone)


def company() -> Company:
    """The company: to be read, not to be changed."""
    return surroundings.now().company
