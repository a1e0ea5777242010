"""The verdict with its facts for programs: what JSON can carry, moments in UTC."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from portal.domain.processes import Process
from portal.domain.status.queues import Backlog
from portal.domain.status.verdict import Verdict
from portal.version import VERSION


def of(verdict: Verdict) -> dict[str, Any]:
    facts = verdict.facts
    success, backup = facts.last_success, facts.backup
    return {
        "status": verdict.health.value,
        "exports_are_up": verdict.exports_are_up,
        "sentence": verdict.sentence,
        "at": _iso(facts.at),
        "version": VERSION,
        "parts": {part.name: {"status": part.health.value, "text": part.text, "action": part.action} for part in verdict.parts},
        "processes": [_process(process) for process in facts.processes],
        "queues": {queue.kind: _queue(queue) for queue in facts.queues},
        "change_orders": facts.states,
        "last_success": success and {"at": _iso(success.at), "change_order": success.change_order_id},
        "attempts_by_hour": [asdict(hour) | {"begins": _iso(hour.begins)} for hour in facts.hours],
        "mail_failed": facts.mail_failed,
        "database": {"server": facts.database.name, "bytes": facts.database.size, "pending": facts.database.pending},
        "backup": backup and {"at": _iso(backup.at), "name": backup.name, "bytes": backup.size},
    }


def _process(process: Process) -> dict[str, Any]:
    return {
        "kind": process.kind,
        "machine": process.machine,
        "pid": process.pid,
        "version": process.version,
        "started_at": _iso(process.started_at),
        "seen_at": _iso(process.seen_at),
        "silent": process.is_silent,
    }


def _queue(queue: Backlog) -> dict[str, Any]:
    lane = queue.lane
    return {
        "waiting": queue.waiting,
        "due": queue.due,
        "oldest_due": _iso(queue.oldest),
        "paused_at": _iso(lane.paused_at),
        "paused_by": lane.paused_by.name if lane.paused_by else "",
        "reason": lane.reason,
    }


def _iso(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None
