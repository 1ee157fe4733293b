"""The parts of each build in order of time, each with its place on the time axis."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Literal

from buildtel.insight.inner_rows import InnerRow, inner_rows, told_parts
from buildtel.insight.spent import Spent, spent_on
from buildtel.insight.step_names import StepNames
from buildtel.job import JobDocument
from buildtel.text import safe
from buildtel.timeline import packer_model
from buildtel.timeline.packer_model import Build, InnerPart, PackerRun, Phase, Provisioner

Kind = Literal["phase", "provisioner", "unattributed"]
Figures = dict[str, float | int | None]
MAX_ROWS = 500
INSTANT_S = 0.05
ROUNDED_S = 0.0011  # what an account's milliseconds take off a time
FAILED = {"failure": "failed", "timeout": "timed out", "cancellation": "cancelled"}
_POST_PROCESSOR = re.compile(r"Running post-processor: (.*?)\(type ([^()]*)\)")
OWN = "buildtel (install, finish)"
_PAUSE = re.compile(r"(?P<start>Pausing .*?(?P<which>before|after)) (?:the next|this) provisioner\.\.\.")
_BETWEEN = frozenset({"unattributed", "wait_user", "pause"})  # parts that may stand between a pause and its provisioner
FEWEST_FOLDED = 3
BEFORE_PROVISIONING = frozenset({
    "prepare", "access", "retrieve_image", "create_media", "create_disk", "create_machine", "boot", "wait_ssh",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stretch:
    """A phase or provisioner: when it began after its build did, how long it took; None if unknown.

    `mark` says that it failed. `grain_s` is the grain of the stamps that its length was reckoned from, None where it is
    finer than any figure. `runner` and `hypervisor` are the figures of the machine around it, and of the build's
    machine seen from there. `parts` are what the log tells of its inside, `inner` the rows of a report on them, without
    the `inner_cut` shortest of many. `spent` is what its time counts to; `provisioner` its place among the build's,
    None for a phase.
    """

    @property
    def shown(self) -> str:
        """The label, behind the mark of one that failed."""
        return f"{self.mark}: {self.label}" if self.mark else self.label

    kind: Kind
    label: str
    own: bool
    start_s: float | None
    duration_s: float | None
    grain_s: float | None = None
    mark: str = ""
    runner: Figures = field(default_factory=dict)
    hypervisor: Figures = field(default_factory=dict)
    parts: tuple[InnerPart, ...] = ()
    inner: tuple[InnerRow, ...] = ()
    inner_cut: int = 0
    spent: Spent = "other"
    provisioner: int | None = None


@dataclass(frozen=True, slots=True)
class BuildStretches:
    """The stretches of one build, those that `cut` counts left out.

    `span_s` is the length of its run's time axis, None without times. `machine` is the key of its machine in the
    document, None where that was not measured.
    """

    build: Build
    span_s: float | None
    stretches: tuple[Stretch, ...]
    cut: int
    machine: str | None = None

    @property
    def name(self) -> str:
        """The build's name, safe to print."""
        return safe(self.build.name)

    @property
    def length(self) -> tuple[float | None, float | None]:
        """The sum of its stretches, else Packer's own figure, in seconds; and the grain of the stamps behind it."""
        build = self.build
        if not build.account or build.ended_at is None or build.started_at is None:
            return build.duration_s, None
        return build.ended_at - build.started_at, build.grain_s


def build_stretches(document: JobDocument) -> list[BuildStretches]:
    """The builds of all runs of a document, in its order."""
    runs = document.packer.runs if document.packer else ()
    names = StepNames(document)
    targets = {(machine.run, machine.target): key for key, machine in document.machines.items()}
    return [
        _of_build(build, names.of(build, machine), _span_s(run), machine)
        for number, run in enumerate(runs, 1)
        for build in run.builds
        for machine in (targets.get((number, build.name)),)
    ]


