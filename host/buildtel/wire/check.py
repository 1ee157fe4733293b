"""Judging a template's wiring: every provisioner that is not measured, every mistake, with the mend.

A rule is a generator of findings; the tables at the end say which rules there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from buildtel import shipped
from buildtel.wire import place
from buildtel.wire.provisioners import Measured, Provisioner, faults, measured, of_build, quotes_variables, shown
from buildtel.wire.template import Block, Template, read_file, read_head

WRONG = "wrong"
UNMEASURED = "unmeasured"
NOTE = "note"

_WINDOWS_KINDS = ("powershell", "windows-shell", "windows-restart", "windows-update")
_HOST_KINDS = ("shell-local", "breakpoint")
_USE_STEP = "set execute_command = local.buildtel_execute_command"
_WRAP = 'write "${local.buildtel_pre}YOUR COMMAND${local.buildtel_post}"'


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `wire --check` says; `line` is None for a whole file.

    `level` is wrong (does not work as wired), unmeasured (a shell provisioner without level 2) or note.
    """

    level: str
    path: Path
    line: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Build:
    """A build block with what its rules ask about."""

    block: Block
    provisioners: tuple[Provisioner, ...]
    communicators: frozenset[str]

    @property
    def title(self) -> str:
        """How messages name it."""
        return f"build {self.block.text('name') or ''}".strip()


def check(template: Template) -> tuple[Finding, ...]:
    """All findings, the folder's first, then each build's in the order of its provisioners.

    Raises:
        BuildtelError: a file that the judgement needs can't be read.
    """
    builds = [_build(block, template) for block in template.of_kind("build")]
    of_folder = (rule(template) for rule in FOLDER_RULES)
    of_builds = (rule(build) for build in builds for rule in BUILD_RULES)
    return tuple(chain.from_iterable(chain(of_folder, of_builds)))


def measured_steps(template: Template) -> tuple[int, int]:
    """How many of the user's shell provisioners are measured at level 2, and how many there are."""
    shells = [
        measured(provisioner.command)
        for block in template.of_kind("build")
        for provisioner in of_build(block, template)
        if provisioner.role == "user" and provisioner.kind == "shell"
    ]
    return sum(state in (Measured.STEP, Measured.WRAPPED) for state in shells), len(shells)


def _build(block: Block, template: Template) -> Build:
    return Build(block, of_build(block, template), frozenset(_communicators(block, template)))


def _communicators(block: Block, template: Template) -> Iterator[str]:
    """The communicators of a build's sources, as far as the template says them; Packer's default is ssh."""
    inner = {source.labels[0] for source in block.blocks if source.kind == "source" and source.labels}
    listed = set(re.findall(r'"(?:source\.)?([\w-]+\.[\w-]+)"', block.text("sources") or ""))
    for source in template.of_kind("source"):
        if ".".join(source.labels) in listed | {name.removeprefix("source.") for name in inner}:
            yield (template.resolve(source.text("communicator")) or '"ssh"').strip('"')


def _files(template: Template) -> Iterator[Finding]:
    if not any(_has_guest(_build(block, template)) for block in template.of_kind("build")):
        return
    for source in (shipped.agent(), shipped.library()):
        path = template.folder / source.name
        state = place.state(source, path)
        if state is place.State.MISSING:
            yield Finding(WRONG, path, None, f"is missing: run `buildtel-host wire {template.folder}`")
        elif state is not place.State.SAME:
            text = "is not the file of this buildtel: run `buildtel-host wire {}` again{}"
            force = " with --force" if state is place.State.FOREIGN else ""
            yield Finding(WRONG, path, None, text.format(template.folder, force))


def _declared_twice(template: Template) -> Iterator[Finding]:
    ours = set(_declared(read_file(shipped.library())))
    for block in template.blocks:
        if block.path.name == shipped.LIBRARY_NAME:
            continue
        for name in ours.intersection(_declared((block,))):
            text = f"declares {name}, which buildtel.pkr.hcl declares: Packer refuses both; delete one"
            yield Finding(WRONG, block.path, block.line, text)


def _declared(blocks: tuple[Block, ...]) -> Iterator[str]:
    for block in blocks:
        if block.kind in ("variable", "local") and block.labels:
            yield f"{block.kind} {block.labels[0]}"
        elif block.kind == "locals":
            yield from (f"local {name}" for name in block.attributes)


def _switched_off(template: Template) -> Iterator[Finding]:
    for path in sorted(template.folder.glob("*.auto.pkrvars.hcl")):
        text = read_head(path).decode("utf-8", "replace")
        for number, line in enumerate(text.split("\n"), start=1):
            if re.match(r'\s*buildtel_enabled\s*=\s*"?false', line):
                yield Finding(WRONG, path, number, "turns buildtel off: nothing is measured; delete the line")


def _no_build(template: Template) -> Iterator[Finding]:
    if not any(template.of_kind("build")):
        text = "no *.pkr.hcl here has a build block: name the folder of the template"
        yield Finding(WRONG, template.folder, None, text)


