"""No file is longer than 400 lines and no function longer than 35; only the assembled agent may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from .conftest import ROOT

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 35
FOLDERS = ("guest", "host", "tests", "docs")
ASSEMBLED = ROOT / "guest" / "buildtel_agent.py"


def modules() -> Iterator[Path]:
    """All Python files but the assembled agent."""
    return (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if path != ASSEMBLED)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions of a module, nested ones too."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return (node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_no_file_is_too_long():
    """A longer one has more than one concern."""
    long = {str(path.relative_to(ROOT)) for path in modules() if path.read_text().count("\n") > MAX_FILE_LINES}

    assert long == set()


def test_no_function_is_too_long():
    """The lines count from `def` to the last line of the body, with the docstring."""
    long = {
        f"{path.relative_to(ROOT)} {function.name}"
        for path in modules()
        for function in functions(path)
        if (function.end_lineno or function.lineno) - function.lineno + 1 > MAX_FUNCTION_LINES
    }

    assert long == set()
