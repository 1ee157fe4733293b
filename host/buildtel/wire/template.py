"""Reads a Packer template: blocks in order, expressions as text.

The syntax is HCL2 (https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md). What makes one configuration is
Packer's rule: all `*.pkr.hcl` of a folder where the folder is built, one file alone where that file is.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import hcl2
from lark import Token, Tree
from lark.exceptions import LarkError, UnexpectedInput

from buildtel import shipped
from buildtel.errors import BuildtelError
from buildtel.wire.expressions import Scope
from buildtel.wire.value import Value

JSON_ADVICE = (
    "level 0, buildtel can't measure inside its VM. `buildtel-host packer build …` shows what Packer's log says;"
    " `packer hcl2_upgrade` turns an old JSON template into HCL2"
)
MAX_BYTES = 1 << 20
MAX_DEPTH = 50
_IGNORE = re.compile(r"^\s*(?:#|//)\s*buildtel:\s*ignore\b", re.IGNORECASE)
_IGNORE_BEHIND = re.compile(r"\{\s*(?:#|//)\s*buildtel:\s*ignore\b", re.IGNORECASE)
_IGNORE_ANYWHERE = re.compile(r"buildtel:\s*ignore\b", re.IGNORECASE)
_COMMENT_LINE = re.compile(r"^\s*(?:#|//)")


@dataclass(frozen=True, slots=True)
class Attribute:
    """`name = text`: the expression as it stands in the file, at a 1-based line."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    """A block with its labels, attributes and inner blocks; the blocks in the order of the file.

    `ignored` is true where a comment `# buildtel: ignore` stands above the block or in it.
    """

    kind: str
    labels: tuple[str, ...]
    attributes: Mapping[str, Attribute]
    blocks: tuple[Block, ...]
    path: Path
    line: int
    end_line: int = 0
    ignored: bool = False

    def text(self, name: str) -> str | None:
        """The expression of an attribute, None if the block does not set it."""
        attribute = self.attributes.get(name)
        return None if attribute is None else attribute.text

    def line_of(self, name: str) -> int:
        """The line of an attribute, else the block's own."""
        attribute = self.attributes.get(name)
        return self.line if attribute is None else attribute.line

    @property
    def place(self) -> str:
        """`FILE:LINE`, for messages about another block."""
        return f"{self.path.name}:{self.line}"


@dataclass(frozen=True)
class Template:
    """The blocks of one configuration, and which other files stand beside it.

    `file` is set where Packer is given that file alone. `variable_files` are those that Packer loads by itself.
    """

    folder: Path
    blocks: tuple[Block, ...]
    json_files: tuple[Path, ...] = ()
    legacy_files: tuple[Path, ...] = ()
    file: Path | None = None
    variable_files: tuple[tuple[Path, Mapping[str, Attribute]], ...] = ()

    @property
    def path(self) -> Path:
        """What `packer build` is given."""
        return self.file or self.folder

    def of_kind(self, kind: str) -> Iterator[Block]:
        """The top-level blocks of one kind, in order."""
        return (block for block in self.blocks if block.kind == kind)

    @cached_property
    def scope(self) -> Scope:
        """The expressions of `local.NAME` and `var.NAME`; buildtel's own names stay names."""
        found = {
            f"local.{name}": attribute.text
            for block in self.of_kind("locals")
            for name, attribute in block.attributes.items()
        }
        singles = {f"local.{block.labels[0]}": block.text("expression") for block in self.of_kind("local")}
        defaults = {f"var.{block.labels[0]}": block.text("default") for block in self.of_kind("variable")}
        plural = {
            f"var.{name}": attribute.text
            for block in self.of_kind("variables")
            for name, attribute in block.attributes.items()
        }
        set_ = {f"var.{name}": value.text for _, file in self.variable_files for name, value in file.items()}
        known = {name: text for name, text in (found | singles | plural | defaults | set_).items() if text is not None}
        ours = shipped_names()
        return Scope({name: text for name, text in known.items() if name not in ours}, {"var.buildtel_enabled": True})

    def values(self, expression: str | None) -> tuple[Value, ...]:
        """Every value that an expression can have, see `expressions`."""
        return self.scope.values(expression)


