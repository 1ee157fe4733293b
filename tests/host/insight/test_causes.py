"""What the account of causes and the findings say of a document, through the command and the functions it calls."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buildtel.cli import main
from buildtel.insight.cause_account import cause_accounts
from buildtel.insight.causes import CAUSE, RULES
from buildtel.insight.findings import findings
from buildtel.job import JobDocument
from buildtel.job.load import load_document
from buildtel.job.model import Command, InsideRow, Step, WaitRow

ZERO_S = 1769256000.0
# What a sample of a guest with 4 CPUs and of its runner tells, and the cause of its second.
CASES: dict[str, tuple[dict[str, float], dict[str, float], str]] = {
    "all CPUs": ({"cpu_percent": 96}, {}, "computing_all"),
    "one thread": ({"cpu_percent": 25}, {}, "computing_one"),
    "two threads": ({"cpu_percent": 51}, {}, "computing_some"),
    "too few CPUs": ({"cpu_percent": 70, "psi_cpu_some_percent": 40}, {}, "computing_all"),
    "steal": ({"cpu_percent": 60, "cpu_steal_percent": 22}, {}, "starved_steal"),
    "a busy runner": ({"cpu_percent": 90}, {"psi_cpu_some_percent": 70}, "starved_runner"),
    "a busy runner, an idle guest": ({"cpu_percent": 1}, {"psi_cpu_some_percent": 70}, "unknown"),
    "a runner short of memory": ({"cpu_percent": 30}, {"psi_memory_some_percent": 30}, "starved_memory"),
    "memory": ({"cpu_percent": 30, "psi_memory_some_percent": 40}, {}, "memory"),
    "disk": ({"cpu_percent": 8, "psi_io_some_percent": 80, "psi_io_full_percent": 66}, {}, "disk"),
    "disk without full pressure": ({"cpu_percent": 8, "psi_io_some_percent": 80}, {}, "disk"),
    "a little disk beside a compiler": ({"cpu_percent": 97, "psi_io_some_percent": 30}, {}, "computing_all"),
    "disk without pressure": ({"cpu_percent": 2, "cpu_iowait_percent": 24}, {}, "disk"),
    "a download": ({"cpu_percent": 5, "net_rx_mbs": 30.0}, {}, "network_line"),
    "a trickle": ({"cpu_percent": 1, "net_rx_mbs": 0.02}, {}, "network_slow"),
    "sending": ({"cpu_percent": 1, "net_rx_mbs": 0.0, "net_tx_mbs": 3.0}, {}, "network_out"),
    "a lock": ({"cpu_percent": 1}, {}, "lock"),
    "a prompt": ({"cpu_percent": 1}, {}, "user"),
    "no answer": ({"cpu_percent": 1}, {}, "network_silent"),
    "a daemon": ({"cpu_percent": 1}, {}, "daemon"),
    "a sleep": ({"cpu_percent": 1, "net_rx_mbs": 0.006}, {}, "sleep"),
    "a silent connection": ({"cpu_percent": 1}, {}, "network_remote"),
    "a sleep beside a loop": ({"cpu_percent": 26, "psi_io_full_percent": 60}, {}, "sleep"),
    "an odd wait beside a loop": ({"cpu_percent": 26}, {}, "unknown"),
    "a download that waits for each packet": ({"cpu_percent": 90, "net_rx_mbs": 30}, {}, "network_line"),
    "an upload that waits for each packet": (
        {"cpu_percent": 4, "net_rx_mbs": 0.04, "net_tx_mbs": 5.5}, {}, "network_out"
    ),
    "a download with its receipts": ({"cpu_percent": 4, "net_rx_mbs": 0.5, "net_tx_mbs": 0.03}, {}, "network_slow"),
    "a kill for want of memory": ({"cpu_percent": 25, "oom_kills_per_s": 1.0}, {}, "memory"),
    "swapped in again, without pressure figures": (
        {"cpu_percent": 25, "direct_scan_mbs": 0, "refault_anon_mbs": 3}, {}, "memory"
    ),
    "memory searched for, without pressure figures": ({"cpu_percent": 25, "direct_scan_mbs": 40}, {}, "memory"),
    "memory searched for, and nobody waits": (
        {"cpu_percent": 25, "direct_scan_mbs": 40, "psi_memory_some_percent": 1}, {}, "computing_one"
    ),
    "files read again for want of memory": (
        {"cpu_percent": 5, "psi_io_full_percent": 45, "psi_memory_some_percent": 8, "disk_read_mbs": 400,
         "refault_file_mbs": 390}, {}, "memory",
    ),
    "files read again, without pressure figures": (
        {"cpu_percent": 5, "cpu_iowait_percent": 20, "disk_read_mbs": 400, "refault_file_mbs": 390,
         "direct_scan_mbs": 0}, {}, "memory",
    ),
    "files read again, and nobody waits": (
        {"cpu_percent": 25, "psi_memory_some_percent": 1, "disk_read_mbs": 20, "refault_file_mbs": 15}, {},
        "computing_one",
    ),
    "files read, some of them again": (
        {"cpu_percent": 5, "psi_io_full_percent": 45, "psi_memory_some_percent": 1, "disk_read_mbs": 400,
         "refault_file_mbs": 30}, {}, "disk",
    ),
    "flushes of small files": (
        {"cpu_percent": 60, "psi_io_some_percent": 20, "disk_flushes_per_s": 2000}, {}, "disk"
    ),
    "flushes that nobody waits for": (
        {"cpu_percent": 25, "psi_io_some_percent": 2, "disk_flushes_per_s": 2000}, {}, "computing_one"
    ),
    "a quota": ({"cpu_percent": 5, "cgroup_throttled_percent": 90}, {}, "starved_throttled"),
    "a quota that is hardly met": ({"cpu_percent": 25, "cgroup_throttled_percent": 4}, {}, "computing_one"),
    "a runner with a quota": ({"cpu_percent": 25}, {"cgroup_throttled_percent": 60}, "starved_throttled"),
    "a busy runner with another build": (
        {"cpu_percent": 90}, {"psi_cpu_some_percent": 70, "beside_packers": 1, "beside_machines": 0}, "starved_runner"
    ),
    "one thread beside four tasks": ({"cpu_percent": 25, "tasks_running": 4}, {}, "computing_one"),
    "a download with gaps": ({"cpu_percent": 5, "net_rx_mbs": 3.0, "tcp_out_of_order_percent": 30}, {}, "network_loss"),
    "an upload sent again": (
        {"cpu_percent": 5, "net_tx_mbs": 3.0, "tcp_retransmitted_percent": 4}, {}, "network_loss"
    ),
    "a wait for a connection with gaps": (
        {"cpu_percent": 5, "net_rx_mbs": 3.0, "tcp_out_of_order_percent": 30}, {}, "network_loss"
    ),
    "a wait for a connection that times out": ({"cpu_percent": 1, "tcp_timeouts_per_s": 1.0}, {}, "network_loss"),
    "a download with one gap": (
        {"cpu_percent": 5, "net_rx_mbs": 30.0, "tcp_out_of_order_percent": 0.2}, {}, "network_line"
    ),
    "nothing": ({"cpu_percent": 1, "net_rx_mbs": 0.0}, {}, "unknown"),
    "no figure at all": ({}, {}, "unknown"),
}
SECONDS = 60
# What the step's commands waited for in some of the cases.
WAITS = {"a lock": "lock", "a prompt": "user", "no answer": "silent", "a daemon": "daemon", "a sleep": "sleep",
         "a silent connection": "remote", "a sleep beside a loop": "sleep", "an odd wait beside a loop": "other",
         "a download that waits for each packet": "remote", "an upload that waits for each packet": "remote",
         "a download with its receipts": "remote", "a wait for a connection with gaps": "remote",
         "a wait for a connection that times out": "remote"}  # fmt: skip


def document(
    guest: dict[str, float], runner: dict[str, float] | None = None, *, seconds: int = SECONDS, **more: Any
) -> JobDocument:
    """A build with one provisioner of so many seconds, in which guest and runner tell the same in each second."""

    def machine(origin: str, figures: dict[str, float]) -> dict[str, Any]:
        columns = {name: [None, *[value] * seconds] for name, value in figures.items()}
        samples = [{"boot": origin, "start_time": ZERO_S, "columns": {"t_s": [*range(seconds + 1)], **columns}}]
        target = {"target": "qemu.box"} if origin == "guest" else {}
        return {"origin": origin, "cpus": 4, "boots": [origin], "samples": samples, **target}

    time = {"started_at": ZERO_S, "ended_at": ZERO_S + seconds}
    row = {"start_s": 0, "duration_s": seconds, "kind": more.get("waits"), "command": "cmd", "holder": "apt-get"}
    step = {"name": "x", "start_time": ZERO_S, "machine": "qemu.box", "origin": "guest", "waits": [row],
            "provisioner": {"index": 0, "kind": "shell", "detail": "a.sh"}}  # fmt: skip
    part = {**time, "duration_s": seconds, "name": "provisioner", "text": "x", "provisioner": 0}
    unit = {**time, "kind": "shell", "detail": "a.sh"}
    build = {**time, "name": "qemu.box", "result": "success", "provisioners": [{**unit, **more.get("unit", {})}],
             "account": [{**part, **more.get("part", {})}]}  # fmt: skip
    machines = {"qemu.box": machine("guest", guest)} | ({"runner": machine("runner", runner)} if runner else {})
    steps = [step] if more.get("waits") else []
    text = {"schema": "buildtel.job/1", "job": "build", "version": "1", "job_duration_s": seconds, "steps": steps,
            "machines": machines, "packer": {"runs": [{"builds": [build]}]}}  # fmt: skip
    return load_document(json.dumps(text).encode(), "x.json")


@pytest.mark.parametrize("name", CASES)
def test_a_sample_has_the_cause_of_its_figures(name: str) -> None:
    """Each rule by a machine that shows it, and those that nearly do."""
    guest, runner, cause = CASES[name]
    (account,) = cause_accounts(document(guest, runner or {"cpu_percent": 1.0}, waits=WAITS.get(name)))

    assert [row.cause for row in account.rows] == [cause]
    assert account.total_s == SECONDS


def test_each_rule_is_shown_by_a_case() -> None:
    """But for those that need a hypervisor's figures, or a step's own, which have tests of their own."""
    others = {"emulated", "starved_beside"}
    assert {cause for _, _, cause in CASES.values()} >= {rule.cause for rule in RULES} - others


def beside(figures: dict[str, float], own_cpu_s: float, *rows: tuple[float, float, float]) -> JobDocument:
    """A step whose own commands used so much CPU: start, length and CPU time of each, in seconds."""
    found = document(figures, waits="none")
    inside = [InsideRow(name="x", count=1, start_s=start_s, duration_s=lasted_s, cpu_s=cpu_s)
              for start_s, lasted_s, cpu_s in rows]  # fmt: skip
    own = {"end_time": ZERO_S + SECONDS, "metrics": {"duration_s": SECONDS, "own_cpu_s": own_cpu_s}}
    return replace(found, steps=[replace(step, waits=None, inside=inside, **own) for step in found.steps])


@pytest.mark.parametrize(
    ("figures", "own_cpu_s", "rows", "told"),
    [
        pytest.param({"cpu_percent": 50}, 60, [(0, 60, 60)], {"computing_one": 60}, id="a thread and a loop"),
        pytest.param({"cpu_percent": 50}, 60, [], {"computing_one": 60}, id="a loop of the script, and another"),
        pytest.param({"cpu_percent": 50}, 0.2, [], {"unknown": 60}, id="nothing, and two loops"),
        pytest.param({"cpu_percent": 50}, 115, [], {"computing_some": 60}, id="two threads alone"),
        pytest.param({"cpu_percent": 75}, 120, [], {"computing_some": 60}, id="two threads and a loop"),
        pytest.param(
            {"cpu_percent": 50}, 30, [(10, 30, 30)], {"computing_one": 30, "unknown": 30}, id="a thread for a while"
        ),
        pytest.param(
            {"cpu_percent": 100, "psi_cpu_some_percent": 90}, 30, [], {"starved_beside": 60}, id="many loops beside"
        ),
        pytest.param(
            {"cpu_percent": 100, "psi_cpu_some_percent": 90}, 200, [], {"computing_all": 60}, id="most of the CPUs"
        ),
    ],
)
def test_a_step_computes_by_its_own_cpu(
    figures: dict[str, float], own_cpu_s: float, rows: list[tuple[float, float, float]], told: dict[str, float]
) -> None:
    """Where that is known, and others compute beside it."""
    (account,) = cause_accounts(beside(figures, own_cpu_s, *rows))

    assert {row.cause: row.seconds for row in account.rows} == told


def test_a_thread_that_has_a_whole_cpu_does_not_wait_for_one() -> None:
    """Where all others wait; of many commands that have one CPU together some may wait, too."""
    found = beside({"cpu_percent": 100, "psi_cpu_some_percent": 90}, 59)

    def told(count: int) -> list[str]:
        commands = [Command(name="gzip", count=count, cpu_s=58.0)]
        (account,) = cause_accounts(replace(found, steps=[replace(found.steps[0], commands=commands)]))
        return [row.cause for row in account.rows]

    assert (told(1), told(40)) == (["computing_one"], ["starved_beside"])


def test_a_finding_tells_what_others_used_beside_a_step() -> None:
    """As evidence, and that its figures are the step's own; load of others is never more than a remark."""
    (one,) = findings(beside({"cpu_percent": 50}, 60))
    assert [evidence.words for evidence in one.evidence] == ["busy 1 CPUs", "others beside 1 CPUs"]
    assert one.caveats == ("others in the machine used 1.0 CPUs at the same time, which are not counted here",)

    (one,) = findings(beside({"cpu_percent": 100, "psi_cpu_some_percent": 90}, 30))
    assert (one.cause, one.severity, one.saves_s) == ("starved_beside", "low", (0, 54))


