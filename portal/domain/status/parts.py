"""Each part of the portal by itself: whether it works, why not, and what to do."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from portal import clock
from portal.domain import heartbeats
from portal.domain.change_orders import Status
from portal.domain.lanes import MAIL
from portal.domain.processes import KEEPER, SILENT
from portal.domain.status.facts import EXPORTS, IMPORTS, Facts
from portal.version import VERSION

CLOCKS_DIFFER = timedelta(seconds=30)
BACKUP_EVERY = timedelta(hours=26)  # nightly, and two hours of grace
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Health(StrEnum):
    """From good to bad."""

    UP = "up"
    DEGRADED = "degraded"
    PAUSED = "paused"
    DOWN = "down"

    @property
    def badness(self) -> int:
        return list(Health).index(self)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the portal: how it is, why, and what to do about it."""

    name: str
    health: Health
    text: str
    action: str = ""


def judged(facts: Facts) -> list[Part]:
    """All parts, those of the pipe first."""
    return [judge(facts) for judge in JUDGES]


def _database(facts: Facts) -> Part:
    if facts.database.pending:
        return Part("database", Health.DOWN, "The database lacks a migration.", "Run `portal db migrate`, then restart all processes.")
    return Part("database", Health.UP, f"{facts.database.name} answers.")


def _keeper(facts: Facts) -> Part:
    running = facts.running(KEEPER)
    if not running:
        return Part(KEEPER, Health.DOWN, "No keeper reports.", "Start it: `systemctl start portal-keeper`.")
    return Part(KEEPER, Health.UP, f"{len(running)} running.")


def _redis(facts: Facts) -> Part:
    sign = facts.signs.get(heartbeats.REDIS)
    if sign and sign.since:
        text = f"Redis has not answered the keeper for {span(sign.since)} ({sign.fault})."
        return Part("redis", Health.DOWN, text, "Start Redis; until then `portal exports drain` does what is due.")
    return Part("redis", Health.UP, "Redis answers the keeper." if sign and facts.running(KEEPER) else "No keeper has asked it lately.")


def _exports(facts: Facts) -> Part:
    lane = facts.exports.lane
    if lane.paused_at and lane.paused_by:
        text = f"{lane.paused_by.name} paused exports {ago(lane.paused_at)}: {_ended(lane.reason)}"
        return Part(EXPORTS, Health.PAUSED, text, "Resume them under Settings, Company.")
    if lane.is_restored:
        text = f"The database was restored {ago(lane.restored_at or lane.paused_at)}; exports wait for the comparison with Spectrum."
        return Part(EXPORTS, Health.PAUSED, text, "Without read access an approver looks in Spectrum, and resumes them.")
    if lane.paused_at:
        text = f"The portal paused exports {ago(lane.paused_at)}: {_ended(lane.reason)}"
        return Part(EXPORTS, Health.DOWN, text, "Under Settings, Company, correct the sign-in, press Test connection, then Resume exports.")
    return _lane(facts, EXPORTS, Health.DOWN)


def _spectrum(facts: Facts) -> Part:
    success, waiting = facts.last_success, facts.states[Status.QUEUED] + facts.states[Status.EXPORTING]
    if facts.out_of_reach and waiting:
        text = f"Spectrum has been out of reach for {span(facts.out_of_reach)}. Exports waiting: {waiting}."
        return Part("spectrum", Health.DOWN, text, "See whether its web service answers. Exports go by themselves when it does.")
    return Part("spectrum", Health.UP, f"It last took a line {ago(success.at)}." if success else "Nothing was exported yet.")


def _mail(facts: Facts) -> Part:
    lane, failed = facts.mail.lane, facts.mail_failed
    if lane.refused_at:
        text = f"The mail server has refused the portal for {span(lane.refused_at)}: {_ended(lane.refusal)}"
        return Part(MAIL, Health.DEGRADED, text, "When that is corrected, all mail goes by itself.")
    part = _lane(facts, MAIL, Health.DEGRADED)
    if failed and part.health is Health.UP:
        return Part(MAIL, Health.DEGRADED, f"{failed} mail{_s(failed)} failed.", "See Settings, Mail.")
    return part


