"""`python -m tests.guest.unharmed [--write] [WORD ...]`: plays every world (or those whose name has a word).

A play that differs is played again, in the end, alone, three times at most; only what differs each time is a fault:
ksh93 in a pipe has a process or none by chance. With `--write`
processes of ours are killed in real builds, too, and date, commit and counts go into docs/unharmed.md. What was played
at a commit is kept in .cache/unharmed, so that a run that was interrupted goes on. The exit status is 1 if something
differs.
"""

from __future__ import annotations

import argparse
import itertools
import pickle
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ...wired.killing import Outcome, attacked
from ..conftest import ROOT
from .play import Result, compare
from .table import PYTHON, SECTIONS, plays
from .world import FORMS, World

DOCUMENT = ROOT / "docs" / "unharmed.md"
WORKERS = 2
AGAIN = 3
KILLS, KILLS_OF_A_BUILD = 300, 30


def main(words: list[str]) -> int:
    """Play, print, and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.guest.unharmed")
    parser.add_argument("--write", action="store_true", help="write docs/unharmed.md")
    parser.add_argument("--form", choices=FORMS, action="append", help="only this form")
    parser.add_argument("--python", choices=list(PYTHON.values()), help="only with Python, or with none")
    parser.add_argument("word", nargs="*", help="only worlds whose name has it")
    asked = parser.parse_args(words)
    kept = Kept(ROOT / ".cache" / "unharmed" / f"{commit()}.pickle" if asked.write else None)
    chosen = [
        (world, form, python)
        for world, form, python in plays()
        if not asked.word or any(word in world.name for word in asked.word)
        if form in (asked.form or FORMS) and PYTHON[python] == (asked.python or PYTHON[python])
    ]
    with ThreadPoolExecutor(WORKERS) as pool:
        groups = [list(group) for _, group in itertools.groupby(chosen, key=lambda play: play[:2])]
        together = pool.map(lambda group: [played(kept, *play) for play in group], groups)
        results = list(itertools.chain.from_iterable(together))
    results = [played_again(kept, play, result) for play, result in zip(chosen, results, strict=True)]
    wrong = sum(bool(result.faults) for result in results)
    print(f"{len(results)} plays of {len({result.world for result in results})} worlds: {wrong} differ")
    if asked.write:
        outcomes = killed(kept)
        wrong += sum(bool(outcome.faults) for outcome in outcomes)
        DOCUMENT.write_text(document(results, outcomes))
    return int(wrong > 0)


class Kept:
    """What is known already, in a file that grows."""

    def __init__(self, path: Path | None) -> None:
        """Reads the file, if there is one."""
        self.path = path
        self.known: dict[tuple[Any, ...], Any] = {}
        if path and path.exists():
            with path.open("rb") as file:
                while file.peek(1):
                    self.known.update([pickle.load(file)])
        elif path:
            path.parent.mkdir(parents=True, exist_ok=True)

    def get(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """What is known by this key, or else is made now."""
        if key not in self.known:
            self.known[key] = make()
            if self.path:
                with self.path.open("ab") as file:
                    file.write(pickle.dumps((key, self.known[key])))
        return self.known[key]


def played(kept: Kept, world: World, form: str, python: bool) -> Result:
    """A play; what differs is printed."""
    result: Result = kept.get((world, form, python), lambda: compare(world, form, python=python))
    show(result)
    return result


def played_again(kept: Kept, play: tuple[World, str, bool], result: Result) -> Result:
    """The same, or what comes of it when nothing else is played."""
    world, form, python = play
    if not result.faults:
        return result
    again = result
    for number in range(AGAIN):
        again = kept.get((*play, f"again {number}"), lambda: compare(world, form, python=python))
        print("again: ", end="")
        show(again, "the same as without buildtel")
        if not again.faults:
            break
    return again


def show(result: Result, fine: str = "") -> None:
    """What differs."""
    if result.faults or fine:
        head = f"{result.world} / {result.form} / {PYTHON[result.python]}"
        print("\n    ".join([head, *(result.faults or [fine])]), flush=True)


def killed(kept: Kept) -> list[Outcome]:
    """Builds of a real packer, until 300 processes of ours were killed."""
    outcomes: list[Outcome] = []
    while sum(outcome.killed for outcome in outcomes) < KILLS and len(outcomes) < KILLS:
        with tempfile.TemporaryDirectory() as folder:
            attack = (Path(folder), len(outcomes), KILLS_OF_A_BUILD)
            outcomes.append(kept.get(("build", len(outcomes)), lambda attack=attack: attacked(*attack)))
        for fault in outcomes[-1].faults:
            print(f"build {len(outcomes) - 1}, {outcomes[-1].killed} killed: {fault}", flush=True)
    return outcomes


def commit() -> str:
    """The commit that is played, and whether agent or library were changed since."""
    words = (["git", "rev-parse", "--short=12", "HEAD"], ["git", "status", "--porcelain", "guest", "packer", "host"])
    said = [subprocess.run(word, cwd=ROOT, capture_output=True, text=True).stdout.strip() for word in words]
    return said[0] + (" with changes not committed" if said[1] else "")


def document(results: list[Result], outcomes: list[Outcome]) -> str:
    """docs/unharmed.md."""
    late = [result.later_s for result in results if result.later_s is not None]
    head = Path(__file__).with_name("unharmed.md").read_text()
    values = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()), "commit": commit(),
        "machine": f"Linux {platform.release()}, Python {platform.python_version()}",
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
    told = sum((outcome.told for outcome in outcomes), Counter[tuple[str, str]]())
    faults = [f"- build {number}: {plain(fault)}\n" for number, one in enumerate(outcomes) for fault in one.faults]
    rows = "".join(f"| {end} | {status} | {count} |\n" for (end, status), count in told.most_common())
    same = sum(not outcome.faults for outcome in outcomes)
    return (
        f"""
## Killed

{sum(outcome.killed for outcome in outcomes)} processes of ours (samplers, holders, watchers, tellers, `finish`) were
killed at random moments in {len(outcomes)} builds of a real Packer over a real sshd. {same} of {len(outcomes)} were the
build without buildtel: exit status and lines the same; every step in the document that `collect` makes, with an end and
the right status; nothing left. What told a step's end and its exit status (Packer prints only the status of a step
that fails):

| `ended_from` | `exit_from` | steps |
|---|---|---|
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
