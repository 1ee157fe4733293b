"""The rules of `wire --check` for a whole template: errors, buildtel's files, names, switches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from buildtel import shipped
from buildtel.errors import BuildtelError
from buildtel.wire import copies, expressions
from buildtel.wire.build_block import Build
from buildtel.wire.finding import NOTE, WRONG, Finding
from buildtel.wire.secrets import secrets
from buildtel.wire.template import (
    JSON_ADVICE,
    Block,
    Template,
    declared,
    read_folder,
    same_expression,
    shipped_names,
)

_SHOWN_NAMES = 3
_GONE = ("local.buildtel_words", "local.buildtel_words_sudo")
_IN_PLACE = 'execute_command = "${local.buildtel_pre}YOUR COMMAND"'
_OURS = re.compile(r"(?:var|local)\.buildtel_")


def refused(template: Template) -> Iterator[Finding]:
    """Find names that two blocks declare, which Packer refuses; one finding for each pair of files."""
    first: dict[str, tuple[Path, int]] = {}
    twice: dict[tuple[Path, Path], list[tuple[int, str]]] = {}
    for name, path, line, _ in declared(template.blocks):
        other, _ = first.setdefault(name, (path, line))
        if first[name] != (path, line):
            twice.setdefault((path, other), []).append((line, name))
    for (path, other), found in twice.items():
        names = _some([name for _, name in found])
        where = f"{other.name}:{first[found[0][1]][1]}"
        what = "file" if template.file else "folder"
        text = f"Packer refuses this {what}: {names} {'is' if len(found) == 1 else 'are'} also declared at {where}. "
        yield Finding(WRONG, path, found[0][0], text + _how_to_load(template, path, other))


def _how_to_load(template: Template, path: Path, other: Path) -> str:
    alone = [file for file in (path, other) if any(block.path == file for block in template.of_kind("build"))]
    if path == other or len(alone) < 2:
        return "Delete one of them"
    return f"If you build one file (`packer build {path.name}`), check it alone: `buildtel-host wire --check {path}`"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN_NAMES])
    return shown if len(names) <= _SHOWN_NAMES else f"{shown} and {len(names) - _SHOWN_NAMES} more"


def _files(template: Template, builds: tuple[Build, ...]) -> Iterator[Finding]:
    needed = next((build.block for build in builds if build.measurable), None)
    if needed is None:
        return
    for source in copies.needed(alone=template.file is not None):
        path = template.folder / source.name
        found = copies.state(source, path)
        if found.kind is copies.Kind.MISSING:
            text = f"{source.name} is missing beside the template. Run `buildtel-host wire {template.path}`"
            yield Finding(WRONG, needed.path, needed.line, text)
        elif found.kind is not copies.Kind.SAME:
            force = " --force" if found.kind in (copies.Kind.EDITED, copies.Kind.FOREIGN) else ""
            again = f"Run `buildtel-host wire{force} {template.path}`"
            yield Finding(WRONG, path, 1, f"{found.words}. {again}")


def _pasted(template: Template, _: tuple[Build, ...]) -> Iterator[Finding]:
    """Check that the lines pasted into a file that is built alone are those of this buildtel."""
    ours = shipped_names()
    if template.file is None:
        return
    for block in template.blocks:
        other = [
            (name, line)
            for name, _, line, expression in declared((block,))
            if name in ours and not same_expression(expression, ours[name])
        ]
        if other and not block.ignored:
            names = _some([name for name, _ in other])
            again = f"Paste the lines that `buildtel-host wire {template.path}` prints"
            yield Finding(WRONG, block.path, other[0][1], f"{names} is not as in this buildtel. {again}")


def _unknown_names(template: Template, _: tuple[Build, ...]) -> Iterator[Finding]:
    """Names that the template uses and that Packer would not find."""
    if template.json_files:
        return
    known = {name for name, *_ in declared(template.blocks)}
    used: dict[str, tuple[Path, int]] = {}
    for block in template.blocks:
        for name, path, line in _used(block):
            used.setdefault(name, (path, line))
    if template.file is None:
        known |= shipped_names().keys()
    missing = {name: used[name] for name in used if name not in known}
    ours = [name for name in missing if _OURS.match(name)]
    if ours:
        yield Finding(WRONG, *missing[ours[0]], _lacks_ours(template, ours))
    elsewhere = _beside(template)
    for name in sorted(missing.keys() & elsewhere.keys() - set(ours)):
        yield Finding(WRONG, *missing[name], _declared_elsewhere(template, name, elsewhere[name]))


def _lacks_ours(template: Template, names: list[str]) -> str:
    if any(name in _GONE for name in names):
        return f"{_some(names)} is of an older buildtel. Replace it by {_IN_PLACE}"
    if template.file is None:
        return f"{_some(names)} is not in {shipped.LIBRARY_NAME}. Check the spelling"
    return (
        f"{_some(names)} is not declared in this file, and Packer loads no other file with it."
        f" Paste the lines that `buildtel-host wire {template.path}` prints"
    )


def _used(block: Block) -> Iterator[tuple[str, Path, int]]:
    for attribute in block.attributes.values():
        yield from ((name, block.path, attribute.line) for name in expressions.names(attribute.text))
    yield from chain.from_iterable(map(_used, block.blocks))


def _beside(template: Template) -> dict[str, str]:
    """The names that other files of the folder declare, of a file that stands alone, as FILE:LINE."""
    if template.file is None:
        return {}
    try:
        blocks = read_folder(template.folder).blocks
    except BuildtelError:
        return {}
    return {name: f"{path.name}:{line}" for name, path, line, _ in declared(blocks)}


def _declared_elsewhere(template: Template, name: str, where: str) -> str:
    return (
        f"{where} declares {name}, and Packer does not load it with this file. Build the folder, and check it with"
        f" `buildtel-host wire --check {template.folder}`"
    )


def _unknown_sources(template: Template, builds: tuple[Build, ...]) -> Iterator[Finding]:
    elsewhere = _beside(template)
    for build in builds:
        for name in (f"source.{source.name}" for source in build.sources if source.is_unknown):
            if name in elsewhere:
                text = _declared_elsewhere(template, name, elsewhere[name])
                yield Finding(WRONG, build.block.path, build.block.line_of("sources"), text)


def _variable_defaults(template: Template, _: tuple[Build, ...]) -> Iterator[Finding]:
    for block in template.of_kind("variable"):
        found = list(expressions.names(block.text("default") or ""))
        if found:
            text = f"Packer refuses {found[0]} in the default of a variable. Use a local instead"
            yield Finding(WRONG, block.path, block.line_of("default"), text)


def _switched_off(template: Template, _: tuple[Build, ...]) -> Iterator[Finding]:
    for path, attributes in template.variable_files:
        found = attributes.get("buildtel_enabled")
        if found and found.text.strip('"') == "false":
            yield Finding(WRONG, path, found.line, "turns buildtel off: nothing is measured. Delete the line")


def _records_lost(template: Template, builds: tuple[Build, ...]) -> Iterator[Finding]:
    """Find builds that write records into the spool and do not download it."""
    for path, attributes in template.variable_files:
        found = attributes.get("buildtel_records")
        for build in builds if found and found.text.strip('"') == "spool" else ():
            if build.measurable and not _downloads_spool(build):
                text = (
                    f'buildtel_records is "spool", but {build.title} at {build.block.place} does not download'
                    " local.buildtel_spool: its records are lost. `buildtel-host wire` prints the two provisioners"
                )
                yield Finding(WRONG, path, found.line if found else 1, text)


def _downloads_spool(build: Build) -> bool:
    kinds = {found.kind for found in build.provisioners if found.role == "spool" and not found.after_errors}
    return kinds >= {"shell", "file"}


def _no_build(template: Template, builds: tuple[Build, ...]) -> Iterator[Finding]:
    if builds:
        return
    files = template.json_files + template.legacy_files
    if files:
        yield Finding(WRONG, files[0], 1, f"there are only JSON templates here: {JSON_ADVICE}")
        return
    first = next(iter(template.blocks), None)
    path, line = (template.path, None) if first is None else (first.path, 1)
    yield Finding(WRONG, path, line, "no *.pkr.hcl here has a build block. Name the folder of the template")


def _json(template: Template, _: tuple[Build, ...]) -> Iterator[Finding]:
    for path in (*template.json_files, *template.legacy_files):
        yield Finding(NOTE, path, 1, "is a JSON template: level 0, buildtel can't measure inside its VM")


TEMPLATE_RULES: tuple[Callable[[Template, tuple[Build, ...]], Iterator[Finding]], ...] = (
    _files,
    _pasted,
    _unknown_names,
    _unknown_sources,
    _variable_defaults,
    _switched_off,
    _records_lost,
    secrets,
    _no_build,
    _json,
)
