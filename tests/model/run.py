"""Run the model as long as wanted: `python -m tests.model.run --examples 5000 --steps 80` tries other stories each time.

`--faults` puts the known faults back one by one and says in how many examples and steps each is found.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from portal import db
from tests.model.desk import Desk
from tests.model.ground import migrated
from tests.model.machine import Machine

EXAMPLES, STEPS = 40, 30  # of a usual run; steps of one example
QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]


def run(file: Path, examples: int, steps: int, **more: Any) -> None:
    """Try so many examples. Raises Broken where one of them breaks the portal's word."""
    Machine.file = file
    Desk.examples, Desk.steps, Desk.found = 0, 0, None
    chosen = settings(max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=QUIET, **more)
    run_state_machine_as_test(Machine, settings=chosen)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.model.run", description=__doc__)
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=50, help="of each example")
    parser.add_argument("--faults", action="store_true", help="put the known faults back instead")
    wanted = parser.parse_args()
    db.SQLITE_PRAGMAS["synchronous"] = "off"
    settings.register_profile("long", derandomize=wanted.faults, database=None, print_blob=True)
    settings.load_profile("long")
    with tempfile.TemporaryDirectory() as folder:
        file = migrated(Path(folder))
        if wanted.faults:
            _find_all(file)
        else:
            run(file, wanted.examples, wanted.steps)
            print(f"{Desk.examples:,} examples, {Desk.steps:,} steps: all of it holds.")
    return 0


def _find_all(file: Path) -> None:
    from tests.model import mutations  # which needs `run`

    for name, fault in mutations.FAULTS.items():
        examples, steps, said = mutations.find(fault, file)
        print(f"{name}: found in example {examples}, after {steps} steps: {said}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
