"""Packer's runs, builds, phases and provisioners, built event by event.

Each time stands once, in a `Moment`, as the log stated it; `Timeline.settle` gives all of them their final values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from buildtel.events import (
    ASIDE,
    Artifact,
    BuildBegan,
    BuildFinished,
    BuildSeen,
    ConnectionTried,
    Event,
    Interrupted,
    LastLines,
    LastStamp,
    OutputSign,
    PackerRead,
    PackerVersion,
    PhaseStarted,
    PluginSeen,
    ProvisionerFinished,
    ProvisionerStarted,
    RunFailed,
    RunFinished,
    RunStarted,
    SshWait,
    TransferSeen,
    When,
)
from buildtel.timeline import reached
from buildtel.timeline.provisioner_run import Moment, PartDraft, ProvisionerRun

MAX_EVENTS = 50_000
MAX_WITH_SIGNS = 25_000  # of them, as long as they are signs in output
_AFTER_FAILURE = {"cleanup", "error_cleanup", "wait_user", "other"}


@dataclass(slots=True)
class PhaseDraft:
    """A stretch of Packer's own work; `ended` is None until something ends it."""

    name: str
    text: str
    began: Moment
    ended: Moment | None = None
    parts: list[PartDraft] = field(default_factory=list)


@dataclass(slots=True)
class BuildDraft:
    """One build of a run, as far as it is told.

    Attributes:
        name: Packer's target.
        first_line: where it stood first.
        began: its first message.
        ended: Packer's word on its end.
        ends: each such word; a build may have several.
        under_way: the phase or the provisioner that runs now.
        waited: Packer waited for SSH or WinRM.
        connected: Packer had a connection.
        artifact_cut: the log ends within the last artifact's line.
        heard: the moment of each event of the build.
    """

    name: str
    first_line: int
    began: Moment | None = None
    ended: Moment | None = None
    phases: list[PhaseDraft] = field(default_factory=list)
    units: list[ProvisionerRun] = field(default_factory=list)
    under_way: PhaseDraft | ProvisionerRun | None = None
    artifacts: list[str] = field(default_factory=list)
    artifact_cut: bool = False
    ends: list[BuildFinished] = field(default_factory=list)
    waited: bool = False
    connected: bool = False
    heard: list[Moment] = field(default_factory=list)

    def stop(self, moment: Moment) -> None:
        """Phase or provisioner are over."""
        if self.under_way is not None:
            self.under_way.ended = moment
        self.under_way = None

    def saw(self, event: BuildSeen, _: Moment) -> None:
        """The first line of the build may be known late."""
        self.first_line = min(self.first_line, event.line)

    def begin(self, _: BuildBegan, moment: Moment) -> None:
        """The build says something itself."""
        self.began = moment

    def begin_phase(self, event: PhaseStarted, moment: Moment) -> None:
        """A phase begins; what ran before it is over.

        Args:
            event: the event of Packer's.
            moment: its line and time.
        """
        self.stop(moment)
        self.under_way = PhaseDraft(event.name, event.text, moment)
        self.phases.append(self.under_way)

    def begin_unit(self, event: ProvisionerStarted, moment: Moment) -> None:
        """A provisioner begins; what ran before it is over.

        Args:
            event: the event of Packer's.
            moment: its line and time.
        """
        self.stop(moment)
        self.under_way = ProvisionerRun(event.index, event.kind, event.detail, moment, event.target, event.type)
        self.units.append(self.under_way)

    def end_unit(self, event: ProvisionerFinished, moment: Moment) -> None:
        """A provisioner is over, or Packer tells now how one went that is over already.

        Args:
            event: the event of Packer's.
            moment: its line and time.
        """
        if isinstance(self.under_way, ProvisionerRun):
            self.stop(moment)
        unit = self.unit(event.index)
        if unit is not None and event.status != "unknown":
            unit.status, unit.ignored, unit.exit_code = event.status, event.ignored, event.exit_code

    def print_last(self, event: LastLines, _: Moment) -> None:
        """What a provisioner that failed printed last; those of a build are not kept."""
        unit = self.unit(event.provisioner)
        if unit is not None:
            unit.output = event.texts

    def tell_inside(self, event: OutputSign, moment: Moment) -> None:
        """A line of output tells something of a provisioner's inside.

        Args:
            event: the event.
            moment: its line and time.
        """
        unit = self.unit(event.provisioner)
        if unit is not None:
            unit.tell(event.kind, event.name, moment)

    def move(self, event: TransferSeen, moment: Moment) -> None:
        """Packer moves files in what is under way.

        Args:
            event: the event.
            moment: its line and time.
        """
        what = self.under_way
        if isinstance(what, ProvisionerRun):
            began = what.began if what.kind in reached.ONLY_MOVE else None
            reached.move(what.parts, reached.direction(what.kind), event, moment, began)
        elif what is not None:
            reached.move(what.parts, reached.direction(what.name), event, moment, None)

    def tried(self, event: ConnectionTried, moment: Moment) -> None:
        """Packer tries to connect, in a phase that waits for that.

        Args:
            event: the event.
            moment: its line and time.
        """
        if isinstance(self.under_way, PhaseDraft):
            reached.tried(self.under_way.parts, event, moment, self.under_way.began)

    def wait(self, event: SshWait, moment: Moment) -> None:
        """Packer waits for a connection, or has it: then the phase is over.

        Args:
            event: the event of Packer's.
            moment: its line and time.
        """
        self.waited = self.waited or not event.connected
        self.connected = self.connected or event.connected
        if event.connected and isinstance(self.under_way, PhaseDraft):
            self.stop(moment)

    def finish(self, event: BuildFinished, moment: Moment) -> None:
        """Packer's word on the build's end.

        Args:
            event: the event of Packer's.
            moment: its line and time.
        """
        self.stop(moment)
        self.ends.append(event)
        self.ended = moment
        if event.result == "failure":
            self._blame(event.exit_code)

    def add_artifact(self, event: Artifact, _: Moment) -> None:
        """Packer lists an artifact."""
        self.artifacts.append(event.text)
        self.artifact_cut = event.cut

    def unit(self, index: int | None) -> ProvisionerRun | None:
        """The provisioner of that place, None if it is not kept."""
        return self.units[index] if index is not None and index < len(self.units) else None

    def _blame(self, exit_code: int | None) -> None:
        """Of a build that failed: its last provisioner failed where nothing but clean-up came after it.

        Older Packers say it in no other way. `exit_code` is the exit status that the build's error names.
        """
        last = self.units[-1] if self.units else None
        if last is not None and not any(unit.failed for unit in self.units):
            after = {phase.name for phase in self.phases if phase.began.line > last.began.line}
            last.status = "failure" if after <= _AFTER_FAILURE else last.status
        failed = [unit for unit in self.units if unit.failed]
        if failed and failed[-1].status == "failure" and failed[-1].exit_code is None:
            failed[-1].exit_code = exit_code


