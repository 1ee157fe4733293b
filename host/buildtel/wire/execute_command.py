"""Classifies an `execute_command`: it measures the step, does not, or is incorrect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

STEP_COMMAND = "${local.buildtel_execute_command}"
STEP_COMMAND_SUDO = "${local.buildtel_execute_command_sudo}"

_PRE = re.compile(r"\$\{\s*local\.buildtel_pre\s*\}")
_POST = re.compile(r"\$\{\s*local\.buildtel_post\s*\}")
_WORDS = re.compile(r"\$\{\s*local\.buildtel_words(?:_sudo)?\s*\}\{\{-?\s*\.Path\b")
_RUNS_SCRIPT = re.compile(r"\{\{-?\s*\.Path\b|(?<!\$)\$\{")
_VARIABLES_FILE = re.compile(r"\{\{-?\s*\.EnvVarFile\b")
_COMMAND_BEGINS = re.compile(r"(?:^|[;({\n])\s*$")
_QUOTED = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.", re.DOTALL)
_VARIABLES = re.compile(r"\{\{-?\s*\.Vars\b")
_ALONE = re.compile(r"\$\{\s*(local\.buildtel_\w+)\s*\}")
# A `var` without a value can't hold buildtel's text: Packer allows no names in it.
_ONLY_PACKER_KNOWS = re.compile(r"(?<!\$)\$\{(?!\s*(?:var|path|build|packer)\.[\w.]+\s*\})")


class Measured(Enum):
    """What a shell provisioner's command means for level 2."""

    STEP = "one of buildtel's own commands"
    WRAPPED = "the user's command behind buildtel's piece"
    UNSET = "none set: Packer's default"
    FOREIGN = "the user's command, buildtel not in it"
    BROKEN = "buildtel's pieces, put together wrongly"
    UNKNOWN = "an expression that only Packer can evaluate"


MEASURED = frozenset({Measured.STEP, Measured.WRAPPED})


def measured(alternatives: tuple[str | None, ...]) -> Measured:
    """What a command means that has one of these texts; UNKNOWN if only some of them are measured."""
    found = [_measured(text) for text in alternatives]
    if Measured.BROKEN in found:
        return Measured.BROKEN
    if any(state in MEASURED for state in found):
        return found[0] if all(state in MEASURED for state in found) else Measured.UNKNOWN
    return next((state for state in (Measured.UNKNOWN, Measured.FOREIGN) if state in found), Measured.UNSET)


def _measured(text: str | None) -> Measured:
    if text is None:
        return Measured.UNSET
    if text.strip() in (STEP_COMMAND, STEP_COMMAND_SUDO) or _WORDS.search(text):
        return Measured.STEP
    if re.search(r"\$\{\s*local\.buildtel_\w+\s*\}", text):
        if "%{" in text.replace("%%{", ""):
            return Measured.UNKNOWN
        return Measured.BROKEN if any(faults(text)) else Measured.WRAPPED
    return Measured.UNKNOWN if _ONLY_PACKER_KNOWS.search(text) else Measured.FOREIGN


def faults(text: str) -> Iterator[str]:
    """The faults of a command that uses buildtel's names; none if it is correct."""
    alone = _ALONE.fullmatch(text.strip())
    if alone:
        yield f"{alone[1]} alone is not a command for a step"
        return
    pre, post = list(_PRE.finditer(text)), list(_POST.finditer(text))
    if len(pre) != 1 or len(post) > 1:
        yield _counted(len(pre), len(post))
        return
    begin, end = pre[0].end(), post[0].start() if post else len(text)
    before, after = text[: pre[0].start()], text[post[0].end() :] if post else ""
    if begin > end:
        yield "buildtel_post stands before buildtel_pre"
    elif after.strip() or (post and before.strip()):
        yield "buildtel_pre must come before the whole command and buildtel_post after it, outside of any quotes"
    elif not _COMMAND_BEGINS.search(before) or not _is_outside_quotes(before):
        yield "buildtel_pre must come before the command, outside of any quotes"
    elif not _RUNS_SCRIPT.search(text[begin:end]):
        yield "it never runs the script ({{ .Path }}) behind buildtel_pre"


def _is_outside_quotes(before: str) -> bool:
    """Whether the text that follows is outside of the shell's quotes."""
    return not re.search(r"[\"']", _QUOTED.sub("", before))


def hides_name(text: str | None, *, in_file: bool) -> bool:
    """Whether a measured command keeps `BUILDTEL_STEP` from the sampler.

    The sampler reads it on the command line of the step's shell, or in the environment in which buildtel_pre runs.

    Args:
        text: the command.
        in_file: Packer writes the variables into a file (`use_env_var_file`).
    """
    if text is None or _ALONE.fullmatch(text.strip()) or _VARIABLES.search(text) or "BUILDTEL_STEP=" in text:
        return False
    if _ONLY_PACKER_KNOWS.search(_POST.sub("", _PRE.sub("", text))):
        return False
    read, pre = _VARIABLES_FILE.search(text), _PRE.search(text)
    return not (in_file and read and pre and read.start() < pre.start())


def quotes_variables(text: str | None) -> bool:
    """Whether `{{ .Vars }}` stands inside single quotes, which a value with a space breaks silently."""
    inside_quotes = (text or "").split("'")[1::2]
    return any(_VARIABLES.search(part) for part in inside_quotes)


def _counted(pre: int, post: int) -> str:
    if pre == 0 and post == 0:
        return "buildtel's names are in the command, but not buildtel_pre"
    if pre > 1 or post > 1:
        return "buildtel_pre and buildtel_post may each stand there once only"
    return "buildtel_post stands there without buildtel_pre"
