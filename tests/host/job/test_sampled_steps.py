"""Provisioners without records of their own have their figures from the machine's samples."""

from __future__ import annotations

import pytest

from buildtel.job import JobDocument
from buildtel.job.model import Step

from ..samples import Guest, counters, log, packed, said, say
from .test_fold import read


def build(first_s: float, began_s: float) -> JobDocument:
    """Ansible right behind `install`, in a log with stamps of whole seconds; it writes 1 MB in each of its 20 s."""
    guest = Guest()
    rows = [counters(busy=20 * at, idle=180 * at, written_mb=at) for at in range(22)]
    cols = packed(rows, [first_s + at for at in range(22)], guest)
    return read(log([
        say(40.5, "Provisioning with shell script: ./buildtel_agent.py"),
        *said([(first_s, guest.hello("cccc00000001", first_s))]),
        say(began_s, "Provisioning with Ansible..."),
        say(began_s + 20, "Provisioning with shell script: ./buildtel_agent.py"),
        *said([(first_s + 21.5, guest.fields("samples", "a1", first_s + 21.5, src="x", cols=cols, last=True))]),
        (70.0, "Build 'qemu.debian' finished after 1 minute 10 seconds."),
    ]))  # fmt: skip


def ansible(document: JobDocument) -> Step:
    """Its step."""
    return next(step for step in document.steps if step.name == "ansible")


@pytest.mark.parametrize("first_s", [42.1, 42.6, 42.9, 43.0])
def test_a_stamp_before_the_first_sample_by_its_grain_has_figures(first_s: float) -> None:
    """The stamp says the second's beginning: the first sample stands for it where that is a small part of the time."""
    step = ansible(build(first_s, 43.05 if first_s == 43 else 42.95))

    assert step.measured == "from samples"
    assert step.metrics["duration_s"] == 20.0
    assert step.metrics["cpu_percent"] == pytest.approx(10, abs=0.5)
    assert step.metrics["disk_write_rate_mbs"] == pytest.approx(1.0, abs=0.05)
    assert 19.0 <= step.metrics["disk_write_mb"] <= 20.0


def test_what_began_long_before_the_first_sample_has_none() -> None:
    """Samples that begin 3 s after a stretch tell nothing of its first part: there is no step of it."""
    document = build(46.0, 43.05)

    assert [step.name for step in document.steps] == []
    assert [unit.kind for run in document.packer.runs for unit in run.builds[0].provisioners][1] == "ansible"
