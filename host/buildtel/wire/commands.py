"""What an `execute_command` does with buildtel: measures the step, does not, or is put together wrongly."""

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
_VARIABLES = re.compile(r"\{\{-?\s*\.Vars\b")
_ALONE = re.compile(r"\$\{\s*(local\.buildtel_\w+)\s*\}")
# A `var` without a value can't hold buildtel's text: Packer allows no names in it.
_ONLY_PACKER_KNOWS = re.compile(r"(?<!\$)\$\{(?!\s*(?:var|path|build|packer)\.[\w.]+\s*\})")


class Measured(Enum):
    """What a shell provisioner's command means for level 2."""

    STEP = "one of buildtel's own commands"
    WRAPPED = "the user's command between buildtel's pieces"
    UNSET = "none set: Packer's default"
    FOREIGN = "the user's command, buildtel not in it"
    BROKEN = "buildtel's pieces, put together wrongly"
    UNKNOWN = "an expression that only Packer can evaluate"


MEASURED = frozenset({Measured.STEP, Measured.WRAPPED})


def measured(alternatives: tuple[str | None, ...]) -> Measured:
    """What a command means that can be any of these; UNKNOWN if only some of them are measured."""
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
    """What is wrong with a command that uses buildtel's names; nothing if it is right."""
    alone = _ALONE.fullmatch(text.strip())
    if alone:
        yield f"{alone[1]} alone is not a command for a step"
        return
    pre, post = list(_PRE.finditer(text)), list(_POST.finditer(text))
    if len(pre) != 1 or len(post) != 1:
        yield _counted(len(pre), len(post))
        return
    before, after = text[: pre[0].start()], text[post[0].end() :]
    if pre[0].end() > post[0].start():
        yield "buildtel_post stands before buildtel_pre"
    elif before.strip() or after.strip():
        yield "buildtel_pre must come before the whole command and buildtel_post after it, outside of any quotes"
    elif not _RUNS_SCRIPT.search(text[pre[0].end() : post[0].start()]):
        yield "it never runs the script ({{ .Path }}) between buildtel_pre and buildtel_post"


def quotes_variables(text: str | None) -> bool:
    """Whether `{{ .Vars }}` stands inside single quotes, which a value with a space breaks silently."""
    inside_quotes = (text or "").split("'")[1::2]
    return any(_VARIABLES.search(part) for part in inside_quotes)


def _counted(pre: int, post: int) -> str:
    if pre == 0 and post == 0:
        return "buildtel's names are in the command, but not buildtel_pre and buildtel_post"
    if pre > 1 or post > 1:
        return "buildtel_pre and buildtel_post may each stand there once only"
    there, missing = ("buildtel_pre", "buildtel_post") if pre else ("buildtel_post", "buildtel_pre")
    return f"{there} stands there without {missing}"
