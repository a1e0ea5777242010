"""The table of faults in docs/reliability.md is whole, and what it names exists."""

import ast
import re

import pytest

from tests.chaos.nemesis import DEEDS
from tests.processes import ROOT

TEXT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| (F\d\d) \|.*\| ([^|]*) \|$", TEXT, re.MULTILINE))
TEST = re.compile(r"(tests/[\w/]+\.py)::(\w+)")


def functions(file: str) -> set[str]:
    return {node.name for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)}


def test_every_fault_has_its_row() -> None:
    assert list(ROWS) == [f"F{number:02}" for number in range(1, 68)]


@pytest.mark.parametrize("fault", ROWS)
def test_a_fault_names_a_test_that_exists(fault: str) -> None:
    named = TEST.findall(ROWS[fault])

    assert named
    assert [f"{file}::{test}" for file, test in named if test not in functions(file)] == []


@pytest.mark.parametrize("fault", [fault for fault, proof in ROWS.items() if "nemesis:" in proof])
def test_a_fault_names_a_deed_of_the_nemesis(fault: str) -> None:
    (deed,) = re.findall(r"nemesis: ([^;]+)", ROWS[fault])

    assert deed.strip() in DEEDS