@dataclass(slots=True)
class RunDraft:
    """One `packer build`, as far as it is told.

    Attributes:
        builds: by name, in the order in which their names became known.
        interrupted_line: where Packer was told to stop first.
        is_over: all builds of the run are over.
        total_s: how long it took by Packer's own word.
        error: what Packer said where it failed before any build began.
        heard: the moment of each event of the run.
        aside: those of transfers and tries to connect, which say nothing of its extent.
    """

    builds: dict[str, BuildDraft] = field(default_factory=dict)
    interrupted_line: int | None = None
    is_over: bool = False
    total_s: float | None = None
    error: str | None = None
    heard: list[Moment] = field(default_factory=list)
    aside: list[Moment] = field(default_factory=list)

    @property
    def has_packer_events(self) -> bool:
        """Whether Packer said anything of builds or of the run's end."""
        return bool(self.builds or self.is_over or self.error)

    def extent_s(self) -> tuple[float | None, float | None]:
        """The first and the last time of the run, Unix seconds, None where it has none."""
        first_s = last_s = None
        for moment in self.heard:
            time_s = moment.unix_s
            if time_s is None or (moment.is_last_stamp and last_s is None):
                continue
            if not moment.is_last_stamp:
                first_s = time_s if first_s is None else min(first_s, time_s)
            last_s = time_s if last_s is None else max(last_s, time_s)
        return first_s, last_s


