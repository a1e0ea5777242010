"""An RQ worker for one queue: `python worker.py exports`, `mail` or `imports`.

One queue per process: RQ loses a task whose worker dies between two of several queues. The work itself stands in the
database; what RQ thinks of it is never asked.
"""

import importlib
import sys
import time
from functools import cache
from types import FrameType

import structlog
from redis import Redis, RedisError
from redis.client import Pipeline
from rq import Worker
from rq.exceptions import StopRequested
from rq.registry import BaseRegistry, FailedJobRegistry, FinishedJobRegistry, StartedJobRegistry

import config
from portal import create_app
from portal.background import doorbell, lookout
from portal.domain import processes

PAUSE_S = 1.0
IDLE_S = 90  # RQ's worker_ttl: an idle one looks up 15 s earlier
NEEDED = {
    "exports": ("portal.background.tasks", "portal.spectrum.client"),
    "mail": ("portal.background.tasks",),
    "imports": ("portal.background.tasks",),
}
REGISTRIES: tuple[type[BaseRegistry], ...] = (StartedJobRegistry, FinishedJobRegistry, FailedJobRegistry)

log = structlog.get_logger()
watch = lookout.Watch()
reporter = cache(processes.Reporter)


class Listener(Worker):
    """Comes back quickly after an outage of Redis instead of waiting up to a minute, and remembers being told to stop."""

    max_connection_wait_time = 5
    told_to_stop = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.told_to_stop = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """RQ calls this between two tasks, and every few seconds while Redis is gone; with a pipeline during a task."""
        reporter(self.queue_names()[0])()
        if pipeline is None:
            watch()
        super().heartbeat(timeout, pipeline)


def listen(queue: str, url: str) -> bool:
    """Work until told to stop. False: RQ gave up, as it does over a single entry it cannot read, or a Redis without memory."""
    connection = Redis.from_url(url)
    try:
        listener = Listener([queue], connection=connection, serializer=doorbell.Serializer, worker_ttl=IDLE_S)
        listener.work(logging_level="WARNING")
        if listener.told_to_stop:
            return True
        forget(listener)
    except RedisError as error:
        log.warning("Redis not available, trying again", error=str(error))
        reporter(queue)()
        watch()
    time.sleep(PAUSE_S)
    return False


def forget(listener: Listener) -> None:
    """Throw away what RQ keeps of the queue, readable or not: the keeper rings again for whatever is due."""
    for queue in listener.queues:
        registries = [registry(queue=queue).key for registry in REGISTRIES]
        listener.connection.delete(queue.key, queue.intermediate_queue_key, *registries)


def ensure_complete(queue: str, settings: config.Settings) -> None:
    """Raises ConfigError when the worker would listen to no one, or try exports that can reach no Spectrum and lose their tries."""
    needed = {"REDIS_URL": "the worker needs the address of Redis, such as redis://127.0.0.1:6379/0."}
    if queue == "exports":
        needed["SPECTRUM_URL"] = "the worker needs the address of Spectrum, such as https://HOST:8482."
    missing = [f"{name}: {why}" for name, why in needed.items() if not getattr(settings, name)]
    if missing:
        raise config.ConfigError("\n".join(missing))


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in doorbell.QUEUES:
        print(f"Usage: python worker.py {'|'.join(doorbell.QUEUES)}", file=sys.stderr)
        return 2
    try:
        settings = config.load()
        app = create_app(settings)
        ensure_complete(arguments[0], settings)
    except config.ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    for module in NEEDED[arguments[0]]:  # RQ forks for each ring: loaded here it is loaded once, and not before every first send
        importlib.import_module(module)
    report = reporter(arguments[0])
    report()
    with app.app_context():
        try:
            while not listen(arguments[0], settings.REDIS_URL):
                pass
        except StopRequested:  # told so between two tries
            log.info("stopped")
    report.leave()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
