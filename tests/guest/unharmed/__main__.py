"""`python -m tests.guest.unharmed [--write] [WORD ...]`: plays every world (or those whose name has a word).

Prints each play that differs. With `--write` it also kills processes of ours in real builds, and puts date, commit and
counts into docs/unharmed.md. The exit status is 1 if something differs.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ...wired.killing import Outcome, attacked
from ..conftest import ROOT
from .play import Result, compare
from .table import PYTHON, SECTIONS, WORLDS
from .world import FORMS, World

DOCUMENT = ROOT / "docs" / "unharmed.md"
WORKERS = 2
KILLS, KILLS_OF_A_BUILD = 300, 30


def main(words: list[str]) -> int:
    """Play, print, and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.guest.unharmed")
    parser.add_argument("--write", action="store_true", help="write docs/unharmed.md")
    parser.add_argument("--form", choices=FORMS, action="append", help="only this form")
    parser.add_argument("--python", choices=list(PYTHON.values()), help="only with Python, or with none")
    parser.add_argument("word", nargs="*", help="only worlds whose name has it")
    asked = parser.parse_args(words)
    chosen = [world for world in WORLDS if not asked.word or any(word in world.name for word in asked.word)]
    begun = time.monotonic()
    with ThreadPoolExecutor(WORKERS) as pool:
        played = pool.map(lambda world: list(play(world, asked.form, asked.python)), chosen)
        results = [result for results in played for result in shown(results)]
    wrong = sum(bool(result.faults) for result in results)
    print(f"{len(results)} plays of {len(chosen)} worlds in {time.monotonic() - begun:.0f} s: {wrong} differ")
    if asked.write:
        outcomes = killed()
        wrong += sum(bool(outcome.faults) for outcome in outcomes)
        DOCUMENT.write_text(document(results, outcomes, time.monotonic() - begun))
    return int(wrong > 0)


def killed() -> list[Outcome]:
    """Builds of a real packer, until 300 processes of ours were killed."""
    outcomes: list[Outcome] = []
    while sum(outcome.killed for outcome in outcomes) < KILLS and len(outcomes) < KILLS:
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(attacked(Path(folder), len(outcomes), KILLS_OF_A_BUILD))
        for fault in outcomes[-1].faults:
            print(f"build {len(outcomes) - 1}, {outcomes[-1].killed} killed: {fault}", flush=True)
    return outcomes


def play(world: World, forms: list[str] | None, python: str | None) -> Iterable[Result]:
    """A world in each of its forms."""
    for form in world.forms:
        for has_python, name in PYTHON.items():
            if form in (forms or world.forms) and name == (python or name):
                yield compare(world, form, python=has_python)


def shown(results: list[Result]) -> list[Result]:
    """The same, and what differs is printed."""
    for result in results:
        if result.faults:
            print(f"{result.world} / {result.form} / {PYTHON[result.python]}", flush=True)
        for fault in result.faults:
            print(f"    {fault}", flush=True)
    return results


def document(results: list[Result], outcomes: list[Outcome], elapsed_s: float) -> str:
    """docs/unharmed.md."""
    commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    dirty = subprocess.run(
        ["git", "status", "--porcelain", "guest", "packer"], cwd=ROOT, capture_output=True, text=True
    )
    state = " with changes not committed" if dirty.stdout else ""
    late = [result.later_s for result in results if result.later_s is not None]
    head = Path(__file__).with_name("unharmed.md").read_text()
    values = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()), "commit": commit.stdout.strip() + state,
        "machine": f"Linux {platform.release()}, Python {platform.python_version()}",
        "minutes": f"{elapsed_s / 60:.0f}",
        "worlds": str(len({result.world for result in results})), "plays": str(len(results)),
        "same": str(sum(not result.faults for result in results)),
        "latest": f"{max(late, default=0):.2f}", "middle": f"{1000 * sorted(late)[len(late) // 2] if late else 0:.0f}",
    }  # fmt: skip
    for name, value in values.items():
        head = head.replace(f"{{{name}}}", value)
    sections = [section(title, worlds, results) for title, worlds in SECTIONS.items()]
    return head + kills(outcomes) + "".join(sections)


def kills(outcomes: list[Outcome]) -> str:
    """What came of the builds whose agents were killed."""
    told = sum((outcome.told for outcome in outcomes), Counter[str]())
    faults = [f"- build {number}: {plain(fault)}\n" for number, one in enumerate(outcomes) for fault in one.faults]
    rows = "".join(f"| {whence} | {count} |\n" for whence, count in told.most_common())
    same = sum(not outcome.faults for outcome in outcomes)
    return (
        f"""
## Killed

{sum(outcome.killed for outcome in outcomes)} processes of ours (samplers, holders, watchers, tellers, `finish`) were
killed at random moments in {len(outcomes)} builds of a real Packer over a real sshd. {same} of {len(outcomes)} were the
build without buildtel: exit status and lines the same, every step in the document, nothing left. What told the exit
status of a step:

| `exit_from` | steps |
|---|---|
{rows}"""
        + ("\nWhat differs:\n\n" if faults else "")
        + "".join(faults)
    )


def section(title: str, worlds: tuple[World, ...], results: list[Result]) -> str:
    """A table of worlds: in each cell how many plays of a form are the same, of how many."""
    rows = [f"\n## {title}\n\n| world | {' | '.join(FORMS)} | known |\n|---|{'---|' * (len(FORMS) + 1)}\n"]
    notes = []
    for world in worlds:
        cells = []
        for form in FORMS:
            mine = [result for result in results if (result.world, result.form) == (world.name, form)]
            same = sum(not result.faults for result in mine)
            cells.append(
                "" if not mine else "same" if same == len(mine) else f"**{len(mine) - same} of {len(mine)} differ**"
            )
            notes += [
                f"- {result.world}, {form}, {PYTHON[result.python]}: {plain(fault)}\n"
                for result in mine
                for fault in result.faults
            ]
        rows.append(f"| {world.name} | {' | '.join(cells)} | {world.known} |\n")
    return "".join(rows + (["\nWhat differs:\n\n", *notes] if notes else []))


def plain(fault: str) -> str:
    """A fault as text of a Markdown list."""
    return "`" + fault.replace("`", "'")[:300] + "`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
