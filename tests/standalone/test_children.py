"""A copy of the process that supervises the others is a program of its own."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from portal.standalone import stack
from tests import today
from tests.processes import ROOT, alive, environment, eventually

STARTS = """
import os, signal, sys, time
from portal.standalone import children
signal.signal(signal.SIGTERM, lambda *_: print("the parent was told", flush=True))
copy = children.Copy("worker", {arguments!r}, os.dup(1))
{meanwhile}
while copy.poll() is None:
    time.sleep(0.01)
print("code", copy.poll())
"""


def lines_of(tmp_path: Path, program: str, meanwhile: str = "") -> list[str]:
    """What a process and its copy, which runs `program`, say."""
    (tmp_path / "program.py").write_text(textwrap.dedent(program))
    script = STARTS.format(arguments=[str(tmp_path / "program.py"), "an argument"], meanwhile=textwrap.dedent(meanwhile))
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment(PYTHONPATH=today.path(str(ROOT))),
        capture_output=True,
        text=True,
        timeout=60,
    )
    return (done.stdout + done.stderr).splitlines()


def test_it_has_a_session_a_name_and_arguments_of_its_own_and_nothing_to_read(tmp_path: Path) -> None:
    program = """
        import os, sys
        print(os.getsid(0) == os.getpid(), open("/proc/self/comm").read().strip(), sys.argv[1:], repr(sys.stdin.read()))
    """

    assert lines_of(tmp_path, program) == ["True worker ['an argument'] ''", "code 0"]


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; sys.exit(3)", ["code 3"]),
        ("import sys; sys.exit('no such table')", ["no such table", "code 1"]),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", ["code -9"]),
    ],
)
def test_its_end_is_told_as_that_of_any_program(tmp_path: Path, program: str, said: list[str]) -> None:
    assert lines_of(tmp_path, program) == said


def test_a_defect_in_it_leaves_a_trace(tmp_path: Path) -> None:
    said = lines_of(tmp_path, "1 / 0")

    assert "ZeroDivisionError: division by zero" in said
    assert said[-1] == "code 1"


def test_it_is_ended_by_a_signal_that_its_parent_handles(tmp_path: Path) -> None:
    said = lines_of(tmp_path, "import time; time.sleep(600)", meanwhile="os.kill(copy.pid, signal.SIGTERM)")

    assert said == ["code -15"]


def test_it_does_not_outlive_its_parent(tmp_path: Path) -> None:
    program = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    (tmp_path / "program.py").write_text(program)
    script = STARTS.format(arguments=[str(tmp_path / "program.py")], meanwhile="")
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env=environment(), stdout=subprocess.PIPE)
    assert parent.stdout
    copy = int(parent.stdout.readline())

    parent.kill()
    parent.communicate()

    eventually(lambda: not alive(copy))


def test_what_a_single_process_uses_is_loaded_by_that_one_alone() -> None:
    heavy = {"zeep", "authlib", "xlsxwriter", "aiosmtpd", "portal.spectrum.client", "portal.spectrum.simulator.app"}
    script = f"import importlib, sys; [importlib.import_module(name) for name in {stack.SHARED}]; print(*sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=True
    )

    assert not heavy & set(loaded.stdout.split())
