"""Folds packer's own events into runs, builds, phases and provisioners (docs/packer-log.md has the rules)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

from buildtel.events import (
    Artifact,
    BuildBegan,
    BuildFinished,
    BuildSeen,
    Event,
    Interrupted,
    LastStamp,
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
)
from buildtel.timeline.packer_model import (
    Build,
    PackerReport,
    PackerRun,
    Phase,
    Plugin,
    Provisioner,
    ProvisionerStatus,
)

AGENT_FILE = "buildtel_agent.py"
SPOOL_FILE = "/dev/shm/buildtel-spool.jsonl"  # where buildtel.pkr.hcl has it put
_AFTER_FAILURE = {"cleanup", "error_cleanup", "wait_user", "other"}
_WORST_FIRST = ("cancelled", "failure", "success")
_CRASHED = re.compile(r"unexpected EOF|panic|plugin .*crashed", re.IGNORECASE)
_STOPPED = re.compile(r"halted|exit status:? (?:130|-1)\b", re.IGNORECASE)


@dataclass
class _Span:
    """A phase (`what` is its name) or a provisioner (its kind) while it is being read."""

    what: str
    text: str
    started_at: float | None
    line: int
    ended_at: float | None = None
    type: str | None = None
    status: ProvisionerStatus = "unknown"
    ignored: bool = False
    exit_code: int | None = None

    @property
    def failed(self) -> bool:
        return self.status in ("failure", "timeout") and not self.ignored


@dataclass
class _Build:
    name: str
    first_line: int
    grain_s: float | None = None
    artifact_cut: bool = False
    began_at: float | None = None
    ended_at: float | None = None
    phases: list[_Span] = field(default_factory=list)
    provisioners: list[_Span] = field(default_factory=list)
    artifacts: list[str] = field(default_factory=list)
    ends: list[BuildFinished] = field(default_factory=list)
    waited: bool = False
    connected: bool = False
    phase: _Span | None = None
    provisioner: _Span | None = None

    def stop_phase(self, at: float | None) -> None:
        if self.phase:
            self.phase.ended_at = at
        self.phase = None

    def stop_provisioner(self, at: float | None) -> None:
        if self.provisioner:
            self.provisioner.ended_at = at
        self.provisioner = None

    def finish_provisioner(self, event: ProvisionerFinished, at: float | None) -> None:
        last = self.provisioners[-1] if self.provisioners else None
        self.stop_provisioner(at)
        if last is not None and event.status != "unknown":
            last.status, last.ignored = cast("ProvisionerStatus", event.status), event.ignored
            last.exit_code = event.exit_code

    def blame(self, exit_code: int | None) -> None:
        """Of a build that failed: its last provisioner failed where nothing but clean-up came after it.

        Older Packers say it in no other way. `exit_code` is the exit status that the build's error names.
        """
        last = self.provisioners[-1] if self.provisioners else None
        if last is not None and not any(unit.failed for unit in self.provisioners):
            after = [phase.what for phase in self.phases if phase.line > last.line]
            last.status = "failure" if set(after) <= _AFTER_FAILURE else last.status
        failed = [unit for unit in self.provisioners if unit.failed]
        if failed and failed[-1].status == "failure" and failed[-1].exit_code is None:
            failed[-1].exit_code = exit_code


@dataclass
class _Run:
    builds: dict[str, _Build] = field(default_factory=dict)
    interrupted_line: int | None = None
    finished: bool = False
    total_s: float | None = None
    error: str | None = None
    started_at: float | None = None
    ended_at: float | None = None


def fold_packer(events: Iterable[Event]) -> PackerReport:
    """Packer's runs as a log tells them; events that are not packer's are passed over."""
    version: str | None = None
    source: str | None = None
    plugins: dict[tuple[str, str], Plugin] = {}
    runs: list[_Run] = []
    for event in events:
        if isinstance(event, PackerVersion):
            version = version or event.version
        if isinstance(event, PackerRead):
            source = event.source
        if isinstance(event, PluginSeen):
            plugins[event.name, event.version] = Plugin(name=event.name, version=event.version)
        if isinstance(event, RunStarted) or (isinstance(event, _FOLDED) and not runs):
            runs.append(_Run())
        if runs:
            _take(runs[-1], event)
    told = [run for run in runs if run.builds or run.finished or run.error] or runs[:1]
    found = tuple(plugins.values())
    return PackerReport(version=version, read_from=source, plugins=found, runs=tuple(_run(run) for run in told))


def _take(run: _Run, event: Event) -> None:
    at = event.at.unix_s if event.at else None
    if isinstance(event, (RunStarted, *_FOLDED)) and at is not None:
        run.started_at = at if run.started_at is None else min(run.started_at, at)
        run.ended_at = at if run.ended_at is None else max(run.ended_at, at)
    if isinstance(event, LastStamp):
        _take_last(run, event, at)
    elif isinstance(event, RunFailed):
        run.error = run.error or event.error
    elif isinstance(event, RunFinished):
        run.finished = True
        run.total_s = event.total_s if run.total_s is None else run.total_s
    elif isinstance(event, Interrupted):
        run.interrupted_line = run.interrupted_line or event.line
    elif isinstance(event, _OF_BUILD):
        build = run.builds.setdefault(event.target, _Build(event.target, event.line))
        if event.at is not None:
            build.grain_s = max(build.grain_s or 0.0, event.at.resolution_s)
        _take_of_build(build, event, at)


def _take_last(run: _Run, event: LastStamp, at: float | None) -> None:
    """A run that nothing ended goes on until the last line with a time."""
    if at is not None and (not run.finished or event.of_text) and run.ended_at is not None:
        run.ended_at = max(run.ended_at, at)


def _take_of_build(build: _Build, event: Event, at: float | None) -> None:
    if isinstance(event, BuildSeen):
        build.first_line = min(build.first_line, event.line)
    elif isinstance(event, BuildBegan):
        build.began_at = at
    elif isinstance(event, PhaseStarted):
        build.stop_phase(at)
        build.stop_provisioner(at)
        build.phase = _Span(event.name, event.text, at, event.line)
        build.phases.append(build.phase)
    elif isinstance(event, ProvisionerStarted):
        build.stop_phase(at)
        build.stop_provisioner(at)
        build.provisioner = _Span(event.kind, event.detail, at, event.line, type=event.type)
        build.provisioners.append(build.provisioner)
    elif isinstance(event, ProvisionerFinished):
        build.finish_provisioner(event, at)
    elif isinstance(event, SshWait):
        _take_wait(build, event, at)
    elif isinstance(event, BuildFinished):
        build.stop_phase(at)
        build.stop_provisioner(at)
        build.ends.append(event)
        build.ended_at = at
        if event.result == "failure":
            build.blame(event.exit_code)
    elif isinstance(event, Artifact):
        build.artifacts.append(event.text)
        build.artifact_cut = event.cut


def _take_wait(build: _Build, event: SshWait, at: float | None) -> None:
    if event.connected:
        build.connected = True
        build.stop_phase(at)
    else:
        build.waited = True


_OF_BUILD = (
    BuildBegan, BuildSeen, PhaseStarted, ProvisionerStarted, ProvisionerFinished, SshWait, BuildFinished, Artifact,
)  # fmt: skip
_FOLDED = (*_OF_BUILD, Interrupted, RunFailed, RunFinished)


def _run(run: _Run) -> PackerRun:
    builds = sorted(run.builds.values(), key=lambda build: build.first_line)
    interrupted_line = run.interrupted_line
    last_end = max((end.line for build in builds for end in build.ends), default=0)
    if interrupted_line is not None and interrupted_line > last_end:
        interrupted_line = 0  # only packer's last words tell of the interrupt: no build is known to be before it
    return PackerRun(
        builds=tuple(_build(build, interrupted_line) for build in builds),
        total_s=run.total_s,
        error=run.error if not builds else None,
        started_at=run.started_at,
        ended_at=run.ended_at,
    )


def _build(build: _Build, interrupted_line: int | None) -> Build:
    durations = [end.duration_s for end in build.ends if end.duration_s is not None]
    return Build(
        name=build.name,
        result=_result(build, interrupted_line),
        grain_s=build.grain_s,
        duration_s=max(durations, default=None),
        ssh_wait=build.waited and build.connected,
        error=next((end.error for end in build.ends if end.error is not None), None),
        began_at=build.began_at,
        ended_at=build.ended_at,
        phases=tuple(
            Phase(name=span.what, text=span.text, line=span.line, started_at=span.started_at, ended_at=span.ended_at)
            for span in build.phases
        ),
        provisioners=tuple(_provisioner(span) for span in build.provisioners),
        artifacts=tuple(build.artifacts),
        artifact_cut=build.artifact_cut,
    )


def _provisioner(span: _Span) -> Provisioner:
    return Provisioner(
        kind=span.what,
        detail=span.text,
        type=span.type,
        status=span.status,
        ignored=span.ignored,
        exit_code=span.exit_code,
        own=_is_own(span.what, span.text),
        line=span.line,
        started_at=span.started_at,
        ended_at=span.ended_at,
    )


def _is_own(kind: str, detail: str) -> bool:
    """Whether it runs our agent, or fetches what that recorded."""
    if kind == "file-download":
        return detail.partition(" => ")[0] == SPOOL_FILE
    return kind == "shell" and re.split(r"[/\\]", detail)[-1] == AGENT_FILE


def _result(build: _Build, interrupted_line: int | None) -> str:
    """The worst of what Packer says; a build without such a word whose artifact is listed was successful."""
    results = {_result_of(end, interrupted_line) for end in build.ends}
    listed = "success" if build.artifacts else "unknown"
    return next((result for result in _WORST_FIRST if result in results), listed)


def _result_of(end: BuildFinished, interrupted_line: int | None) -> str:
    """Packer says `finished` or any error of a build that it was told to stop; only the interrupt before it tells."""
    if interrupted_line is None or end.line < interrupted_line:
        return end.result
    if end.result == "success" or _STOPPED.search(end.error or ""):
        return "cancelled"
    ended_by_it = interrupted_line > 0 and not _CRASHED.search(end.error or "")
    return "cancelled" if ended_by_it else end.result
