"""Two pieces of work at the same moment, each on a connection of its own."""

import threading
from collections.abc import Callable

from portal import db


def at_once(*works: Callable[[], object]) -> None:
    """Start all of them together, wait for all, and fail where one of them failed."""
    start, failures = threading.Barrier(len(works)), []

    def run(work: Callable[[], object]) -> None:
        try:
            with db.connected():
                start.wait()
                work()
        except Exception as error:  # noqa: BLE001 -- a thread tells its failure to the test
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise ExceptionGroup("What ran at once failed.", failures)