def test_a_machine_without_kvm_is_emulated_while_it_computes() -> None:
    """The runner sees whether the hypervisor's process has a machine of KVM's."""
    for kvm, cause in ((0, "emulated"), (1, "computing_one")):
        found = document({"cpu_percent": 25}, {"cpu_percent": 30}, part={"hypervisor": {"cpu_percent": 99, "kvm": kvm}})
        (account,) = cause_accounts(found)
        assert [row.cause for row in account.rows] == [cause]


def test_evidence_tells_of_other_builds_on_the_runner() -> None:
    """Where there were some; the runner is starved without them, too."""
    beside = document({"cpu_percent": 90}, {"psi_cpu_some_percent": 70, "beside_packers": 1, "beside_machines": 2})
    others = document({"cpu_percent": 90}, {"psi_cpu_some_percent": 70, "beside_packers": 0, "beside_machines": 0})
    (one,), (two,) = (
        [finding for finding in findings(found) if finding.cause.startswith("starved")]
        for found in (beside, others)
    )

    assert [evidence.words for evidence in one.evidence][-1] == "other builds on the runner 3"
    assert "runner_beside_builds" not in [evidence.figure for evidence in two.evidence]


@pytest.mark.parametrize(
    ("figures", "lasted_s", "cause"),
    [
        ({"cpu_percent": 25.0}, 60, "computing_one"),
        ({"cpu_percent": 25.0}, 120, "unknown"),
        ({"cpu_percent": 2.0, "psi_io_full_percent": 60.0}, 60, "disk"),
        ({"cpu_percent": 2.0, "net_rx_rate_mbs": 3.0}, 60, "network_line"),
        ({"cpu_percent": 25.0, "oom_kills": 20}, 60, "memory"),
        ({"cpu_percent": 2.0}, 60, "unknown"),
    ],
)
def test_a_step_measured_at_its_two_ends_is_one_sample(figures: dict[str, float], lasted_s: int, cause: str) -> None:
    """In a guest without Python nothing else tells; of a long one its mean says nothing of a second."""
    found = document({}, seconds=lasted_s)
    found.machines["qemu.box"].samples.clear()
    step = Step(name="x", machine="qemu.box", start_time=ZERO_S, end_time=ZERO_S + lasted_s, origin="guest",
                measured="exactly", metrics={"duration_s": lasted_s, **figures})  # fmt: skip
    (account,) = cause_accounts(replace(found, steps=[step]))

    assert [row.cause for row in account.rows] == [cause]


