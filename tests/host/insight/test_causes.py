"""What the account of causes and the findings say of a document, through the command and the functions it calls."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buildtel.insight.cause_account import cause_accounts
from buildtel.insight.causes import RULES
from buildtel.insight.findings import findings
from buildtel.job import JobDocument
from buildtel.job.load import load_document
from buildtel.job.model import Command, InsideRow, Step, WaitRow

from .cases import CASES, SECONDS, WAITS, ZERO_S, document


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