def _json(template: Template) -> Iterator[Finding]:
    for path in template.json_files + template.legacy_files:
        text = "a JSON template can't be wired: level 0 only (`buildtel-host packer build …`)"
        yield Finding(NOTE, path, None, text)


def _guest(build: Build) -> Iterator[Finding]:
    where = (build.block.path, build.block.line)
    if "winrm" in build.communicators:
        yield Finding(NOTE, *where, f"{build.title} has a Windows guest: level 0 only, leave it unwired")
    if "none" in build.communicators:
        yield Finding(NOTE, *where, f"{build.title} has a source without a communicator: no guest to measure")


def _has_guest(build: Build) -> bool:
    return not build.communicators or bool(build.communicators - {"winrm", "none"})


def _first(build: Build) -> Iterator[Finding]:
    yield from _end_piece(build, "first", build.provisioners)


def _last(build: Build) -> Iterator[Finding]:
    yield from _end_piece(build, "last", tuple(reversed(build.provisioners)))


def _end_piece(build: Build, role: str, ordered: tuple[Provisioner, ...]) -> Iterator[Finding]:
    """Our first (or, from the other end, last) provisioner: there, once, at its end, with the agent."""
    pieces = [provisioner for provisioner in ordered if provisioner.role == role]
    if not _has_guest(build):
        for piece in pieces:
            yield Finding(WRONG, piece.path, piece.line, f"buildtel's {role} provisioner can't run in this build")
        return
    if not pieces:
        yield Finding(WRONG, build.block.path, build.block.line, _missing_piece(build, role))
        return
    in_guest = [provisioner for provisioner in ordered if provisioner.kind not in _HOST_KINDS]
    if in_guest[0].role != role:
        text = f"buildtel's {role} provisioner is not the {role}: {_ORDER[role].format(in_guest[0].title)}"
        yield Finding(WRONG, pieces[0].path, pieces[0].line, text)
    for extra in pieces[1:]:
        yield Finding(WRONG, extra.path, extra.line, f"buildtel's {role} provisioner stands here twice: delete one")
    if "script" in pieces[0].body.attributes and not _is_agent(pieces[0]):
        text = f"buildtel's {role} provisioner must have script = local.buildtel_agent"
        yield Finding(WRONG, pieces[0].path, pieces[0].line, text)


_ORDER = {
    "first": "{} runs before it and is not measured; move it up",
    "last": "{} runs after it and is not measured; move it down",
}


def _missing_piece(build: Build, role: str) -> str:
    ends = {"first": "the VM is not measured", "last": "the agent would stay in the image"}
    return f"{build.title} lacks buildtel's {role} provisioner: {ends[role]}; `buildtel-host wire` prints it"


def _is_agent(piece: Provisioner) -> bool:
    return (piece.body.text("script") or "") in ("local.buildtel_agent", "provisioner.value.script")


def _provisioners(build: Build) -> Iterator[Finding]:
    for provisioner in build.provisioners:
        if provisioner.role != "user" or not _has_guest(build):
            continue
        for level, text in _judge(provisioner):
            yield Finding(level, provisioner.path, provisioner.line, f"{provisioner.title} {text}")


def _judge(provisioner: Provisioner) -> Iterator[tuple[str, str]]:
    if provisioner.kind in _WINDOWS_KINDS:
        yield NOTE, "is for Windows guests: level 0, timed only"
    elif provisioner.kind in _HOST_KINDS:
        yield NOTE, "runs on the host, not in the VM: timed, and measured by the runner's counters"
    elif provisioner.kind != "shell":
        yield NOTE, "has no execute_command: level 1, measured by the sampler that runs all the VM's life"
    else:
        yield from _judge_shell(provisioner)


def _judge_shell(provisioner: Provisioner) -> Iterator[tuple[str, str]]:
    state, command = measured(provisioner.command), provisioner.command or ""
    if state is Measured.UNSET:
        yield UNMEASURED, f"is not measured as a step: {_USE_STEP}"
    elif state is Measured.FOREIGN:
        yield UNMEASURED, f"is not measured as a step: it has its own execute_command; {_WRAP}"
    elif state is Measured.UNKNOWN:
        yield (
            NOTE,
            f"has an execute_command that only Packer can evaluate ({shown(command)}): see that it runs buildtel's",
        )
    elif state is Measured.BROKEN:
        yield from ((WRONG, f"is wired wrongly: {fault}; {_WRAP}") for fault in faults(command))
    elif state is Measured.STEP and provisioner.body.text("use_env_var_file") == "true":
        yield WRONG, f"has use_env_var_file, which buildtel's command does not read: {_WRAP}"
    if quotes_variables(command):
        yield NOTE, "has {{ .Vars }} inside quotes: with a value that holds a space the script silently does not run"


FOLDER_RULES: tuple[Callable[[Template], Iterator[Finding]], ...] = (
    _files,
    _declared_twice,
    _switched_off,
    _no_build,
    _json,
)
BUILD_RULES: tuple[Callable[[Build], Iterator[Finding]], ...] = (_guest, _first, _provisioners, _last)
