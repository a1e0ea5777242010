"""Rooms stand in one order, and imports point down it. And the rules that a reader cannot see break."""

import ast
import re
import sys
from collections.abc import Callable, Iterable
from functools import cache, partial
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from jinja2.nodes import Filter

import config
from portal import create_app

ROOT = Path(config.__file__).parent
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
# The rooms of portal/, from the ground up: each imports only what stands before it, and files of one room each other.
# A room is a folder, or a file that stands by itself; `domain` and `web` are the files at the top of those folders.
ORDER = (
    *("version", "clock", "logs", "url_ids", "strict_json", "secret_path", "hashing", "crypto"),
    *("failpoints", "db"),
    "spectrum",
    "domain",  # the nouns
    *("domain/rules", "domain/accounts", "domain/exporting", "domain/recovery", "domain/projects", "domain/settings", "domain/review"),
    "domain/triage",
    *("domain/imports", "domain/audit", "domain/mail", "domain/status"),
    *("addin_workbook", "openid", "messages", "mail", "intake", "demo", "preflight", "api"),
    *("web", "web/sign_in", "web/change_orders", "web/triage", "web/projects", "web/audit", "web/settings", "web/__init__"),
    "__init__",  # create_app()
    *("background", "standalone", "backup", "cli"),
    "migrations",
)
FORBIDDEN = {
    "domain": (*ERP, *LIBRARIES_OUTSIDE),
    "spectrum": ("flask", "peewee", "rq", "redis"),
    "web": ("portal.spectrum", "portal.mail", "requests", "authlib", "joserfc", "peewee", "rq", "redis"),
    "api": ("portal.spectrum", "portal.mail", "peewee", "rq", "redis"),
    "intake": ("portal.spectrum", "portal.mail", "flask", "rq", "redis"),
    "demo": ("portal.spectrum", "portal.mail", "flask", "rq", "redis"),
    "background/keeper.py": ("portal.background.tasks", "portal.spectrum", "portal.mail", "flask"),
    "background/lookout.py": ("portal.spectrum", "flask", "rq", "redis"),
    "addin_workbook.py": ("flask", "rq", "redis"),
    "messages.py": ("portal.spectrum", "rq", "redis", "smtplib"),
    "openid.py": ("portal.spectrum", "portal.db", "peewee", "flask"),
    "mail.py": ("portal.spectrum", "rq", "redis"),
    "db": LIBRARIES_OUTSIDE,
}
LONGEST_FILE = 250
ONE_ROOM = {  # whoever looks for one of many looks in one place
    "portal/spectrum/catalogue.py": 500,  # all causes, one table
    "config.py": 320,  # all settings, one list
    "portal/web/access.py": 320,  # all addresses, one table
}
LONGEST_FUNCTION = 50
NAMES_THAT_SAY_NOTHING = ("utils.py", "helpers.py", "services", "repositories", "managers")
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


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path))


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module `path` imports; `from a import b` counts as both a and a.b."""
    nodes = list(ast.walk(tree(path)))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    froms = [(node.module, node.names) for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return frozenset(plain | {module for module, _ in froms} | {f"{module}.{alias.name}" for module, names in froms for alias in names})


def module_of(path: Path) -> str:
    """`portal.web` for portal/web/__init__.py."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in python_files("portal")}


def room_of(path: Path) -> str:
    """The name in ORDER; empty where it has none."""
    parts = path.relative_to(ROOT / "portal").with_suffix("").parts
    names = ["/".join(parts), *("/".join(parts[:length]) for length in range(len(parts) - 1, 0, -1))]
    return next((name for name in names if name in ORDER), "")


def our_imports(path: Path) -> list[Path]:
    """The files of portal/ that `path` imports. A package counts where a name of its own is taken."""
    return [MODULES[name] for name in imports(path) & MODULES.keys() if name != module_of(path) and _is_meant(path, name)]