def provisioner_label(kind: str, detail: str) -> str:
    """`shell scripts/a.sh`, `ansible`.

    Args:
        kind: the provisioner's kind (docs/format.md, 2).
        detail: what Packer prints of it.
    """
    return safe(f"{kind} {detail}".strip())


def _span_s(run: PackerRun) -> float | None:
    """From the start of a run's builds to the end of the last of them."""
    ends = [build.ended_at for build in run.builds if build.account and build.ended_at is not None]
    return max(ends) - run.started_at if ends and run.started_at is not None else None


def _of_build(build: Build, names: dict[int, str], span_s: float | None, machine: str | None) -> BuildStretches:
    told = _accounted(build, names) if build.account else _untimed(build, names)
    stretches = list(_folded(told))
    return BuildStretches(
        build=build,
        span_s=span_s if build.account else None,
        stretches=tuple(stretches[:MAX_ROWS]),
        cut=max(len(stretches) - MAX_ROWS, 0),
        machine=machine,
    )


def _accounted(build: Build, names: dict[int, str]) -> Iterable[Stretch]:
    """The account of a build: all of its time."""
    for part in build.account:
        unit = build.provisioners[part.provisioner] if part.provisioner is not None else None
        whole = phase_of(part, build) if unit is None else unit
        parts = () if whole is None else told_parts(whole)
        inner, inner_cut = inner_rows(parts, build.started_at, part.started_at, build.grain_s)
        yield Stretch(
            kind=_kind(part, unit),
            label=part_label(build, part, names),
            own=unit is not None and unit.own,
            start_s=part.started_at - (build.started_at or 0.0),
            duration_s=part.duration_s,
            grain_s=build.grain_s,
            mark="" if unit is None else mark_of(unit),
            runner=part.runner or {},
            hypervisor=part.hypervisor or {},
            parts=parts,
            inner=inner,
            inner_cut=inner_cut,
            spent=spent_on(part, build),
            provisioner=part.provisioner,
        )


def phase_of(part: packer_model.Stretch, build: Build) -> Phase | None:
    """The phase that a stretch of a build's account is of; None where it is of none.

    Args:
        part: of the build's account.
        build: the build.
    """
    same = (phase for phase in build.phases if (phase.name, phase.text) == (part.name, part.text))
    return next((phase for phase in same if _is_during(phase, part)), None)


def _is_during(phase: Phase, part: packer_model.Stretch) -> bool:
    began_s = phase.started_at
    return began_s is not None and abs(began_s - part.started_at) < ROUNDED_S


def _kind(part: packer_model.Stretch, unit: Provisioner | None) -> Kind:
    if part.name == "unattributed":
        return "unattributed"
    return "phase" if unit is None or unit.own else "provisioner"


def phase_label(name: str, text: str) -> str:
    """A phase in words: mostly Packer's own text.

    Args:
        name: the phase's name (docs/packer-log.md).
        text: Packer's text that began it.
    """
    if name == "start":
        return "Packer start-up"
    if name == "wait_user":
        return safe(f"waiting for the user: {text}")
    found = _POST_PROCESSOR.fullmatch(text) if name == "post_processor" else None
    if found is not None:
        return safe(f"post-processor {found[1].strip() or found[2]}")
    return safe(text or name)


def unit_label(unit: Provisioner, name: str | None = None) -> str:
    """A provisioner in words; `name` is what the user called its step.

    Args:
        unit: the provisioner.
        name: what the user called its step; None: its detail stands there.
    """
    if unit.kind == "other" and unit.type and not name:
        return safe(unit.type)
    return provisioner_label(unit.kind, name or unit.detail)


def part_label(build: Build, part: packer_model.Stretch, names: Mapping[int, str]) -> str:
    """A part of a build's account, as the time line names it.

    Args:
        build: the build.
        part: of its account.
        names: by the provisioner's place, what the user called its step.
    """
    if part.provisioner is None:
        return _pause_label(build, part, names) or phase_label(part.name, part.text)
    unit = build.provisioners[part.provisioner]
    return OWN if unit.own else unit_label(unit, names.get(part.provisioner))


