"""The fold of packer's own events: results, times, what is our own, and what a log leaves open."""

import pytest

from buildtel import parse
from buildtel.events import (
    Artifact,
    BuildFinished,
    BuildSeen,
    Interrupted,
    PackerVersion,
    PhaseStarted,
    ProvisionerFinished,
    ProvisionerStarted,
    RunFinished,
    RunStarted,
    SshWait,
    When,
)
from buildtel.timeline.packer_model import PackerReport

from ..samples import numbered, packer_report

T = "qemu.debian"


def at(second):
    """A time."""
    return When(1000.0 + second, 1.0, True)


def fold(*makers):
    """The report of events that are made with their line numbers, one second a line."""
    return packer_report(numbered(make(n, at(n)) for n, make in enumerate(makers, 1)))


def event(of, /, **fields):
    """A maker of one event."""
    return lambda line, when: of(line=line, at=when, **fields)


def ended(result="success", error=None, target=T):
    """A build's end."""
    return event(BuildFinished, target=target, result=result, duration_s=2.5, error=error)


def report_of(text):
    """The report of a log."""
    return packer_report([*parse.read([text.encode()])])


def test_nothing_gives_an_empty_report():
    """No events, no runs."""
    assert packer_report([]) == PackerReport()


def test_phases_and_provisioners_have_begin_and_end():
    """A phase lasts until the next phase, provisioner or connection; a provisioner until it is said to end."""
    report = fold(
        event(RunStarted),
        event(BuildSeen, target=T),
        event(PhaseStarted, target=T, name="boot", text="Starting VM"),
        event(PhaseStarted, target=T, name="wait_ssh", text="Waiting"),
        event(SshWait, target=T, connected=False),
        event(SshWait, target=T, connected=True),
        event(ProvisionerStarted, target=T, index=0, kind="shell", detail="a.sh"),
        event(ProvisionerFinished, target=T, index=0),
        event(ProvisionerStarted, target=T, index=0, kind="shell", detail="b.sh"),
        event(PhaseStarted, target=T, name="shutdown", text="Halting"),
        ended(),
        event(RunFinished, total_s=3.5),
        event(Artifact, target=T, text="VM files"),
    )
    (run,) = report.runs
    (build,) = run.builds
    assert [(p.name, p.started_at, p.ended_at) for p in build.phases] == [
        ("boot", 1003, 1004),
        ("wait_ssh", 1004, 1006),
        ("shutdown", 1010, 1011),
    ]
    assert [(p.detail, p.started_at, p.ended_at) for p in build.provisioners] == [
        ("a.sh", 1007, 1008),
        ("b.sh", 1009, 1010),
    ]
    assert (build.ssh_wait, build.result, build.duration_s, build.artifacts) == (True, "success", 2.5, ("VM files",))
    assert (run.total_s, run.started_at, run.ended_at) == (3.5, 1001, 1013)


def test_a_log_cut_off_leaves_ends_open():
    """What has no end in the log has none here, and the result is unknown."""
    report = fold(event(RunStarted), event(ProvisionerStarted, target=T, index=0, kind="ansible", detail=""))
    build = report.runs[0].builds[0]
    assert (build.result, build.duration_s, build.provisioners[0].ended_at) == ("unknown", None, None)


@pytest.mark.parametrize(
    ("events", "result"),
    [
        ((ended(),), "success"),
        ((ended("failure", "exit status: 1"),), "failure"),
        ((ended("cancelled", "context canceled"),), "cancelled"),
        ((event(Interrupted), ended()), "cancelled"),
        ((event(Interrupted), ended("failure", "Error waiting for SSH")), "cancelled"),
        ((event(Interrupted), ended("failure", "unexpected EOF")), "failure"),
        ((ended(), event(Interrupted)), "cancelled"),
        ((ended("failure", "exit status: 1"), event(Interrupted)), "failure"),
        ((ended("failure", "Build was halted."), event(Interrupted)), "cancelled"),
        ((ended(), event(Interrupted), ended(target="other")), "success"),
        ((ended(), ended("failure", "x")), "failure"),
        ((), "unknown"),
    ],
)
def test_results(events, result):
    """What packer says of a build, and when it was interrupted, decide the result."""
    report = fold(event(RunStarted), event(BuildSeen, target=T), *events)
    assert report.runs[0].builds[0].result == result


