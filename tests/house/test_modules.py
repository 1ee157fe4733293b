"""docs/architecture.md has one line for each module of the host and each part of the agent, and no other."""

from __future__ import annotations

import re
from collections import Counter

from .conftest import ROOT

SECTION = re.compile(r"^In `(?P<folder>[^`]+)/`:\n\n(?P<lines>(?:- .+\n)+)", re.M)
LINE = re.compile(r"^- `(?P<file>[^`]+)`: \S.*\.$", re.M)


def described() -> list[str]:
    """The files that the list of modules names."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    sections = SECTION.finditer(text)
    return [f"{section['folder']}/{line['file']}" for section in sections for line in LINE.finditer(section[0])]


def files() -> list[str]:
    """The modules and parts; the row of a room is about its `__init__.py`."""
    modules = [path for path in (ROOT / "host" / "buildtel").rglob("*.py") if path.name != "__init__.py"]
    parts = [path for path in (ROOT / "guest" / "parts").iterdir() if path.suffix in (".py", ".sh")]
    return [str(path.relative_to(ROOT)) for path in modules + parts]


def test_each_module_has_one_line():
    """A module without a line, a line without a module, and a second line of one module fail."""
    assert Counter(described()) == Counter(files())


def test_no_two_modules_have_one_name():
    """But for a command, which may have the name of what it runs."""
    modules = [path for path in (ROOT / "host" / "buildtel").rglob("*.py") if path.name != "__init__.py"]
    names = Counter(path.name for path in modules if path.parent.name != "cli")

    assert {name for name, number in names.items() if number > 1} == set()