def _imports(facts: Facts) -> Part:
    return _lane(facts, IMPORTS, Health.DEGRADED)


def _lane(facts: Facts, kind: str, health: Health) -> Part:
    queue, running = facts.queue(kind), facts.running(kind)
    if not running:
        return Part(kind, health, f"No worker for {kind} reports.", f"Start it: `systemctl start portal-worker@{kind}`.")
    if since := _stands_still_since(facts, queue.lane.name):
        text = f"Work for {kind} has been due for {span(since)} and nothing works on it."
        return Part(kind, health, text, f"See the log of that worker, then restart it: `systemctl restart portal-worker@{kind}`.")
    return Part(kind, Health.UP, f"{len(running)} running, {queue.waiting} waiting.")


def _stands_still_since(facts: Facts, lane: str) -> datetime | None:
    """Since when; what fell due while the portal was off is no standstill until a keeper has run for some minutes."""
    since = next((stall.since for stall in facts.standstills if stall.lane == lane), None)
    up_since = min((process.started_at for process in facts.running(KEEPER)), default=clock.EPOCH)
    return since if since and facts.at - up_since > SILENT else None


def _audit(facts: Facts) -> Part:
    if facts.doubts:
        text = f"The audit trail has been in doubt for {span(facts.doubts[0].since)}: {_ended(facts.doubts[0].fault)}"
        return Part("audit", Health.DEGRADED, text, "Change nothing; copy the database and the files of heads first.")
    return Part("audit", Health.UP, "The heads fit the audit trail.")


def _clock(facts: Facts) -> Part:
    furthest = max([facts.database.ahead, *(process.ahead for process in facts.processes)], key=abs)
    if abs(furthest) > CLOCKS_DIFFER:
        text = f"The clocks of two machines differ by {abs(furthest).total_seconds():.0f} seconds."
        return Part("clock", Health.DEGRADED, text, "Have all machines set by a time server.")
    return Part("clock", Health.UP, "All clocks agree.")


def _versions(facts: Facts) -> Part:
    others = sorted({process.version for process in facts.processes if not process.is_silent} - {VERSION})
    if others:
        text = f"This process runs version {VERSION}, others run {', '.join(others)}."
        return Part("versions", Health.DEGRADED, text, "Restart what is older.")
    return Part("versions", Health.UP, f"Every process runs version {VERSION}.")


def _backup(facts: Facts) -> Part:
    backup = facts.backup
    if backup is None:
        return Part("backup", Health.DEGRADED, "No verified backup was recorded.", "Run `portal backup`, and start its timer.")
    text = f"The last verified backup was taken {ago(backup.at)}."
    if facts.at - backup.at > BACKUP_EVERY:
        return Part("backup", Health.DEGRADED, text, "See why the timer of the backup did not run.")
    return Part("backup", Health.UP, text)


def _outside(facts: Facts) -> Part:
    sign = facts.signs.get(heartbeats.OUTSIDE)
    if sign and sign.since:
        text = f"The outside heartbeat has not been taken for {span(sign.since)} ({sign.fault})."
        return Part("outside heartbeat", Health.DEGRADED, text, "See HEARTBEAT_URL, and whether the keeper may call it.")
    return Part("outside heartbeat", Health.UP, f"Last taken {ago(sign.at)}." if sign else "Not set up.")


def span(since: datetime) -> str:
    """How long it has lasted: 12 min, 3 h, 2 d."""
    passed = clock.now() - since
    unit, short = next(((unit, short) for unit, short in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")) if passed >= unit), (None, ""))
    return f"{passed // unit} {short}" if unit else "less than a minute"


def ago(moment: datetime) -> str:
    return f"{span(moment)} ago" if clock.now() - moment >= MINUTE else "just now"


def _ended(text: str) -> str:
    """With one full stop."""
    return f"{text.rstrip('.') or 'no reason given'}."


def _s(count: int) -> str:
    return "" if count == 1 else "s"


JUDGES: tuple[Callable[[Facts], Part], ...] = (
    _database, _keeper, _redis, _exports, _spectrum, _mail, _imports, _audit, _clock, _versions, _backup, _outside,
)  # fmt: skip
