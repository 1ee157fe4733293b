"""Joins guest/parts into guest/buildtel_agent.py: `python guest/assemble.py [--check]`.

The agent is one file that sh and Python read (docs/adr/0010). Its parts share one namespace for each language. A part
may begin with lines that only tools need; they end with a line that is only `#`, and stay out of the agent. The part
`counters.sh` is written here, from the schema of counters in `counters.py`: sh and Python read the same numbers.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
AGENT = FOLDER / "buildtel_agent.py"
SH = ("tell.sh", "step.sh", "text.sh", "counters.sh", "kernel.sh", "records.sh", "commands.sh")
# What a step needs in its first milliseconds where no sampler of the whole life is there: `install` compiles it apart.
AT_ONCE = (
    "head.py", "kernel.py", "limits.py", "network.py", "formulas.py", "counters.py", "records.py", "people.py",
    "processes.py", "places.py", "outlet.py", "taskstats.py", "process.py", "news.py", "step.py",
)  # fmt: skip
LATER = (
    "accounts.py", "waits.py", "tree.py", "own.py", "intervals.py", "served.py", "life.py", "commands.py",
)  # fmt: skip
PYTHON = (*AT_ONCE, *LATER, "main.py")
MARK = "# === {} ===\n\n"  # between the two, and before the last part
# A number: its name, unit, kind, where it stands in the source, the Linux that has it (guest/parts/counters.py).
Field = tuple[str, str, str, int | str, str]
Group = tuple[str, str, int, tuple[Field, ...]]  # what it has a list for, its source, its least numbers, all of them
OtherNames = dict[str, tuple[tuple[str, str], ...]]  # of a key: further names, and the Linux that has them
HEAD_OF_SH = """\
# shellcheck shell=sh disable=SC2034,SC2154  # names of other parts
#
# --- Lines of the kernel's, by the schema of counters (written by guest/assemble.py) ---

"""
END_OF_HEAD = "#\n"
SH_FUNCTION = re.compile(r"^([A-Za-z_]\w*)\(\)", re.M)


def main(arguments: list[str]) -> int:
    """Write the agent, or with `--check` only compare it; the exit status is 1 where it differs or can't be joined."""
    of_schema, written = sh_of(table("COUNTERS"), table("OTHER_NAMES")), FOLDER / "parts" / "counters.sh"
    same = written.is_file() and written.read_text(encoding="utf-8") == of_schema
    if arguments != ["--check"]:
        written.write_text(of_schema, encoding="utf-8")
    texts = {name: body((FOLDER / "parts" / name).read_text(encoding="utf-8")) for name in (*SH, *PYTHON)}
    twice = [*defined_twice(texts, SH, sh_names), *defined_twice(texts, PYTHON, python_names)]
    if twice:
        print(f"Error: guest/parts: defined twice: {', '.join(twice)}", file=sys.stderr)
        return 1
    agent = joined(texts)
    if arguments == ["--check"]:
        if not same or AGENT.read_text(encoding="utf-8") != agent:
            print("Error: guest/buildtel_agent.py is not what guest/parts give. Run `make agent`.", file=sys.stderr)
            return 1
        return 0
    AGENT.write_text(agent, encoding="utf-8")
    return 0


def table(name: str) -> Any:
    """A table of the schema of counters, as the part has it."""
    tree = ast.parse((FOLDER / "parts" / "counters.py").read_text(encoding="utf-8"))
    values = (node.value for node in tree.body if isinstance(node, ast.Assign) and names_of(node) == [name])
    return ast.literal_eval(next(values))


def sh_of(counters: dict[str, Group], other_names: OtherNames) -> str:
    """The functions in sh that read a line of the kernel's by the schema."""
    (_, _, disk_least, disk), (_, _, net_least, net) = (counters[name] for name in ("disk", "net"))
    keyed = "".join(sh_keyed(name, counters[name], other_names) for name in ("tasks", "vm"))
    return HEAD_OF_SH + sh_disk(disk, disk_least) + sh_net(net, net_least) + keyed


