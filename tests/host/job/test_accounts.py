"""Accounts of commands in a document: from a step's own records, from the machine's samples, from neither."""

from __future__ import annotations

from typing import Any

import pytest

from buildtel.job import JobDocument, load_document
from buildtel.job.model import Command, InsideRow, Step

from ..samples import Guest, counters, log, packed, said, say
from .test_fold import read

TOLD = {
    "own": {"cpu_ms": 30_000, "read_kb": 2048, "write_kb": 10_240, "peak_kb": 51_200},
    "cmds": {
        "from": "taskstats", "own": [["apt-get", 2, 20.5, 100.0, 30.5, 0.25], ["", 90, 9.5, 0.0, 0.5, 0.0]],
        "others": [["cron", 1, 0.5, 0.0, 0.5, 0.0]], "lost": 3,
    },
    "inside": [["apt-get", 1, 0.01, 60.5, 19.5, 0], ["true …", 4, 61.0, 0.2, 0.1, 1], ["", 9, None, None, 1.5, None]],
}  # fmt: skip


def build(more: dict[str, Any], lives: list[list[Any]] = ()) -> JobDocument:
    """A build of a wired step whose end tells `more`, and a provisioner that nobody wired, with intervals."""
    guest = Guest()
    (start_s, start), (end_s, end) = guest.step("bbbb00000001", "docker", 44.8, 139.9)
    ms = round(-guest.booted_s * 1000)
    shifted = [[one[0] + ms, one[1] + ms, *one[2:]] for one in lives]
    rows = [counters(busy=at) for at in range(5)]
    life = guest.fields(
        "samples", "aaaa00000001", 190.0, src="x", cols=packed(rows, [41.0, 100.0, 145.0, 180.0, 189.0], guest),
        cmds=shifted, last=True,
    )  # fmt: skip
    end.update(more, c={**end["c"], "cpus": [2]})
    return read(log([
        say(40.5, "Provisioning with shell script: ./buildtel_agent.py"),
        *said([(42.3, guest.hello("cccc00000001", 42.3))]),
        say(44.0, "Provisioning with shell script: scripts/install-docker.sh"),
        *said([(start_s, start), (end_s, end)]),
        say(141.0, "Provisioning with Ansible..."),
        say(185.0, "Provisioning with shell script: ./buildtel_agent.py"),
        *said([(190.0, life)]),
        say(192.0, "Gracefully halting virtual machine..."),
        (230.0, "Build 'qemu.debian' finished after 3 minutes 49 seconds."),
    ]))  # fmt: skip


def step_of(document: JobDocument, name: str) -> Step:
    """The step of that name."""
    return next(step for step in document.steps if step.name == name)


def test_a_step_has_what_its_records_tell() -> None:
    """The busiest commands, the time line, the own load beside the machine's; and so in the stored document."""
    document = build(TOLD)
    for one in (document, load_document(document.to_json().encode(), "d.json")):
        step = step_of(one, "docker")
        figures = {name: value for name, value in step.metrics.items() if name.startswith("own_")}

        assert (step.accounts_from, step.commands_lost) == ("taskstats", 3)
        assert [vars(row) for row in step.commands] == [
            vars(Command(name="apt-get", count=2, cpu_s=20.5, io_mb=100.0, longest_s=30.5, delay_s=0.25)),
            vars(Command(name="", count=90, cpu_s=9.5, io_mb=0.0, longest_s=0.5, delay_s=0.0)),
        ]
        assert [row.name for row in step.other_commands] == ["cron"]
        assert vars(step.inside[1]) == vars(
            InsideRow(name="true …", count=4, start_s=61.0, duration_s=0.2, cpu_s=0.1, exit_code=1)
        )
        assert figures == {
            "own_cpu_s": 30.0, "own_cpu_percent": pytest.approx(100 * 30 / (2 * 95.1), abs=0.1),
            "own_memory_peak_mb": 50.0, "own_disk_read_mb": 2.0, "own_disk_write_mb": 10.0,
        }  # fmt: skip


def test_a_provisioner_without_records_has_the_commands_of_its_time() -> None:
    """Those of the machine's samples between its beginning and its end."""
    lives = [
        [100_000, 101_000, 0, ["apt-get", 1, 9.0, None, 1.0, None]],
        [150_000, 151_000, 0, ["python3", 5, 1.5, 0.5, 0.5, 0.0]],
        [170_000, 171_000, 1, ["python3", 1, 0.5, 0.5, 0.9, 0.0], ["dpkg", 2, 3.0, 40.0, 1.0, 0.0]],
        [187_000, 188_000, 0, ["rm", 1, 0.1, 0.0, 0.1, 0.0]],
    ]
    step = step_of(build({}, lives), "ansible")

    assert (step.measured, step.accounts_from, step.commands_lost) == ("from samples", "intervals", 1)
    assert [(row.name, row.count, row.cpu_s) for row in step.commands] == [("dpkg", 2, 3.0), ("python3", 6, 2.0)]
    assert (step.inside, step.other_commands) == (None, None)


def test_what_is_not_told_is_absent() -> None:
    """An older agent's records, or a kernel that tells nothing: no field, not even an empty one."""
    document = build({})
    text = document.to_json()

    assert step_of(document, "docker").commands is None
    assert not any(word in text for word in ('"commands"', '"inside"', '"accounts_from"', '"own_cpu_s"'))
    assert step_of(document, "ansible").accounts_from is None


def test_names_that_are_secrets_are_hidden() -> None:
    """A name of a command is text that others wrote, as any."""
    from buildtel.job.redaction import redacted
    from buildtel.redact import Redactor

    told = {**TOLD, "inside": [["S3CR3T-VALUE", 1, 0.01, 60.5, 19.5, 0]]}
    told["cmds"] = {**TOLD["cmds"], "own": [["S3CR3T-VALUE", 2, 20.5, 100.0, 30.5, 0.25]]}
    hidden = redacted(build(told), Redactor({"MY_TOKEN": "S3CR3T-VALUE"}))

    assert "S3CR3T" not in hidden.to_json()
    assert step_of(hidden, "docker").inside[0].name == "<redacted>"
