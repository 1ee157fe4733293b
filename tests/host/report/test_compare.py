"""Two documents side by side: what is matched with what, what comes first, what is said of it."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from buildtel.insight.comparison import FORMULA_CHANGED, compare
from buildtel.job import JobDocument, load_document
from buildtel.report.compared import as_data, render_comparison

from ..job.test_document import ORIGINAL
from ..job.test_fold import read
from ..samples import Guest, log, qemu_build, said, say

OLD_FILES = Path(__file__).parents[3] / "fixtures" / "original"
OLD, OLD_NEXT = "build_20260122_122000.json", "build_20260124_122000.json"


def old(name: str) -> JobDocument:
    """A file of the original system."""
    return load_document((OLD_FILES / name).read_bytes(), name)


def made(steps: list[dict[str, Any]], **more: Any) -> JobDocument:
    """A new document with these steps."""
    return load_document(json.dumps({**ORIGINAL, "schema": "buildtel.job/1", "steps": steps, **more}).encode(), "x")


def pairs(before: JobDocument, after: JobDocument) -> list[tuple[str, int, str]]:
    """Names, occurrences and states of the steps, in the order of the comparison."""
    return [(pair.name, pair.occurrence, pair.state) for pair in compare(before, after, "a", "b").steps]


def test_two_old_files_at_80_columns() -> None:
    """Metadata of both, the largest change first, steps that came and went, the totals."""
    text = render_comparison(compare(old(OLD), old(OLD_NEXT), "0.10.1", "0.10.2"), "table", 80)
    steps = text[text.index("\nstep  ") + 1 :].splitlines()

    assert re.search(r"^duration +45:12 +35:00 +-10:12  -23%$", text, re.M)
    assert steps[:5] == [
        "step            before   after  change      %  what else changed",
        "packer_build     41:40   33:20   -8:20   -20%  read MB +135",
        "restore_cache     1:36       -    gone",
        "compress_image       -  20.5 s   added",
        "upload_image      1:00  55.0 s  -5.0 s  -8.3%",
    ]
    assert steps[5].startswith("  before, after: how long it took")
    assert "net_rx_mb on runner" in text and "slowest step   packer_build (41:40)" in text
    assert "most disk I/O  packer_build (25615 MB)" in text


def test_an_old_file_with_a_new_document() -> None:
    """Runner steps of the same name are the same step, and the changed formula is said."""
    step = {**ORIGINAL["steps"][0], "duration_s": 1000.0, "machine": "runner", "origin": "runner", "id": "r.1"}
    comparison = compare(old(OLD_NEXT), made([step]), "a", "b")

    (packer_build,) = [pair for pair in comparison.steps if pair.name == "packer_build"]
    assert (packer_build.state, packer_build.duration.difference) == ("both", -1000.0)
    assert FORMULA_CHANGED in comparison.notes
    assert FORMULA_CHANGED not in compare(old(OLD), old(OLD_NEXT), "a", "b").notes


def test_repeated_names_are_matched_by_occurrence() -> None:
    """The second `test` is compared with the second `test`; a third one is new."""
    step = {"name": "test", "duration_s": 5.0}
    found = pairs(made([step, step]), made([step, {**step, "duration_s": 9.0}, {**step, "duration_s": 1.0}]))

    assert found == [("test", 2, "both"), ("test", 3, "added"), ("test", 1, "both")]


def test_one_name_on_two_machines_is_two_steps() -> None:
    """Neither is taken for the other."""
    step = {"name": "install", "duration_s": 5.0}
    found = pairs(made([{**step, "machine": "a"}]), made([{**step, "machine": "b"}]))

    assert found == [("install", 1, "gone"), ("install", 1, "added")]


def test_packers_random_names_match() -> None:
    """Inline scripts of two runs, each with a name of that run's own, are the same steps and provisioners."""
    again = [(at_s, text.replace("packer-shell123456", "packer-shell999")) for at_s, text in qemu_build()]
    comparison = compare(read(log(qemu_build())), read(log(again)), "a", "b")

    assert {pair.state for pair in (*comparison.steps, *comparison.packer)} == {"both"}


def test_packers_own_phases_are_compared() -> None:
    """A conversion that took longer is found without any agent."""

    def build(converts_s: float) -> JobDocument:
        rows = [say(0, "Connected to SSH!"), say(1, "Converting hard drive..."),
                (1 + converts_s, "Build 'qemu.debian' finished after 3 minutes.")]  # fmt: skip
        return read(log(rows))

    found = {pair.name: pair.duration for pair in compare(build(10), build(70), "a", "b").packer}
    assert found["unattributed"].difference == 0
    converting = found["Converting hard drive..."]
    assert (converting.difference, converting.percent) == (60.0, 600.0)


