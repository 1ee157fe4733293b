"""The state of a fold: all that a log said, before a document is made of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from buildtel.events import When
from buildtel.measure.drafts import Measured
from buildtel.timeline.builds import Timeline


@dataclass(slots=True)
class Span:
    """First and last time that the log states, on each of the two axes; `dated` if all stamps have a date."""

    first: dict[bool, float] = field(default_factory=dict)
    last: dict[bool, float] = field(default_factory=dict)
    dated: bool = True

    def add(self, at: When) -> None:
        """Take the time of one event in."""
        known, time = at.zone_known, at.unix_s
        self.dated = self.dated and at.dated
        self.first[known] = min(self.first.get(known, time), time)
        self.last[known] = max(self.last.get(known, time), time)


@dataclass(slots=True)
class FoldState:
    """What a log said; `Fold` fills it, `finish` reads it.

    Attributes:
        timeline: what Packer did.
        measured: what the records in the log and in its spools told.
        runner: what those of the wrapper around Packer told, None without it.
        span: the first and the last time of the log.
        unreadable: how many lines were not read, by the reason.
        logged: False where spools alone stand for a log.
        later_stamps: times of messages by their lines, as a later copy told them.
        is_mixed: some stamps have a zone and some have none; those are `ahead_s` ahead of UTC (None: nothing fits).
        prefix_unknown: Packer's words stood behind something that was not understood.
    """

    timeline: Timeline = field(default_factory=Timeline)
    measured: Measured = field(default_factory=Measured)
    runner: Measured | None = None
    span: Span = field(default_factory=Span)
    unreadable: Counter[str] = field(default_factory=Counter)
    logged: bool = True
    later_stamps: dict[int, When] = field(default_factory=dict)
    is_mixed: bool = False
    ahead_s: int | None = None
    prefix_unknown: bool = False

    def number_runs(self) -> None:
        """Set each section's `run_index`: the report has those runs only that tell of builds."""
        reported = [run for run in self.timeline.runs if run.has_packer_events]
        indexes = {id(run): index for index, run in enumerate(reported)}
        for section in self.measured.sections:
            section.run_index = indexes.get(id(section.run))