@pytest.mark.parametrize(
    ("kind", "detail", "own"),
    [
        ("shell", "/x/y/buildtel_agent.py", True),
        ("shell", "C:\\x\\buildtel_agent.py", True),
        ("shell", "buildtel_agent.py", True),
        ("shell", "my_buildtel_agent.py", False),
        ("file-upload", "buildtel_agent.py", False),
        ("file-download", "/dev/shm/buildtel-spool.jsonl => buildtel-spool.jsonl", True),
        ("file-download", "/dev/shm/buildtel-spool.jsonl => out/a.b => c", True),
        ("file-download", "/dev/shm/buildtel-spool.jsonl", True),
        ("file-download", "/home/me/buildtel-spool.jsonl => buildtel-spool.jsonl", False),
        ("file-download", "/dev/shm/app.log => /dev/shm/buildtel-spool.jsonl", False),
        ("file-upload", "/dev/shm/buildtel-spool.jsonl => /tmp", False),
        ("shell", "/dev/shm/buildtel-spool.jsonl", False),
    ],
)
def test_our_own_provisioners_are_marked(kind, detail, own):
    """A shell provisioner whose script is the agent is ours, and the download of its spool from where it puts it."""
    report = fold(event(ProvisionerStarted, target=T, index=0, kind=kind, detail=detail))
    assert report.runs[0].builds[0].provisioners[0].own is own


def test_builds_stand_in_the_order_of_their_first_lines():
    """A name may be known later than it was seen."""
    events = [
        RunStarted(line=1),
        BuildSeen(line=3, target="b"),
        BuildSeen(line=2, target="a"),
    ]
    assert [build.name for build in packer_report(events).runs[0].builds] == ["a", "b"]


def test_a_version_without_a_build_is_one_run_without_builds():
    """`packer validate` in a debug log; beside a real run it is left out."""
    version = event(PackerVersion, version="1.12.0")
    assert fold(event(RunStarted), version).version == "1.12.0"
    assert [run.builds for run in fold(event(RunStarted), version).runs] == [()]
    report = fold(event(RunStarted), version, event(RunStarted), event(BuildSeen, target=T))
    assert len(report.runs) == 1


SAYS = "==> q: Waiting for SSH to become available...\n"
UNITS = {
    "Provisioning with shell script: a.sh": ("shell", "a.sh"),
    "Provisioning with powershell script: ./a.ps1": ("powershell", "./a.ps1"),
    "Running local shell script: /tmp/packer-shell1": ("shell-local", "/tmp/packer-shell1"),
    "Executing local command: echo a: b": ("shell-local", "echo a: b"),
    "Uploading a => /b": ("file-upload", "a => /b"),
    "Downloading /b => a": ("file-download", "/b => a"),
    "Provisioning with Ansible...": ("ansible", ""),
    "Provisioning with chef-solo": ("chef", ""),
    "Executing Chef: sudo chef-client": ("chef", ""),
    "Restarting Machine": ("windows-restart", ""),
    "Uploading the Windows update elevated script...": ("windows-update", ""),
    "Running Windows update...": ("windows-update", ""),
    "Provisioning with Puppet...": ("other", ""),
    "Provisioning with Salt...": ("other", ""),
    "Provisioning with Inspec...": ("other", ""),
    "Provisioning with Converge": ("other", ""),
    "Pausing at breakpoint provisioner.": ("other", ""),
    "Provisioning with Powershell...": None,
    "Provisioning with windows-shell...": None,
    "Uploading VirtualBox version info (7.0)": None,
    "Downloading or copying ISO": None,
    "Uploading ISO to remote machine...": None,
    "Waiting for machine to restart...": None,
    "+ echo Provisioning with shell script: a.sh": None,
}


@pytest.mark.parametrize("text", UNITS)
def test_kinds_of_provisioners(text):
    """Packer's words to kind and detail; what announces a unit or serves the builder is none."""
    units = report_of(SAYS + f"==> q: {text}\n").runs[0].builds[0].provisioners
    assert [(unit.kind, unit.detail) for unit in units] == ([UNITS[text]] if UNITS[text] else [])


def test_one_windows_update_run_is_one_unit():
    """Its uploads and its further rounds after a restart belong to it."""
    texts = [
        "Uploading the Windows update elevated script...",
        "Uploading the Windows update script...",
        "Running Windows update...",
        "Restarting the machine...",
        "Running Windows update...",
    ]
    build = report_of(SAYS + "".join(f"==> q: {text}\n" for text in texts)).runs[0].builds[0]
    assert [unit.kind for unit in build.provisioners] == ["windows-update"]


def test_retried_provisioners_begin_again():
    """Each try is a unit."""
    log = SAYS + (
        "==> q: Provisioning with shell script: a.sh\n"
        '==> q: Provisioner failed with "x", retrying with 1 trie(s) left\n'
        "==> q: Provisioning with shell script: a.sh\n"
        "==> q: Provisioning step had errors: Running the cleanup provisioner, if present...\n"
        "==> q: Provisioning with shell script: cleanup.sh\n"
        "Build 'q' errored after 1 minute 2 seconds: Script exited with non-zero exit status: 1\n"
    )
    build = report_of(log).runs[0].builds[0]
    assert [unit.detail for unit in build.provisioners] == ["a.sh", "a.sh", "cleanup.sh"]
    assert (build.result, build.duration_s) == ("failure", 62.0)
    assert build.phases[-1].name == "error_cleanup"


