"""The processes that `portal up` starts. Each has a session and a name of its own and nothing to read; it ends when this process does.

A Python program is a copy of this process, which has loaded what all of them need: it starts at once, and what is loaded weighs once.
A copy has only the thread that made it, so nothing here and in the supervisor starts a second one.
"""

import asyncio
import ctypes
import gc
import os
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn, Protocol

LOOK_EVERY_S = 0.1  # where the system does not tell when a process ends
HANDLED = (signal.SIGINT, signal.SIGTERM)  # by this process in its own way

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15


class Child(Protocol):
    """What subprocess.Popen has: `poll` answers the exit code, negative for a signal, and None while the process runs."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...


class Copy:
    """This process once more, as what `python ARGUMENTS` would be."""

    def __init__(self, name: str, arguments: Sequence[str], output: int) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        gc.freeze()  # else its garbage collector would write into every page of ours, and so copy it
        before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)  # a signal to the new one must not reach our handlers in it
        self.pid = os.fork()
        if not self.pid:
            _live(name, arguments, output)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


def execute(command: Sequence[str], output: int) -> Child:
    """Start any program."""
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, preexec_fn=_die_with_parent
    )


async def ended(child: Child) -> int:
    """Wait for the exit code; asyncio's own way is a thread per process, up to Python 3.11."""
    while (code := child.poll()) is None:
        await _until_it_ends(child.pid)
    return code


async def _until_it_ends(pid: int) -> None:
    """Or a moment, where the system does not tell."""
    try:
        handle = os.pidfd_open(pid)
    except (AttributeError, OSError):  # no Linux, or one before 5.3
        await asyncio.sleep(LOOK_EVERY_S)
        return
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(handle, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)


def _live(name: str, arguments: Sequence[str], output: int) -> NoReturn:
    """The whole life of a copy. It leaves without tidying up: what it was born with is its parent's."""
    code = None
    try:
        _settle(name, output)
        code = _run(arguments)
        sys.stdout.flush()
    finally:
        if code is None:
            traceback.print_exc()
        os._exit(1 if code is None else code)


def _settle(name: str, output: int) -> None:
    """Take nothing for it that is meant for the parent."""
    signal.set_wakeup_fd(-1)
    for number in HANDLED:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
    os.setsid()
    _die_with_parent()
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_NAME, name.encode())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for place in (1, 2):
        os.dup2(output, place)


def _run(arguments: Sequence[str]) -> int:
    """The exit code of the program."""
    is_module = arguments[0] == "-m"
    sys.argv = list(arguments[1:] if is_module else arguments)
    try:
        if is_module:
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0


def _die_with_parent() -> None:
    """On Linux: end with this process, even when that is killed and can end no one."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