def _is_meant(path: Path, module: str) -> bool:
    """`from portal.domain import events` takes nothing of portal/domain/__init__.py."""
    if MODULES[module].name != "__init__.py":
        return True
    names = [
        alias.name for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom) and node.module == module for alias in node.names
    ]
    return any(f"{module}.{name}" not in MODULES for name in names)


def offenders(paths: Iterable[Path], offends: Callable[[Path], object]) -> list[str]:
    """The names of those that offend, with what it is."""
    found = [(name_of(path), offends(path)) for path in paths]
    return [f"{name}: {what}" for name, what in found if what]


def test_imports_point_one_way() -> None:
    def forbidden(package: str, path: Path) -> list[str]:
        outlawed = tuple(f"{name}." for name in FORBIDDEN[package])
        return [name for name in imports(path) if f"{name}.".startswith(outlawed)]

    assert not [one for package in FORBIDDEN for one in offenders(python_files(f"portal/{package}"), partial(forbidden, package))]


def test_every_file_has_a_room_and_imports_only_from_rooms_below() -> None:
    def upward(path: Path) -> list[str]:
        room = room_of(path)
        return [name_of(other) for other in our_imports(path) if ORDER.index(room_of(other)) > ORDER.index(room)]

    assert not offenders(MODULES.values(), lambda path: not room_of(path))
    assert not offenders(MODULES.values(), upward)


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name_of(path): [name_of(other) for other in our_imports(path)] for path in MODULES.values()}

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


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


def test_only_config_reads_the_environment() -> None:
    def reads(path: Path) -> list[str]:
        return re.findall(r"os\.environ(?!\.update\()|\bgetenv\b|from os import .*environ", text(path))

    assert not offenders([path for path in OURS if path.name != "config.py"], reads)