def test_without_samples_of_the_guest_the_runner_tells_where_the_hypervisor_is() -> None:
    """On the runner of a machine elsewhere nothing is concluded."""
    for hypervisor, rows in (({"cpu_percent": 99}, [("computing_one", ("runner",))]), (None, [("unknown", ("log",))])):
        found = document({}, {"cpu_percent": 25}, part={"hypervisor": hypervisor})
        found.machines.pop("qemu.box")
        (account,) = cause_accounts(found)
        assert [(row.cause, row.sources) for row in account.rows] == rows


def test_only_of_a_guest_samples_are_missing() -> None:
    """A local shell script runs on the runner, whose samples are there."""
    for kind, missing in (("shell", 1), ("shell-local", 0)):
        found = document({}, {"cpu_percent": 25}, part={"hypervisor": {"cpu_percent": 99}}, unit={"kind": kind})
        found.machines.pop("qemu.box")
        (finding,) = [one for one in findings(found) if one.cause == "computing_one"]
        assert len(finding.missing) == missing


def test_a_guest_that_is_the_runner_does_not_starve_itself() -> None:
    """Both are one boot: the runner's pressure is the step's own load."""
    found = document({"cpu_percent": 100}, {"psi_cpu_some_percent": 90})
    found.machines["runner"].boots[:] = found.machines["qemu.box"].boots
    (account,) = cause_accounts(found)

    assert [row.cause for row in account.rows] == ["computing_all"]


