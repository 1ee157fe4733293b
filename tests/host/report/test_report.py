"""The report: what it says of a job, in any width, whatever the names are."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from buildtel.job import JobDocument, load_document
from buildtel.report.formats import rendered
from buildtel.report.job_view import JobView
from buildtel.report.packer_steps import packer_steps
from buildtel.report.terminal_timeline import bar
from buildtel.report.view import Notes, Timeline
from buildtel.text import duration, number, safe

from ..job.test_document import ORIGINAL
from ..job.test_fold import read
from ..samples import Guest, log, qemu_build, said, say


def drawn(document: JobDocument, width: int = 80) -> str:
    """The report as text."""
    return rendered(JobView(document), "table", width)


def first_build(document: JobDocument) -> Timeline:
    """The report's first build."""
    return next(part for part in JobView(document).parts() if isinstance(part, Timeline))


@pytest.fixture(scope="module")
def document() -> JobDocument:
    """A whole build."""
    return read(log(qemu_build()))


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(document: JobDocument, width: int) -> None:
    """Every line fits, and the wider terminal shows more figures."""
    lines = drawn(document, width).splitlines()

    assert max(cell_len(line) for line in lines) <= width
    (head,) = (line for line in lines if line.startswith("Step "))
    assert ("queue" in head) == (width >= 100)


def test_a_report_for_a_pipe_is_plain_ascii(document: JobDocument) -> None:
    """Neither escape sequences nor characters that a plain log can't show."""
    assert drawn(document).isascii() and "\x1b" not in drawn(document)


def test_bars_stand_where_the_time_was(document: JobDocument) -> None:
    """A phase that follows another begins behind it, and the longest has the longest bar."""
    lines = {line.split("  ")[1].strip(): line for line in drawn(document, 120).splitlines() if "#" in line}
    steps = {name.split()[0]: line for name, line in lines.items()}

    assert steps["Converting"].index("#") > steps["shell"].index("#")
    assert max(lines.values(), key=lambda line: line.count("#")).strip().startswith("shell install-docker")


def test_our_own_provisioners_are_not_shown(document: JobDocument) -> None:
    """The agent's provisioner is not among the user's, and not missed."""
    assert "buildtel_agent.py" not in drawn(document, 200)


def test_a_provisioner_shows_its_steps_name(document: JobDocument) -> None:
    """Where the user named the one step of a provisioner the row has that name, else Packer's detail."""
    labels = [row.label for row in first_build(document).stretches if row.kind == "provisioner"]

    assert labels == [
        "shell install-docker", "file-upload files/app.tar => /tmp/app.tar", "shell /tmp/packer-shell123456",
    ]  # fmt: skip


def test_a_provisioner_of_several_steps_keeps_packers_detail() -> None:
    """Two steps side by side in one provisioner can't both name it; a step within a step does not count."""
    guest = Guest()
    first = guest.step("bbbb00000001", "one", 10, 12)
    second = guest.step("bbbb00000002", "two", 12, 14)
    begin = "Provisioning with shell script: a.sh"
    head = [say(0, "Connected to SSH!"), say(1, "Provisioning with shell script: buildtel_agent.py"),
            *said([(2, guest.hello("aaaa00000001", 2))]), say(3, begin)]  # fmt: skip

    def label(rows: list[Any]) -> str:
        return first_build(read(log([*head, *said(rows)]))).stretches[-1].label

    assert label([*first, *second]) == "shell a.sh"
    second[0][1]["parent"] = "bbbb00000001.1"
    assert label([first[0], *second, first[1]]) == "shell one"


@pytest.mark.parametrize(("instants", "rows"), [(2, 3), (3, 2), (9, 2)])
def test_phases_of_no_length_share_a_line(instants: int, rows: int) -> None:
    """Three or more of them in a row are one line that says how many they are."""
    phases = [{"name": "prepare", "text": f"Step {n}", "started_at": 10.0, "ended_at": 10.0} for n in range(instants)]
    phases.append({"name": "boot", "text": "Booting", "started_at": 10.0, "ended_at": 40.0})
    packer = {"runs": [{"builds": [{"name": "q", "phases": phases}]}]}
    stretches = first_build(load_document(json.dumps({**ORIGINAL, "packer": packer}).encode(), "x")).stretches

    assert len(stretches) == rows
    assert (stretches[0].label == f"Step 0 and {instants - 1} more") == (instants > 2)


