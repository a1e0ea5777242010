"""The Ready page of 50 rows, signed in, beside peers over the same rows: interleaved rounds, medians, and the ratio in each round.

    python -m benchmarks.ready_page [--rows 100000] [--rounds 5] [--seconds 4]
    make bench

Each server is one gunicorn process with 8 threads on SQLite, under 8 connections. Ratios are of processor time per page (user and
system time of the server), which another program on the machine does not change; requests a second are shown beside them.
`make bench` is the short form, over 20,000 rows: it ends with status 1 when a median ratio is under its bound by more than a tenth.
"""

import argparse
import contextlib
import statistics
import sys

from benchmarks import servers
from benchmarks.load import Load, measure
from benchmarks.serving import machine

# What the portal has to reach: its share of the floor's speed, and how many times a peer's.
BOUNDS = {"floor": 0.4, "django_admin": 20.0, "flask_admin": 10.0}
SHORT = (20_000, 5, 2.0)  # rows, rounds, seconds
PEERS = {"django_admin": "/admin/portal/changeorder/?status__exact=ready", "flask_admin": "/admin/rows/?flt0_0=ready"}


def main() -> None:
    """Measure, print, and judge."""
    asked = arguments()
    file = servers.rows(asked.rows)
    print(f"{asked.rows:,} change orders, a tenth of them waiting; {machine()}")
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(servers.portal(file)), stack.enter_context(servers.floor(file))]
        running += [stack.enter_context(servers.peer(name, path, file)) for name, path in PEERS.items()]
        for server in running:
            warm_up(server)
        rounds = [{server.name: measure(server, asked.seconds) for server in running} for _ in range(asked.rounds)]
    medians = told(rounds)
    if asked.short:
        sys.exit(judged(medians))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument(
        "--short", action="store_true", help="few rows and rounds; fail where a ratio is under its bound by more than a tenth"
    )
    asked = parser.parse_args()
    if asked.short:
        asked.rows, asked.rounds, asked.seconds = SHORT
    return asked


def warm_up(server: servers.Server) -> None:
    status, content = server.get()
    if status != 200 or content.count(b"<tr") < 50:
        raise SystemExit(f"{server.name} does not show fifty rows: {status}, {len(content)} bytes.")
    measure(server, 1)


def told(rounds: list[dict[str, Load]]) -> dict[str, float]:
    """Print medians, and the ratio to the portal in each round; answer the median ratios."""
    print(f"{'':<14}{'ms processor':>14}{'pages/s':>10}{'p50 ms':>9}   portal's speed over it, in each round")
    medians = {}
    for name in rounds[0]:
        loads = [one[name] for one in rounds]
        ratios = [one[name].processor_ms / one["the portal"].processor_ms for one in rounds]
        medians[name] = statistics.median(ratios)
        middle = [statistics.median(getattr(load, column) for load in loads) for column in ("processor_ms", "pages_s", "p50_ms")]
        listed = " ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"{name:<14}{middle[0]:>14.2f}{middle[1]:>10.0f}{middle[2]:>9.1f}   {medians[name]:.2f}  ({listed})")
    return medians


def judged(medians: dict[str, float]) -> int:
    """1 when a bound is missed by more than a tenth."""
    missed = {name: bound for name, bound in BOUNDS.items() if medians[name] < bound * 0.9}
    for name, bound in missed.items():
        print(f"MISSED   {name}: {medians[name]:.2f}, and at least {bound} is wanted.")
    return 1 if missed else 0


if __name__ == "__main__":
    main()
