"""Two documents side by side: what is matched with what, what comes first, what is said of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from buildtel.insight.comparison import FORMULA_CHANGED, compare
from buildtel.job import JobDocument, load_document

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

    assert found == [("install", 1, "removed"), ("install", 1, "added")]


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


def test_different_runners_and_failures_are_said() -> None:
    """What makes two builds hard to compare stands below them."""
    notes = compare(made([]), made([], status="failure", system={"cpus": 8}, job="e2e"), "a", "b").notes

    assert "They are different jobs: build and e2e." in notes
    assert "The runners differ: 4 and 8 CPUs." in notes
    assert any("did not succeed (failure)" in note for note in notes)


def test_unfinished_steps_compare_without_a_figure() -> None:
    """A step without a duration is there, its difference unknown."""
    guest = Guest()
    rows = guest.step("bbbb00000001", "cut", 10, 12)
    head = [say(0, "Connected to SSH!"), say(1, "Provisioning with shell script: a.sh")]
    cut = read(log([*head, *said([(2, guest.hello("aaaa00000001", 2)), rows[0]])]))
    (pair,) = compare(cut, cut, "a", "b").steps

    assert (pair.state, pair.duration.difference) == ("both", None)
