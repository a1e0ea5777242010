"""Sample mutants of the modules that decide about money and try each: `make mutants`.

Prints each survivor and the share that was caught; the exit code is 1 below 90%.
"""

import argparse
import random
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.mutants import reach, trial
from tests.mutants.operators import Mutant, mutants
from tests.mutants.trial import Verdict

MODULES = (
    "portal/domain/transitions.py",
    "portal/domain/outbox.py",
    "portal/domain/review/decisions.py",
    "portal/domain/exporting/*.py",
    "portal/domain/recovery/*.py",
    "portal/domain/projects/sending.py",
    "portal/domain/rules/*.py",
    "portal/domain/accounts/rights.py",
    "portal/spectrum/client.py",
    "portal/spectrum/transport.py",
)
BOUND = 0.90


def main():
    options = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    options.add_argument("--sample", type=int, default=300, help="mutants to try")
    options.add_argument("--seed", type=int, default=1, help="chooses the sample")
    options.add_argument("--jobs", type=int, default=2, help="mutants at the same time")
    options.add_argument("--keep", action="store_true", help="use the coverage of the last run")
    chosen = options.parse_args()
    if not (chosen.keep and reach.DATA.exists()):
        with trial.copy_of_checkout() as folder:
            reach.measure(folder)
    sys.exit(report(tried(sample(chosen.sample, chosen.seed), chosen.jobs)))


def sample(size: int, seed: int) -> list[Mutant]:
    paths = [path for pattern in MODULES for path in sorted(reach.ROOT.glob(pattern))]
    every = [mutant for path in paths for mutant in mutants(path, reach.ROOT)]
    print(f"{len(every)} mutants in {len(paths)} modules; trying {min(size, len(every))}, seed {seed}.", flush=True)
    return random.Random(seed).sample(every, min(size, len(every)))


def tried(chosen: list[Mutant], jobs: int) -> list[tuple[Mutant, Verdict]]:
    by_line, durations = reach.by_line(), reach.durations()
    plans = [(mutant, tests_of(by_line.get(mutant.path, {}).get(mutant.line, set()), durations)) for mutant in chosen]
    results = []
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        for mutant, verdict in pool.map(judge, plans):
            results.append((mutant, verdict))
            if verdict is not Verdict.CAUGHT:
                print(f"{verdict}: {mutant}", flush=True)
    return results


def tests_of(names: set[str], durations: dict[str, tuple[str, float]]) -> list[str]:
    """Addresses of the tests, quickest first."""
    return [address for address, _ in sorted((durations[name] for name in names if name in durations), key=lambda known: known[1])]


def judge(plan: tuple[Mutant, list[str]]) -> tuple[Mutant, Verdict]:
    mutant, tests = plan
    with trial.copy_of_checkout() as folder:
        return mutant, trial.attempt(mutant, tests, folder)


def report(results: list[tuple[Mutant, Verdict]]) -> int:
    caught = sum(verdict is Verdict.CAUGHT for _, verdict in results)
    share = caught / len(results)
    print(f"Caught {caught} of {len(results)} mutants ({share:.1%}).")
    return int(share < BOUND)


if __name__ == "__main__":
    main()
