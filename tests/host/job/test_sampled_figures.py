"""Figures of a measured step that only the machine's samples tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from buildtel.cli import main

from ..samples import Guest, counters, log, packed, said, say

QUIET = [1000, 2000, 10, 1, 2, 3, 4]
LATER = [5000, 4000, 53, 2, 6, 6, 84]  # 4,000 received, 80 of them with a gap before; 2,000 sent, 40 of them again


def document(folder: Path, *, tcp: bool = True, length_s: float = 20.0) -> dict[str, Any]:
    """The document of a build of one step at 10 s, of a machine that is sampled each second until 40 s."""
    guest = Guest()
    times_s = [float(at_s) for at_s in range(40)]
    rows = [
        counters(busy=int(at_s) * 10, idle=int(at_s) * 190)
        | {"tasks": [1 + (12 <= at_s < 16) * 4, 0, 0, 0]}
        | ({"tcp": LATER if at_s >= 20 else QUIET} if tcp else {})
        for at_s in times_s
    ]
    sent = guest.fields("samples", "aaaa00000001", 41, src="a", cols=packed(rows, times_s, guest))
    lines = [
        say(0, "Provisioning with shell script: a.sh"), *said([(1.0, guest.hello("aaaa00000001", 1.0))]),
        *said(guest.step("bbbb00000001", "load", 10.0, 10.0 + length_s)), *said([(41.0, sent)]),
        (42.0, "Build 'qemu.debian' finished after 42 seconds."),
    ]  # fmt: skip
    (folder / "log").write_bytes(log(lines))
    assert main(["collect", str(folder / "log"), "--job", "x", "--quiet", "-o", str(folder / "job.json")]) == 0
    found: dict[str, Any] = json.loads((folder / "job.json").read_text())
    return found


def test_a_step_has_the_figures_of_tcp_between_its_ends(tmp_path: Path) -> None:
    """Without requests for a connection that were sent again."""
    (step,) = document(tmp_path)["steps"]

    assert step["measured"] == "exactly"
    assert {name: value for name, value in step.items() if name.startswith("tcp")} == {
        "tcp_retransmitted_percent": 2.0, "tcp_out_of_order_percent": 2.0, "tcp_timeouts": 4,
        "tcp_syn_retransmitted": 3, "tcp_resets": 1,
    }  # fmt: skip


@pytest.mark.parametrize("more", [{"tcp": False}, {"length_s": 0.5}, {"length_s": 35.0}])
def test_where_samples_do_not_tell_there_is_no_figure(more: dict[str, Any], tmp_path: Path) -> None:
    """Of an older agent, of a step too short for samples, of one that goes on after the last one."""
    (step,) = document(tmp_path, **more)["steps"]

    assert not [name for name in step if name.startswith("tcp")]


def test_samples_tell_tasks_without_the_one_that_counts(tmp_path: Path) -> None:
    """At each sample of the whole life."""
    machine = document(tmp_path)["machines"]["qemu.debian"]
    running = machine["samples"][0]["columns"]["tasks_running"]

    assert running == [0.0] * 12 + [4.0] * 4 + [0.0] * 24
