"""An RQ worker for one queue: `python worker.py exports` or `python worker.py mail`.

One queue per process: RQ loses a task whose worker dies between two of several queues. The work itself stands in the
database; what RQ thinks of it is never asked.
"""

import sys

from redis import Redis
from rq import Worker

import config
from portal import create_app, doorbell


class Listener(Worker):
    """Comes back quickly after an outage of Redis instead of waiting up to a minute."""

    max_connection_wait_time = 5


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in doorbell.QUEUES:
        print(f"Usage: python worker.py {'|'.join(doorbell.QUEUES)}", file=sys.stderr)
        return 2
    try:
        settings = config.load()
        app = create_app(settings)
    except config.ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    with app.app_context():
        connection = Redis.from_url(settings.REDIS_URL)
        Listener(arguments, connection=connection, serializer=doorbell.Serializer).work(logging_level="WARNING")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
