"""What ran inside a step, in a report: the time line, commands, the own load beside the machine's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from buildtel.job.model import Command, InsideRow
from buildtel.report.formats import rendered
from buildtel.report.job_view import JobView
from buildtel.report.packer_steps import packer_steps

from ..job.test_accounts import TOLD, build, step_of


def text(document, form: str = "table", width: int = 80) -> str:
    """The report."""
    return rendered(JobView(document), form, width)


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_the_inside_of_a_step_is_shown(form: str) -> None:
    """In order, with what failed, what ran elsewhere, what was not heard of."""
    shown = " ".join(text(build(TOLD), form).replace("\\", "").split())

    for words in (
        "Inside docker, 1:35", "4 × true …", "and 9 more", "apt-get 20.5 s (2 ×, 100 MB)", "others 9.5 s",
        "cron 0.50 s", "3 commands", "memory 50 MB (machine", "CPU 15.8% (machine",
        "all figures but the time and own ones are of the whole machine",
    ):  # fmt: skip
        assert words in shown, words


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_what_is_sampled_says_so(form: str) -> None:
    """Looks at the step's processes, or the machine's samples."""
    told = {**TOLD, "cmds": {"from": "sampled", "own": [["apt-get", 2, 20.5, None, 30.5, None]]}}
    lives = [[150_000, 151_000, 0, ["python3", 5, 1.5, 0.5, 0.5, 0.0]]]
    shown = " ".join(text(build(told, lives), form).split())

    assert "(sampled)" in shown
    assert "all commands that ended in its time" in shown
    assert "(sampled)" in packer_steps(build(told))
    assert "(sampled)" not in packer_steps(build(TOLD))


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_without_accounts_there_is_no_word_of_them(form: str) -> None:
    """Documents of older agents."""
    shown = text(build({}), form)

    assert "Inside" not in shown
    assert " own CPU" not in shown and "own %" not in shown


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Whatever the names: fifty of them, wide, odd, or acting on a terminal."""
    document = build(TOLD)
    step = step_of(document, "docker")
    rows = [
        InsideRow(name=f"{n} \x1b[31m日本語" * 4, count=n, start_s=n, duration_s=n / 7, cpu_s=0.5, exit_code=n % 2)
        for n in range(1, 51)
    ]
    odd = replace(step, inside=rows, commands=[Command(name="\x1b]0;x\x07|<b>`", count=1, cpu_s=1.0)] * 12)
    shown = text(replace(document, steps=[odd]), width=width)

    assert max(map(cell_len, shown.splitlines())) <= width
    assert "\x1b" not in shown
    assert len([line for line in shown.splitlines() if "日本" in line]) <= 12


def test_the_longest_steps_are_shown() -> None:
    """Ten of a hundred, in their order."""
    document = build(TOLD)
    step = step_of(document, "docker")
    many = [replace(step, name=f"s{n:02}", metrics={**step.metrics, "duration_s": n % 13 + 1}) for n in range(100)]
    heads = [line for line in text(replace(document, steps=many)).splitlines() if line.startswith("Inside ")]

    assert len(heads) == 10
    assert heads == sorted(heads)
