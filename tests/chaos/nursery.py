"""Starts the portal's programs from a process that has loaded Python and all packages already: a killed one is back at once.

Loading takes two seconds of a core each time, which nobody has two thousand times. What is started is a process like any
other, of its own session, with its own environment and log; only its birth is quicker.

Reads one JSON line per birth from its standard input, `{"argv": [...], "env": {...}, "log": FILE}`, and answers with the
process id. Ends with its input, and its children with it.
"""

import ctypes
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import subprocess
import sys
import threading
from pathlib import Path

import portal
from tests.processes import ROOT, environment

LOADED = ("aiosmtpd.controller", "gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "psycopg", "rq.worker", "worker")
_PR_SET_PDEATHSIG = 1


class Nursery:
    """The nursery as others see it. `start` answers the new process's id."""

    def __init__(self, log: Path) -> None:
        with log.open("ab") as out:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.nursery"],
                cwd=ROOT,
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=out,
                text=True,
            )
        self._lock = threading.Lock()

    def start(self, argv: list[str], env: dict[str, str], log: Path) -> int:
        assert self._popen.stdin
        assert self._popen.stdout
        with self._lock:
            self._popen.stdin.write(json.dumps({"argv": argv, "env": env, "log": str(log)}) + "\n")
            self._popen.stdin.flush()
            return int(self._popen.stdout.readline())

    def close(self) -> None:
        self._popen.kill()
        self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe:
                pipe.close()


def main() -> None:
    """Load, then give birth until the input ends."""
    for name in LOADED:
        importlib.import_module(name)
    for module in pkgutil.walk_packages(portal.__path__, "portal."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    for line in sys.stdin:
        wanted = json.loads(line)
        pid = os.fork()
        if not pid:
            live(wanted["argv"], wanted["env"], Path(wanted["log"]))
        print(pid, flush=True)


def live(argv: list[str], env: dict[str, str], log: Path) -> None:
    """In the new process: become what `python ARGV` would be. Does not return."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        wire(log)
        os.environ.clear()
        os.environ.update(env)
        status = run(argv)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def wire(log: Path) -> None:
    """Nothing to read, and both outputs into the log."""
    nothing, out = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for mine, place in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(mine, place)


def run(argv: list[str]) -> int:
    """The exit status of the program."""
    by_name = argv[0] == "-m"
    sys.argv = argv[1:] if by_name else argv
    try:
        if by_name:
            runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(argv[0], run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0


if __name__ == "__main__":
    main()
