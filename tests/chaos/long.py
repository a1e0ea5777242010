"""The long rehearsal: 2,000 kills over 10,000 accepted change orders on each database, as ten rehearsals of different seeds.

python -m tests.chaos.long --folder /tmp/long     (the databases side by side; about an hour and a half on two cores)
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.processes import ROOT, environment

SUMMED = ("accepted", "exported", "failed", "unknown", "kills", "lost", "doubled", "strangers", "seconds")
WORST = "seconds_to_rest"


def rehearse(database: str, seed: int, orders: int, kills: int, folder: Path) -> dict[str, Any]:
    """The figures of one rehearsal; RuntimeError with its words when the promise was broken."""
    place = folder / f"{database}-{seed}"
    told = {"database": database, "seed": seed, "orders": orders, "kills": kills, "folder": place}
    command = [sys.executable, "-m", "tests.chaos.run", *(word for name, value in told.items() for word in (f"--{name}", str(value)))]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    figures: dict[str, Any] = json.loads(done.stdout)
    print(f"{database} {seed}:", ", ".join(f"{name} {figures[name]}" for name in (*SUMMED, WORST)), flush=True)
    return figures


def series(database: str, seeds: range, orders: int, kills: int, folder: Path) -> str:
    """One rehearsal after the other; the sums of all."""
    sums, slowest = Counter[str](), 0.0
    for seed in seeds:
        figures = rehearse(database, seed, orders, kills, folder)
        sums.update({name: figures[name] for name in SUMMED})
        slowest = max(slowest, figures[WORST])
    told = ", ".join(f"{name} {sums[name]:g}" for name in SUMMED)
    return f"{database}, {len(seeds)} rehearsals: {told}, at rest after {slowest:g} s at most"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.long", description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--rehearsals", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--orders", type=int, default=1000, help="of each rehearsal")
    parser.add_argument("--kills", type=int, default=200, help="of each rehearsal")
    parser.add_argument("--folder", type=Path, help="for the evidence; default: a new one in /tmp")
    wanted = parser.parse_args(arguments)
    folder = wanted.folder or Path(tempfile.mkdtemp(prefix="rehearsals-", dir="/tmp"))
    databases = ("sqlite", "postgres") if wanted.database == "both" else (wanted.database,)
    seeds = range(wanted.first_seed, wanted.first_seed + wanted.rehearsals)
    with ThreadPoolExecutor(len(databases)) as side_by_side:
        runs = [side_by_side.submit(series, database, seeds, wanted.orders, wanted.kills, folder) for database in databases]
    for run in runs:
        print(run.exception() or run.result())
    return int(any(run.exception() for run in runs))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
