"""A web server as `portal up` starts it, and the machine it runs on, for the benchmarks."""

import os
import platform
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE_S = 60
PORTAL = "portal:create_app()"


@dataclass(frozen=True)
class Server:
    port: int
    process: subprocess.Popen[bytes]

    def processor_s(self) -> float:
        """User and system time of all its processes, in seconds."""
        return sum(sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])) for pid in self._pids()) / TICKS

    def memory_mb(self) -> float:
        """What its processes hold for themselves alone or share (PSS), in MB."""
        lines = [line for pid in self._pids() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000

    def _pids(self) -> list[int]:
        pid = self.process.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


@contextmanager
def serving(app: str, environment: Mapping[str, str], *, workers: int = 1, threads: int = 8, kind: str = "gthread") -> Iterator[Server]:
    """Gunicorn with this application, until the block ends."""
    port = _free_port()
    flags = ["--bind", f"127.0.0.1:{port}", "--workers", str(workers), "--threads", str(threads), "--worker-class", kind]
    command = [sys.executable, "-m", "gunicorn", *flags, "--no-control-socket", "--log-level", "error", app]
    paths = os.pathsep.join((str(ROOT), str(ROOT / "benchmarks")))
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": paths, "PORTAL_PORT": str(port)} | environment, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield Server(port, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
            return
        except OSError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.1)


def machine() -> str:
    """What the figures were measured on, in one line."""
    models = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    kind = models[0] if models else platform.machine()
    return f"{os.cpu_count()} x {kind}; Python {platform.python_version()}; {platform.system()} {platform.release()}; load before {load}"