def test_artifacts_and_errors_of_several_lines_stand_line_by_line() -> None:
    """Below each other, and no more of them than Packer prints."""
    build = {"name": "azure-arm", "result": "failure", "error": "Script exited\nand more",
             "artifacts": ["Azure.VMImage:\n\nOSType: Linux\n" + "x\n" * 50]}  # fmt: skip
    document = load_document(json.dumps({**ORIGINAL, "packer": {"runs": [{"builds": [build]}]}}).encode(), "x")
    lines = drawn(document, 80).splitlines()

    assert lines[lines.index("  error: Script exited") + 1] == "         and more"
    at = lines.index("  artifact: Azure.VMImage:")
    assert lines[at + 1] == "            OSType: Linux"
    assert lines.count("            x") == 10


def test_at_80_columns_the_telling_figures_are_shown(document: JobDocument) -> None:
    """Time, CPU, memory and its peak, disk, wait and download fit on the narrowest usual terminal."""
    (head,) = [line for line in drawn(document, 80).splitlines() if line.startswith("Step")]

    assert head.split() == ["Step", "time", "CPU%", "mem", "MB", "peak", "rd", "MB", "wr", "MB", "util%", "await",
                            "rx", "MB"]  # fmt: skip


def test_huge_figures_do_not_widen_the_table() -> None:
    """A figure of many digits takes another column's room, not the line's end."""
    step = {name: 123456789012 if isinstance(value, int) else value for name, value in ORIGINAL["steps"][0].items()}
    text = drawn(load_document(json.dumps({**ORIGINAL, "steps": [step]}).encode(), "x"), 80)

    assert max(map(len, text.splitlines())) <= 80 and "123456789012" in text


def test_what_is_missing_is_said(document: JobDocument) -> None:
    """A provisioner without figures is named, beside what the kernel measures roughly; nothing else is said."""
    (missing,) = (part.texts for part in JobView(document).parts() if isinstance(part, Notes))
    rough, *others = missing
    assert "disk_util_percent" in rough
    assert others == [
        "1 provisioner(s) without figures from inside the machine: file-upload files/app.tar => /tmp/app.tar."
    ]


def test_findings_are_below_the_causes(document: JobDocument) -> None:
    """The step that writes and downloads is named with its figures, and the long phase of Packer's own is a cause."""
    text = " ".join(drawn(document, 200).split())

    assert "low: install-docker: installs packages from the network, builds or loads container images" in text
    assert "(rx 668 MB, write 1500 MB)" in text
    assert text.index("were spent on of ") < text.index("Findings")


def test_an_original_document_is_reported() -> None:
    """A file of the original system gives its step, its system and its bottlenecks."""
    text = drawn(load_document(json.dumps(ORIGINAL).encode(), "old.json"))

    assert "4 CPUs, 32000 MB, 120 GB disk" in text
    assert "packer_build" in text and "25600!" in text and "33:20!" in text


