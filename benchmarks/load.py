"""Requests over several kept connections at once, each asking again when it has its answer."""

import http.client
import statistics
import threading
import time
from dataclasses import dataclass

from benchmarks.servers import Server


@dataclass(frozen=True, slots=True)
class Load:
    """What a server did under load.

    pages_s       pages a second
    processor_ms  user and system time of the server for each page
    p50_ms        median time to an answer
    """

    pages_s: float
    processor_ms: float
    p50_ms: float


def measure(server: Server, seconds: float, connections: int = 8) -> Load:
    """Ask for the server's page for so long. Every answer has to be a whole page."""
    taken: list[float] = []
    ends, used, began = time.perf_counter() + seconds, server.processor_s(), time.perf_counter()

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        while (start := time.perf_counter()) < ends:
            connection.request("GET", server.path, headers={"Cookie": server.cookie})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"{server.name} answered {answer.status}.")
            taken.append(time.perf_counter() - start)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    passed = time.perf_counter() - began
    return Load(len(taken) / passed, (server.processor_s() - used) / len(taken) * 1000, statistics.median(taken) * 1000)
