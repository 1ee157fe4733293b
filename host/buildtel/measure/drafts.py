"""The drafts of machines and steps: what records have told so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from buildtel.events import BuildFinished
from buildtel.measure.account_fields import InsideRow, WaitRow
from buildtel.measure.guest_clock import BootClock
from buildtel.measure.series import Samples
from buildtel.timeline.builds import RunDraft
from buildtel.timeline.provisioner_run import ProvisionerRun

MAX_NOTES = 100
RUNNER = "runner"  # the machine that Packer runs on


@dataclass(frozen=True, slots=True)
class Point:
    """An instant of a machine: its clocks, and its counters if they were read."""

    t_ns: int
    m_ns: int
    boot: str | None
    line: int
    counters: dict[str, Any] | None


@dataclass(slots=True)
class StepDraft:
    """A step: begun, maybe seen alive, maybe ended; `came_behind` later records than its first that came.

    `by` is the agent's command that began it, None where it is a provisioner's own or nothing tells.
    """

    id: str
    name: str | None
    parent: str | None
    unit: ProvisionerRun | None
    line: int
    start: Point | None = None
    beat: Point | None = None
    end: Point | None = None
    exit_code: int | None = None
    exit_from: str | None = None
    signal: int | None = None
    peak_kb: int | None = None
    load: list[float] | None = None
    columns: dict[str, list[int | None]] | None = None
    processes: list[tuple[str, float | None, float | None]] | None = None
    neighbours: list[tuple[str, float | None, float | None]] | None = None
    own: dict[str, int] = field(default_factory=dict)
    commands: dict[str, Any] | None = None
    inside: list[InsideRow] | None = None
    waits: list[WaitRow] | None = None
    cost: dict[str, int] = field(default_factory=dict)
    whole: bool = True
    authentic: bool | None = None
    came_behind: bool = False
    by: str | None = None

    @property
    def label(self) -> str | None:
        """The name that the user gave, else what Packer calls the provisioner around it."""
        if self.name or self.unit is None:
            return self.name or None
        return self.unit.detail or self.unit.kind


@dataclass(slots=True)
class MarkDraft:
    """An instant that the user named."""

    name: str | None
    parent: str | None
    point: Point


@dataclass(slots=True)
class MachineDraft:
    """One VM (or whatever printed records) of one run; `sampled` says of each boot if its samples are authentic.

    `is_runner` marks the machine that Packer runs on: records of a shell-local come through a build and are its.
    `spooled` says that a spool brought something.
    """

    target: str | None
    section: LogSection
    is_runner: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, StepDraft] = field(default_factory=dict)
    open_ids: dict[str, None] = field(default_factory=dict)
    boots: dict[str | None, BootClock] = field(default_factory=dict)
    samples: dict[str | None, Samples] = field(default_factory=dict)
    sampled: dict[str | None, bool | None] = field(default_factory=dict)
    marks: list[MarkDraft] = field(default_factory=list)
    byes: list[Point] = field(default_factory=list)
    spooled: bool = False

    @property
    def is_quiet(self) -> bool:
        """Whether it said that its records are in the spool: the log has those of failing steps only."""
        return self.facts.get("records") == "spool"

    @property
    def lacks_spool(self) -> bool:
        """Whether it is quiet, and nothing of its spool is here: samples stand nowhere else."""
        return self.is_quiet and not self.spooled and not self.samples


@dataclass(slots=True)
class Group:
    """All records of one Packer run UUID within one section of the log."""

    run: str | None
    records: int = 0
    unauthentic: int = 0
    recovered: int = 0
    units: set[tuple[str | None, int]] = field(default_factory=set)
    boots: set[str] = field(default_factory=set)
    machines: dict[str | None, MachineDraft] = field(default_factory=dict)


@dataclass(slots=True)
class LogSection:
    """The stretch of the log that one `packer` process printed.

    `run` is what Packer said in it, None where it said nothing; `run_index` which of the report's runs that is.
    """

    number: int
    run: RunDraft | None = None
    run_index: int | None = None
    groups: list[Group] = field(default_factory=list)

    @property
    def has_packer_events(self) -> bool:
        """Whether a build or the end of all builds is in it."""
        return self.run is not None and self.run.has_packer_events

    @property
    def interrupted_line(self) -> int | None:
        """Where Packer was told to stop."""
        return None if self.run is None else self.run.interrupted_line

    def units(self, target: str | None) -> list[ProvisionerRun]:
        """The provisioners of a build, in order."""
        build = self.run.builds.get(target or "") if self.run is not None else None
        return [] if build is None else build.units

    def end_of(self, target: str | None) -> BuildFinished | None:
        """Packer's last word on a build's end."""
        build = self.run.builds.get(target) if self.run is not None and target is not None else None
        return build.ends[-1] if build is not None and build.ends else None

    def group_of(self, run: str | None, boot: str | None) -> Group:
        """The group that a record belongs to, made if it is the first.

        A record that does not know its run goes with its boot, else with the fullest group; and a
        group that does not know its run takes the first that comes.

        Args:
            run: the id of the Packer run, None where the record does not know it.
            boot: the boot id, None where it is not known.
        """
        known = next((group for group in self.groups if run is not None and group.run == run), None)
        if known is None and run is None and self.groups:
            by_boot = (group for group in self.groups if boot is not None and boot in group.boots)
            known = next(by_boot, None) or self.own_group()
        if known is None and run is not None and len(self.groups) == 1 and self.groups[0].run is None:
            known = self.groups[0]
            known.run = run
        if known is None:
            known = Group(run)
            self.groups.append(known)
        return known

    def own_group(self) -> Group | None:
        """The group of this section's run: it came through the most provisioners, or else came first.

        An old log printed by one step has many records, yet all come through one provisioner.
        """
        return max(self.groups, key=lambda group: len(group.units), default=None)


@dataclass(slots=True)
class Measured:
    """All that records told.

    Attributes:
        sections: the stretches of the log that one `packer` process printed each, the last one goes on.
        counts: what became of records, by `duplicate`, `missing`, `missing_parts` and `damaged`.
        damage: how many were not used, by the reason.
        partly: how many were used without a field, by that.
        notes: what to know before the figures are trusted.
    """

    sections: list[LogSection] = field(default_factory=lambda: [LogSection(0)])
    counts: Counter[str] = field(default_factory=Counter)
    damage: Counter[str] = field(default_factory=Counter)
    partly: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def note_once(self, note: str) -> None:
        """Say `note` in the document, once."""
        if note not in self.notes and len(self.notes) < MAX_NOTES:
            self.notes.append(note)

    def add_section(self) -> None:
        """Another `packer` process prints from here on."""
        self.sections.append(LogSection(len(self.sections)))

    def machines(self) -> Iterator[tuple[LogSection, MachineDraft]]:
        """The machines of each section's own run, in the log's order."""
        for section in self.sections:
            own = section.own_group()
            for machine in own.machines.values() if own else ():
                yield section, machine
