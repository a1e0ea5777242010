"""What happens once a night, in the company's own night."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal import clock
from portal.db import transaction
from portal.domain import outbox
from portal.domain.companies import Company
from portal.domain.outbox import Dispatch, Task


def plan(name: str, company: Company, at: time, task: Task) -> None:
    """Promise the task for the coming `at`, local time: one row per local date, however many keepers plan."""
    now = clock.now()
    local = now.astimezone(ZoneInfo(company.time_zone))
    night = datetime.combine(local.date(), at, local.tzinfo)
    if night <= local:
        night = datetime.combine(local.date() + timedelta(days=1), at, local.tzinfo)
    key = f"{name}:{company.id}:{night:%Y-%m-%d}"
    if not Dispatch.select().where(Dispatch.key == key).exists():
        with transaction():
            outbox.promise(key, company.lane, task, company.id, night.astimezone(now.tzinfo) - now)


def began(key: str, company: Company, at: time) -> datetime:
    """When the night began that the promise of this key is for."""
    return datetime.combine(date.fromisoformat(key.rpartition(":")[2]), at, ZoneInfo(company.time_zone)).astimezone(UTC)
