"""Why a job failed: one failure for each build that did, by the document alone."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass

from buildtel.events import FAILED
from buildtel.insight.inner_rows import dated_label
from buildtel.job import JobDocument
from buildtel.text import rounded, safe, safe_lines
from buildtel.timeline.packer_model import Build, InnerPart, PackerRun, Phase, Provisioner

MOST_LINES = 20
_TYPES = "Typing "  # the boot command, on the keyboard of the machine
_AFTER_WAIT = frozenset(("cleanup", "error_cleanup", "shutdown", "wait_user", "other"))  # phases behind a failed wait
_SIGNAL_BASE = 128  # a shell's exit status for a command that a signal ended


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure: its title, the lines that say why, and what the failed provisioner printed last."""

    title: str
    why: tuple[str, ...]
    output: tuple[str, ...] = ()


def failures(document: JobDocument) -> Iterator[Failure]:
    """The failures of a document, in the order of its runs and builds; texts are safe to print."""
    for run in document.packer.runs if document.packer else ():
        yield from _of_run(run)


def _of_run(run: PackerRun) -> Iterator[Failure]:
    if run.error is not None:
        yield Failure("Packer began no build", safe_lines(run.error))
    yield from filter(None, map(failure_of, run.builds))


def failure_of(build: Build) -> Failure | None:
    """The failure of a build, None for a build that did not fail."""
    if build.result != "failure":
        return None
    failed = [
        (number, unit)
        for number, unit in enumerate(build.provisioners, 1)
        if unit.status in FAILED and not unit.ignored
    ]
    title = f"{safe(build.name)} failed"
    if not failed:
        return Failure(title, (*safe_lines(build.error or "Packer says no reason"), *_tries(build)))
    number, unit = failed[-1]
    where = f"{safe(f'{unit.kind} {unit.detail}'.strip())} (provisioner {number} of {len(build.provisioners)})"
    return Failure(title, (f"{where} {_ended(unit, build)}",), tuple(map(safe, unit.output[-MOST_LINES:])))


def _tries(build: Build) -> tuple[str, ...]:
    """The tries to connect that the log tells, where the build ended in the wait for a connection."""
    phases = [phase for phase in build.phases if phase.name not in _AFTER_WAIT]
    tries = [part for part in phases[-1].parts if part.kind == "try"] if phases and not build.provisioners else []
    if not tries:
        return ()
    began_s, grain_s = phases[-1].started_at, build.grain_s
    words = [f"Packer tried to connect: {'; '.join(_try(part, began_s, grain_s) for part in tries)}"]
    typed = next((phase for phase in phases if phase.text.startswith(_TYPES)), None)
    took = "" if typed is None else _length(typed, grain_s)
    return (*words, *([f"Before that it typed the boot command, for {took}"] if took else []))


def _try(part: InnerPart, began_s: float | None, grain_s: float | None) -> str:
    took = _length(part, grain_s)
    return f"{dated_label(part, began_s, grain_s)}{f' ({took})' if took else ''}"


def _length(part: InnerPart | Phase, grain_s: float | None) -> str:
    """How long something took, in words; empty where that is not known."""
    if part.started_at is None or part.ended_at is None:
        return ""
    return rounded(part.ended_at - part.started_at, grain_s)


def _ended(unit: Provisioner, build: Build) -> str:
    """How a provisioner failed, in words."""
    if unit.status == "timeout":
        return "took longer than its timeout"
    if unit.exit_code is None:
        return f"failed: {safe(build.error)}" if build.error else "failed"
    return f"ended with exit status {unit.exit_code}{_signal_of(unit.exit_code)}"


def _signal_of(exit_code: int) -> str:
    """The signal that a shell's exit status stands for, in brackets."""
    try:
        return f" (as after {signal.Signals(exit_code - _SIGNAL_BASE).name})"
    except ValueError:
        return ""
