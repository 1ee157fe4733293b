"""What Packer did in each build, in order, each with its place on the time axis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Literal

from buildtel.job import JobDocument, packer_model
from buildtel.job.packer_model import Build, PackerRun, Phase, Provisioner
from buildtel.report.words import safe, safe_lines

Kind = Literal["phase", "provisioner", "unattributed"]
Figures = dict[str, float | int | None]
MAX_ROWS = 500
INSTANT_S = 0.05
FEWEST_FOLDED = 3
BEFORE_PROVISIONING = frozenset({
    "prepare", "access", "retrieve_image", "create_media", "create_disk", "create_machine", "boot", "wait_ssh",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stretch:
    """A phase or provisioner: when it began after its build did, how long it took; None if unknown.

    `runner` and `hypervisor` are the figures of the machine around it, and of the build's machine seen from there.
    """

    kind: Kind
    label: str
    own: bool
    start_s: float | None
    duration_s: float | None
    runner: Figures = field(default_factory=dict)
    hypervisor: Figures = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BuildRows:
    """One build. `span_s` is the length of its run's time axis, None without times; `cut` rows were left out."""

    name: str
    result: str
    duration_s: float | None
    error: tuple[str, ...]
    artifacts: tuple[tuple[str, ...], ...]
    span_s: float | None
    stretches: tuple[Stretch, ...]
    cut: int
    critical: bool = False


def build_rows(document: JobDocument) -> list[BuildRows]:
    """The builds of all runs of a document, in its order."""
    runs = document.packer.runs if document.packer else ()
    names = _names(document)
    targets = {(machine.run, machine.target): key for key, machine in document.machines.items()}
    return [
        _rows(build, names.get(targets.get((number, build.name)), {}), _span_s(run))
        for number, run in enumerate(runs, 1)
        for build in run.builds
    ]


def _names(document: JobDocument) -> dict[str | None, dict[int, str]]:
    """By machine and the provisioner's place: the name that the user gave the one step it is."""
    found: dict[str | None, dict[int, list[str]]] = {}
    within = {step.id: step.provisioner.index for step in document.steps if step.id and step.provisioner}
    for step in document.steps:
        place = step.provisioner
        if place is not None and step.measured == "exactly" and within.get(step.parent or "") != place.index:
            named = step.name if step.name not in (place.detail, place.kind) else None
            found.setdefault(step.machine, {}).setdefault(place.index, []).append(named or "")
    return {
        machine: {index: names[0] for index, names in places.items() if len(names) == 1 and names[0]}
        for machine, places in found.items()
    }


def provisioner_label(kind: str, detail: str) -> str:
    """`shell scripts/a.sh`, `ansible`."""
    return safe(f"{kind} {detail}".strip())


def _span_s(run: PackerRun) -> float | None:
    """From the start of a run's builds to the end of the last of them."""
    ends = [build.ended_at for build in run.builds if build.account and build.ended_at is not None]
    return max(ends) - run.started_at if ends and run.started_at is not None else None


def _rows(build: Build, names: dict[int, str], span_s: float | None) -> BuildRows:
    told = _accounted(build, names) if build.account else _untimed(build, names)
    stretches = list(_folded(told))
    return BuildRows(
        name=safe(build.name),
        result=safe(build.result),
        duration_s=build.duration_s,
        error=() if build.error is None else safe_lines(build.error),
        artifacts=tuple(safe_lines(text) for text in build.artifacts),
        span_s=span_s if build.account else None,
        stretches=tuple(stretches[:MAX_ROWS]),
        cut=max(len(stretches) - MAX_ROWS, 0),
        critical=build.critical,
    )


def _accounted(build: Build, names: dict[int, str]) -> Iterable[Stretch]:
    """The account of a build: all of its time."""
    for part in build.account:
        unit = build.provisioners[part.provisioner] if part.provisioner is not None else None
        yield Stretch(
            kind=_kind(part, unit),
            label=_label(part, unit, names),
            own=unit is not None and unit.own,
            start_s=part.started_at - (build.started_at or 0.0),
            duration_s=part.duration_s,
            runner=part.runner or {},
            hypervisor=part.hypervisor or {},
        )


def _kind(part: packer_model.Stretch, unit: Provisioner | None) -> Kind:
    if part.name == "unattributed":
        return "unattributed"
    return "phase" if unit is None or unit.own else "provisioner"


def _label(part: packer_model.Stretch, unit: Provisioner | None, names: dict[int, str]) -> str:
    if unit is None:
        return safe(part.text or part.name)
    if unit.own:
        return "buildtel itself"
    return provisioner_label(unit.kind, names.get(part.provisioner or 0) or unit.detail)


def _untimed(build: Build, names: dict[int, str]) -> Iterable[Stretch]:
    """What a log without times tells: what was done, and in which order."""
    parts: list[Phase | Provisioner] = sorted([*build.phases, *build.provisioners], key=place)
    places = {id(part): index for index, part in enumerate(build.provisioners)}
    for part in parts:
        if not (isinstance(part, Provisioner) and part.own):
            yield stretch(part, None, names.get(places.get(id(part), -1)))


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
    return stretch.kind != "provisioner" and stretch.duration_s is not None and stretch.duration_s < INSTANT_S


def stretch(part: Phase | Provisioner, zero: float | None, name: str | None = None) -> Stretch:
    """A part of a build as a bar that counts from `zero` (Unix seconds); `name` stands for its detail."""
    start, end = part.started_at, part.ended_at
    detail = (name or part.detail) if isinstance(part, Provisioner) else ""
    return Stretch(
        kind="phase" if isinstance(part, Phase) else "provisioner",
        label=safe(part.text or part.name) if isinstance(part, Phase) else provisioner_label(part.kind, detail),
        own=isinstance(part, Provisioner) and part.own,
        start_s=None if start is None or zero is None else start - zero,
        duration_s=None if start is None or end is None else end - start,
    )
