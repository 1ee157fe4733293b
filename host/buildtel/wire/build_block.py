"""Reads a build block with its sources, guests and provisioners."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from buildtel.wire import guests
from buildtel.wire.guests import LINUX, Guest
from buildtel.wire.provisioner_block import Provisioner, of_build
from buildtel.wire.template import Block, Template
from buildtel.wire.value import Symbol, Value, elements, strings, text

_UNRESOLVED = re.compile(r"\$\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Source:
    """A source of a build: its name (TYPE.NAME, as in `only`) and its guest.

    `declared` is its top-level block, None if the template has none; `ignored` if a comment excludes it.
    """

    name: str
    guest: Guest
    declared: Block | None
    ignored: bool = False

    @property
    def is_unknown(self) -> bool:
        """Whether the build names a source that the template does not declare."""
        return self.declared is None and self is not ANY_SOURCE

    @property
    def measurable(self) -> bool:
        """Whether buildtel can measure it and no comment excludes it."""
        return self.guest.system == LINUX and not self.ignored


@dataclass(frozen=True)
class Build:
    """A build block. `sources` has all that it may have: those of both branches of a condition."""

    block: Block
    sources: tuple[Source, ...]
    provisioners: tuple[Provisioner, ...]

    @property
    def title(self) -> str:
        """Its name in messages."""
        return f"build {self.block.text('name') or ''}".strip()

    @cached_property
    def measurable(self) -> tuple[Source, ...]:
        """The sources that buildtel can measure; none if a comment excludes the build."""
        return () if self.block.ignored else tuple(source for source in self.sources if source.measurable)

    @cached_property
    def unmeasurable(self) -> tuple[Source, ...]:
        """The sources whose guest buildtel does not measure."""
        return tuple(source for source in self.sources if source.guest.system != LINUX and not source.ignored)

    def names(self) -> frozenset[str]:
        """The names of the measurable sources."""
        return frozenset(source.name for source in self.measurable)

    def measured_for(self, provisioner: Provisioner) -> frozenset[str]:
        """The measurable sources that a provisioner runs for."""
        return frozenset(name for name in self.names() if provisioner.runs_for(name))


# Stands for the sources of a build that names none which can be read: nothing speaks against a Linux guest.
ANY_SOURCE = Source("any.source", Guest(LINUX), None)


def of_template(template: Template) -> tuple[Build, ...]:
    """All builds, in the order of the files."""
    return tuple(_build(block, template) for block in template.of_kind("build"))


def _build(block: Block, template: Template) -> Build:
    provisioners = of_build(block, template)
    found = {source.name: source for source in _sources(block, provisioners, template)}
    return Build(block, tuple(found.values()) or (ANY_SOURCE,), provisioners)


def _sources(build: Block, provisioners: tuple[Provisioner, ...], template: Template) -> Iterator[Source]:
    declared = {".".join(block.labels): block for block in template.of_kind("source") if block.labels}
    for reference, name, inner in _references(build, declared, template):
        block = declared.get(reference)
        kind = reference.partition(".")[0]
        own = f"{kind}.{name}" if name else reference
        blocks = tuple(found for found in (block, inner) if found is not None)
        hints = (
            (found.kind, found.body, found.block.place)
            for found in provisioners
            if found.runs_for(own) and not found.chosen
        )
        guest = guests.of_source(kind, own.partition(".")[2], blocks, hints, template)
        yield Source(own, guest, block, any(found.ignored for found in blocks))


def _references(
    build: Block, declared: dict[str, Block], template: Template
) -> Iterator[tuple[str, str | None, Block | None]]:
    """Each source that a build may have: TYPE.NAME, the name that it has in this build, and its block there."""
    listed = template.values(build.text("sources"))
    for word in dict.fromkeys(word for value in listed for word in _words(value)):
        yield from ((reference, None, None) for reference in _matching(word, declared))
    for block in build.blocks:
        if block.kind == "source" and block.labels:
            name = next(iter(template.values(block.text("name"))), None)
            yield block.labels[0].removeprefix("source."), name if isinstance(name, str) else None, block
        elif block.kind == "dynamic" and block.labels == ("source",):
            yield from _dynamic(block, template)


def _dynamic(block: Block, template: Template) -> Iterator[tuple[str, str | None, Block | None]]:
    """The sources of `dynamic "source"`."""
    body = next((inner for inner in block.blocks if inner.kind == "content"), block)
    iterator = (block.text("iterator") or "source").strip('"')
    for collection in template.values(block.text("for_each")):
        for key, value in elements(collection):
            scope = template.scope.within(**{iterator: {"key": key, "value": value}})
            words = [word for found in scope.values(block.text("labels")) for word in strings(found)]
            names = scope.values(body.text("name"))
            name = text(names[0]) if names else None
            yield from ((word.removeprefix("source."), name, body) for word in words)


def _words(value: Value) -> Iterator[str]:
    """The texts of a list of sources, `*` for a part that only Packer knows."""
    if isinstance(value, tuple):
        for element in value:
            yield from _words(element)
    else:
        yield "*" if isinstance(value, Symbol) or not isinstance(value, str) else _UNRESOLVED.sub("*", value)


def _matching(word: str, declared: dict[str, Block]) -> list[str]:
    """The declared sources that a reference can mean."""
    name = word.removeprefix("source.")
    if "*" not in name:
        return [name] if name else []
    return [known for known in declared if fnmatchcase(known, name)]
