"""Free ports for the servers of tests: no two tests are given the same one.

Asking the kernel for "any port" does not do: it gives a port that was let go of again to the next who asks, or to
some outgoing connection, before the server that it was meant for listens.
"""

import itertools
import os

from portal.standalone.machine import is_free

# Below what the kernel picks from for outgoing connections, 32768 to 60999 on Linux, and above 10080, the last one that browsers
# refuse to open (https://fetch.spec.whatwg.org/#port-blocking). Each worker of pytest-xdist has its own part.
FIRST, PER_WORKER, WORKERS = 10_100, 2_000, 11
_part = int(os.environ.get("PYTEST_XDIST_WORKER", f"gw{os.getpid()}").removeprefix("gw")) % WORKERS
_numbers = itertools.cycle(range(FIRST + _part * PER_WORKER, FIRST + (_part + 1) * PER_WORKER))


def free_port() -> int:
    """A port nobody listens on, and that this test run gives to nobody else for the next 2,000 times."""
    return next(port for port in itertools.islice(_numbers, PER_WORKER) if is_free(port))
