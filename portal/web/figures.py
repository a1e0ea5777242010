"""Figures for Prometheus. All are read from the database when it asks, so that each of several web processes answers alike."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, exposition
from prometheus_client.core import GaugeMetricFamily

from portal import clock
from portal.domain import heartbeats, processes
from portal.domain.status import attempts, facts, verdict
from portal.domain.status.facts import Facts
from portal.domain.status.verdict import Verdict
from portal.version import VERSION

CONTENT_TYPE = exposition.CONTENT_TYPE_LATEST
Labelled = Iterable[tuple[tuple[str, ...], float]]


def text() -> bytes:
    registry = CollectorRegistry()
    registry.register(Figures())
    return exposition.generate_latest(registry)


class Figures:
    """All metrics, as Prometheus' library collects them."""

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing in advance: the library would read everything once more."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = verdict.of(facts.gather())
        yield from _of_parts(found)
        yield from _of_queues(found.facts)
        yield from _of_exports(found.facts)
        yield from _of_the_rest(found.facts)


def _gauge(name: str, help: str, samples: Labelled, *labels: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"portal_{name}", help, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _one(name: str, help: str, value: float) -> GaugeMetricFamily:
    return _gauge(name, help, [((), value)])


def _of_parts(found: Verdict) -> Iterator[GaugeMetricFamily]:
    yield _gauge("build_info", "The version of the web process that answers.", [((VERSION,), 1)], "version")
    yield _one("exports_up", "1 while accepted change orders get into Spectrum, or a person paused them.", found.exports_are_up)
    states = [((part.name,), part.health.badness) for part in found.parts]
    yield _gauge("part_state", "How each part is: 0 up, 1 degraded, 2 paused, 3 down.", states, "part")
    running = [((kind,), len(found.facts.running(kind))) for kind in processes.KINDS]
    yield _gauge("processes", "Processes that report.", running, "kind")


def _of_queues(found: Facts) -> Iterator[GaugeMetricFamily]:
    queues = found.queues
    yield _gauge("queue_waiting", "Work promised, due now or later.", [((queue.kind,), queue.waiting) for queue in queues], "queue")
    yield _gauge("queue_due", "Work due now.", [((queue.kind,), queue.due) for queue in queues], "queue")
    oldest = [((queue.kind,), (found.at - queue.oldest).total_seconds() if queue.oldest else 0) for queue in queues]
    yield _gauge("queue_oldest_due_seconds", "For how long the oldest work has been due.", oldest, "queue")
    paused_at = found.exports.lane.paused_at
    paused_s = (found.at - paused_at).total_seconds() if paused_at else 0
    yield _one("exports_paused_seconds", "For how long exports have been paused; 0 while they are not.", paused_s)


def _of_exports(found: Facts) -> Iterator[GaugeMetricFamily]:
    states = [((state,), count) for state, count in found.states.items()]
    yield _gauge("change_orders", "Change orders in the states that call for something to happen.", states, "status")
    lately = [((outcome,), count) for outcome, count in attempts.of_last_hour().items()]
    yield _gauge("attempts_last_hour", "Attempts to send a line that ended in the last hour.", lately, "outcome")
    success = found.last_success.at.timestamp() if found.last_success else 0
    yield _one("last_export_timestamp_seconds", "When Spectrum last took a line; 0 where it never did.", success)


def _of_the_rest(found: Facts) -> Iterator[GaugeMetricFamily]:
    yield _one("mail_failed", "Mail that is not tried again.", found.mail_failed)
    yield _one("mail_refused", "1 while the mail server refuses the portal.", found.mail.lane.refused_at is not None)
    redis = found.signs.get(heartbeats.REDIS)
    yield _one("redis_up", "1 while Redis answers the keeper.", redis is not None and redis.since is None)
    yield _one("audit_in_doubt", "1 while the audit trail or a file of its heads is in doubt.", bool(found.doubts))
    yield _one("database_size_bytes", "Size of the database.", found.database.size)
    ahead = max([found.database.ahead, *(process.ahead for process in found.processes)], key=abs)
    yield _one("clock_difference_seconds", "How far the clocks of two machines differ.", round(abs(ahead.total_seconds())))
    backup_age_s = (clock.now() - found.backup.at).total_seconds() if found.backup else float("inf")
    yield _one("backup_age_seconds", "Age of the last verified backup; +Inf where there is none.", backup_age_s)
    yield _one("backup_size_bytes", "Size of the last verified backup.", found.backup.size if found.backup else 0)