def sh_disk(fields: tuple[Field, ...], least: int) -> str:
    """How sh reads /proc/diskstats: fields stand at words of a line, counted from 0."""
    at = {2: "bt_a", **{int(field[3]): f"bt_n{number}" for number, field in enumerate(fields, 1)}}
    words = " ".join(at.get(word, "_") for word in range(max(at) + 1))
    return f"""\
# A line of /proc/diskstats: its device $bt_a, its numbers; status 1 at the end.
bt_disk_line() {{
    read -r {words} _
}}

# $bt_listed: the numbers of the line; status 1 where the line has too few.
bt_disk_list() {{
{sh_list([f"$bt_n{number}" for number in range(1, len(fields) + 1)], least)}}}

"""


def sh_net(fields: tuple[Field, ...], least: int) -> str:
    """How sh reads /proc/net/dev: fields stand at words behind the interface's name, counted from 0."""
    return f"""\
# $bt_listed of the numbers behind an interface's name in /proc/net/dev; status 1 where they are too few.
bt_net_list() {{
{sh_list([f"${{{int(field[3]) + 1}-}}" for field in fields], least)}}}

"""


def sh_keyed(name: str, group: Group, other_names: OtherNames) -> str:
    """How sh reads a file whose lines are a key and a number; what is in kB is in pages there.

    A number is the sum of the lines with its key and with the other names that kernels have for it.
    """
    _, source, _, fields = group
    numbered = list(enumerate(fields, 1))
    arms = "".join(sh_arm(number, str(field[3]), other_names) for number, field in numbered)
    pages = [number for number, field in numbered if field[1] == "kB"]
    multiplied = "".join(f'    bt_pages "$bt_n{number}"; bt_n{number}=$bt_kb\n' for number in pages)
    return f"""\
bt_{name}_clear() {{
    {" ".join(f"bt_n{number}=''" for number, _ in numbered)}
}}

# A line of {source}: its key $1, its number $2.
bt_{name}_line() {{
    case $1 in
{arms}    esac
}}

# $bt_listed: the numbers found.
bt_{name}_list() {{
{multiplied}    bt_list {" ".join(f'"$bt_n{number}"' for number, _ in numbered)}
}}

"""


def sh_arm(number: int, key: str, other_names: OtherNames) -> str:
    """The arm of a `case` that takes the lines of one counter."""
    others = [name for names, _ in other_names.get(key, ()) for name in names.split()]
    if not others:
        return f"    {key}) bt_n{number}=$2 ;;\n"
    lines = textwrap.wrap(" ".join(f"{name}\u00a0|" for name in (key, *others)), 100, break_long_words=False)
    patterns = " \\\n    ".join(lines).replace("\u00a0", " ").removesuffix(" |")
    return f'    {patterns}) bt_add "$bt_n{number}" "$2"; bt_n{number}=$bt_sum ;;\n'


def sh_list(values: list[str], least: int) -> str:
    """The lines that make a list of values in $bt_listed; status 1 where one of the first `least` is no number."""
    quoted = [f'"{value}"' for value in values]
    lines = f"    bt_list {' '.join(quoted[:least])}\n    case $bt_listed in *null*) return 1 ;; esac\n"
    return lines if len(values) == least else f"{lines}    bt_list {' '.join(quoted)}\n"


def body(part: str) -> str:
    """A part without the lines that only tools need."""
    lines = part.splitlines(keepends=True)
    head = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    ends = [number for number, line in enumerate(lines[:head]) if line == END_OF_HEAD]
    return "".join(lines[ends[0] + 1 :] if ends else lines)


def joined(texts: dict[str, str]) -> str:
    """The agent: to sh, the first half is a script; to Python, it is the docstring."""
    sh, at_once, later, last = ("".join(texts[name] for name in names) for names in (SH, AT_ONCE, LATER, PYTHON[-1:]))
    python = f"{at_once}{MARK.format('Loaded later')}{later}{MARK.format('Loaded at once')}{last}"
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
            names += names_of(node)
    return names


def names_of(node: ast.Assign | ast.AnnAssign) -> list[str]:
    """The names that a line assigns."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
