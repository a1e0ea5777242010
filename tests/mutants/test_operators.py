"""The mutations themselves: each is a different program, and the halves of a guard are among them."""

import ast

from tests.mutants.operators import mutants

MODULE = '''
import logging
log = logging.getLogger()


def guard(by, row, limit=3):
    """Docstrings stay."""
    log.info("stays")
    if by.active and row.status == "Ready":
        record(row)
    return not row.sum < limit - 1
'''


def made(tmp_path):
    (tmp_path / "guard.py").write_text(MODULE)
    return list(mutants(tmp_path / "guard.py", tmp_path))


def test_each_mutant_is_another_program_of_the_same_language(tmp_path):
    programs = {ast.unparse(ast.parse(mutant.source)) for mutant in made(tmp_path)}
    assert len(programs) == len(made(tmp_path)) > 8
    assert ast.unparse(ast.parse(MODULE)) not in programs


def test_each_half_of_a_guard_is_left_out_once(tmp_path):
    told = [str(mutant) for mutant in made(tmp_path)]
    assert any(text.endswith("-> (by.active)") for text in told)
    assert any(text.endswith("-> (row.status == 'Ready')") for text in told)


def test_docstrings_and_log_lines_stay(tmp_path):
    assert all("Docstrings stay." in mutant.source and 'log.info("stays")' in mutant.source for mutant in made(tmp_path))
