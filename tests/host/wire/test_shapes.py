"""Shapes of templates, each with what `wire --check` must say about it, written by hand beside the lines.

A shape is a file in `shapes/`: a header of comments (`check:` the file to check in place of the folder, `exit:` 1 if
not said, `steps:` measured and all), then files, each behind a line `#=== NAME`, one `main.pkr.hcl` if there is none.
`#< LEVEL: TEXT` behind a line stands for one finding there. `@first` and `@last` stand for buildtel's provisioners,
`@library` for what a file needs that Packer loads alone. Where a header says *After*, the shape is that of a public
repository, the text is not.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from buildtel import shipped
from buildtel.cli import main
from buildtel.wire import copies, lines_to_add

SHAPES = sorted((Path(__file__).parent / "shapes").glob("*.hcl"))
MARK = re.compile(r"\s*#< (\w+)(?:: ((?:(?! #< ).)*))?")
FINDING = re.compile(r"(?P<path>.+?):(?P<line>\d+): (?P<level>\w+): (?P<text>.*)")
PARTS = {"@first": lines_to_add.FIRST, "@last": lines_to_add.LAST}


@dataclass(frozen=True)
class Shape:
    """Files by name, and what is expected: `(file, line, level, text)` for each finding."""

    files: dict[str, str]
    expected: list[tuple[str, int, str, str]]
    header: dict[str, str]


def shape(path: Path) -> Shape:
    """A file of `shapes/`, read."""
    text = path.read_text(encoding="utf-8")
    first, *parts = re.split(r"^#=== (\S+)\n", text, flags=re.MULTILINE)
    header = dict(re.findall(r"^# (check|exit|steps): (.*)$", first, re.MULTILINE))
    named = {} if re.fullmatch(r"(#.*\n)*", first) else {"main.pkr.hcl": first}
    named |= dict(zip(parts[::2], parts[1::2], strict=True))
    files, expected = {}, []
    for name, marked in named.items():
        kept: list[str] = []
        for line in marked.split("\n"):
            bare = MARK.sub("", line)
            expected += [(name, len(kept) + 1, level, words.strip()) for level, words in MARK.findall(line)]
            kept += {**PARTS, "@library": lines_to_add.pasted()}.get(bare.strip(), bare + "\n").rstrip("\n").split("\n")
        files[name] = "\n".join(kept) + "\n"
    return Shape(files, expected, header)


def checked(folder: Path, made: Shape, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[re.Match[str]], str]:
    """Exit status, findings and last line of `wire --check`."""
    copies.put(folder, alone="check" in made.header)
    for name, text in made.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    if made.files.get(shipped.LIBRARY_NAME):
        (folder / shipped.LIBRARY_NAME).unlink()
    status = main(["wire", "--check", str(folder / made.header.get("check", ""))])
    out, err = capsys.readouterr()
    found = [FINDING.fullmatch(line) for line in out.splitlines()]
    assert all(found), out
    return status, [match for match in found if match], err


@pytest.mark.parametrize("path", SHAPES, ids=lambda path: path.stem)
def test_the_check_says_what_is_true_of_each_shape(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each finding with its file and line, no other, the exit status, and how many steps are measured."""
    made = shape(path)
    status, found, summary = checked(tmp_path, made, capsys)
    said = [(Path(match["path"]).name, int(match["line"]), match["level"]) for match in found]
    texts = [(Path(match["path"]).name, int(match["line"]), match["text"]) for match in found]

    assert Counter(said) == Counter((name, line, level) for name, line, level, _ in made.expected), texts
    for name, line, _, words in made.expected:
        assert [text for file, at, text in texts if (file, at) == (name, line) and words in text], (words, texts)
    assert status == int(made.header.get("exit", "1"))
    assert summary.startswith(f"{made.header['steps']} shell provisioners are measured as steps; ")


def test_there_are_enough_shapes_and_many_are_those_of_public_repositories() -> None:
    """More than forty, and forty whose header names a repository."""
    public = [path for path in SHAPES if re.search(r"After [\w.-]+/", path.read_text(encoding="utf-8"))]
    assert len(SHAPES) >= 80
    assert len(public) >= 40
