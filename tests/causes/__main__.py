"""`python -m tests.causes [--runs N] [--write]`: every program that makes a cause, and what the account says of it.

A build for each run, a step for each program. `--write` writes docs/causes.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from datetime import datetime, timezone
from pathlib import Path

from buildtel.insight.causes import CAUSE

from .build import built
from .injected import INJECTED, SECONDS, Injected
from .judged import judged

TARGET = Path(__file__).parents[2] / "docs" / "causes.md"
HEAD = """# Causes that were made on purpose

`make causes` runs a wired build on this machine whose steps make known causes, each by several programs, and asks what
the account of causes ([diagnosis.md](diagnosis.md)) says of each step. *Right* is the share of the step's seconds that
have the cause that was made; *first* is the step's first finding. Written by `python -m tests.causes --write`.

"""


def played(runs: int) -> tuple[dict[str, Counter[str]], dict[str, list[str]]]:
    """By the step's name: the seconds of each cause, and the first finding of each run."""
    seconds: dict[str, Counter[str]] = defaultdict(Counter)
    first: dict[str, list[str]] = defaultdict(list)
    chosen = [injected for injected in INJECTED if injected.is_here]
    for run in range(1, runs + 1):
        print(f"run {run} of {runs}: {len(chosen)} programs", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="causes-") as folder:
            document = built(Path(folder), chosen)
        for injected in chosen:
            told, finding = judged(document, injected)
            seconds[injected.name] += told
            first[injected.name].append(finding or "none")
    return seconds, first


def table(seconds: dict[str, Counter[str]], first: dict[str, list[str]]) -> str:
    """A row for each program, and how many were right."""
    rows, right = [], 0
    for injected in (one for one in INJECTED if one.name in seconds):
        told = seconds[injected.name]
        right += first[injected.name].count(injected.cause)
        others = ", ".join(f"{cause} {value:.1f} s" for cause, value in told.most_common() if cause != injected.cause)
        share = 100 * told[injected.cause] / told.total()
        found = ", ".join(dict.fromkeys(first[injected.name]))
        rows.append(f"| {_words(injected)} | {injected.program} | {share:.0f} % | {found} | {others} |")
    runs = sum(map(len, first.values()))
    head = "| cause | program | right | first | other causes of its time |\n|---|---|---:|---|---|\n"
    return f"{head}{chr(10).join(rows)}\n\nThe right cause is first in {right} of {runs} steps.\n"


def _words(injected: Injected) -> str:
    return f"`{injected.cause}`: {CAUSE[injected.cause].words}"


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
    text = f"{table(*played(args.runs))}\n{place}"
    print(text)
    if args.write:
        TARGET.write_text(HEAD + text, encoding="utf-8")


if __name__ == "__main__":
    main()