def test_a_wait_for_a_lock_names_its_holder() -> None:
    """The output of apt tells it; the rest of the provisioner keeps its own cause."""
    time = {"started_at": ZERO_S + 10, "ended_at": ZERO_S + 40}
    lock = {**time, "name": "process 1690 (unattended-upgr)", "kind": "lock"}
    found = document({"cpu_percent": 25}, unit={"parts": [lock]})
    (account,) = cause_accounts(found)
    (finding,) = [one for one in findings(found) if one.cause == "lock"]

    assert [(row.cause, row.seconds) for row in account.rows] == [("computing_one", 30), ("lock", 30)]
    assert finding.words.endswith("held by process 1690 (unattended-upgr)")
    assert finding.severity == "severe"


def test_only_a_lock_has_a_holder() -> None:
    """Of an odd wait the kernel's function stands in its place; a wait for a lock may be less than half of a second."""
    for kind, share in (("other", 0.4), ("lock", 0.4), ("lock", 1.0)):
        found = document({"cpu_percent": 25}, waits=kind)
        rows = [WaitRow(start_s=at, duration_s=share, kind=kind, command="x", holder="dpkg") for at in range(SECONDS)]
        (finding,) = findings(replace(found, steps=[replace(found.steps[0], waits=rows)]))
        assert finding.words == ("waiting for a lock, held by dpkg" if share == 1 else "computing on one thread")


