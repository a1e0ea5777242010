"""Imports point one way: web and tasks -> domain -> db; spectrum stands alone. And the rules that a reader cannot see break."""

import ast
import re
import sys
from pathlib import Path

import pytest

import config

ROOT = Path(config.__file__).parent
OUTER = (
    "portal.web",
    "portal.api",
    "portal.intake",
    "portal.background.tasks",
    "portal.background.imports",
    "portal.background.keeper",
    "portal.background.doorbell",
    "portal.mail",
    "portal.cli",
)
ERP = ("portal.spectrum.client", "portal.spectrum.infolink", "portal.spectrum.simulator")
LIBRARIES_OUTSIDE = (
    "zeep",
    "requests",
    "authlib",
    "joserfc",
    "portal.openid",
    "xlsxwriter",
    "flask",
    "flask_login",
    "flask_wtf",
    "flask_htmx",
    "rq",
    "redis",
    "smtplib",
    "aiosmtpd",
)
FORBIDDEN = {
    "domain": (*OUTER, *ERP, *LIBRARIES_OUTSIDE),
    "spectrum": (*OUTER, "portal.domain", "portal.db", "flask", "peewee", "rq", "redis"),
    "web": (
        "requests",
        "authlib",
        "joserfc",
        "portal.background.tasks",
        "portal.background.keeper",
        "portal.background.doorbell",
        "portal.spectrum",
        "portal.mail",
        "portal.cli",
        "peewee",
        "rq",
        "redis",
    ),
    "api": (
        "portal.background.tasks",
        "portal.background.keeper",
        "portal.background.doorbell",
        "portal.spectrum",
        "portal.mail",
        "portal.cli",
        "peewee",
        "rq",
        "redis",
    ),
    "intake": (
        "portal.background.tasks",
        "portal.background.keeper",
        "portal.background.doorbell",
        "portal.spectrum",
        "portal.mail",
        "portal.cli",
        "flask",
        "rq",
        "redis",
    ),
    "background/keeper.py": ("portal.background.tasks", "portal.spectrum", "portal.mail", "portal.web", "portal.cli", "flask"),
    "addin_workbook.py": ("portal.background.tasks", "portal.web", "portal.mail", "portal.cli", "flask", "rq", "redis"),
    "openid.py": ("portal.background.tasks", "portal.spectrum", "portal.web", "portal.db", "peewee", "flask"),
    "mail.py": ("portal.background.tasks", "portal.spectrum", "portal.web", "portal.cli", "rq", "redis"),
    "db.py": ("portal.domain", *OUTER, *ERP, *LIBRARIES_OUTSIDE),
    "db_writes.py": ("portal.domain", *OUTER, *ERP, *LIBRARIES_OUTSIDE),
    "db_errors.py": ("portal.domain", "portal.db", *OUTER, *ERP, *LIBRARIES_OUTSIDE),
    "background/lookout.py": ("portal.spectrum", "portal.web", "portal.cli", "flask", "rq", "redis"),
    "clock.py": ("portal",),
}
RECORDS_NEEDS = ("portal", "portal.spectrum")  # the domain imports records, so records may need nothing that is not there already
LONGEST_FILE = 250
ONE_ROOM = {  # whoever looks for one of many looks in one place
    "portal/domain/rules/checks.py": 500,  # all rules, each a small function
    "portal/spectrum/catalogue.py": 500,  # all causes, one table
    "config.py": 320,  # all settings, one list
}
LONGEST_FUNCTION = 50
ASKS_THE_MACHINE = (
    "portal/clock.py",
    "portal/spectrum/simulator/world.py",  # for SQLite, which compares with its own
    "tests/faults/test_certificates.py",  # for OpenSSL, likewise
    "tests/today/sitecustomize.py",
)


def python_files(*places: str) -> list[Path]:
    found = [path for place in places for path in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))]
    return sorted(path for path in found if path.exists())


OURS = python_files("portal", "config.py", "worker.py")
TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))
PAIRS = [(package, path) for package in FORBIDDEN for path in python_files(f"portal/{package}")]


