"""Public functions with two or more parameters document them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .conftest import ROOT

HOST = ROOT / "host" / "buildtel"


def functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
    """The public functions, and the public methods of public classes."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from functions(node.body)
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def parameters(function: ast.FunctionDef) -> list[str]:
    """Their names; one that begins with `_` is not used."""
    arguments = function.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls") and not name.startswith("_")]


def is_documented(function: ast.FunctionDef) -> bool:
    """True if a list or the text names each parameter, or the text names the class that documents the method."""
    text, names = ast.get_docstring(function) or "", parameters(function)
    listed = "Args:" in text and all(f"{name}:" in text for name in names)
    return len(names) < 2 or listed or all(f"`{name}`" in text for name in names) or text.startswith("See ")


def test_parameters_are_documented():
    """Every parameter of every public function and of every public method."""
    lacking = {
        f"{path.relative_to(HOST)} {function.name}"
        for path in HOST.rglob("*.py")
        for function in functions(ast.parse(path.read_text()).body)
        if not is_documented(function)
    }

    assert lacking == set()
