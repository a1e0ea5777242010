"""Keeps a handful of programs running: shows what they print, restarts one that dies, ends them all together."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from honcho.colour import get_colours
from honcho.printer import Message, Printer

from portal import clock
from portal.standalone import children

DEATHS, WITHIN_S = 3, 60.0  # so many deaths in so many seconds are no accident any more
BACK_OFF_S = 0.5  # before the first restart; doubles with each recent death
GRACE_S = 10.0  # between asking a program to end and ending it
LOOK_EVERY_S = 1.0  # whether the folders of a program are still there
LAST_WORDS_S = 1.0  # for the output of a program that has ended
LONGEST_LINE = 1024 * 1024  # bytes of output without a line end


class KeepsDying(Exception):
    """A program died too often to be restarted again; the text names it."""


@dataclass
class Program:
    """One thing to keep running.

    forks    the command is what `python` would be given, for a copy of this process
    last     ended after all others, because those need it to end well
    folders  it cannot work without: made before each start; where one is removed, the program is restarted with a new one
    """

    name: str
    command: Sequence[str]
    forks: bool = False
    last: bool = False
    folders: Sequence[Path] = ()
    process: children.Child | None = None
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS))

    def died_too_often(self) -> bool:
        return len(self.deaths) == DEATHS and self.deaths[-1] - self.deaths[0] < WITHIN_S

    def pause(self) -> float:
        """Seconds to wait before the next start."""
        recent = sum(time.monotonic() - at < WITHIN_S for at in self.deaths)
        pause: float = BACK_OFF_S * 2.0 ** (recent - 1)
        return pause


class Supervisor:
    """Starts programs, and ends them when its `async with` block is left."""

    def __init__(self) -> None:
        self.programs: list[Program] = []
        self.keepers: list[asyncio.Task[None]] = []
        self.sessions: set[int] = set()
        self._printer = Printer(sys.stderr, width=10)
        self._colours = get_colours()

    async def __aenter__(self) -> "Supervisor":
        return self

    async def __aexit__(self, *_: object) -> None:
        for keeper in self.keepers:
            keeper.cancel()
        await asyncio.gather(*self.keepers, return_exceptions=True)
        await self._end([program for program in self.programs if not program.last])
        await self._end([program for program in self.programs if program.last])
        while left := {pid for session in self.sessions for pid in members(session)}:
            _kill(left)
            await asyncio.sleep(0.02)

    def start(self, name: str, command: Sequence[str], *, forks: bool = False, last: bool = False, folders: Sequence[Path] = ()) -> None:
        """Start a program and keep it running from now on; see Program."""
        program = Program(name, command, forks, last, folders)
        self.programs.append(program)
        self.keepers.append(asyncio.create_task(self._keep(program), name=name))

    async def watch(self) -> None:
        """Wait until a program cannot be kept running; raises KeepsDying."""
        done, _ = await asyncio.wait(self.keepers, return_when=asyncio.FIRST_COMPLETED)
        for keeper in done:
            keeper.result()

    def say(self, text: str, name: str = "up", colour: str | None = None) -> None:
        """Print a line to stderr under a name."""
        self._printer.write(Message("line", text, clock.now().astimezone(), name, colour))

    async def _keep(self, program: Program) -> None:
        colour = next(self._colours)
        while True:
            status = await self._run(program, colour)
            program.deaths.append(time.monotonic())
            if program.died_too_often():
                raise KeepsDying(f"{program.name} died {DEATHS} times within a minute, at last with {status}. Its last lines are above.")
            self.say(f"{program.name} died with {status}; it is started again in {program.pause():g} s")
            await asyncio.sleep(program.pause())

    async def _run(self, program: Program, colour: str) -> str:
        """Run a program to its end and answer how it ended."""
        for folder in program.folders:
            folder.mkdir(parents=True, exist_ok=True)
        reading, writing = os.pipe()
        try:
            program.process = process = (
                children.Copy(program.name, program.command, writing) if program.forks else children.execute(program.command, writing)
            )
        finally:
            os.close(writing)
        self.sessions.add(process.pid)
        printing = asyncio.create_task(self._print(program.name, reading, colour))
        looking = asyncio.create_task(self._look_after_folders(program, process))
        try:
            code = await children.ended(process)
        finally:
            looking.cancel()
        await asyncio.wait({printing}, timeout=LAST_WORDS_S)
        if not members(process.pid):
            self.sessions.discard(process.pid)  # its number may be someone else's from now on
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    async def _look_after_folders(self, program: Program, process: children.Child) -> None:
        """A server whose socket or data is gone lives on, and no one reaches it: end it, for a start with new ones."""
        while all(folder.is_dir() for folder in program.folders):
            await asyncio.sleep(LOOK_EVERY_S)
        self.say(f"{program.name} lost a folder it needs")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    async def _print(self, name: str, pipe: int, colour: str) -> None:
        """Show what comes out of `pipe` until no one is left to write into it, which a child's child may be."""
        reader = asyncio.StreamReader(limit=LONGEST_LINE)
        protocol = asyncio.StreamReaderProtocol(reader)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(pipe, "rb"))
        while True:
            try:
                line = await reader.readline()
            except ValueError:
                line = b"(a line too long to show)"
            if not line:
                return
            self.say(line.decode("utf-8", "replace").rstrip("\n"), name, colour)

    async def _end(self, programs: list[Program]) -> None:
        """Ask, wait, insist."""
        running = [program.process for program in programs if program.process and program.process.poll() is None]
        for process in running:
            _ask_to_end(process.pid)
        waiting = [asyncio.create_task(children.ended(process)) for process in running]
        if waiting:
            await asyncio.wait(waiting, timeout=GRACE_S)
        _kill({pid for process in running for pid in members(process.pid) | ({process.pid} if process.poll() is None else set())})
        await asyncio.gather(*waiting)


def members(session: int) -> set[int]:
    """The processes of a session. An RQ work-horse leaves its worker's process group, but not the session."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.add(int(stat.parent.name))
    return found


def _ask_to_end(pid: int) -> None:
    """The whole group; a copy that was made a moment ago has none yet."""
    try:
        os.killpg(pid, signal.SIGTERM)
    except ProcessLookupError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def _kill(pids: set[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
