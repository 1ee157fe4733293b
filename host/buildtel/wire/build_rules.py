"""The rules of `wire --check` for one build: guests, buildtel's provisioners, the user's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain

from buildtel.wire import execute_command
from buildtel.wire.build_block import Build, Source
from buildtel.wire.execute_command import Measured
from buildtel.wire.finding import NOTE, UNMEASURED, WRONG, Finding
from buildtel.wire.guests import WINDOWS_KINDS
from buildtel.wire.provisioner_block import HOST_KINDS, Command, Provisioner, shown

_USE_STEP = "Set execute_command = local.buildtel_execute_command"
_USE_STEP_WITH_FILE = (
    'Set execute_command = "${local.buildtel_pre}chmod +x {{ .Path }}; . {{ .EnvVarFile }} && {{ .Path }}"'
)
_USE_SUDO_WITH_FILE = _USE_STEP_WITH_FILE.replace("&& {{", "&& sudo -n -E {{")
_UNNAMED = "has BUILDTEL_STEP, which can't reach the sampler: {}. Until then the step has the script's name"
_NAME_IN_FILE = (
    "use_env_var_file puts it into a file, read after buildtel_pre. Write execute_command ="
    ' "chmod +x {{ .Path }}; . {{ .EnvVarFile }} && { ${local.buildtel_pre}{{ .Path }}; }"'
)
_NAME_NOWHERE = (
    "the execute_command has no {{ .Vars }}. Write it there, or BUILDTEL_STEP=NAME, as in"
    ' "${local.buildtel_pre}{{ .Vars }} YOUR COMMAND"'
)
_ORDER = {
    "first": "{} runs before it ({}) and is not measured. Move it up",
    "last": "{} runs after it ({}) and is not measured. Move it down",
}
_MISSING = {"first": "the VM is not measured", "last": "the agent would stay in the image"}


def ignored(build: Build) -> Iterator[Finding]:
    """A note for the build or each source that a comment excludes."""
    blocks = [build.block] if build.block.ignored else [s.declared for s in build.sources if s.ignored and s.declared]
    for block in blocks:
        title = build.title if block is build.block else f"source {'.'.join(block.labels)}"
        yield Finding(NOTE, block.path, block.line, f"{title} is not checked: a comment says `buildtel: ignore`")


def guests(build: Build) -> Iterator[Finding]:
    """A note for each source whose guest buildtel does not measure."""
    for source in () if build.block.ignored else build.unmeasurable:
        block = source.declared or build.block
        guest = source.guest
        if guest.is_none:
            text = f"source {source.name} has no guest to measure ({guest.why})"
        else:
            text = f"source {source.name} has a {guest.system} guest ({guest.why}). Leave it unwired"
        yield Finding(NOTE, block.path, block.line, text)


def _first(build: Build) -> Iterator[Finding]:
    yield from _piece(build, "first", build.provisioners)


def _last(build: Build) -> Iterator[Finding]:
    yield from _piece(build, "last", tuple(reversed(build.provisioners)))


def _piece(build: Build, role: str, ordered: tuple[Provisioner, ...]) -> Iterator[Finding]:
    """Check buildtel's first or last provisioner: each Linux guest runs it once, before or after all others."""
    if build.block.ignored:
        return
    pieces = [found for found in ordered if found.role == role and not found.after_errors]
    for piece in pieces:
        yield from _wrong_guests(build, role, piece)
        if not piece.has_agent:
            text = f"buildtel's {role} provisioner must have script = local.buildtel_agent"
            yield _at(piece, WRONG, text)
    if role == "last":
        yield from _left_by_root(build, pieces)
    missing = [source for source in build.measurable if not any(piece.runs_for(source.name) for piece in pieces)]
    if missing:
        yield _missing(build, role, missing, pieces)
    for source in build.measurable:
        yield from _in_order(role, [found for found in ordered if found.runs_for(source.name)])


def _left_by_root(build: Build, last: list[Provisioner]) -> Iterator[Finding]:
    """Check that the last provisioner uses sudo if the first one does: else it can't remove what root wrote."""
    if any(found.role == "first" and found.is_ours_with_sudo for found in build.provisioners):
        text = (
            "buildtel's last provisioner runs without sudo, its first with it: what root wrote would stay in the image."
            " Set execute_command = local.buildtel_finish_command_sudo"
        )
        yield from (_at(piece, WRONG, text) for piece in last if not piece.is_ours_with_sudo)


def _in_order(role: str, ordered: list[Provisioner]) -> Iterator[Finding]:
    """Check what one guest runs: buildtel's provisioner once, and nothing before it."""
    pieces = [found for found in ordered if found.role == role and not found.after_errors]
    in_guest = [found for found in ordered if found.in_guest]
    if pieces and in_guest[0].role != role:
        other = in_guest[0]
        text = f"buildtel's {role} provisioner is not the {role}: {_ORDER[role].format(other.title, other.block.place)}"
        yield _at(pieces[0], WRONG, text)
    for extra in pieces[1:]:
        if extra.block is not pieces[0].block:
            text = f"buildtel's {role} provisioner stands here twice ({pieces[0].block.place}). Delete one"
            yield _at(extra, WRONG, text)


def _wrong_guests(build: Build, role: str, piece: Provisioner) -> Iterator[Finding]:
    wrong = [source for source in build.unmeasurable if piece.runs_for(source.name) and _is_harmed(source)]
    if not wrong:
        return
    because = "; ".join(f"{source.name}: {source.guest.system}, {source.guest.why}" for source in wrong)
    if not build.measurable:
        text = f"buildtel's {role} provisioner can't run in this build ({because}). Delete it"
    else:
        names = ", ".join(f'"{source.name}"' for source in build.measurable)
        text = f"buildtel's {role} provisioner also runs where it can't measure ({because}). Add only = [{names}]"
    yield _at(piece, WRONG, text)


