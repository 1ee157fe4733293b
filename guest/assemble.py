"""Joins guest/parts into guest/buildtel_agent.py: `python guest/assemble.py [--check]`.

The agent is one file that sh and Python read (docs/adr/0010). Its parts share one namespace for each language. A part
may begin with lines that only tools need; they end with a line that is only `#`, and stay out of the agent.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent
AGENT = FOLDER / "buildtel_agent.py"
SH = ("tell.sh", "step.sh", "text.sh", "kernel.sh", "records.sh", "commands.sh")
PYTHON = (
    "head.py", "kernel.py", "formulas.py", "records.py", "people.py", "processes.py", "places.py", "outlet.py",
    "process.py", "life.py", "step.py", "commands.py",
)  # fmt: skip
END_OF_HEAD = "#\n"
SH_FUNCTION = re.compile(r"^([A-Za-z_]\w*)\(\)", re.M)


def main(arguments: list[str]) -> int:
    """Write the agent, or with `--check` only compare it; the exit status is 1 where it differs or can't be joined."""
    texts = {name: body((FOLDER / "parts" / name).read_text(encoding="utf-8")) for name in (*SH, *PYTHON)}
    twice = [*defined_twice(texts, SH, sh_names), *defined_twice(texts, PYTHON, python_names)]
    if twice:
        print(f"Error: guest/parts: defined twice: {', '.join(twice)}", file=sys.stderr)
        return 1
    agent = joined(texts)
    if arguments == ["--check"]:
        if AGENT.read_text(encoding="utf-8") != agent:
            print("Error: guest/buildtel_agent.py is not what guest/parts give. Run `make agent`.", file=sys.stderr)
            return 1
        return 0
    AGENT.write_text(agent, encoding="utf-8")
    return 0


def body(part: str) -> str:
    """A part without the lines that only tools need."""
    lines = part.splitlines(keepends=True)
    head = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    ends = [number for number, line in enumerate(lines[:head]) if line == END_OF_HEAD]
    return "".join(lines[ends[0] + 1 :] if ends else lines)


def joined(texts: dict[str, str]) -> str:
    """The agent: to sh, the first half is a script; to Python, it is the docstring."""
    sh, python = ("".join(texts[name] for name in names) for names in (SH, PYTHON))
    return f'#!/bin/sh\n""":"\n{sh}":"""\n{python}'


def defined_twice(texts: dict[str, str], names: tuple[str, ...], of: Callable[[str], list[str]]) -> list[str]:
    """The names that two parts define, or one part twice."""
    counts = Counter(name for part in names for name in of(texts[part]))
    return sorted(name for name, count in counts.items() if count > 1)


def sh_names(text: str) -> list[str]:
    """The functions of a part in sh."""
    return SH_FUNCTION.findall(text)


def python_names(text: str) -> list[str]:
    """The functions, classes and constants at the top of a part in Python."""
    names = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names += [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
    return names


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
