"""A folder of Packer templates, read as far as wiring needs it: blocks in order, expressions as text.

The syntax is HCL2 (https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md), the rules of what a
folder means are Packer's: all `*.pkr.hcl` of one folder make one configuration.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import hcl2
from lark import Token, Tree
from lark.exceptions import LarkError, UnexpectedInput

from buildtel.errors import BuildtelError

MAX_BYTES = 1 << 20
MAX_DEPTH = 50
_INTERPOLATION_ONLY = re.compile(r'"\$\{\s*([\w.]+)\s*\}"')
_REFERENCE = re.compile(r"(local|var)\.(\w+)")


@dataclass(frozen=True, slots=True)
class Attribute:
    """`name = text`: the expression as it stands in the file, at a 1-based line."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    """A block with its labels, attributes and inner blocks; the blocks in the order of the file."""

    kind: str
    labels: tuple[str, ...]
    attributes: Mapping[str, Attribute]
    blocks: tuple[Block, ...]
    path: Path
    line: int

    def text(self, name: str) -> str | None:
        """The expression of an attribute, None if the block does not set it."""
        attribute = self.attributes.get(name)
        return None if attribute is None else attribute.text


@dataclass(frozen=True)
class Template:
    """All the blocks of a folder's `*.pkr.hcl` files, and which other files Packer finds there."""

    folder: Path
    blocks: tuple[Block, ...]
    json_files: tuple[Path, ...] = ()
    legacy_files: tuple[Path, ...] = ()

    def of_kind(self, kind: str) -> Iterator[Block]:
        """The top-level blocks of one kind, in order."""
        return (block for block in self.blocks if block.kind == kind)

    @cached_property
    def names(self) -> dict[str, str]:
        """What `local.NAME` and `var.NAME` stand for, as expressions; a variable's is its default."""
        found = {
            f"local.{name}": attribute.text
            for block in self.of_kind("locals")
            for name, attribute in block.attributes.items()
        }
        singles = {f"local.{block.labels[0]}": block.text("expression") for block in self.of_kind("local")}
        defaults = {f"var.{block.labels[0]}": block.text("default") for block in self.of_kind("variable")}
        return found | {name: text for name, text in (singles | defaults).items() if text is not None}

    def resolve(self, expression: str | None) -> str | None:
        """An expression with the user's own names followed; buildtel's names stay as they are."""
        for _ in range(len(self.names) + 1):
            if expression is None:
                return None
            alone = _INTERPOLATION_ONLY.fullmatch(expression)
            expression = alone[1] if alone else expression
            if not _REFERENCE.fullmatch(expression) or "." + "buildtel_" in expression:
                return expression
            if expression not in self.names:
                return expression
            expression = self.names[expression]
        return expression


def read_folder(folder: Path) -> Template:
    """The template in `folder`.

    Raises:
        BuildtelError: it is no folder, or a file in it can't be read as HCL2.
    """
    if not folder.is_dir():
        raise BuildtelError(f"{folder} is not a folder: name the one that `packer build` is given")
    files = sorted(folder.glob("*.pkr.hcl"))
    blocks = [block for path in files for block in read_file(path)]
    return Template(
        folder=folder,
        blocks=tuple(blocks),
        json_files=tuple(sorted(folder.glob("*.pkr.json"))),
        legacy_files=tuple(path for path in sorted(folder.glob("*.json")) if _is_legacy(path)),
    )


def read_file(path: Path) -> tuple[Block, ...]:
    """The top-level blocks of one file, in order.

    Raises:
        BuildtelError: it can't be read, or is not HCL2; says the line.
    """
    try:
        text = read_head(path).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BuildtelError(f"{path} can't be read: {error}") from error
    return parse(text, path)


def read_head(path: Path) -> bytes:
    """The first `MAX_BYTES` of a file, and one more if there are more; a pipe or device is not waited for.

    Raises:
        OSError: it can't be read, or is no file.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is not a file")
        return file.read(MAX_BYTES + 1)


def parse(text: str, path: Path) -> tuple[Block, ...]:
    """The top-level blocks of HCL2 text; `path` is for messages.

    Raises:
        BuildtelError: it is not HCL2; says the line.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if len(text) > MAX_BYTES:
        raise BuildtelError(f"{path}: larger than any template ({MAX_BYTES >> 20} MB): is it one?")
    try:
        tree = hcl2.parses_to_tree(text)
    except UnexpectedInput as error:
        raise BuildtelError(f"{path}:{error.line}: {_what(error)}: `packer validate` tells more") from error
    except (LarkError, RecursionError) as error:
        raise BuildtelError(f"{path}: is not HCL2 that buildtel can read ({type(error).__name__})") from error
    return tuple(_blocks(_child(tree, "body"), text, path, 0))


def _what(error: UnexpectedInput) -> str:
    token = str(getattr(error, "token", "")).strip().partition("\n")[0]
    return f"HCL2 can't go on at {token[:40]!r}" if token else "HCL2 ends in the middle of a block or string"


def _is_legacy(path: Path) -> bool:
    if path.name.endswith(".pkr.json"):
        return False
    try:
        return b'"builders"' in read_head(path)
    except OSError:
        return False


def _trees(tree: Tree[Token], *kinds: str) -> Iterator[Tree[Token]]:
    return (child for child in tree.children if isinstance(child, Tree) and child.data in kinds)


def _child(tree: Tree[Token], kind: str) -> Tree[Token]:
    return next(_trees(tree, kind), Tree(kind, []))


def _blocks(body: Tree[Token], text: str, path: Path, depth: int) -> Iterator[Block]:
    for tree in _trees(body, "block"):
        if depth >= MAX_DEPTH:
            raise BuildtelError(f"{path}:{tree.meta.line}: more than {MAX_DEPTH} blocks in each other: no template")
        kind, *labels = (_source(label, text).strip('"') for label in _trees(tree, "identifier", "string"))
        inner = _child(tree, "body")
        yield Block(
            kind=kind,
            labels=tuple(labels),
            attributes=dict(_attributes(inner, text)),
            blocks=tuple(_blocks(inner, text, path, depth + 1)),
            path=path,
            line=tree.meta.line,
        )


def _attributes(body: Tree[Token], text: str) -> Iterator[tuple[str, Attribute]]:
    for tree in _trees(body, "attribute"):
        name, *_, value = tree.children
        if isinstance(name, Tree) and isinstance(value, Tree):
            yield _source(name, text), Attribute(_source(value, text), tree.meta.line)


def _source(tree: Tree[Token], text: str) -> str:
    return "" if tree.meta.empty else text[tree.meta.start_pos : tree.meta.end_pos].strip()