def test_a_timeout_is_a_failure_though_its_error_says_cancelled():
    """`context canceled` is what a provisioner's own timeout leaves behind."""
    log = SAYS + (
        "==> q: Cancelling provisioner after a timeout...\nBuild 'q' errored after 1 second: context canceled\n"
    )
    assert report_of(log).runs[0].builds[0].result == "failure"


def test_telemetry_lines_end_a_provisioner_and_tell_silent_ones():
    """With one build under way the debug log's own lines are exact."""
    stamp = "2026/01/24 12:00:0"
    log = (
        f"{stamp}0 [INFO] Packer version: 1.6.6 [go1.15 linux amd64]\n"
        f"{stamp}0 ui: ==> q: Waiting for SSH to become available...\n"
        f"{stamp}1 [INFO] (telemetry) Starting provisioner shell\n"
        f"{stamp}1 ui: ==> q: Provisioning with shell script: a.sh\n"
        f"{stamp}2 [INFO] (telemetry) ending shell\n"
        f"{stamp}3 [INFO] (telemetry) Starting provisioner goss\n"
        f"{stamp}3 ui: ==> q: Provisioning with Goss\n"
        f"{stamp}4 [INFO] (telemetry) ending goss\n"
    )
    report = report_of(log)
    first, second = report.runs[0].builds[0].provisioners
    assert (first.kind, second.kind) == ("shell", "other")
    assert (first.ended_at - first.started_at, second.ended_at - second.started_at) == (1.0, 1.0)
    assert report.version == "1.6.6"


def test_what_the_guest_prints_while_provisioning_begins_no_phase():
    """Since 1.13 the guest's lines look like packer's: words that guests print too are not believed then."""
    log = SAYS + (
        "==> q: Provisioning with shell script: a.sh\n"
        "==> q: Removing libfoo (1.2) ...\n"
        "==> q: Creating virtual machine...\n"
        "==> q: Waiting for SSH to become available...\n"
        "==> q: Stopping the source instance...\n"
        "==> q: Removing temporary things\n"
    )
    build = report_of(log).runs[0].builds[0]
    assert [phase.name for phase in build.phases] == ["wait_ssh", "shutdown", "cleanup"]


def test_lines_behind_a_prompt_are_read():
    """`-debug` and `-on-error=ask` leave no newline behind their questions."""
    log = SAYS + (
        "==> q: Pausing after run of step 'StepConnect'. Press enter to continue. "
        "==> q: Provisioning with shell script: a.sh\n"
        "==> q: [c] Clean up and exit, [a] abort without cleanup, or [r] retry step "
        "(build may fail even if retry succeeds)? ==> q: Provisioning with shell script: b.sh\n"
    )
    assert [unit.detail for unit in report_of(log).runs[0].builds[0].provisioners] == ["a.sh", "b.sh"]


def test_late_lines_of_a_merged_log_begin_no_run():
    """Stderr may overtake stdout: what packer says at a build's end does not begin a new run."""
    log = SAYS + (
        "Build 'q' errored after 1 second: boom\n\n"
        "==> Wait completed after 1 second\n\n"
        "==> Some builds didn't complete successfully and had errors:\n"
        "--> q: boom\n\n"
        "==> Builds finished but no artifacts were created.\n"
        "==> q: Deleting output directory...\n\n"
        "==> Wait completed after 1 second\n"
    )
    assert len(report_of(log).runs) == 1


def test_errors_and_artifacts_of_several_lines_are_kept():
    """What packer prints on several lines stays together, and what follows is not taken for it."""
    log = SAYS + (
        "Build 'q' errored after 1 second: 1 error(s) occurred:\n\n* no disk\n"
        "==> Builds finished. The artifacts of successful builds are:\n"
        "--> q: AMIs were created:\neu-west-1: ami-1\n\nother\n"
        "--> q: VM files in directory: out\nFinished: SUCCESS\n"
    )
    build = report_of(log).runs[0].builds[0]
    assert build.error == "1 error(s) occurred:\n* no disk"
    assert build.artifacts == ("AMIs were created:\neu-west-1: ami-1", "VM files in directory: out")


def test_a_log_of_another_program_tells_nothing():
    """Vagrant, makepkg and az look a little like packer."""
    log = '==> default: Importing base box\n==> Making package: x\n    "id": "/x",\nBuild succeeded.\n    a: b\n'
    assert report_of(log * 3) == PackerReport()
