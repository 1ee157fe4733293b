"""What slowed a build down, and what would help: one finding for each cause of each part of it, from severe to low.

A finding says by which figures it was found, what it would save at least and at most, what to do, and what is not
known. Nothing under 5 s and 2 % of a build is blamed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from buildtel.insight.cause_account import CauseAccount, Slice, Source, cause_accounts
from buildtel.insight.causes import CAUSE, FIGURES, UNKNOWN, advice_on
from buildtel.insight.connecting import most_tries
from buildtel.insight.script_times import ScriptTime
from buildtel.insight.sizes import Size, too_large
from buildtel.insight.step_names import StepNames
from buildtel.insight.stretches import part_label, phase_of
from buildtel.insight.symptoms import HELD, Symptom, symptoms
from buildtel.job import JobDocument
from buildtel.job.model import Step
from buildtel.text import safe
from buildtel.timeline.packer_model import Stretch
from buildtel.timeline.provisioner_run import SHELL_LOCAL

Severity = Literal["severe", "high", "moderate", "low"]
LEAST_S = 5.0
LEAST_PERCENT = 2.0
# From which share of the build on, in percent, what a finding would save at most makes it so severe.
SEVERITIES: tuple[tuple[float, Severity], ...] = ((40.0, "severe"), (20.0, "high"), (8.0, "moderate"), (0.0, "low"))
UNKNOWN_PERCENT = 25.0  # of a build whose causes are not known: worth a word
MOST_COMMANDS = 3
_ABOUT: dict[Source, tuple[str, ...]] = {
    "log": (),
    "guest": ("the figures are of the whole machine, not of this step alone",),
    "runner": ("seen from the runner: what else runs there counts, too",),
}
_MISSING: dict[Source, tuple[str, ...]] = {
    "log": (),
    "guest": (),
    "runner": ("no samples from inside the machine: `buildtel-host wire DIR` shows how to get them",),
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """A figure that a finding rests on: its name, the mean over the finding's time (of a step: its own), its unit."""

    figure: str
    value: float
    unit: str

    @property
    def words(self) -> str:
        """`io pressure 62%`, `no KVM`, of a figure of samples (`causes.FIGURES`)."""
        word = FIGURES[self.figure].word
        if FIGURES[self.figure].flag:
            return word
        text = f"{self.value:.0f}" if abs(self.value) >= 10 else f"{self.value:.2g}"
        return f"{word} {text}{self.unit if self.unit in ('%', '') else ' ' + self.unit}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A part of a build that one cause made longer; all texts are safe to print.

    `machine` is the guest's name in the document, `provisioner` the part's place among the build's provisioners.
    `saves_s` is how much shorter the build were without it, at least and at most, in seconds.
    """

    cause: str
    severity: Severity
    build: str
    machine: str | None
    provisioner: int | None
    where: str
    seconds: float
    words: str
    evidence: tuple[Evidence, ...]
    saves_s: tuple[float, float]
    advice: str
    caveats: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def findings(document: JobDocument, accounts: list[CauseAccount] | None = None) -> list[Finding]:
    """The findings of all builds of a document, the most severe first, of one severity the longest first.

    Args:
        document: of this version or of the original.
        accounts: its accounts of causes, where they are there already.
    """
    names = StepNames(document)
    found = [
        finding
        for account in (cause_accounts(document) if accounts is None else accounts)
        for finding in _of_account(account, names.of(account.build, account.machine), document.steps)
    ]
    said = {(finding.machine, finding.provisioner, finding.cause) for finding in found}
    found += [_of_symptom(one, document) for one in symptoms(document, LEAST_S, LEAST_PERCENT, said)]
    found += [_of_size(size) for size in too_large(document)]
    order = [severity for _, severity in SEVERITIES]
    return sorted(found, key=lambda finding: (order.index(finding.severity), -finding.saves_s[1], -finding.seconds))


def _of_account(account: CauseAccount, names: dict[int, str], steps: list[Step]) -> Iterator[Finding]:
    total_s = account.total_s
    groups: dict[tuple[int, str], list[Slice]] = {}
    for part in account.slices:
        groups.setdefault((part.stretch, part.cause), []).append(part)
    unknown_s = 0.0
    for (stretch, cause), parts in groups.items():
        seconds = sum(part.seconds for part in parts)
        if cause == UNKNOWN:
            unknown_s += seconds
        elif cause != "packer" and seconds >= LEAST_S and seconds * 100 >= LEAST_PERCENT * total_s:
            yield _of_group(account, account.build.account[stretch], parts, (names, steps))
    yield from _of_held(account, names)
    if account.machine is not None and unknown_s >= LEAST_S and unknown_s * 100 >= UNKNOWN_PERCENT * total_s:
        yield _of_unknown(account, unknown_s)


def _of_group(
    account: CauseAccount, stretch: Stretch, parts: list[Slice], told: tuple[dict[int, str], list[Step]]
) -> Finding:
    """The finding of one cause in one part of the build's account; `told` has names of its steps, and the steps."""
    names, steps = told
    cause, seconds = CAUSE[parts[0].cause], sum(part.seconds for part in parts)
    evidence = tuple(_evidence(parts))
    least_s, most_s = _share(parts, cause.saves[0], 0.0), _share(parts, cause.saves[1], 100.0)
    holder = next((part.holder for part in parts if part.holder and cause.id == "lock"), "")
    waited = phase_of(stretch, account.build) if cause.id == "boot_ssh" else None
    tries = most_tries(account.build, waited, seconds)
    advice = advice_on(cause.id, stretch.name) if tries is None else tries[1]
    commands = _commands(steps, account.machine, stretch.provisioner) if parts[0].source != "log" else ""
    sources = dict.fromkeys(part.source for part in parts)
    finding = Finding(
        cause=cause.id,
        severity=_severity(most_s, account.total_s) if cause.avoidable else "low",
        build=safe(account.build.name),
        machine=account.machine,
        provisioner=stretch.provisioner,
        where=part_label(account.build, stretch, names),
        seconds=round(seconds, 3),
        words=f"{cause.words}{f', held by {safe(holder)}' if holder else ''}{f' ({safe(tries[0])})' if tries else ''}",
        evidence=evidence,
        saves_s=(round(min(least_s, most_s), 3), round(most_s, 3)),
        advice=f"{advice}{f' (busiest: {commands})' if commands else ''}",
        caveats=tuple(_caveats(parts, sources)),
        missing=tuple(text for source in sources for text in _MISSING[source]) if _is_guests(account, stretch) else (),
    )
    return _beside_others(finding, account)


