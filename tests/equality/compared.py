"""What differs between two outcomes of one input: all of a document but listed faults, of a report rows and figures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from .played import Outcome

# Each a fault of the commit whose outcomes are kept: the inputs, the paths in their documents, and the reason.
FAULTS = json.loads((Path(__file__).parent / "faults.json").read_text())
# Lines of a report that there were none of, and what they go on with: why a build failed, what the provisioner that
# failed printed last, the parts of one; in Markdown the error, too.
ADDED = {
    "table": re.compile(r"    [|-] |  why: "), "markdown": re.compile(r"    |\*\*why: |error: |\|.*\| ↳ "),
}  # fmt: skip
GOES_ON = " " * 6
# Sections that the kept commit had not, or had others in their place: causes and findings.
SECTION = re.compile(r"(?:### )?(?:.*: what .* were spent on|Findings|Bottlenecks)$")
END_OF_SECTION = {"table": re.compile(r"$"), "markdown": re.compile(r"##")}
FIGURE = re.compile(r"(?<![\w.])-?\d+(?:[.:]\d+)*")


def differences(name: str, before: Outcome, now: Outcome) -> Iterator[str]:
    """Each difference as a line: the input, the place, what it was, what it is."""
    if before.digest != now.digest:
        yield f"{name}: the input itself is another one"
        return
    for path, old, new in document_differences(before.document, now.document):
        if not any(fnmatchcase(name, fault["input"]) and fnmatchcase(path, fault["path"]) for fault in FAULTS):
            yield f"{name}: {path}: {old!r}, now {new!r}"
    if before.keys != now.keys:
        yield f"{name}: keys {before.keys}, now {now.keys}"
    for form, text in before.reports.items():
        old_rows, new_rows = (figures(one, form) for one in (text, now.reports.get(form, "")))
        if old_rows != new_rows and not any(
            fnmatchcase(name, fault["input"]) and fault["path"] == form for fault in FAULTS
        ):
            yield f"{name}: {form}: {first_difference(old_rows, new_rows)}"


def document_differences(before: str, now: str) -> Iterator[tuple[str, Any, Any]]:
    """The paths of two JSON texts that differ, with both values."""
    try:
        yield from _different("", json.loads(before), json.loads(now))
    except ValueError:
        if before != now:
            yield "", before, now


def _different(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _different(f"{path}.{key}".lstrip("."), old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _different(f"{path}.{place}".lstrip("."), one, other)
    elif old != new or type(old) is not type(new):
        yield path, old, new


def figures(text: str, form: str) -> list[list[str]]:
    """The figures of each row that has some; `form` names the report's format."""
    added = ADDED.get(form)
    rows: list[list[str]] = []
    is_added = False
    for line in _without_sections(text.splitlines(), END_OF_SECTION.get(form)):
        is_added = added is not None and bool(added.match(line) or (is_added and line.startswith(GOES_ON)))
        rows += [] if is_added else [FIGURE.findall(line)]
    return [row for row in rows if row]


def _without_sections(lines: list[str], end: re.Pattern[str] | None) -> Iterator[str]:
    """The lines but those of `SECTION`; a format without an `end` of sections has none."""
    is_within = False
    for line in lines:
        if end is not None and SECTION.match(line):
            is_within = True
        elif is_within and end is not None and end.match(line):
            is_within = False
        if not is_within:
            yield line


def first_difference(before: list[list[str]], now: list[list[str]]) -> str:
    """The first rows that differ."""
    for place, (old, new) in enumerate(zip(before, now, strict=False)):
        if old != new:
            return f"row {place + 1}: {old}, now {new}"
    return f"{len(before)} rows, now {len(now)}"
