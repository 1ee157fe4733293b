"""Folds events into a job document: a pure function, one event at a time, in bounded memory.

What is kept is bounded, whatever the log's length; where a bound is met, the document says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from buildtel.events import (
    ASIDE,
    AgentRecord,
    DamagedRecord,
    Event,
    LastStamp,
    LaterStamp,
    PrefixUnknown,
    RunStarted,
    UnreadableLine,
    ZoneLearned,
)
from buildtel.job.finish import finish
from buildtel.job.fold_state import FoldState
from buildtel.job.model import JobDocument, Meta
from buildtel.job.runner import is_runners
from buildtel.job.times import settle_times
from buildtel.measure.drafts import Measured
from buildtel.measure.intake import Intake

MAX_LATER_STAMPS = 50_000
LATEST_TIME_S = 253_402_300_000  # the year 9999
MAX_RUNS = 10_000


def document(events: Iterable[Event], meta: Meta, *, logged: bool = True) -> JobDocument:
    """The document of the events of a log and its spools.

    Args:
        events: in the order of the log, those of spools behind them.
        meta: what the log can't tell.
        logged: False where there was no log, only spools.
    """
    folding = Fold()
    for event in events:
        folding.add(event)
    return folding.document(meta, logged=logged)


class Fold:
    """The fold, one event at a time: `add` each, then `document`."""

    def __init__(self) -> None:
        self._folded = FoldState()
        self._records = Intake(self._folded.measured)
        self._of_runner: Intake | None = None
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            AgentRecord: self._record,
            DamagedRecord: self._records.add_damaged,
            RunStarted: self._run_started,
            LastStamp: self._last_stamp,
            UnreadableLine: self._unreadable,
            LaterStamp: self._later_stamp,
            ZoneLearned: self._zone_learned,
            PrefixUnknown: self._prefix_unknown,
        }

    def add(self, event: Event) -> None:
        """Take one event in, in the log's order."""
        if event.at is not None and not 0 <= event.at.unix_s < LATEST_TIME_S:
            event = replace(event, at=None)
        if event.at is not None and not isinstance(event, (LastStamp, *ASIDE)):
            self._folded.span.add(event.at)
        self._handlers.get(type(event), self._packers)(event)

    def document(self, meta: Meta, *, logged: bool = True) -> JobDocument:
        """The document of all events so far; the fold is over then.

        Args:
            meta: which job it is, and when it was collected.
            logged: False if there was no log, only spools.
        """
        self._folded.logged = logged
        intakes = [intake for intake in (self._records, self._of_runner) if intake is not None]
        for intake in intakes:
            intake.close()
        settle_times(self._folded)
        for intake in intakes:
            intake.place()
        return finish(self._folded, meta)

    def _record(self, event: AgentRecord) -> None:
        if is_runners(event):
            if self._of_runner is None:
                self._folded.runner = Measured()
                self._of_runner = Intake(self._folded.runner)
            self._of_runner.add(event, None)
            return
        build = self._folded.timeline.build(event.target)
        self._records.add(event, None if build is None else build.unit(event.provisioner))

    def _run_started(self, event: RunStarted) -> None:
        measured = self._folded.measured
        section = measured.sections[-1]
        if len(measured.sections) >= MAX_RUNS:
            measured.note_once(f"More than {MAX_RUNS} runs of Packer: the rest count as the last of them.")
        elif section.has_packer_events or section.groups:
            measured.add_section()
        else:
            section.run = None
        self._packers(event)

    def _packers(self, event: Event) -> None:
        timeline, measured = self._folded.timeline, self._folded.measured
        timeline.add(event)
        if timeline.is_full:
            measured.note_once("The log has more of Packer's lines than any build: the rest is left out.")
        if measured.sections[-1].run is None and timeline.runs:
            measured.sections[-1].run = timeline.runs[-1]

    def _last_stamp(self, event: LastStamp) -> None:
        run = self._folded.measured.sections[-1].run
        if event.at is not None and (event.of_text or (run is not None and run.has_packer_events and not run.is_over)):
            self._folded.span.add(event.at)
        self._packers(event)

    def _later_stamp(self, event: LaterStamp) -> None:
        if event.at is not None and len(self._folded.later_stamps) < MAX_LATER_STAMPS:
            self._folded.later_stamps.setdefault(event.line, event.at)

    def _zone_learned(self, event: ZoneLearned) -> None:
        self._folded.is_mixed, self._folded.ahead_s = True, event.ahead_s

    def _prefix_unknown(self, _event: PrefixUnknown) -> None:
        self._folded.prefix_unknown = True

    def _unreadable(self, event: UnreadableLine) -> None:
        self._folded.unreadable[event.reason] += 1