def _caveats(parts: list[Slice], sources: Iterable[Source]) -> Iterator[str]:
    """Of what the figures are: of the machine, or the CPU of the step alone."""
    others = _mean(parts, "others_cpus")
    if others is not None:
        yield f"others in the machine used {others:.1f} CPUs at the same time, which are not counted here"
    for source in sources if others is None else ():
        yield from _ABOUT[source]


def _is_guests(account: CauseAccount, stretch: Stretch) -> bool:
    """Whether a part of a build ran in its guest, so that samples of the guest would tell more."""
    place = stretch.provisioner
    return place is not None and account.build.provisioners[place].kind != SHELL_LOCAL


def _beside_others(finding: Finding, account: CauseAccount) -> Finding:
    """What a build that did not end last would save is not saved by the run."""
    if account.build.critical or not account.has_others:
        return finding
    caveat = "another build ended later: the run gets no shorter by this alone"
    return replace(finding, severity="low", saves_s=(0.0, 0.0), caveats=(*finding.caveats, caveat))


def _of_held(account: CauseAccount, names: dict[int, str]) -> Iterator[Finding]:
    """Of each script behind whose end Packer waited: mostly for a process that the script began."""
    for place, script in account.scripts.items():
        held_s, total_s = _held_s(account, place, script), account.total_s
        stretch = next((part for part in account.build.account if part.provisioner == place), None)
        if stretch is None or not script.is_held or held_s < LEAST_S or held_s * 100 < LEAST_PERCENT * total_s:
            continue
        figures = {"before_script_s": script.before_s or 0.0, "behind_script_s": script.behind_s or 0.0}
        finding = Finding(
            cause=HELD.id, severity=_severity(held_s, total_s), build=safe(account.build.name),
            machine=account.machine, provisioner=place, where=part_label(account.build, stretch, names),
            seconds=round(held_s, 3), words=HELD.words, saves_s=(0.0, round(held_s, 3)), advice=HELD.advice,
            evidence=tuple(Evidence(name, round(value, 2), "s") for name, value in figures.items()),
            caveats=("by the times of the step and of Packer's lines: a slow connection looks the same",),
        )  # fmt: skip
        yield _beside_others(finding, account)


