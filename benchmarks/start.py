"""How long `portal up` takes to be ready when it was set up before, and what all its processes weigh then.

    python benchmarks/start.py [TIMES]

Prints for each start the seconds to ready and the seconds of processor that all processes used until then; of the last one, what
each process weighs, as proportional set size in MB: memory that several processes share counts once. Linux only.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

from portal.standalone import machine

TIMES = 5
TICKS = os.sysconf("SC_CLK_TCK")
SETTLED_S = 5.0  # after ready, until memory is looked at: by then the keeper has been round


class Started(NamedTuple):
    """`portal up` when it has said that it is ready."""

    pid: int
    seconds: float
    names: dict[int, str]


@contextmanager
def started(folder: Path) -> Iterator[Started]:
    settings = {"PORTAL_DATA": str(folder), "PORTAL_PORT": str(machine.free_port())}
    begun = time.perf_counter()
    with (folder.parent / "log").open("wb") as log:
        command = [sys.executable, "-m", "portal.cli", "up", "--json"]
        up = subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.PIPE, stderr=log)
    try:
        report = json.loads(up.stdout.readline() if up.stdout else b"")
        yield Started(up.pid, time.perf_counter() - begun, {one["pid"]: one["name"] for one in report["processes"]})
    finally:
        up.send_signal(signal.SIGTERM)
        up.communicate()


def family(pid: int) -> list[int]:
    """The process and all below it."""
    children = [int(one) for task in Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()]
    return [pid, *(one for child in children for one in family(child))]


def processor(pid: int) -> float:
    """Seconds that the process used, and those of its children that have ended."""
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15])) / TICKS


def weight(pid: int) -> float:
    """Proportional set size in MB."""
    [line] = [line for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() if line.startswith("Pss:")]
    return int(line.split()[1]) / 1024


def show_weights(up: Started) -> None:
    names = {up.pid: "up"} | up.names
    pids = family(up.pid)
    weights = {pid: weight(pid) for pid in pids}
    for pid in pids:
        print(f"{names.get(pid, ''):<12} {weights[pid]:6.1f} MB")
    print(f"{f'all {len(pids)}':<12} {sum(weights.values()):6.1f} MB")


def main(times: int) -> None:
    taken = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        with started(folder) as up:
            print(f"first start {up.seconds:5.2f} s")
        for n in range(times):
            with started(folder) as up:
                used = sum(map(processor, family(up.pid)))
                taken.append(up.seconds)
                print(f"start {n + 1:<5} {up.seconds:5.2f} s   processor {used:5.2f} s")
                if n == times - 1:
                    time.sleep(SETTLED_S)
                    show_weights(up)
    print(f"median {statistics.median(taken):.2f} s, best {min(taken):.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else TIMES)