def _is_harmed(source: Source) -> bool:
    """Whether a provisioner can fail there; a "file" source lets every provisioner pass and runs none."""
    return not source.name.startswith("file.")


def _missing(build: Build, role: str, missing: list[Source], pieces: list[Provisioner]) -> Finding:
    if not pieces:
        is_alone = role == "last" and not any(found.role == "first" for found in build.provisioners)
        why = "it removes what the first one leaves" if is_alone else _MISSING[role]
        text = f"{build.title} lacks buildtel's {role} provisioner: {why}. `buildtel-host wire` prints it"
        return Finding(WRONG, build.block.path, build.block.line, text)
    names = ", ".join(source.name for source in missing)
    text = f"buildtel's {role} provisioner does not run for {names}. Check its only and except: each name is TYPE.NAME"
    return _at(pieces[0], WRONG, text)


def _provisioners(build: Build) -> Iterator[Finding]:
    for provisioner in build.provisioners:
        if provisioner.role == "first" and provisioner.after_errors:
            yield _at(provisioner, WRONG, f"an {provisioner.block.kind} can't be buildtel's first provisioner")
        sources = build.measured_for(provisioner)
        if provisioner.role == "user" and sources and not provisioner.block.ignored:
            for level, line, text in _judge(provisioner, sources):
                yield Finding(level, provisioner.block.path, line, f"{provisioner.title} {text}")


def _judge(provisioner: Provisioner, sources: frozenset[str]) -> Iterator[tuple[str, int, str]]:
    line = provisioner.block.line
    if provisioner.has_agent:
        yield WRONG, line, "runs the agent, but has none of buildtel's commands: its execute_command is missing"
    elif provisioner.kind in WINDOWS_KINDS:
        yield NOTE, line, "is for Windows guests: only its time is known"
    elif provisioner.kind in HOST_KINDS:
        yield NOTE, line, "runs on the host, not in the VM: timed, and measured by the runner's counters"
    elif provisioner.kind != "shell":
        yield NOTE, line, "has no execute_command: level 1, measured from the samples of the VM's whole life"
    else:
        for command in provisioner.commands_for(sources):
            yield from _judge_command(provisioner, command)


def _judge_command(provisioner: Provisioner, command: Command) -> Iterator[tuple[str, int, str]]:
    of = "" if command.sources is None else f"for {', '.join(sorted(command.sources))} (override) "
    line = provisioner.block.line if command.sources is None else command.line
    for level, text in chain(_state(provisioner, command), _environment(provisioner, command)):
        yield level, line, of + text


def _state(provisioner: Provisioner, command: Command) -> Iterator[tuple[str, str]]:
    state, texts = execute_command.measured(command.alternatives), command.alternatives
    wrap = f"Write {_wrapped(provisioner, command)}"
    level = NOTE if provisioner.after_errors else UNMEASURED
    if state is Measured.UNSET:
        step = _USE_STEP_WITH_FILE if provisioner.environment_file else _USE_STEP
        yield level, f"is not measured as a step. {step}"
    elif state is Measured.FOREIGN:
        yield level, f"is not measured as a step: it has its own execute_command. {wrap}"
    elif state is Measured.UNKNOWN:
        expression = shown(provisioner.body.text("execute_command") or "")
        text = f"has an execute_command that only Packer can evaluate ({expression}). Make sure it runs buildtel's"
        yield NOTE, text
    elif state is Measured.BROKEN:
        faults = dict.fromkeys(
            fault for text in texts if text and "buildtel_" in text for fault in execute_command.faults(text)
        )
        yield from ((WRONG, f"has an incorrect execute_command: {fault}. {wrap}") for fault in faults)


def _environment(provisioner: Provisioner, command: Command) -> Iterator[tuple[str, str]]:
    """With use_env_var_file Packer makes {{ .Vars }} lines of `export`, which `sudo env` takes for a command."""
    texts = command.alternatives
    if provisioner.environment_file and execute_command.STEP_COMMAND_SUDO in texts:
        yield WRONG, f"has use_env_var_file, with which `sudo env` fails. {_USE_SUDO_WITH_FILE}"
    elif provisioner.environment_file and execute_command.STEP_COMMAND in texts:
        text = (
            "has use_env_var_file, but buildtel's command puts the variables on the command line"
        )
        yield NOTE, f"{text}. {_USE_STEP_WITH_FILE}"
    hides = any(execute_command.hides_name(text, in_file=provisioner.environment_file) for text in texts)
    if provisioner.has_step_name and execute_command.measured(texts) in execute_command.MEASURED and hides:
        yield NOTE, _UNNAMED.format(_NAME_IN_FILE if provisioner.environment_file else _NAME_NOWHERE)
    if any(map(execute_command.quotes_variables, texts)):
        yield NOTE, "has {{ .Vars }} inside quotes: for a value with a space the script does not run, without an error"


def _wrapped(provisioner: Provisioner, command: Command) -> str:
    """The command to write instead of the user's; a reference stays a reference."""
    expression = provisioner.body.text("execute_command") or ""
    named = command.sources is None and re.fullmatch(r"(?:local|var)(?:\.\w+)+", expression)
    inner = f"${{{expression}}}" if named and "buildtel_" not in expression else "YOUR COMMAND"
    return f'"${{local.buildtel_pre}}{inner}"'


def _at(provisioner: Provisioner, level: str, text: str) -> Finding:
    return Finding(level, provisioner.block.path, provisioner.block.line, text)


BUILD_RULES: tuple[Callable[[Build], Iterator[Finding]], ...] = (ignored, guests, _first, _provisioners, _last)