def _held_s(account: CauseAccount, place: int, script: ScriptTime) -> float:
    """The time behind the end of a provisioner's script that no figure explains, in seconds."""
    end_ms = script.end_ms or 0
    parts = (part for part in account.slices if account.build.account[part.stretch].provisioner == place)
    return sum(max(part.end_ms - max(part.start_ms, end_ms), 0) for part in parts if part.cause == UNKNOWN) / 1000


def _of_unknown(account: CauseAccount, seconds: float) -> Finding:
    cause = CAUSE[UNKNOWN]
    return Finding(
        cause=UNKNOWN, severity="low", build=safe(account.build.name), machine=account.machine, provisioner=None,
        where="the build", seconds=round(seconds, 3),
        words="no cause is known", evidence=(), saves_s=(0.0, 0.0), advice=cause.advice,
        missing=("samples of the machine at that time, or a rule that tells them",),
    )  # fmt: skip


def _of_symptom(symptom: Symptom, document: JobDocument) -> Finding:
    machine = document.machines.get(symptom.machine or "")
    return Finding(
        cause=symptom.id, severity=symptom.severity, build=safe((machine and machine.target) or ""),
        machine=symptom.machine, provisioner=symptom.provisioner, where=symptom.where, seconds=symptom.seconds,
        words=symptom.words, evidence=tuple(Evidence(*figure) for figure in symptom.figures), saves_s=(0.0, 0.0),
        advice=symptom.advice,
    )  # fmt: skip


def _of_size(size: Size) -> Finding:
    return Finding(
        cause=size.id, severity="low", build=safe(size.machine), machine=size.machine, provisioner=None,
        where=safe(size.machine), seconds=round(size.seconds, 3), saves_s=(0.0, 0.0),
        words=f"has {size.has:g} {size.unit}, at most {size.most:.3g} were in use",
        evidence=(Evidence(size.figure, round(size.most, 1), size.unit),),
        advice="give the machine less, and run more builds at once; or run more of the build side by side",
    )  # fmt: skip


def _evidence(parts: list[Slice]) -> Iterator[Evidence]:
    """The figures that the rules of the parts asked for, each the mean over the time of the parts that have it."""
    names = dict.fromkeys(limit.figure for part in parts if part.rule for limit in part.rule.limits)
    for name in names:
        value = _mean(parts, name)
        if value is not None:
            yield Evidence(name, round(value, 2), FIGURES[name].unit)


def _mean(parts: Iterable[Slice], name: str) -> float | None:
    known = [(part.figures[name], part.seconds) for part in parts if name in part.figures]
    total_s = sum(seconds for _, seconds in known)
    return sum(value * seconds for value, seconds in known) / total_s if total_s else None


def _share(parts: list[Slice], share: float | str, unknown_percent: float) -> float:
    """Seconds of the parts that a share stands for: a number, or a figure in percent of each part, where it has it."""
    if isinstance(share, str):
        return sum(part.seconds * min(part.figures.get(share, unknown_percent), 100.0) / 100 for part in parts)
    return share * sum(part.seconds for part in parts)


def _severity(most_s: float, total_s: float) -> Severity:
    percent = 100 * most_s / total_s if total_s else 0.0
    return next(severity for least, severity in SEVERITIES if percent >= least)


def _commands(steps: list[Step], machine: str | None, provisioner: int | None) -> str:
    """The busiest commands of the steps of a provisioner, as far as they are known."""
    found: dict[str, float] = {}
    for step in steps:
        if step.provisioner is not None and (step.machine, step.provisioner.index) == (machine, provisioner):
            for process in step.processes or ():
                found[process.name] = found.get(process.name, 0.0) + (process.cpu_s or 0.0)
    busiest = sorted(found, key=lambda name: -found[name])[:MOST_COMMANDS]
    return ", ".join(safe(name) for name in busiest if found[name] >= 1)