def test_no_two_scripts_declare_the_same_name():
    """They are sent as one: the second declaration would keep all of it from running."""
    declared = [
        (name, path.name)
        for path in sorted((ROOT / "static").glob("*.js"))
        for name in re.findall(r"^(?:const|let|var|class|function|async function) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    names = [name for name, _ in declared]

    assert [one for one in declared if names.count(one[0]) > 1] == []


def test_only_the_clock_asks_the_machine_for_the_time() -> None:
    """Everything else would stay behind when a test, or a run with `--today`, moves the portal's clock."""
    asking = re.compile(r"\b(datetime|date|dt)\.(now|today|utcnow)$|\btime\.(time|time_ns|localtime|gmtime|ctime)$")

    def asks(path: Path) -> list[str]:
        calls = {ast.unparse(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)}
        return [call for call in calls if asking.search(call)]

    places = [*OURS, *python_files("tests", "benchmarks")]
    assert not offenders([path for path in places if name_of(path) not in ASKS_THE_MACHINE], asks)


def test_only_move_writes_a_status() -> None:
    """Assigning `.status` on a change order, or passing status= to update(), is for domain/change_orders.py alone."""

    def updates(node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "update" and _is_change_order(node.func) and _has_status(node)
        )

    def assigns(node: ast.AST) -> bool:
        return isinstance(node, ast.Assign) and any(_names_status(target) for target in node.targets)

    def writes(path: Path) -> list[int]:
        return [getattr(node, "lineno", 0) for node in ast.walk(tree(path)) if updates(node) or assigns(node)]

    elsewhere = [path for path in python_files("portal", "worker.py") if name_of(path) != "portal/domain/change_orders.py"]
    assert not offenders(elsewhere, writes)


# Who reads only, or changes nothing but what is one's own, where holding the row before writing it would be a circle.
RIGHTS_NOT_HELD = {
    "background/imports.py": 2,
    "domain/accounts/passwords.py": 1,
    "domain/accounts/preferences.py": 1,
    "domain/accounts/identities.py": 1,
}


def test_whose_rights_are_the_reason_of_a_write_holds_them() -> None:
    """By people.as_held: with as_now somebody could take the right away between the look and the write."""
    loose = {str(path.relative_to(ROOT / "portal")): text(path).count("people.as_now(") for path in python_files("portal")}

    assert {name: count for name, count in loose.items() if count} == RIGHTS_NOT_HELD


def _is_change_order(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and ast.unparse(function.value).split(".")[-1] in ("ChangeOrder", "cls")


def _has_status(call: ast.Call) -> bool:
    return any(keyword.arg == "status" for keyword in call.keywords)


def _names_status(target: ast.expr) -> bool:
    parts = target.elts if isinstance(target, ast.Tuple) else [target]
    return any(isinstance(part, ast.Attribute) and part.attr == "status" and "order" in ast.unparse(part.value) for part in parts)


def test_templates_keep_the_strict_page_policy() -> None:
    def breaks(path: Path) -> list[str]:
        policy = r"\|\s*safe|<style|\sstyle=|hx-on|\son[a-z]+=|javascript:|\bjs:|<script(?![^>]*\ssrc=)|autoescape\s+false"
        return re.findall(policy, text(path))

    assert not offenders(TEMPLATES, breaks)


def test_each_filter_that_a_template_names_exists() -> None:
    """Where a filter stands behind an `if`, the engine misses it only when that row comes."""
    environment = create_app(config.load({"SECRET_KEY": "k" * 32})).jinja_env

    def unknown(path: Path) -> set[str]:
        return {node.name for node in environment.parse(text(path)).find_all(Filter)} - environment.filters.keys()

    assert not offenders([path for path in TEMPLATES if "mail" not in path.parts], unknown)


def test_a_fragment_extends_nothing() -> None:
    assert not offenders([path for path in TEMPLATES if path.name.startswith("_")], lambda path: "{% extends" in text(path))


def test_a_file_is_short() -> None:
    def lines_of(path: Path) -> int:
        lines = len(text(path).splitlines())
        return lines if lines > ONE_ROOM.get(name_of(path), LONGEST_FILE) else 0

    assert not offenders([path for path in OURS if "migrations" not in path.parts], lines_of)  # those are frozen


def test_a_function_is_short() -> None:
    def long(path: Path) -> list[str]:
        functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        return [node.name for node in functions if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION]

    assert not offenders([path for path in OURS if "migrations" not in path.parts], long)


def test_no_dangerous_doors() -> None:
    """No shell, no pickle, no eval, no swallowed exception, and no guessable randomness but in the faults of the simulator."""

    def doors(path: Path) -> list[str]:
        found = re.findall(r"shell=True|os\.system\(|\bpickle\b(?! would)|yaml\.load|(?<![\w.])eval\(|(?<![\w.])exec\(", text(path))
        swallowed = re.findall(r"except(?: Exception| BaseException)?:\s*(?:pass|\.\.\.)", text(path))
        return [*found, *swallowed, *(["import random"] if "import random" in text(path) and path.name != "faults.py" else [])]

    assert not offenders(OURS, doors)


def test_nothing_is_called_by_a_name_that_says_nothing() -> None:
    assert not [path for name in NAMES_THAT_SAY_NOTHING for path in (ROOT / "portal").rglob(name)]


def test_every_path_that_a_document_names_exists() -> None:
    named = re.compile(
        r"(?<![\w/.~-])(?:portal|templates|static|tests|docs|deploy|benchmarks|\.ci)/[\w./*-]*\w|(?<![\w/.])(?:config|worker)\.py"
    )
    linked = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")

    def lost(path: Path) -> list[str]:
        names = [name for name in named.findall(text(path)) if not any(ROOT.glob(name)) and not (ROOT / f"{name}.py").exists()]
        return names + [name for name in linked.findall(text(path)) if not (path.parent / name).exists()]

    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").glob("*.md"), *(ROOT / ".ci").iterdir()]
    assert not offenders([path for path in documents if path.name != "CHANGELOG.md"], lost)  # it tells of what was
