"""Reads a file in a process of its own, with limits on time and memory: whatever a file does to its reader, it does to that one."""

import json
import os
import resource
import select
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from portal.domain.imports import entries
from portal.domain.imports.entries import BadFile, Problem
from portal.intake import files, limits

TOO_MUCH = (
    "Reading the file takes more time or memory than any list of change orders needs. "
    "Save its rows as CSV UTF-8, or split it, and import that."
)
OUT_OF_MEMORY, BROKEN = 3, 4  # exit codes
BREATH_MS = 1_000
CHUNK = 1 << 20


class Stopped(Exception):
    """Reading failed for a reason that is no fault of the file's; the process wrote it to its log."""


def read(path: Path, format: files.Format | None = None) -> files.FileContents:
    """What the file holds. Raises BadFile or Stopped."""
    return understand(files.content_of(path), path.name, format)


def understand(
    content: bytes, name: str, format: files.Format | None = None, meanwhile: Callable[[], object] = lambda: None
) -> files.FileContents:
    """The same for what someone handed in. `meanwhile` is called every second. Raises BadFile or Stopped, or what `meanwhile` does."""
    inlet, outlet = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(inlet)  # else it would wait for ever for a parent that died
        _work(outlet, content, name, format)
    os.close(outlet)
    said = None
    try:
        said = _heard(inlet, meanwhile)
    finally:
        os.close(inlet)
        if said is None:
            os.kill(child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if said is None or code == OUT_OF_MEMORY or code < 0:  # below zero: a limit of the system ended it
        raise files.refusal(TOO_MUCH)
    if code:
        raise Stopped(f"The process that read {name} ended with {code}.")
    return _reading(said)


def _heard(inlet: int, meanwhile: Callable[[], object]) -> bytes | None:
    """All that the process says; None where it does not come to an end."""
    end, said, ear = time.monotonic() + limits.PATIENCE_S, bytearray(), select.poll()
    ear.register(inlet, select.POLLIN)
    while time.monotonic() < end:
        if ear.poll(BREATH_MS):
            if not (chunk := os.read(inlet, CHUNK)):
                return bytes(said)
            said += chunk
        meanwhile()
    return None


def _work(outlet: int, content: bytes, name: str, format: files.Format | None) -> NoReturn:
    """The process's own life. It leaves without tidying up: the connections it was born with are its parent's."""
    code = BROKEN
    try:
        _limit()
        with os.fdopen(outlet, "w", encoding="utf-8") as out:
            out.writelines(f"{line}\n" for line in _lines(content, name, format))
        code = 0
    except MemoryError:
        code = OUT_OF_MEMORY
    finally:
        if code == BROKEN:
            traceback.print_exc()
        os._exit(code)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (limits.SECONDS, limits.SECONDS + 1))
    size = Path("/proc/self/statm")  # elsewhere than on Linux nothing tells what the program takes, and only time is limited
    if size.exists():
        held = int(size.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + limits.BYTES, held + limits.BYTES))


def _lines(content: bytes, name: str, format: files.Format | None) -> Iterator[str]:
    """The reading as lines of JSON, its entries one by one."""
    try:
        reading = files.understand(content, name, format)
    except BadFile as error:
        yield json.dumps({"bad": _listed(error.problems)})
        return
    yield json.dumps({"sha256": reading.sha256, "notes": reading.notes, "renamed": reading.renamed, "problems": _listed(reading.problems)})
    yield from map(entries.dump, reading.entries)


def _listed(problems: list[Problem]) -> list[tuple[str, str, str]]:
    return [(problem.where, problem.field, problem.reason) for problem in problems]


def _reading(said: bytes) -> files.FileContents:
    head, *rest = said.decode().split("\n")[:-1]
    facts = json.loads(head)
    if "bad" in facts:
        raise BadFile([Problem(*one) for one in facts["bad"]])
    problems = [Problem(*one) for one in facts.pop("problems")]
    return files.FileContents([entries.load(line) for line in rest], problems, **facts)
