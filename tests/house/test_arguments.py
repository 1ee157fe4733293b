"""Public functions with two or more parameters document them; exceptions are counted by module, and only shrink."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from .conftest import ROOT

HOST = ROOT / "host" / "buildtel"
# How many public functions of each module lack the description of a parameter.
LACKING: dict[str, int] = json.loads((Path(__file__).parent / "undocumented.json").read_text())


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


def lacking() -> Counter[str]:
    """The modules with the number of their functions that are not documented."""
    return Counter(
        str(path.relative_to(HOST))
        for path in HOST.rglob("*.py")
        for function in functions(ast.parse(path.read_text()).body)
        if not is_documented(function)
    )


def test_parameters_are_documented():
    """Every parameter but those that are counted; who documents one lowers the count."""
    assert lacking() == Counter(LACKING)