HOSTILE = [
    "\x1b]0;title\x07",
    "[bold red]x[/]",
    "a\nb\tc",
    "\u202edesrever",
    "é漢字🐧" * 30,
    "x" * 5000,
    " ",
    "/",
    "%s{}",
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("width", [80, 200])
def test_no_name_breaks_the_report(name: str, width: int) -> None:
    """Names are shown as they are, or escaped: no control character, no markup, no line too wide."""
    step = {**ORIGINAL["steps"][0], "name": name, "machine": name, "status": "failure", "unfinished": name}
    packer = {"runs": [{"builds": [{"name": name, "result": name, "error": name, "artifacts": [name],
              "phases": [{"name": "boot", "text": name}], "provisioners": [{"kind": "shell", "detail": name}]}]}]}  # fmt: skip  # noqa: E501
    other = {**step, "machine": "m"}
    whole = {
        **ORIGINAL,
        "job": name,
        "version": name,
        "runner": name,
        "steps": [step, other],
        "packer": packer,
        "notes": [name],
    }
    document = load_document(json.dumps(whole).encode(), "x")

    text = drawn(document, width)
    assert all(char.isprintable() or char == "\n" for char in text + packer_steps(document).replace("\t", ""))
    assert max(cell_len(line) for line in text.splitlines()) <= width
    if name.startswith("[bold"):
        assert "[bold red]x[/]" in text
    assert "<" not in rendered(JobView(document), "markdown")


def test_markdown_acts_on_no_name() -> None:
    """A name with pipes, tags and links is text in the table."""
    step = {**ORIGINAL["steps"][0], "name": "a|b<img src=x>[c](http://d)`e`"}
    text = rendered(JobView(load_document(json.dumps({**ORIGINAL, "steps": [step]}).encode(), "x")), "markdown")

    (row,) = [line for line in text.splitlines() if "img" in line and line.startswith("|")]
    assert row.startswith("| a\\|b&lt;img src=x&gt;\\[c\\](http://d)\\`e\\` |")


def test_csv_has_a_line_a_step(document: JobDocument) -> None:
    """Each step's figures stand under their names, unknown ones empty."""
    rows = list(csv.DictReader(io.StringIO(rendered(JobView(document), "csv"))))

    assert [(row["name"], row["exit_code"]) for row in rows] == [
        ("install-docker", "0"),
        ("/tmp/packer-shell123456", "3"),
    ]
    assert (rows[0]["disk_write_mb"], rows[1]["await_ms"]) == ("1500.0", "")


def test_json_is_the_document(document: JobDocument) -> None:
    """`--format json` gives what the file has."""
    assert json.loads(rendered(JobView(document), "json")) == json.loads(document.to_json())


def test_packer_steps_are_lines(document: JobDocument) -> None:
    """The guest's blocks first; then start, length, build, kind and label of each of Packer's steps."""
    text = packer_steps(document)
    blocks, _, rest = text.rpartition("\u2550" * 71 + "\n")
    lines = rest.splitlines()
    measured = [step for step in document.steps if step.measured == "exactly"]

    assert [line.split("] ")[0].split("[")[1] for line in blocks.splitlines() if "START: " in line] == [
        step.name for step in measured
    ]
    assert blocks.count("  Disk Write:") == len(measured) > 0
    assert lines[0].split("\t") == ["2026-01-24T12:00:00Z", "4.0 s", "qemu.debian", "phase", "Retrieving ISO"]
    assert lines[-1].split("\t") == ["-", "3:49", "qemu.debian", "build", "success"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0, "0.0 s"), (59.94, "59.9 s"), (60, "1:00"), (192, "3:12"), (3723, "1:02:03"), (-5, "-5.0 s")],
)
def test_durations_read_like_a_clock(seconds: float | None, text: str) -> None:
    """Seconds below a minute, then minutes, then hours."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0, "0"), (0.034, "0.03"), (3.25, "3.2"), (250.7, "251"), (7.0, "7")]
)
def test_figures_are_short(value: float | None, text: str) -> None:
    """As many digits as one can use."""
    assert number(value) == text


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.integers(5, 200))
def test_a_bar_is_never_empty_nor_too_long(start: float, length: float, room: int) -> None:
    """However short the stretch, it is seen; however long, it stays in its room."""
    drawn_bar = bar(start, length, room, "#")

    assert "#" in drawn_bar and len(drawn_bar) <= room


@given(st.text())
def test_safe_text_prints(text: str) -> None:
    """No character that does not print is left."""
    assert safe(text).isprintable()


def ended_by_packer(**end: Any) -> JobDocument:
    """A build that failed with the exit status 3 in its step, which has no end record unless `end` has fields of it."""
    rows = Guest().step("bbbb00000001", "install", 3, 5)
    rows[1][1].update(end)
    head = [say(0, "Connected to SSH!"), say(1, "Provisioning with shell script: a.sh")]
    failed = (9.0, "Build 'qemu.debian' errored after 9 seconds: Script exited with non-zero exit status: 3")
    return read(log([*head, *said(rows if end else rows[:1]), failed]))


@pytest.mark.parametrize(
    ("end", "words", "columns"),
    [
        ({}, "end and exit status from Packer's log", ["3", "packer", "packer"]),
        ({"exit": None}, "exit status from Packer's log", ["3", "packer", "agent"]),
        ({"exit": 3}, None, ["3", "agent", "agent"]),
        ({"exit": 3, "exit_from": "taskstats"}, None, ["3", "taskstats", "agent"]),
    ],
)
def test_what_packer_alone_told_is_said(end: dict[str, Any], words: str | None, columns: list[str]) -> None:
    """The terminal, Markdown and CSV say which end and which exit status no record has."""
    document = ended_by_packer(**end)
    (row,) = csv.DictReader(io.StringIO(rendered(JobView(document), "csv")))
    (line,) = (line for line in rendered(JobView(document), "markdown").splitlines() if line.startswith("| install "))
    (label,) = (row.label for row in first_build(document).stretches if row.kind == "provisioner")

    assert f"failure, exit 3{f', {words}' if words else ''}\n" in drawn(document, 200)
    assert f"| failure{f' ({words})' if words else ''} |" in line
    assert [row[name] for name in ("exit_code", "exit_from", "ended_from")] == columns
    assert label == "shell install"


@pytest.mark.parametrize(("end", "took"), [({}, "~6 s"), ({"exit": 3}, "2.0 s")])
def test_a_duration_is_no_finer_than_what_tells_it(end: dict[str, Any], took: str) -> None:
    """A step that ended by a log of whole seconds has a rounded time, with its mark; one with records a fine one."""
    document = ended_by_packer(**end)
    (line,) = (line for line in rendered(JobView(document), "markdown").splitlines() if line.startswith("| install "))

    assert f" | {took} | " in line
    assert re.search(rf"(?m)^install +{re.escape(took)}( |$)", drawn(document, 200))