def declared(blocks: Sequence[Block]) -> Iterator[tuple[str, Path, int, str]]:
    """Each name that the blocks declare: `var.x`, `local.x` or `source.type.x`, where, and its expression."""
    for block in blocks:
        if block.kind in ("locals", "variables"):
            kind = {"locals": "local", "variables": "var"}[block.kind]
            yield from ((f"{kind}.{name}", block.path, item.line, item.text) for name, item in block.attributes.items())
        elif block.kind in ("variable", "local", "source", "data") and block.labels:
            kind = {"variable": "var"}.get(block.kind, block.kind)
            expression = block.text("default" if kind == "var" else "expression") or ""
            yield ".".join((kind, *block.labels)), block.path, block.line, expression


def same_expression(one: str, other: str) -> bool:
    """Whether two expressions are equal but for spaces, which `packer fmt` changes.

    Args:
        one: HCL2 text.
        other: HCL2 text.
    """
    return "".join(one.split()) == "".join(other.split())


def shipped_names() -> dict[str, str]:
    """The names that the shipped library declares, with their expressions."""
    return {name: expression for name, *_, expression in declared(_library(shipped.library()))}


@lru_cache(maxsize=4)
def _library(path: Path) -> tuple[Block, ...]:
    return read_file(path)


def read(path: Path) -> Template:
    """The template that `packer build PATH` would load.

    Raises:
        BuildtelError: it is neither a folder nor a `*.pkr.hcl`, or a file can't be read as HCL2.
    """
    return read_folder(path) if path.is_dir() else read_alone(path)


def read_folder(folder: Path) -> Template:
    """The template in `folder`.

    Raises:
        BuildtelError: it is no folder, or a file in it can't be read as HCL2.
    """
    if not folder.is_dir():
        raise BuildtelError(f"{folder} is not a folder. Name the one that `packer build` is given")
    files = sorted(folder.glob("*.pkr.hcl"))
    blocks = [block for path in files for block in _read_of_folder(path)]
    return Template(
        folder=folder,
        blocks=tuple(blocks),
        json_files=tuple(sorted(folder.glob("*.pkr.json"))),
        legacy_files=tuple(path for path in sorted(folder.glob("*.json")) if _is_legacy(path)),
        variable_files=(
            *((path, _attributes_of_file(path)) for path in sorted(folder.glob("*.auto.pkrvars.hcl"))),
            *((path, _values_of_json(path)) for path in sorted(folder.glob("*.auto.pkrvars.json"))),
        ),
    )


def _read_of_folder(path: Path) -> tuple[Block, ...]:
    """One file of a folder; the copy of the library may have any content: `copies` compares its bytes."""
    try:
        return read_file(path)
    except BuildtelError:
        if path.name == shipped.LIBRARY_NAME:
            return ()
        raise