def name_of(path: object) -> str | None:
    return str(path.relative_to(ROOT)) if isinstance(path, Path) else None


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> set[str]:
    """Every module `path` imports; `from a import b` counts as both a and a.b."""
    nodes = list(ast.walk(tree(path)))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    froms = [(node.module, node.names) for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return plain | {module for module, _ in froms} | {f"{module}.{alias.name}" for module, names in froms for alias in names}


@pytest.mark.parametrize(("package", "path"), PAIRS, ids=name_of)
def test_imports_point_one_way(package: str, path: Path) -> None:
    outlawed = tuple(f"{name}." for name in FORBIDDEN[package])

    assert not [name for name in imports(path) if f"{name}.".startswith(outlawed)]


def test_what_the_domain_takes_from_spectrum_needs_the_standard_library_only() -> None:
    seen, waiting = set(), {"portal.spectrum.records"}
    while waiting:
        module = waiting.pop()
        seen.add(module)
        path = ROOT / (module.replace(".", "/") + ".py")
        ours = {name for name in imports(path) if (ROOT / (name.replace(".", "/") + ".py")).exists()}
        others = {name.split(".")[0] for name in imports(path)} - {"portal"}
        assert others <= sys.stdlib_module_names, module
        waiting |= ours - seen

    assert all(module.startswith("portal.spectrum.") for module in seen)


def test_the_domain_takes_only_records_from_spectrum() -> None:
    taken = {name for path in python_files("portal/domain") for name in imports(path) if name.startswith("portal.spectrum.")}

    assert {name.split(".")[2] for name in taken} <= {"records"}


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_only_config_reads_the_environment(path: Path) -> None:
    reads = re.findall(r"os\.environ(?!\.update\()|\bgetenv\b|from os import .*environ", path.read_text(encoding="utf-8"))

    assert not reads or path.name == "config.py"


@pytest.mark.parametrize("path", [*OURS, *python_files("tests", "benchmarks")], ids=name_of)
def test_only_the_clock_asks_the_machine_for_the_time(path: Path) -> None:
    """Everything else would stay behind when a test, or a run with `--today`, moves the portal's clock."""
    calls = {ast.unparse(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)}
    asked = {
        call
        for call in calls
        if re.search(r"\b(datetime|date|dt)\.(now|today|utcnow)$|\btime\.(time|time_ns|localtime|gmtime|ctime)$", call)
    }

    assert not asked or str(path.relative_to(ROOT)) in ASKS_THE_MACHINE


@pytest.mark.parametrize("path", python_files("portal", "worker.py"), ids=name_of)
def test_only_move_writes_a_status(path: Path) -> None:
    """Assigning `.status` on a change order, or passing status= to update(), is for domain/change_orders.py alone."""
    writes = [
        node.lineno
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "update" and _is_change_order(node.func) and _has_status(node))
        or (isinstance(node, ast.Assign) and any(_names_status(target) for target in node.targets))
    ]

    assert not writes or path.relative_to(ROOT) == Path("portal/domain/change_orders.py")


# Who reads only, or changes nothing but what is one's own, where holding the row before writing it would be a circle.
RIGHTS_NOT_HELD = {
    "background/imports.py": 2,
    "domain/accounts/passwords.py": 1,
    "domain/mail/daily_summary.py": 1,
    "domain/exporting/alerts.py": 1,
    "domain/accounts/identities.py": 1,
}


def test_whose_rights_are_the_reason_of_a_write_holds_them() -> None:
    """By people.as_held: with as_now somebody could take the right away between the look and the write."""
    loose = {
        str(path.relative_to(ROOT / "portal")): path.read_text(encoding="utf-8").count("people.as_now(") for path in python_files("portal")
    }

    assert {name: count for name, count in loose.items() if count} == RIGHTS_NOT_HELD


def _is_change_order(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and ast.unparse(function.value).split(".")[-1] in ("ChangeOrder", "cls")


def _has_status(call: ast.Call) -> bool:
    return any(keyword.arg == "status" for keyword in call.keywords)


def _names_status(target: ast.expr) -> bool:
    parts = target.elts if isinstance(target, ast.Tuple) else [target]
    return any(isinstance(part, ast.Attribute) and part.attr == "status" and "order" in ast.unparse(part.value) for part in parts)


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_templates_keep_the_strict_page_policy(path: Path) -> None:
    markup = path.read_text(encoding="utf-8")
    inline_style = r"\|\s*safe" if "mail" in path.parts else r"\|\s*safe|<style|\sstyle="  # mail programs know no style sheets

    assert not re.findall(rf"{inline_style}|hx-on|\son[a-z]+=|javascript:|\bjs:|<script(?![^>]*\ssrc=)|autoescape\s+false", markup)


@pytest.mark.parametrize("path", [path for path in TEMPLATES if path.name.startswith("_")], ids=name_of)
def test_a_fragment_extends_nothing(path: Path) -> None:
    assert "{% extends" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_a_file_is_short(path: Path) -> None:
    if "migrations" not in path.parts:  # frozen
        assert len(path.read_text(encoding="utf-8").splitlines()) <= ONE_ROOM.get(str(path.relative_to(ROOT)), LONGEST_FILE)


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_a_function_is_short(path: Path) -> None:
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION]

    assert not long or "migrations" in path.parts


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_no_dangerous_doors(path: Path) -> None:
    """No shell, no pickle, no eval, no swallowed exception, and no guessable randomness but in the faults of the simulator."""
    source = path.read_text(encoding="utf-8")

    assert not re.findall(r"shell=True|os\.system\(|\bpickle\b(?! would)|yaml\.load|(?<![\w.])eval\(|(?<![\w.])exec\(", source)
    assert "import random" not in source or path.name == "faults.py"
    assert not re.findall(r"except(?: Exception| BaseException)?:\s*(?:pass|\.\.\.)", source)


@pytest.mark.parametrize("name", ["utils.py", "helpers.py", "services", "repositories", "managers"])
def test_nothing_is_called_by_a_name_that_says_nothing(name: str) -> None:
    assert not list((ROOT / "portal").rglob(name))
