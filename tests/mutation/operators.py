"""Small mistakes that a programmer could make, one at a time, in a module's syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.LShift: ast.RShift,
    ast.Pow: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One mistake: where, what, and the whole tree with it."""

    line: int
    what: str
    tree: ast.Module


def mutants(source: str, names: frozenset[str] | None) -> Iterator[Mutant]:
    """Every mistake in the top-level definitions `names` (None: in all)."""
    for place, node in enumerate(_mutable(ast.parse(source), names)):
        for number, (what, _) in enumerate(_changes(node)):
            tree = ast.parse(source)
            twin = next(islice(_mutable(tree, names), place, None))
            _, change = list(_changes(twin))[number]
            change()
            yield Mutant(getattr(node, "lineno", 0), what, ast.fix_missing_locations(tree))


def _mutable(tree: ast.Module, names: frozenset[str] | None) -> Iterator[ast.AST]:
    """The nodes in which a mistake would be one: no docstrings, annotations, or words of messages."""
    for top in tree.body:
        words = isinstance(top, ast.Expr) and isinstance(top.value, ast.Constant)
        if (
            words
            or isinstance(top, (ast.Import, ast.ImportFrom))
            or (names is not None and not names & set(_names(top)))
        ):
            continue
        yield from _walk(top)


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if isinstance(node, (ast.Raise, ast.JoinedStr)):
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for item in value if isinstance(value, list) else [value]:
            is_words = isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)
            if isinstance(item, ast.AST) and not is_words:
                yield from _walk(item)


def _changes(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            new = COMPARED[type(operator)]
            yield f"{type(operator).__name__} -> {new.__name__}", lambda at=at, new=new: node.ops.__setitem__(at, new())
    elif isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in COMPUTED:
        new_op = COMPUTED[type(node.op)]
        yield f"{type(node.op).__name__} -> {new_op.__name__}", lambda: setattr(node, "op", new_op())
    elif isinstance(node, ast.BoolOp):
        swapped = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield f"-> {swapped.__name__}", lambda: setattr(node, "op", swapped())
    elif isinstance(node, (ast.If, ast.IfExp, ast.While)):
        yield "condition turned round", lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield "filter left out", lambda: setattr(node, "ifs", [])
    elif isinstance(node, ast.Constant):
        yield from _constant(node)
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield "returns None", lambda: setattr(node, "value", ast.Constant(None))
    yield from _left_out(node)


def _constant(node: ast.Constant) -> Iterator[tuple[str, Any]]:
    value = node.value
    if isinstance(value, bool):
        yield f"{value} -> {not value}", lambda: setattr(node, "value", not value)
    elif isinstance(value, (int, float)):
        yield f"{value} -> {value + 1}", lambda: setattr(node, "value", value + 1)
    elif isinstance(value, (str, bytes)) and value:
        yield f"{value!r} changed", lambda: setattr(node, "value", value + value[:1] + value)


def _left_out(node: Any) -> Iterator[tuple[str, Any]]:
    """Statements whose only use is what they do."""
    body = getattr(node, "body", None)
    if not isinstance(body, list):
        return
    for at, statement in enumerate(body):
        done = isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant)
        if done or isinstance(statement, (ast.Raise, ast.AugAssign)):
            text = ast.unparse(statement)[:50]
            yield f"left out: {text}", lambda at=at: body.__setitem__(at, ast.Pass())


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