class Timeline:
    """Takes events one by one, in the log's order: those that are not Packer's are passed over.

    Attributes:
        version: Packer's, where the log states it.
        read_from: how `buildtel-host packer` read what Packer said.
        plugins: name and version of each plugin.
        runs: the runs so far; the last one goes on.
        is_full: there were more events than are kept.
    """

    def __init__(self) -> None:
        self.version: str | None = None
        self.read_from: str | None = None
        self.plugins: list[tuple[str, str]] = []
        self.runs: list[RunDraft] = []
        self.is_full = False
        self._taken = 0

    def add(self, event: Event) -> None:
        """Take one event in."""
        kind = type(event)
        taker = _OF_LOG.get(kind) or (_of_run if kind in _OF_RUN or kind in _OF_BUILD else None)
        if taker is None:
            return
        if self._taken >= (MAX_WITH_SIGNS if kind in _INSIDE else MAX_EVENTS):
            self._leave_out(event)
            return
        self._taken += 1
        taker(self, event)

    def _leave_out(self, event: Event) -> None:
        if type(event) not in _INSIDE:
            self.is_full = True
        elif isinstance(event, OutputSign):
            build = self.build(event.target)
            unit = None if build is None else build.unit(event.provisioner)
            if unit is not None:
                unit.is_cut = True

    def build(self, target: str | None) -> BuildDraft | None:
        """The build of the run that goes on, None if it is not known, or not any more."""
        return self.runs[-1].builds.get(target) if self.runs and target is not None and not self.is_full else None

    def settle(self, final: Callable[[Moment], When | None]) -> None:
        """Give each moment its final time: that which `final` makes of it."""
        for run in self.runs:
            for moment in (*run.heard, *run.aside):
                moment.at = final(moment)


def _version(timeline: Timeline, event: Any) -> None:
    timeline.version = timeline.version or event.version


def _read_from(timeline: Timeline, event: Any) -> None:
    timeline.read_from = event.source


def _plugin(timeline: Timeline, event: Any) -> None:
    if (event.name, event.version) not in timeline.plugins:
        timeline.plugins.append((event.name, event.version))


def _begin_run(timeline: Timeline, event: Event) -> None:
    timeline.runs.append(RunDraft(heard=[Moment(event.line, event.at)]))


def _last_stamp(timeline: Timeline, event: Any) -> None:
    """A run that nothing ended goes on until the last line with a time."""
    run = timeline.runs[-1] if timeline.runs else None
    if run is not None and (not run.is_over or event.of_text):
        run.heard.append(Moment(event.line, event.at, is_last_stamp=True))


def _of_run(timeline: Timeline, event: Any) -> None:
    if not timeline.runs:
        timeline.runs.append(RunDraft())
    run, moment, kind = timeline.runs[-1], Moment(event.line, event.at), type(event)
    (run.aside if kind in ASIDE else run.heard).append(moment)
    if kind in _OF_RUN:
        _OF_RUN[kind](run, event)
        return
    build = run.builds.get(event.target)
    if build is None:
        build = run.builds[event.target] = BuildDraft(event.target, event.line)
    if kind not in ASIDE:
        build.heard.append(moment)
    _OF_BUILD[kind](build, event, moment)


def _failed(run: RunDraft, event: Any) -> None:
    run.error = run.error or event.error


def _finished(run: RunDraft, event: Any) -> None:
    run.is_over = True
    run.total_s = event.total_s if run.total_s is None else run.total_s


def _interrupted(run: RunDraft, event: Any) -> None:
    run.interrupted_line = run.interrupted_line or event.line


_OF_LOG: dict[type[Event], Callable[[Timeline, Any], None]] = {
    PackerVersion: _version,
    PackerRead: _read_from,
    PluginSeen: _plugin,
    RunStarted: _begin_run,
    LastStamp: _last_stamp,
}
_OF_RUN: dict[type[Event], Callable[[RunDraft, Any], None]] = {
    RunFailed: _failed,
    RunFinished: _finished,
    Interrupted: _interrupted,
}
_INSIDE: tuple[type[Event], ...] = (*ASIDE, OutputSign)
_OF_BUILD: dict[type[Event], Callable[[BuildDraft, Any, Moment], None]] = {
    BuildSeen: BuildDraft.saw,
    BuildBegan: BuildDraft.begin,
    PhaseStarted: BuildDraft.begin_phase,
    ProvisionerStarted: BuildDraft.begin_unit,
    ProvisionerFinished: BuildDraft.end_unit,
    LastLines: BuildDraft.print_last,
    OutputSign: BuildDraft.tell_inside,
    TransferSeen: BuildDraft.move,
    ConnectionTried: BuildDraft.tried,
    SshWait: BuildDraft.wait,
    BuildFinished: BuildDraft.finish,
    Artifact: BuildDraft.add_artifact,
}
