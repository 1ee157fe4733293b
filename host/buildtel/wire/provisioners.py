"""One provisioner of a template: which it is, and what its `execute_command` does with buildtel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from buildtel.wire.template import Block, Template

FIRST_COMMAND = "local.buildtel_install_command"
LAST_COMMAND = "local.buildtel_finish_command"
STEP_COMMANDS = frozenset({"local.buildtel_execute_command", "local.buildtel_execute_command_sudo"})

_PRE = re.compile(r"\$\{\s*local\.buildtel_pre\s*\}")
_POST = re.compile(r"\$\{\s*local\.buildtel_post\s*\}")
_RUNS_SCRIPT = re.compile(r"\{\{\s*\.Path\s*\}\}")
_OUR_NAME_ALONE = re.compile(r"local\.buildtel_\w+")
_REFERENCE = re.compile(r"\b(?:local|provisioner|each)\.\w")
_HEREDOC = re.compile(r"<<-?\s*(\w+)\n(.*)\n\s*\1", re.DOTALL)
_VARIABLES = re.compile(r"\{\{\s*\.Vars\s*\}\}")
_SHOWN = 60
_BY_FOR_EACH = {"local.buildtel_first": "first", "local.buildtel_last": "last"}
_BY_COMMAND = {
    FIRST_COMMAND: "first",
    LAST_COMMAND: "last",
    "local.buildtel_spool_command": "spool",
    "local.buildtel_rescue_command": "spool",
}


class Measured(Enum):
    """What a shell provisioner's `execute_command` means for level 2."""

    STEP = "one of buildtel's own commands"
    WRAPPED = "the user's command between buildtel's pieces"
    UNSET = "none set: Packer's default"
    FOREIGN = "the user's command, buildtel not in it"
    BROKEN = "buildtel's pieces, put together wrongly"
    UNKNOWN = "an expression that only Packer can evaluate"


@dataclass(frozen=True, slots=True)
class Provisioner:
    """A provisioner of a build block; `number` counts from 1 and leaves out buildtel's own.

    `role` is first, last, spool (buildtel's own) or user; `command` its execute_command, names followed.
    """

    kind: str
    role: str
    number: int
    body: Block
    command: str | None
    path: Path
    line: int

    @property
    def title(self) -> str:
        """How messages name it."""
        script = self.body.text("script") or self.body.text("scripts") or self.body.text("playbook_file")
        words = f'provisioner "{self.kind}" number {self.number}'
        return words if script is None else f"{words} ({shown(script)})"


def of_build(build: Block, template: Template) -> tuple[Provisioner, ...]:
    """The provisioners of a build block, in the order they run."""
    found: list[Provisioner] = []
    for block in build.blocks:
        if block.kind == "provisioner" or (block.kind == "dynamic" and block.labels == ("provisioner",)):
            number = 1 + sum(known.role == "user" for known in found)
            found.append(_provisioner(block, template, number))
    return tuple(found)


def measured(command: str | None) -> Measured:
    """What an execute_command, names followed, means for level 2."""
    if command is None:
        return Measured.UNSET
    if command in STEP_COMMANDS:
        return Measured.STEP
    if _inside(command) is None and not _OUR_NAME_ALONE.fullmatch(command):
        return Measured.UNKNOWN if _REFERENCE.search(command) else Measured.FOREIGN
    if "local.buildtel_" not in command:
        return Measured.FOREIGN
    return Measured.BROKEN if any(faults(command)) else Measured.WRAPPED


def faults(command: str) -> Iterator[str]:
    """What is wrong with an execute_command that uses buildtel's names; nothing if it is right."""
    inside = _inside(command)
    if inside is None:
        yield f"{command} is no command for a step"
        return
    pre, post = list(_PRE.finditer(inside)), list(_POST.finditer(inside))
    if len(pre) != 1 or len(post) != 1:
        yield _counted(len(pre), len(post))
        return
    before, after = inside[: pre[0].start()], inside[post[0].end() :]
    if pre[0].end() > post[0].start():
        yield "buildtel_post stands before buildtel_pre"
    elif before.strip() or after.strip():
        yield "buildtel_pre must come before the whole command and buildtel_post after it, outside of any quotes"
    elif not _RUNS_SCRIPT.search(inside[pre[0].end() : post[0].start()]):
        yield "between buildtel_pre and buildtel_post nothing runs {{ .Path }}, the script"


def shown(expression: str) -> str:
    """An expression on one line of bearable length, for messages."""
    line = " ".join(expression.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def quotes_variables(command: str | None) -> bool:
    """Whether `{{ .Vars }}` stands inside single quotes, which a value with a space breaks silently."""
    inside_quotes = (command or "").split("'")[1::2]
    return any(_VARIABLES.search(part) for part in inside_quotes)


def _counted(pre: int, post: int) -> str:
    if pre == 0 and post == 0:
        return "buildtel's names are in the command, but not buildtel_pre and buildtel_post"
    if pre > 1 or post > 1:
        return "buildtel_pre and buildtel_post may each stand there once only"
    there, missing = ("buildtel_pre", "buildtel_post") if pre else ("buildtel_post", "buildtel_pre")
    return f"{there} stands there without {missing}"


def _inside(expression: str) -> str | None:
    """The text of a string or heredoc, None for any other expression."""
    heredoc = _HEREDOC.fullmatch(expression)
    if heredoc:
        return heredoc[2]
    quoted = len(expression) >= 2 and expression[0] == expression[-1] == '"'
    return expression[1:-1] if quoted and not re.search(r'(?<!\\)"\s*[=!?:&|+]', expression[1:-1]) else None


def _provisioner(block: Block, template: Template, number: int) -> Provisioner:
    dynamic = block.kind == "dynamic"
    body = next((inner for inner in block.blocks if inner.kind == "content"), block) if dynamic else block
    command = template.resolve(body.text("execute_command"))
    role = _BY_COMMAND.get(command or "", "user")
    if template.resolve(body.text("source")) == "local.buildtel_spool":
        role = "spool"
    if dynamic:
        role = _BY_FOR_EACH.get(template.resolve(block.text("for_each")) or "", role)
    kind = (block.text("labels") or "").strip('[]" ') if dynamic else "".join(block.labels[:1])
    return Provisioner(kind, role, number, body, command, block.path, block.line)
