"""docs/security.md says what is true: every test it names exists, every row of the standard is there, and so is every connection."""

import ast
import json
import re

import pytest
import structlog

import config
from portal import logs
from tests.processes import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text()
STANDARD = TEXT.partition("## OWASP ASVS")[2]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))
ROWS = [line.split(" | ") for line in STANDARD.splitlines() if re.match(r"\| \d", line)]
# The rows of levels 1 and 2 that apply, and those of level 3 that are met all the same.
APPLY = """
    1.1.1-2 1.2.1-5 1.2.9-10 1.3.1-3 1.3.5-7 1.3.10-11 1.4.1-3 1.5.1-2 2.1.1-3 2.2.1-3 2.3.1-5 2.4.1 3.2.1-2 3.3.1-4 3.4.1-6 3.5.1-5
    3.7.1-2 4.1.1-3 4.2.1 5.1.1 5.2.1-3 5.3.1-2 5.4.1-3 6.1.1-3 6.2.1-12 6.3.1-4 6.4.1-4 6.5.1-5 6.8.1-4 7.1.1-3 7.2.1-4 7.3.1-2
    7.4.1-5 7.5.1-3 7.6.1-2 8.1.1-2 8.2.1-3 8.3.1-2 8.4.1 9.1.1-3 9.2.1-4 11.1.1-2 11.2.1-3 11.3.1-3 11.4.1-4 11.5.1 11.6.1 12.1.1-3
    12.2.1-2 12.3.1-5 13.1.1 13.2.1-5 13.3.1-2 13.4.1-5 14.1.1-2 14.2.1-4 14.3.1-3 15.1.1-3 15.2.1-3 15.3.1-7 15.4.2 16.1.1 16.2.1-5
    16.3.1-4 16.4.1-3 16.5.1-3
"""
ADDRESSES = re.compile(r"(URL|SERVER|HOST|ISSUER)$")
OURS = sorted((ROOT / "portal").rglob("*.py"))


def each(ranges):
    """`1.1.1-2` is 1.1.1 and 1.1.2."""
    for part in ranges.split():
        chapter, _, numbers = part.rpartition(".")
        first, _, last = numbers.partition("-")
        yield from (f"{chapter}.{number}" for number in range(int(first), int(last or first) + 1))


def names_in(path):
    return {node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("path", sorted({path for path, _ in NAMED}))
def test_every_test_that_is_named_exists(path):
    named = {name for file, name in NAMED if file == path}

    assert named <= names_in(path)


def test_every_row_of_the_standard_that_applies_is_there_once():
    listed = [id for row in ROWS for id in row[0].strip("| ").split(", ")]

    assert sorted(listed) == sorted(set(listed))
    assert set(listed) == set(each(APPLY))


def test_every_row_names_a_test_or_says_why_it_has_none():
    without = [row for row in ROWS if "::test_" not in row[2]]

    assert [row for row in without if not row[1].startswith(("decided: ", "later: ", "none: ", "operators: "))] == []


def test_every_setting_of_a_connection_is_in_the_table():
    table = TEXT.partition("## Connections")[2].partition("\n## ")[0]

    for name in config.Settings.model_fields:
        if ADDRESSES.search(name):
            assert f"`{name}`" in table, name


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sql_is_put_together_from_texts(path):
    """SQL written by hand is one text; what varies is a parameter. Names of tables in migrations and pragmas are ours; so are conditions of
    statements (portal/db/rows.py), see the next test."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    by_hand = [call for call in calls if getattr(call.func, "attr", getattr(call.func, "id", "")) in ("SQL", "execute_sql", "raw")]
    put_together = [call.lineno for call in by_hand if call.args and isinstance(call.args[0], ast.JoinedStr | ast.BinOp)]

    assert not put_together or "migrations" in path.parts or path.parts[-2:] in (("db", "rows.py"), ("demo", "years.py"))


SQL = re.compile(r"\b(SELECT|WHERE|INSERT INTO|ORDER BY|DELETE|INDEXED BY|AND action|= ANY)\b")
MARKS = re.compile(r"places\(\w+\)|database\.param")  # of parameters
OWN = {  # words of the code itself: none of them comes from a request, a file or a row
    "db/rows.py": {"source", "condition"},  # of a statement's own text, and of its callers, which are listed below
    "db/steps.py": {"read.columns", "read.source", "_as_json(f'{at}, {read.columns}')"},  # likewise
    "domain/events.py": {"chosen", "which", "newest"},
    "domain/review/lists.py": {"last"},
    "domain/review/paging.py": {"by", "view.condition", "view.key", "sort.outer", "begins", "way", "mark", "which", "than", "ids"},
    "domain/mail/undelivered.py": {"MAIL", "DispatchOutcome.FAILED"},
    "domain/rules/spectrum_numbers.py": {"keys_given"},
    "demo/years.py": {"table", "columns", "places", "model._meta.table_name"},
    "backup/snapshot.py": {"table"},
}


@pytest.mark.parametrize("path", [path for path in OURS if {"migrations", "simulator"}.isdisjoint(path.parts)], ids=lambda path: path.stem)
def test_what_varies_in_a_statement_is_a_parameter_or_a_word_of_ours(path):
    texts = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.JoinedStr)]
    statements = [text for text in texts if SQL.search("".join(part.value for part in text.values if isinstance(part, ast.Constant)))]
    put_in = {ast.unparse(part.value) for text in statements for part in text.values if isinstance(part, ast.FormattedValue)}

    own = OWN.get(str(path.relative_to(ROOT / "portal")), set())
    assert {one for one in put_in if not MARKS.fullmatch(one)} <= own


def test_the_script_sends_no_messages_and_runs_no_texts():
    script = "".join(path.read_text() for path in sorted((ROOT / "static").glob("*.js")))

    assert not re.findall(
        r"postMessage|eval\(|new Function|innerHTML(?! = \"[^\"]*\";)|insertAdjacentHTML|document\.write|setTimeout\(['\"]", script
    )


def test_a_line_of_the_log_is_one_json_object_whatever_was_typed(capsys):
    logs.configure("json")
    typed = 'a\r\n{"level": "error"}\x1b[31m\u2028\x00'

    structlog.get_logger().warning("refused", agent=typed)

    [line] = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["event"], said["level"], said["agent"]) == ("refused", "warning", typed)
    assert said["timestamp"].endswith("Z")
    assert line.isascii()