def read_alone(path: Path) -> Template:
    """The template that is `path` alone: Packer then loads no other file beside it, not even `*.auto.pkrvars.hcl`.

    Raises:
        BuildtelError: there is no such file, or it is not a `*.pkr.hcl`.
    """
    if path.name.endswith(".json") and path.is_file():
        raise BuildtelError(f"{path} is a JSON template: {JSON_ADVICE}")
    if not path.exists():
        raise BuildtelError(f"{path} does not exist. Name the folder or the *.pkr.hcl that `packer build` is given")
    if not path.name.endswith(".pkr.hcl"):
        raise BuildtelError(f"{path} is not a template: Packer reads HCL2 from a folder or a file named *.pkr.hcl")
    return Template(folder=path.parent, blocks=read_file(path), file=path)


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
    """The top-level blocks of HCL2 text.

    Args:
        text: the file's text, with or without a byte order mark.
        path: the file's name, for messages.

    Raises:
        BuildtelError: it is not HCL2; says the line.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if len(text) > MAX_BYTES:
        raise BuildtelError(f"{path}: larger than any template ({MAX_BYTES >> 20} MB). Check the file")
    try:
        tree = hcl2.parses_to_tree(text)
    except UnexpectedInput as error:
        raise BuildtelError(f"{path}:{error.line}: {_what(error)}. `packer validate` tells more") from error
    except (LarkError, RecursionError) as error:
        raise BuildtelError(f"{path}: is not HCL2 that buildtel can read ({type(error).__name__})") from error
    found = _blocks(_child(tree, "body"), text, path, 0)
    return tuple(_with_comments(tuple(found), _comments(text))) if _IGNORE_ANYWHERE.search(text) else tuple(found)


def _comments(text: str) -> dict[int, int]:
    """The lines of `# buildtel: ignore`, each with the line of the code that follows it or that it stands behind."""
    found, code = {}, 0
    for number, line in reversed(list(enumerate(text.split("\n"), start=1))):
        if _IGNORE.match(line):
            found[number] = code or number
        elif not _COMMENT_LINE.match(line):
            code = number
            if _IGNORE_BEHIND.search(line):
                found[number] = number
    return found


def _with_comments(blocks: tuple[Block, ...], comments: Mapping[int, int]) -> Iterator[Block]:
    """The blocks, with `ignored` set: a comment is about the block that follows, else about the one it stands in."""
    for block in blocks:
        inner = tuple(_with_comments(block.blocks, comments))
        taken = {line for child in inner for line in range(child.line, child.end_line + 1)}
        within = (
            number
            for number, target in comments.items()
            if block.line <= number <= block.end_line and not {number, target} & taken
        )
        yield replace(block, blocks=inner, ignored=block.line in comments.values() or any(within))


def _what(error: UnexpectedInput) -> str:
    token = str(getattr(error, "token", "")).strip().partition("\n")[0]
    return f"HCL2 has an unexpected {token[:40]!r}" if token else "HCL2 ends in the middle of a block or string"


def _attributes_of_file(path: Path) -> dict[str, Attribute]:
    """The `name = value` lines of a file of variables; Packer says what is wrong with one that is no HCL2."""
    try:
        text = read_head(path).decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
        return dict(_attributes(_child(hcl2.parses_to_tree(text), "body"), text))
    except (OSError, LarkError, RecursionError):
        return {}


def _values_of_json(path: Path) -> dict[str, Attribute]:
    """The values of a file of variables in JSON, each with the line of its name."""
    try:
        text = read_head(path).decode("utf-8", "replace")
        found = json.loads(text)
    except (OSError, ValueError, RecursionError):
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {name: Attribute(json.dumps(value), _line_of(text, json.dumps(name))) for name, value in pairs}


def _line_of(text: str, word: str) -> int:
    return text.count("\n", 0, max(text.find(word), 0)) + 1


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
            raise BuildtelError(f"{path}:{tree.meta.line}: more than {MAX_DEPTH} nested blocks: not a template")
        kind, *labels = (_source(label, text).strip('"') for label in _trees(tree, "identifier", "string"))
        inner = _child(tree, "body")
        yield Block(
            kind=kind,
            labels=tuple(labels),
            attributes=dict(_attributes(inner, text)),
            blocks=tuple(_blocks(inner, text, path, depth + 1)),
            path=path,
            line=tree.meta.line,
            end_line=tree.meta.end_line,
        )


def _attributes(body: Tree[Token], text: str) -> Iterator[tuple[str, Attribute]]:
    for tree in _trees(body, "attribute"):
        name, *_, value = tree.children
        if isinstance(name, Tree) and isinstance(value, Tree):
            yield _source(name, text), Attribute(_source(value, text), tree.meta.line)


def _source(tree: Tree[Token], text: str) -> str:
    return "" if tree.meta.empty else text[tree.meta.start_pos : tree.meta.end_pos].strip()
