"""Names that strangers chose, in every sink: none becomes a command, a formula, markup, an escape, a path or a key."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buildtel import naming
from buildtel.cli import main
from buildtel.cli.show import write
from buildtel.job import JobDocument, load_document
from buildtel.report.formats import FORMATS, rendered
from buildtel.report.job_view import JobView
from buildtel.report.packer_steps import packer_steps
from buildtel.store import layout
from buildtel.text import cell, printed

from ..job.test_document import ORIGINAL

HOSTILE = {
    "workflow command": "::warning::x",
    "workflow command behind space": "   ::set-output name=a::b",
    "workflow command behind a newline": "a\n::error::x",
    "old workflow command": "x ##[add-mask]y",
    "azure command": "x ##vso[task.setvariable variable=a]b",
    "teamcity": "##teamcity[message text='x']",
    "formula": "=cmd|' /C calc'!A0",
    "formula of a sum": "+1+1",
    "formula of a difference": "-2+3+cmd",
    "formula of a function": "@SUM(1)",
    "formula behind a tab": "\t=1+1",
    "html": "<script>alert(1)</script>&amp;",
    "markdown image": "![x](http://h/y.png)",
    "markdown table": "a|b\n|---|",
    "markdown heading": "a\n# x",
    "terminal title": "\x1b]0;pwned\x07",
    "8-bit escape": "\x9b31mred",
    "carriage return": "good\rbad",
    "backspaces": "abc\b\b\bdef",
    "right to left": "\u202egnp.exe",
    "path": "../../etc/passwd",
    "absolute path": "/etc/passwd",
    "nul": "a\x00b",
    "gitlab section": "\x1b[0Ksection_start:1:x\r\x1b[0Kx",
    "very long command": "x" * 76 + "::warning::y" * 90,
}
names = pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
COMMAND = re.compile(r"(?m)^\s*::|##[\w.]*\[")


def hostile_document(name: str) -> JobDocument:
    """A document in which everything that is a text is `name`."""
    step = {**ORIGINAL["steps"][0], "name": name, "machine": name, "status": "failure", "unfinished": name,
            "processes": [{"name": name}], name: 5}  # fmt: skip
    build = {"name": name, "result": name, "error": name, "artifacts": [name], "phases": [{"name": name, "text": name}],
             "provisioners": [{"kind": name, "detail": name}]}  # fmt: skip
    known = dict.fromkeys(("job", "version", "runner", "git_sha", "git_ref", "run_id", "run_number"), name)
    machine = {"origin": "guest", "os": name, "kernel": name, "arch": name, "target": name}
    whole = {**ORIGINAL, **known, "steps": [step, step], "packer": {"version": name, "runs": [{"builds": [build]}]},
             "machines": {name: machine}, "notes": [name]}  # fmt: skip
    return load_document(json.dumps(whole).encode(), "x")


@names
@pytest.mark.parametrize("form", FORMATS)
def test_no_name_is_a_command_or_an_escape(
    form: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is printed holds neither control characters nor anything that a CI's runner would obey."""
    write(rendered(JobView(hostile_document(name)), form))
    out = capsys.readouterr().out

    assert all(char.isprintable() or char == "\n" for char in out)
    assert not COMMAND.search(out)


@names
def test_no_name_is_a_formula(name: str) -> None:
    """No cell of a spreadsheet, its heads included, begins with what a program would compute."""
    for row in csv.reader(io.StringIO(rendered(JobView(hostile_document(name)), "csv"))):
        assert not any(text.lstrip().startswith(("=", "+", "@")) for text in row)
        assert not any(text.startswith("-") and not re.fullmatch(r"-[\d.e+-]+", text) for text in row)


def test_negative_figures_stay_numbers() -> None:
    """The guard against formulas is for texts."""
    assert (cell(-5.5), cell(0), cell(None), cell("-5"), cell("a\n")) == (-5.5, 0, None, "'-5", "a\\n")


@names
def test_no_name_is_markup(name: str) -> None:
    """In Markdown no name opens a tag, a link, a heading or a cell of its own."""
    text = rendered(JobView(hostile_document(name)), "markdown")

    assert "<" not in text
    assert not re.search(r"(?<!\\)\]\(", text)
    assert {line.count("|") - line.count("\\|") for line in text.splitlines() if line.startswith("| ")} <= {4, 6, 13}
    assert all(re.match(r"#+ ", line) for line in text.splitlines() if line.startswith("#"))


@names
def test_json_keeps_every_name(name: str) -> None:
    """What is escaped in JSON is the same text to whoever reads it."""
    assert json.loads(rendered(JobView(hostile_document(name)), "json"))["steps"][0]["name"] == name


@names
def test_packers_steps_are_lines_whatever_the_names(name: str) -> None:
    """Each of Packer's steps is one line of five fields."""
    lines = packer_steps(hostile_document(name)).splitlines()

    assert len(lines) == 3 and all(len(line.split("\t")) == 5 for line in lines)


@names
def test_no_name_is_a_path_or_a_part_of_another_key(name: str) -> None:
    """Job and version are one part of a key each, in plain ASCII, and come back as they were."""
    part = naming.escape(name)

    assert part.isascii() and part.isprintable() and "/" not in part and not part.startswith(".") and len(part) <= 120
    assert layout.unescape(part) == name or layout.unescape(part).endswith("…")


COMMANDS: list[list[str]] = [
    ["report"], ["report", "--format", "csv"], ["report", "--format", "json"], ["report", "--format", "markdown"],
    ["list"], ["list", "--format", "csv"], ["list", "--format", "markdown"], ["list", "--format", "json"],
    ["history"], ["history", "--format", "csv"], ["compare"], ["compare", "--format", "csv"],
    ["compare", "--format", "markdown"], ["compare", "--format", "json"],
    ["report", "--format", "html"], ["compare", "--format", "html"], ["history", "--format", "html"],
]  # fmt: skip


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds all that the commands may touch."""
    for variable, place in {"HOME": "home", "XDG_STATE_HOME": "state", "TELEMETRY_DIR": "telemetry",
                            "XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "config"}.items():  # fmt: skip
        monkeypatch.setenv(variable, str(tmp_path / place))
    return tmp_path


@names
def test_every_command_stands_hostile_names(name: str, world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Uploaded, listed, compared and reported, hostile names break nothing and leave their place never."""
    document = world / "x.json"
    document.write_text(hostile_document(name).to_json(), encoding="utf-8")
    store = ["--store", str(world / "store")]

    assert main(["upload", *store, str(document)]) == 0
    for command in COMMANDS:
        verb, *how = command
        place = [] if verb == "report" else store
        named = {"report": [str(document)], "compare": [str(document)] * 2}.get(verb, [])
        assert main([verb, *named, *place, *how]) == 0
    said = capsys.readouterr()
    assert all(char.isprintable() or char in "\n\t" for char in said.out + said.err)
    assert not COMMAND.search(said.out)
    assert {path.name for path in world.iterdir()} <= {"x.json", "store", "home", "state", "data"}


@given(st.text(alphabet=" :#[vso.]\nab", max_size=30))
def test_printed_text_holds_no_command(text: str) -> None:
    """Whatever the text; and one without commands stays as it is."""
    assert not COMMAND.search(printed(text))
    assert COMMAND.search(text) or printed(text) == text