def test_nested_steps_are_summed_once() -> None:
    """A step within a step of the same machine is in the total through the outer one."""
    steps = [
        {"name": "outer", "id": "1", "machine": "runner", "duration_s": 10.0},
        {"name": "inner", "id": "2", "parent": "1", "machine": "runner", "duration_s": 4.0},
        {"name": "guest", "id": "3", "parent": "1", "machine": "vm", "duration_s": 3.0},
    ]
    sums = {pair.machine: pair.duration.after for pair in compare(made([]), made(steps), "a", "b").totals}

    assert sums == {"runner": 10.0, "vm": 3.0}


def test_the_slowest_step_has_no_step_inside() -> None:
    """The outer step says nothing that the inner one does not."""
    steps = [{"name": "outer", "id": "1", "duration_s": 10.0}, {"name": "inner", "parent": "1", "duration_s": 9.0}]

    assert compare(made(steps), made([]), "a", "b").before.facts["slowest_step"] == "inner"
    assert compare(made(steps), made([]), "a", "b").after.facts["slowest_step"] is None


def test_what_moved_beside_the_time_is_said() -> None:
    """The figures that changed most, in relation to what they were, and no noise."""
    step = {"name": "s", "duration_s": 5.0, "disk_write_mb": 100, "net_rx_mb": 50, "cpu_percent": 50, "await_ms": 1.0}
    other = {**step, "disk_write_mb": 400, "net_rx_mb": 100, "cpu_percent": 51, "await_ms": 1.5}
    text = render_comparison(compare(made([step]), made([other]), "a", "b"), "table", 100)

    assert "write MB +300, rx MB +50" in text and "CPU %" not in text.split("what else")[1]


def test_different_runners_and_failures_are_said() -> None:
    """What makes two builds hard to compare stands below them."""
    notes = compare(made([]), made([], status="failure", system={"cpus": 8}, job="e2e"), "a", "b").notes

    assert "They are different jobs: build and e2e." in notes
    assert "The runners differ: 4 and 8 CPUs." in notes
    assert any("did not succeed (failure)" in note for note in notes)


def test_equal_documents_have_no_differences() -> None:
    """A build compared with itself: every difference known is zero."""
    document = read(log(qemu_build()))
    data = as_data(compare(document, document, "a", "a"))

    found = {change["difference"] for pair in data["steps"] for change in pair["changes"]}
    assert found <= {0.0, None} and data["total"]["difference"] == 0.0


HOSTILE = ["\x1b]0;t\x07", "a\nb", "x" * 3000, "漢字🐧" * 50, "[bold]x[/]", "a|b<img src=x>`", "", "\u202e"]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("width", [80, 200])
def test_no_name_breaks_a_comparison(name: str, width: int) -> None:
    """No control character, no line too wide, nothing that Markdown acts on."""
    step = {**ORIGINAL["steps"][0], "name": name, "machine": name}
    packer = {"runs": [{"builds": [{"name": name, "phases": [{"name": "boot", "text": name}]}]}]}
    hostile = made([step, {**step, "machine": "m"}], job=name, version=name, runner=name, git_sha=name, packer=packer)
    comparison = compare(hostile, old(OLD), name, name)

    text = render_comparison(comparison, "table", width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    for form in ("table", "markdown", "csv"):
        assert all(char.isprintable() or char == "\n" for char in render_comparison(comparison, form, width))
    assert "<img" not in render_comparison(comparison, "markdown", width)


def test_data_has_every_figure() -> None:
    """CSV has a line for each figure of each step; JSON the same with its facts."""
    comparison = compare(old(OLD), old(OLD_NEXT), "a", "b")
    rows = list(csv.DictReader(io.StringIO(render_comparison(comparison, "csv", 80))))
    data = json.loads(render_comparison(comparison, "json", 80))

    assert rows[0]["part"] == "job" and float(rows[0]["difference"]) == pytest.approx(-612.194)
    (wrote,) = [row for row in rows if (row["part"], row["name"], row["metric"]) == (
        "step", "restore_cache", "disk_write_mb")]  # fmt: skip
    assert (wrote["state"], wrote["before"], wrote["after"], wrote["difference"]) == ("gone", "15300", "", "")
    assert data["before"]["run_number"] == "41" and len(data["steps"]) == 4


def test_more_steps_than_anyone_reads() -> None:
    """The table ends with how many it leaves out; the data has all."""
    steps = [{"name": f"s{number}", "duration_s": float(number)} for number in range(100)]
    comparison = compare(made(steps), made([]), "a", "b")

    assert "and 40 that changed less" in render_comparison(comparison, "table", 80)
    assert len(as_data(comparison)["steps"]) == 100


def test_unfinished_steps_compare_without_a_figure() -> None:
    """A step without a duration is there, its difference unknown."""
    guest = Guest()
    rows = guest.step("bbbb00000001", "cut", 10, 12)
    head = [say(0, "Connected to SSH!"), say(1, "Provisioning with shell script: a.sh")]
    cut = read(log([*head, *said([(2, guest.hello("aaaa00000001", 2)), rows[0]])]))
    (pair,) = compare(cut, cut, "a", "b").steps

    assert (pair.state, pair.duration.difference) == ("both", None)
