"""The mutations: each replaces one expression or statement of a module by a plausible mistake."""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COMPARISONS = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


@dataclass(frozen=True)
class Mutant:
    """One module with one mistake; `line` counts from 1, `source` is the whole text of the module."""

    path: str
    line: int
    before: str
    after: str
    source: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.before} -> {self.after}"


def mutants(path: Path, root: Path) -> Iterator[Mutant]:
    """Every mutant of the module inside its functions; docstrings, annotations, decorators and log lines stay."""
    source = path.read_text()
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            for node in inside(function.body):
                for changed in changes(node):
                    if changed != ast.unparse(node):
                        yield replaced(source, node, changed, str(path.relative_to(root)))


def inside(body: list) -> Iterator[ast.AST]:
    """All nodes of the statements but those of inner functions, annotations and logging."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) or is_log(node):
            continue
        yield node
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns"):
                yield from inside([child for child in (value if isinstance(value, list) else [value]) if isinstance(child, ast.AST)])


def is_log(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and (not isinstance(node.value, ast.Call) or ast.unparse(node.value.func).startswith("log."))


def changes(node: ast.AST) -> Iterator[str]:
    """The texts that may stand in the place of the node."""
    match node:
        case ast.Compare(ops=[operator], comparators=[_]) if type(operator) in COMPARISONS:
            yield with_change(node, ops=[COMPARISONS[type(operator)]()])
        case ast.BoolOp(op=operator, values=values):
            yield with_change(node, op=ast.Or() if isinstance(operator, ast.And) else ast.And())
            for left_out in range(len(values)):
                yield with_change(node, values=values[:left_out] + values[left_out + 1 :])
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield f"({ast.unparse(operand)})"
        case ast.IfExp(body=body, orelse=otherwise):
            yield with_change(node, body=otherwise, orelse=body)
        case ast.Constant(value=bool(value)):
            yield str(not value)
        case ast.Constant(value=int(value)):
            yield str(value + 1)
        case ast.BinOp(op=ast.Add()):
            yield with_change(node, op=ast.Sub())
        case ast.BinOp(op=ast.Sub()):
            yield with_change(node, op=ast.Add())
        case ast.Expr(value=ast.Call()) | ast.Raise():
            yield "pass"
        case ast.Return(value=ast.expr()):
            yield "return None"


def with_change(node: ast.AST, **fields: object) -> str:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    if isinstance(changed, ast.BoolOp) and len(changed.values) == 1:
        return f"({ast.unparse(changed.values[0])})"
    text = ast.unparse(changed)
    return f"({text})" if isinstance(changed, ast.expr) else text


def replaced(source: str, node: ast.AST, text: str, path: str) -> Mutant:
    data, lines = source.encode(), source.encode().splitlines(keepends=True)
    start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset
    before = " ".join(data[start:end].decode().split())
    return Mutant(path, node.lineno, before, " ".join(text.split()), (data[:start] + text.encode() + data[end:]).decode())
