"""Finds sensitive values that would damage records, because Packer replaces them by `<sensitive>`.

Packer does so with every text in a variable or local that is `sensitive`, from 1.15.1 on with each line of a text of
several lines, too (`LogSecretFilter` of packer-plugin-sdk). A JSON over several lines makes a secret of `{` and `}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from buildtel.wire.build_block import Build
from buildtel.wire.finding import WARNING, Finding
from buildtel.wire.template import Attribute, Block, Template, read_head
from buildtel.wire.value import strings, text

SHORT = 2
_FILE = re.compile(r'file\("([^"$\\]+)"\)')
_ESCAPE = re.compile(r'\\([nrt"\\])')
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def secrets(template: Template, _: tuple[Build, ...]) -> Iterator[Finding]:
    """A warning for each secret that is so short that it occurs in every record, or has such a line."""
    for block in template.blocks:
        if (
            block.kind in ("variable", "local")
            and block.labels
            and not block.ignored
            and _is_sensitive(block, template)
        ):
            for path, attribute in _given(block, template):
                for problem in _problems(attribute, template):
                    name = f"{block.kind} {block.labels[0]}"
                    yield Finding(WARNING, path, attribute.line, f"{name} is sensitive and {problem}")


def _is_sensitive(block: Block, template: Template) -> bool:
    return "true" in map(text, template.values(block.text("sensitive")))


def _given(block: Block, template: Template) -> Iterator[tuple[Path, Attribute]]:
    """Where the template gives a value: in the block, or in a file of variables that Packer loads by itself."""
    own = block.attributes.get("default" if block.kind == "variable" else "expression")
    if own is not None:
        yield block.path, own
    for path, attributes in template.variable_files if block.kind == "variable" else ():
        if block.labels[0] in attributes:
            yield path, attributes[block.labels[0]]


def _problems(attribute: Attribute, template: Template) -> Iterator[str]:
    for secret in _texts(attribute, template):
        lines = [line.strip() for line in secret.split("\n")]
        short = next((line for line in lines if 0 < len(line) <= SHORT), None)
        if short is None:
            continue
        if len(lines) == 1:
            count = f"{len(short)} character{'s' if len(short) > 1 else ''}"
            yield (
                f"its value has only {count}: Packer replaces them everywhere in the log, which damages buildtel's"
                " records. Use a longer value, or remove `sensitive`"
            )
        else:
            yield (
                f"one of the lines of its value is {short!r}: Packer 1.15.1 and later replaces each line everywhere in"
                " the log, which damages buildtel's records. Make it one line, as jsonencode(jsondecode(…)) does"
            )
        return


def _texts(attribute: Attribute, template: Template) -> Iterator[str]:
    """The texts in a value, as Packer has them; that of `file("…")`, too."""
    named = _FILE.fullmatch(attribute.text)
    if named:
        yield _content(template.folder / named[1])
        return
    is_heredoc = attribute.text.startswith("<<")
    for value in template.values(attribute.text):
        yield from (found.strip("\n") if is_heredoc else _unescaped(found) for found in strings(value))


def _unescaped(quoted: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), quoted)


def _content(path: Path) -> str:
    try:
        return read_head(path).decode("utf-8", "replace").strip("\n")
    except OSError:
        return ""
