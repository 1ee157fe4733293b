"""Reads one provisioner block: its type, its sources, its commands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from buildtel.wire.expressions import Scope
from buildtel.wire.template import Block, Template
from buildtel.wire.value import Symbol, Value, elements, strings, text

ERROR_CLEANUP = "error-cleanup-provisioner"
HOST_KINDS = ("shell-local", "breakpoint")
_SHOWN = 60
_SUDO = re.compile(r"(?<![\w/.-])sudo(?=\s)|buildtel_execute_command_sudo\b")
_AGENT = Symbol("local.buildtel_agent")
_ROLES = {
    "local.buildtel_install_command": "first",
    "local.buildtel_finish_command": "last",
    "local.buildtel_install_command_sudo": "first",
    "local.buildtel_finish_command_sudo": "last",
    "local.buildtel_spool_command": "spool",
    "local.buildtel_rescue_command": "spool",
}
# What the elements of the library's two lists are, see packer/buildtel.pkr.hcl.
_LISTS: Mapping[str, Value] = {
    f"local.buildtel_{role}": ({"script": _AGENT, "execute_command": Symbol(f"local.buildtel_{command}_command")},)
    for role, command in (("first", "install"), ("last", "finish"))
}


@dataclass(frozen=True, slots=True)
class Command:
    """An `execute_command`: every text that it can be, None for Packer's default; and the line that says so.

    `sources` are the names of the sources that it is for, None for all that no other command is for.
    """

    alternatives: tuple[str | None, ...]
    line: int
    sources: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Provisioner:
    """A provisioner of a build, or one element of a `dynamic` one.

    `role` is first, last, spool (buildtel's own) or user. `number` counts from 1 and leaves out buildtel's own.
    `only` and `excluded` are the sources that it runs for and not for; `only` is None where it has no such list.
    `chosen` is true where only Packer knows one of the two. `has_step_name` is true where a variable names its step.
    """

    kind: str
    role: str
    number: int
    body: Block
    block: Block
    script: str | None
    commands: tuple[Command, ...]
    only: frozenset[str] | None
    excluded: frozenset[str]
    chosen: bool
    environment_file: bool
    has_step_name: bool

    @property
    def title(self) -> str:
        """Its name in messages."""
        words = f'{self.block.kind.replace("dynamic", "provisioner")} "{self.kind}"'
        numbered = words if self.after_errors else f"{words} number {self.number}"
        return numbered if self.script is None else f"{numbered} ({self.script})"

    @property
    def is_ours_with_sudo(self) -> bool:
        """Whether it is one of buildtel's own that uses sudo."""
        return self.role != "user" and all(_name(text).endswith("_sudo") for text in self.commands[0].alternatives)

    @property
    def sudo_line(self) -> int | None:
        """The place where it uses sudo: a command, or a line of `inline`; None without sudo."""
        for command in self.commands:
            if any(_SUDO.search(text or "") for text in command.alternatives):
                return command.line
        return self.body.line_of("inline") if _SUDO.search(self.body.text("inline") or "") else None

    @property
    def after_errors(self) -> bool:
        """Whether it runs only after a failure."""
        return self.block.kind == ERROR_CLEANUP

    @property
    def is_step(self) -> bool:
        """Whether it can be a step of its own: a shell provisioner of the user's that no comment excludes."""
        unusual = self.block.ignored or self.after_errors or self.has_agent
        return self.kind == "shell" and self.role == "user" and not unusual

    @property
    def in_guest(self) -> bool:
        """Whether its place in the order of the guest's provisioners counts."""
        return self.kind not in HOST_KINDS and not self.after_errors

    @property
    def has_agent(self) -> bool:
        """Whether its script is the agent."""
        return self.script == f"{_AGENT.text}"

    def runs_for(self, source: str) -> bool:
        """Whether Packer runs it for a source, named TYPE.NAME."""
        return source not in self.excluded and (self.only is None or source in self.only)

    def commands_for(self, sources: frozenset[str]) -> Iterator[Command]:
        """The commands that run for any of these sources, TYPE.NAME each; an `override` names the NAME alone."""
        left = {source.partition(".")[2] for source in sources}
        for command in self.commands[1:]:
            if left & (command.sources or frozenset()):
                yield command
        if left - frozenset().union(*(command.sources or () for command in self.commands[1:])):
            yield self.commands[0]


def of_build(build: Block, template: Template) -> tuple[Provisioner, ...]:
    """The provisioners of a build block in the order they run; those for errors last.

    Args:
        build: the block.
        template: the template that it is in, whose variables its expressions use.
    """
    found: list[Provisioner] = []
    dynamic = [block for block in build.blocks if block.kind == "dynamic" and block.labels == ("provisioner",)]
    for block in build.blocks:
        if block.kind == "provisioner" or block in dynamic:
            number = 1 + len({known.block.line for known in found if known.role == "user"})
            found += _expanded(block, template, number)
    cleanup = [block for block in build.blocks if block.kind == ERROR_CLEANUP]
    return (*found, *chain.from_iterable(_expanded(block, template, 1) for block in cleanup))


def shown(expression: str) -> str:
    """An expression on one short line, for messages."""
    line = " ".join(expression.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def _expanded(block: Block, template: Template, number: int) -> Iterator[Provisioner]:
    """A static provisioner as it is; a dynamic one once for each element of its `for_each`."""
    if block.kind != "dynamic":
        yield _provisioner(block, block, "".join(block.labels[:1]), template.scope, number)
        return
    body = next((inner for inner in block.blocks if inner.kind == "content"), block)
    iterator = (block.text("iterator") or "provisioner").strip('"')
    scope = template.scope.with_known(_LISTS)
    for collection in scope.values(block.text("for_each")):
        for key, value in elements(collection):
            inner = scope.within(**{iterator: {"key": key, "value": value}})
            kinds = [word for found in inner.values(block.text("labels")) for word in strings(found)]
            yield _provisioner(block, body, kinds[0] if kinds else "unknown", inner, number)


def _provisioner(block: Block, body: Block, kind: str, scope: Scope, number: int) -> Provisioner:
    commands = (_command(body, scope), *_overrides(body, scope))
    roles = [_ROLES[text] for text in map(_name, commands[0].alternatives) if text in _ROLES]
    if Symbol("local.buildtel_spool") in scope.values(body.text("source")):
        roles.append("spool")
    only, excluded = (_listed(body.text(name), scope) for name in ("only", "except"))
    return Provisioner(
        kind=kind,
        role=next(iter(roles), "user"),
        number=number,
        body=body,
        block=block,
        script=_script(body, scope),
        commands=commands,
        only=only or None,  # Packer takes an empty list for none
        excluded=excluded or frozenset(),
        chosen=(only is None and "only" in body.attributes) or (excluded is None and "except" in body.attributes),
        environment_file="true" in map(text, scope.values(body.text("use_env_var_file"))),
        has_step_name=_has_step_name(body, scope),
    )


def _command(body: Block, scope: Scope) -> Command:
    found = scope.values(body.text("execute_command"))
    return Command(_texts(found) or (None,), body.line_of("execute_command"))


def _overrides(body: Block, scope: Scope) -> Iterator[Command]:
    """The commands of `override = { SOURCE = { execute_command = … } }`."""
    for found in scope.values(body.text("override")):
        for source, settings in found.items() if isinstance(found, Mapping) else ():
            if isinstance(settings, Mapping) and "execute_command" in settings:
                yield Command(_texts((settings["execute_command"],)), body.line_of("override"), frozenset({source}))


def _has_step_name(body: Block, scope: Scope) -> bool:
    """Whether BUILDTEL_STEP is among its variables: in `environment_vars`, or a key of `env`."""
    listed = chain.from_iterable(map(strings, scope.values(body.text("environment_vars"))))
    keys = chain.from_iterable(found for found in scope.values(body.text("env")) if isinstance(found, Mapping))
    return any(word.partition("=")[0] == "BUILDTEL_STEP" for word in chain(listed, keys))


def _texts(found: tuple[Value, ...]) -> tuple[str | None, ...]:
    return tuple(None if value is None else text(value) for value in found)


def _name(command: str | None) -> str:
    """`local.x` of the text `${local.x}`."""
    return (command or "").strip().removeprefix("${").removesuffix("}")


def _listed(expression: str | None, scope: Scope) -> frozenset[str] | None:
    """The names in an `only` or `except`; None if it is absent or only Packer knows it."""
    found = scope.values(expression)
    if not found or not all(isinstance(value, tuple) and all(isinstance(n, str) for n in value) for value in found):
        return None
    return frozenset(chain.from_iterable(map(strings, found)))


def _script(body: Block, scope: Scope) -> str | None:
    """The script's name in messages: as in the file, or as in this element of a `dynamic` block."""
    for attribute in ("script", "scripts", "playbook_file"):
        expression = body.text(attribute)
        if expression is not None:
            found = scope.values(expression)
            if found == (_AGENT,):
                return _AGENT.text
            return f'"{found[0]}"' if len(found) == 1 and isinstance(found[0], str) else shown(expression)
    return None
