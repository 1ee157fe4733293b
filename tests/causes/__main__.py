"""`python -m tests.causes [--runs N] [--write]`: what makes a cause or is healthy, and what the account says of it.

Builds have a step for each program; each way to wait for SSH and each healthy step is a build of its own.
`--write` writes docs/causes.md. Other work on the machine counts for what is told of it.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from buildtel.insight.causes import CAUSE
from buildtel.insight.findings import findings
from buildtel.job import JobDocument

from .boots import BOOTS
from .build import built, built_outside
from .healthy import HEALTHY, Healthy
from .injected import FIRST, INJECTED, SECONDS, Injected
from .judged import judged, judged_boot

TARGET = Path(__file__).parents[2] / "docs" / "causes.md"
STEPS = 20  # of a build: one of more would have steps that are too short a part of it for a finding
HEAD = """# Causes that were made on purpose, and builds that are healthy

`make causes` runs wired builds on this machine whose steps make known causes, each kind by several programs, and asks
what the account of causes ([diagnosis.md](diagnosis.md)) says of each. *Right* is the share of the step's seconds that
have the cause that was made; *first* is the step's first finding, in each run. Limits of rules were chosen by the first
program of a kind only; it is marked with \\*. Written by `python -m tests.causes --write`.

"""
HEALTHY_HEAD = """
## Healthy builds

Each is a build whose one step does real work; the cause of most of its time must be one of those that are expected, and
no finding may be above *low*.

| build | expected | most of its time | above *low* |
|---|---|---|---|
"""


@dataclass
class Told:
    """What the account said of one program, over all runs: seconds of each cause, and its first findings."""

    kind: str
    program: str
    cause: str
    is_first: bool
    seconds: Counter[str] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)

    def add(self, seconds: Counter[str], first: str | None) -> None:
        """One more run."""
        self.seconds += seconds
        self.first.append(first or "none")

    @property
    def right(self) -> int:
        """In how many runs the first finding was the cause that was made."""
        return self.first.count(self.cause)


def played(runs: int) -> list[Told]:
    """All programs and all ways to wait for SSH, as often; the first of each kind, which is not judged, once."""
    here = [injected for injected in INJECTED if injected.is_here]
    told = {one: Told(one.kind, one.program, one.cause, one in FIRST) for one in here}
    boots = {name: Told("boot_ssh", name, "boot_ssh", name == next(iter(BOOTS))) for name in BOOTS}
    for run in range(1, runs + 1):
        chosen = [one for one in here if run == 1 or not told[one].is_first]
        print(f"run {run} of {runs}: {len(chosen)} programs", file=sys.stderr)
        for at in range(0, len(chosen), STEPS):
            some = chosen[at : at + STEPS]
            document = _document(some)
            for one in some:
                told[one].add(*judged(document, some, one))
        for name, row in boots.items():
            if run == 1 or not row.is_first:
                row.add(*judged_boot(_document([], name)))
    return sorted([*told.values(), *boots.values()], key=lambda row: (row.kind, row.program))


def _document(chosen: list[Injected], boot: str = "") -> JobDocument:
    with tempfile.TemporaryDirectory(prefix="causes-") as folder:
        return built(Path(folder), chosen, boot)


def table(rows: list[Told]) -> str:
    """A row for each program, and how many were right."""
    lines = ["| cause | program | right | first | other causes of its time |", "|---|---|---:|---|---|"]
    for row in rows:
        others = ", ".join(f"{name} {value:.1f} s" for name, value in row.seconds.most_common() if name != row.cause)
        share = 100 * row.seconds[row.cause] / (row.seconds.total() or 1)
        first = ", ".join(f"{name} {count}x" if count > 1 else name for name, count in Counter(row.first).items())
        program = f"{row.program}{' *' if row.is_first else ''}"
        lines.append(f"| {_words(row)} | {program} | {share:.0f} % | {first} | {others} |")
    judged_rows = [row for row in rows if not row.is_first]
    right, count = sum(row.right for row in judged_rows), sum(len(row.first) for row in judged_rows)
    kinds = len({row.kind for row in rows})
    return (
        f"{chr(10).join(lines)}\n\n{kinds} kinds, {len(rows)} programs. Of the programs without \\* the right cause is "
        f"first in {right} of {count} steps ({100 * right / count:.0f} %). Confused:\n\n{confused(judged_rows)}"
    )


def confused(rows: list[Told]) -> str:
    """The confusion table: of each cause that was made, what was first, where it was not the right one."""
    wrong = Counter((row.cause, first) for row in rows for first in row.first if first != row.cause)
    if not wrong:
        return "none.\n"
    lines = [f"| {made} | {first} | {count} |" for (made, first), count in wrong.most_common()]
    return "\n".join(["| made | told first | times |", "|---|---|---:|", *lines]) + "\n"


def _words(row: Told) -> str:
    variant = row.kind.partition("-")[2]
    return f"`{row.cause}`{f' ({variant})' if variant else ''}: {CAUSE[row.cause].words}"


def healthy_row(build: Healthy) -> tuple[str, bool]:
    """A row of the table of healthy builds, and whether the build was told as healthy."""
    with tempfile.TemporaryDirectory(prefix="causes-") as folder:
        needs_line = "$FAR" in build.source.read_text()
        made = built(Path(folder), [build.step]) if needs_line else built_outside(Path(folder), build.step)
    seconds, _ = judged(made, [build.step], build.step)
    (most, most_s), above = seconds.most_common(1)[0], [one for one in findings(made) if one.severity != "low"]
    told = ", ".join(f"{one.severity}: {one.cause}" for one in above) or "none"
    share = f"{most} {100 * most_s / seconds.total():.0f} % of {seconds.total():.0f} s"
    row = f"| {build.source.stem}: {build.about} | {', '.join(build.causes)} | {share} | {told} |"
    return row, most in build.causes and not above


def healthy() -> str:
    """The table of healthy builds."""
    rows = [healthy_row(build) for build in HEALTHY if build.is_here]
    count = sum(is_right for _, is_right in rows)
    return HEALTHY_HEAD + "\n".join(row for row, _ in rows) + f"\n\nRight in {count} of {len(rows)} builds.\n"


def where() -> str:
    """When, at which commit, on what."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    machine = f"Linux {platform.release()}, {os.cpu_count()} CPUs, load before {os.getloadavg()[0]:.1f}"
    return f"{now}, commit {commit.stdout.strip() or 'unknown'}, {machine}, steps of {SECONDS} s.\n"


def main() -> None:
    """As the module says."""
    parser = argparse.ArgumentParser(prog="tests.causes")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    place = where()
    text = f"{table(played(args.runs))}{healthy()}\n{place}"
    print(text)
    if args.write:
        TARGET.write_text(HEAD + text, encoding="utf-8")


if __name__ == "__main__":
    main()