def _pause_label(build: Build, part: packer_model.Stretch, names: Mapping[int, str]) -> str:
    """A pause with the provisioner that it is before or after; empty for another part, or where it is not known."""
    found = _PAUSE.fullmatch(part.text) if part.name == "pause" else None
    if found is None:
        return ""
    before = found["which"] == "before"
    rest = [one for one in build.account if (one.started_at > part.started_at) is before and one is not part]
    near = next((one for one in (rest if before else reversed(rest)) if one.name not in _BETWEEN), None)
    if near is None or near.provisioner is None:
        return ""
    return f"{safe(found['start'])} {part_label(build, near, names)}"


def mark_of(unit: Provisioner) -> str:
    """`failed`, `timed out`, `failed, ignored`; empty for a provisioner that did not fail, as far as is known."""
    word = FAILED.get(unit.status, "")
    return f"{word}, ignored" if word and unit.ignored else word


def _untimed(build: Build, names: dict[int, str]) -> Iterable[Stretch]:
    """What a log without times tells: what was done, and in which order."""
    parts: list[Phase | Provisioner] = sorted([*build.phases, *build.provisioners], key=place)
    places = {id(part): index for index, part in enumerate(build.provisioners)}
    for part in parts:
        if not (isinstance(part, Provisioner) and part.own):
            at = places.get(id(part))
            yield replace(stretch(part, None, names.get(-1 if at is None else at)), provisioner=at)


def place(part: Phase | Provisioner) -> tuple[bool, float, int]:
    """Where a part belongs: by its time, else by its line.

    Documents of before lines were kept have what comes before a machine answers, provisioners, and the rest.
    """
    turn = 1 if isinstance(part, Provisioner) else 0 if part.name in BEFORE_PROVISIONING else 2
    return part.started_at is None, part.started_at or 0.0, turn if part.line is None else part.line


def _folded(stretches: Iterable[Stretch]) -> Iterable[Stretch]:
    """The stretches; phases in a row that took no time worth a line are one, silence without length is none."""
    for instant, group in groupby(stretches, key=_instant):
        row = [stretch for stretch in group if not (instant and stretch.kind == "unattributed")]
        if instant and len(row) >= FEWEST_FOLDED:
            label = f"{row[0].label} and {len(row) - 1} more"
            yield replace(row[0], label=label, duration_s=sum(stretch.duration_s or 0.0 for stretch in row))
        else:
            yield from row


def _instant(stretch: Stretch) -> bool:
    told = stretch.kind == "provisioner" or stretch.label.startswith("post-processor ")
    return not told and stretch.duration_s is not None and stretch.duration_s < INSTANT_S


def stretch(part: Phase | Provisioner, zero: float | None, name: str | None = None) -> Stretch:
    """A part of a build as a bar that counts from `zero` (Unix seconds); `name` stands for its detail.

    Args:
        part: the phase or provisioner.
        zero: the instant that its start is counted from, Unix seconds; None: no start is known.
        name: as for `unit_label`.
    """
    start, end = part.started_at, part.ended_at
    parts = told_parts(part)
    inner, inner_cut = inner_rows(parts, zero, start, None)
    return Stretch(
        kind="phase" if isinstance(part, Phase) else "provisioner",
        label=phase_label(part.name, part.text) if isinstance(part, Phase) else unit_label(part, name),
        mark=mark_of(part) if isinstance(part, Provisioner) else "",
        own=isinstance(part, Provisioner) and part.own,
        start_s=None if start is None or zero is None else start - zero,
        duration_s=None if start is None or end is None else end - start,
        parts=parts,
        inner=inner,
        inner_cut=inner_cut,
    )
