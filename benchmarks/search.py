"""What a search and the other filters cost: processor time of the statements that find and count one page of all change orders.

    python -m benchmarks.search [ROWS]        100000, say

Ends with status 1 when a search takes more than its bound for each 100,000 change orders.
"""

import sys
import time
from collections.abc import Callable
from urllib.parse import parse_qsl

from benchmarks import servers
from benchmarks.serving import machine
from portal import db
from portal.domain import change_orders
from portal.domain.review import lists, paging, views
from portal.web import list_filters

TIMES, SIZE = 5, 50
BOUND_MS = 250  # for what a word that is nowhere takes, found and counted
SEARCHES = ("q=duct", "q=zzz", "q=sc-007", "q=duct+area+building")
FILTERS = ("vendor=volt", "job=D-0001", "min=350.26", "checks=flagged", "sort=amount", "sort=vendor")


def main() -> None:
    """Print a line for each filter."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    db.init(f"sqlite:///{servers.rows(count)}")
    print(f"ms of processor to find a page and to count, {count:,} change orders; {machine()}")
    with db.connected():
        taken = {query: measured(query) for query in (*SEARCHES, *FILTERS)}
    for query, (finds, counts) in taken.items():
        print(f"{query:<24}{finds:>8.1f}{counts:>8.1f}")
    slow = [query for query in SEARCHES if sum(taken[query]) > BOUND_MS * max(count / 100_000, 0.1)]
    sys.exit(f"over the bound: {', '.join(slow)}" if slow else 0)


def measured(query: str) -> tuple[float, float]:
    """Milliseconds to find the first page, and to count what the heading counts."""
    view = list_filters.narrowed(views.BY_KEY["all"], dict(parse_qsl(query)))
    finds = quickest(lambda: change_orders.listed(*paging.page_condition(view, "", SIZE)))
    return finds, quickest(lambda: lists.matching(view)) if view.is_filtered else 0.0


def quickest(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(TIMES):
        began = time.process_time()
        work()
        taken.append((time.process_time() - began) * 1000)
    return min(taken)


if __name__ == "__main__":
    main()