def test_a_reboot_within_a_provisioner_is_booting() -> None:
    """From the last sample of a boot to the first of the next one; without another boot nobody knows."""
    whole = document({"cpu_percent": 50.0})
    guest = whole.machines["qemu.box"]
    (life,) = guest.samples

    def told(boot: str) -> list[tuple[str, float]]:
        first = replace(life, columns={name: column[:11] for name, column in life.columns.items()})
        later = replace(life, boot=boot, columns={name: column[50:] for name, column in life.columns.items()})
        machines = {"qemu.box": replace(guest, samples=[later, first])}
        (account,) = cause_accounts(replace(whole, machines=machines))
        return [(row.cause, row.seconds) for row in account.rows]

    assert told("other") == [("boot_ssh", 40), ("computing_some", 20)]
    assert told("guest") == [("computing_some", 20), ("unknown", 40)]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=40),
    st.lists(st.integers(-3_000, 45_000), min_size=0, max_size=12),
    st.integers(-20_000, 20_000),
)
def test_causes_add_up_to_the_wall_time(percents: list[float], cuts: list[int], shift_ms: int) -> None:
    """Whatever the samples are and wherever they lie, the slices touch each other and add up, in milliseconds."""
    found = document({"cpu_percent": 1.0}, seconds=len(percents))
    samples = found.machines["qemu.box"].samples[0]
    samples.columns["cpu_percent"][1:] = percents
    object.__setattr__(samples, "start_time", ZERO_S + shift_ms / 1000)
    locks = [{"name": "", "kind": "lock", "started_at": ZERO_S + a / 1000, "ended_at": ZERO_S + b / 1000}
             for a, b in zip(cuts[::2], cuts[1::2], strict=False)]  # fmt: skip
    text = json.loads(found.to_json())
    text["packer"]["runs"][0]["builds"][0]["provisioners"][0]["parts"] = locks
    (account,) = cause_accounts(load_document(json.dumps(text).encode(), "x.json"))

    assert all(before.end_ms == after.start_ms for before, after in pairwise(account.slices))
    assert account.total_s == len(percents)
    assert round(sum(row.seconds for row in account.rows), 6) == len(percents)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[2] not in ("unknown",)])
def test_a_finding_goes_with_its_evidence(name: str) -> None:
    """Without the figures that a finding names, the document has no such finding; their values are the document's."""
    guest, runner, cause = CASES[name]
    found = document(guest, runner or {"cpu_percent": 1.0}, waits=WAITS.get(name))
    (finding,) = [one for one in findings(found) if one.cause == cause]
    assert finding.evidence
    for row in finding.evidence:
        known = {**{f"runner_{name}": value for name, value in runner.items()}, **guest}
        assert row.value == pytest.approx(known.get(row.figure, row.value))

    figures = {row.figure.removeprefix("runner_") for row in finding.evidence} | {"cpu_percent", "cpu_iowait_percent"}
    bare = {name: value for name, value in guest.items() if name not in figures and name != "net_rx_mbs"}
    assert cause not in [one.cause for one in findings(document(bare, {"cpu_percent": 1.0}))]


