"""Programs are kept running, and none is left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

from portal.standalone import supervisor
from portal.standalone.supervisor import KeepsDying, Supervisor
from tests import today
from tests.processes import PATIENCE_S, ROOT, alive, environment, eventually

T = TypeVar("T")
SLEEPS = "import time; time.sleep(600)"
IGNORES_SIGTERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
LEAVES_ITS_GROUP = """
import os, sys, time
if not (child := os.fork()):
    os.setpgrp()  # as an RQ work-horse does
    time.sleep(600)
print(f"horse {child}", flush=True)
time.sleep(600)
"""


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def in_a_loop(scenario: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread of its own: in this one the browser of an earlier test may keep a loop running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, scenario).result()


async def until(what: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not what():
            await asyncio.sleep(0.02)


def test_one_that_dies_is_named_and_started_again(capfd: pytest.CaptureFixture[str]) -> None:
    async def scenario() -> tuple[int, int]:
        async with Supervisor() as programs:
            programs.start("mail", python(SLEEPS))
            [mail] = programs.programs
            await until(lambda: mail.process)
            first = mail.process.pid
            os.kill(first, signal.SIGKILL)
            await until(lambda: mail.process.pid != first)
            return first, mail.process.pid

    first, second = in_a_loop(scenario())

    assert first != second
    assert "mail died with signal SIGKILL; it is started again in 0.5 s" in capfd.readouterr().err


def test_one_that_keeps_dying_brings_the_rest_down_with_its_last_words(capfd: pytest.CaptureFixture[str]) -> None:
    others = []

    async def scenario() -> None:
        async with Supervisor() as programs:
            programs.start("web", python(SLEEPS))
            programs.start("exports", python("import sys; sys.exit('no such table: lane')"))
            await until(lambda: programs.programs[0].process)
            others.append(programs.programs[0].process.pid)
            await programs.watch()

    with pytest.raises(KeepsDying, match="exports died 3 times within a minute, at last with exit status 1"):
        in_a_loop(scenario())

    assert capfd.readouterr().err.count("no such table: lane") == 3
    assert not alive(others[0])


def test_deaths_long_apart_are_not_counted_together() -> None:
    program = supervisor.Program("web", [])
    program.deaths.extend([0.0, 40.0, 61.0])

    assert not program.died_too_often()


def test_one_that_does_not_want_to_end_is_ended(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(supervisor, "GRACE_S", 0.2)
    lines = []
    monkeypatch.setattr(Supervisor, "say", lambda self, text, name="up", colour=None: lines.append(text))

    async def scenario() -> int:
        async with Supervisor() as programs:
            programs.start("deaf", python(IGNORES_SIGTERM))
            await until(lambda: "deaf" in lines)
            return programs.programs[0].process.pid

    pid = in_a_loop(scenario())

    assert not alive(pid)


@pytest.mark.parametrize("parent_dies_first", [False, True])
def test_a_child_that_left_its_parents_group_is_ended_too(monkeypatch: pytest.MonkeyPatch, parent_dies_first: bool) -> None:
    monkeypatch.setattr(supervisor, "LAST_WORDS_S", 0.1)
    lines: list[str] = []
    monkeypatch.setattr(Supervisor, "say", lambda self, text, name="up", colour=None: lines.append(text))

    def horses() -> list[int]:
        return [int(line.split()[1]) for line in lines if line.startswith("horse")]

    async def scenario() -> None:
        async with Supervisor() as programs:
            programs.start("exports", python(LEAVES_ITS_GROUP))
            await until(horses)
            if parent_dies_first:
                os.kill(programs.programs[0].process.pid, signal.SIGKILL)
                await until(lambda: len(horses()) == 2)
                assert alive(horses()[0])

    in_a_loop(scenario())

    assert not any(map(alive, horses()))


def test_what_the_others_need_is_ended_last(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(Supervisor, "say", lambda self, text, name="up", colour=None: lines.append(text))
    says_when_it_ends = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit('{0} ends')); print('{0}', flush=True); time.sleep(600)"
    )

    async def scenario() -> None:
        async with Supervisor() as programs:
            programs.start("valkey", python(says_when_it_ends.format("valkey")), last=True)
            programs.start("exports", python(says_when_it_ends.format("exports")))
            await until(lambda: {"valkey", "exports"} <= set(lines))

    in_a_loop(scenario())

    assert [line for line in lines if line.endswith("ends")] == ["exports ends", "valkey ends"]


def test_all_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(f"""
        import asyncio, sys
        from portal.standalone.supervisor import Supervisor
        async def main():
            async with Supervisor() as programs:
                programs.start("web", [sys.executable, "-c", {SLEEPS!r}])
                while not programs.programs[0].process:
                    await asyncio.sleep(0.02)
                print(programs.programs[0].process.pid, flush=True)
                await programs.watch()
        asyncio.run(main())
        """)
    )
    killed = subprocess.Popen([sys.executable, script], cwd=ROOT, env=environment(PYTHONPATH=today.path(str(ROOT))), stdout=subprocess.PIPE)
    assert killed.stdout
    child = int(killed.stdout.readline())

    killed.kill()
    killed.wait()
    killed.stdout.close()

    eventually(lambda: not alive(child))