def test_nothing_short_is_blamed() -> None:
    """Four seconds of a full disk, or one percent of a build, are no finding."""
    disk = {"cpu_percent": 1.0, "psi_io_full_percent": 90.0}

    assert findings(document(disk, seconds=4)) == []
    assert [one.cause for one in findings(document(disk, seconds=5))] == ["disk"]


def test_a_saving_lies_between_full_and_some_pressure() -> None:
    """A minute at 50 % full and 80 % some: 30 s at least, 48 s at most."""
    (finding,) = findings(document({"cpu_percent": 1, "psi_io_full_percent": 50, "psi_io_some_percent": 80}))

    assert finding.saves_s == (30, 48)
    assert finding.severity == "severe"


def test_a_saving_is_not_0_where_no_figure_tells_it() -> None:
    """A kernel without pressure figures: memory may have cost all of its time."""
    (finding,) = findings(document({"cpu_percent": 10, "refault_anon_mbs": 20.0, "direct_scan_mbs": 5.0}))

    assert (finding.cause, finding.saves_s, finding.severity) == ("memory", (0.0, SECONDS), "severe")


def test_a_conversion_on_one_thread_has_advice_of_its_own() -> None:
    """Told by the runner, since no guest runs any more."""
    part = {"name": "convert", "text": "Converting hard drive...", "provisioner": None}
    found = findings(document({}, {"cpu_percent": 25}, part=part, unit={"started_at": None, "ended_at": None}))

    assert [(one.cause, "disk_compression" in one.advice) for one in found if one.cause == "computing_one"] == [
        ("computing_one", True)
    ]


def test_a_healthy_machine_is_never_more_than_low() -> None:
    """It computes, or downloads as fast as its line can."""
    for name in ("all CPUs", "one thread", "two threads", "a download"):
        found = findings(document(CASES[name][0]))
        assert [(one.severity, CAUSE[one.cause].avoidable) for one in found] == [("low", False)]


def test_diagnose_says_it_in_each_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence, the finding with what it saves and what helps; JSON has the same figures."""
    file = tmp_path / "x.json"
    file.write_text(document({"cpu_percent": 1, "psi_io_full_percent": 50, "psi_io_some_percent": 80}).to_json())

    assert main(["diagnose", str(file)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "1:00 100.0% waiting for the disk (the machine's samples)" in text
    assert "severe: shell a.sh: waiting for the disk for 1:00 (io pressure (full) 50%)" in text
    assert "saves: at least 30.0 s, at most 48.0 s try: use a faster disk" in text

    assert main(["diagnose", str(file), "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["builds"] == [{"name": "qemu.box", "total_s": 60.0, "causes": [
        {"cause": "disk", "words": "waiting for the disk", "seconds": 60.0, "told_by": ["guest"]}]}]  # fmt: skip
    assert [(one["cause"], one["saves_s"]) for one in data["findings"]] == [("disk", [30.0, 48.0])]

    assert main(["diagnose", str(file), "--format", "markdown"]) == 0
    assert "**severe: shell a.sh**: waiting for the disk" in capsys.readouterr().out


def test_nothing_to_say_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A short build without a finding says so."""
    file = tmp_path / "x.json"
    file.write_text(document({"cpu_percent": 99}, seconds=3).to_json())

    assert main(["diagnose", str(file)]) == 0
    assert "Nothing to report: " in capsys.readouterr().out


def test_a_machine_that_is_too_large_is_told() -> None:
    """Memory and CPUs that nothing used in two minutes and more; nothing of a machine that needs them once."""
    large = document({"cpu_percent": 20.0, "memory_used_mb": 900.0}, seconds=120)
    object.__setattr__(large.machines["qemu.box"], "memory_total_mb", 8192)
    spare = [one for one in findings(large) if one.cause.startswith("spare_")]
    assert [(one.cause, one.words) for one in spare] == [
        ("spare_memory", "has 8192 MB, at most 900 were in use"), ("spare_cpus", "has 4 CPUs, at most 0.8 were in use"),
    ]  # fmt: skip

    columns = large.machines["qemu.box"].samples[0].columns
    columns["cpu_percent"][30], columns["memory_used_mb"][30] = 51.0, 3300.0
    assert not [one for one in findings(large) if one.cause.startswith("spare_")]
