"""The real packer in every form of its output: the same builds, provisioners and records are read."""

import os
import shutil
import subprocess
import tempfile
import zlib
from pathlib import Path

import pytest

from buildtel import parse
from buildtel.events import AgentRecord, DamagedRecord

from ..samples import packer_report

pytestmark = [
    pytest.mark.packer,
    pytest.mark.skipif(not shutil.which("packer"), reason="no packer here"),
]

SOURCES = """
source "null" "one" { communicator = "none" }
source "null" "two" { communicator = "none" }
"""
BUILD = """
build {
  name    = "my build"
  sources = [%(sources)s]
  provisioner "shell-local" { script = "%(folder)s/first-step.sh" }
  provisioner "shell-local" { script = "%(folder)s/second.sh" }
  provisioner "shell-local" {
    script       = "%(folder)s/third.sh"
    pause_before = "100ms"
  }
  post-processor "shell-local" { script = "%(folder)s/after.sh" }
}
"""
# form: (arguments, environment, which text is the log)
FORMS = {
    "default": ([], {}, "stdout"),
    "no colour": (["-color=false"], {}, "stdout"),
    "timestamp-ui": (["-timestamp-ui"], {}, "stdout"),
    "timestamp-ui without colour": (["-timestamp-ui", "-color=false"], {}, "stdout"),
    "machine-readable": (["-machine-readable"], {}, "stdout"),
    "machine-readable timestamp-ui": (["-machine-readable", "-timestamp-ui"], {}, "stdout"),
    "debug log": ([], {"PACKER_LOG": "1"}, "file"),
    "debug log of machine-readable": (["-machine-readable"], {"PACKER_LOG": "1"}, "file"),
    "debug log of timestamp-ui": (["-timestamp-ui"], {"PACKER_LOG": "1"}, "file"),
    "merged": ([], {"PACKER_LOG": "1"}, "stdout"),
    "merged without colour": (["-color=false"], {"PACKER_LOG": "1"}, "stdout"),
    "merged machine-readable": (["-machine-readable"], {"PACKER_LOG": "1"}, "stdout"),
}


def record(seq):
    """A sound record, with what a machine-readable log has to escape."""
    body = f'{{"v":1,"ev":"beat","sid":"9f3c01ab22cd","seq":{seq},"t":1,"m":2,"name":"a, \\"b\\"\\n"'
    return f'BUILDTEL:{body},"crc":"{zlib.crc32(body.encode()):08x}"}}'


def script(*lines):
    """A shell script that prints these lines."""
    return "#!/bin/sh\n" + "".join(f"cat <<'END'\n{line}\nEND\n" for line in lines)


def project(folder, sources=("source.null.one",), failing=False):
    """A template with three provisioners and their scripts in `folder`."""
    names = ", ".join(f'"{source}"' for source in sources)
    (folder / "t.pkr.hcl").write_text(SOURCES + BUILD % {"sources": names, "folder": folder})
    scripts = {
        "first-step.sh": script("hello, world: 12:30", record(1), "==> x: Creating VM"),
        "second.sh": script(record(2), "glued " + record(3), "x" * 200_000),
        "third.sh": script("Provisioning with shell script: not/mine.sh") + ("exit 3\n" if failing else ""),
        "after.sh": script("after"),
    }
    for name, text in scripts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def log_of(folder, form, *more):
    """The log of one real `packer build` in that form."""
    arguments, variables, which = FORMS[form]
    variables = dict(variables)
    if which == "file":
        variables["PACKER_LOG_PATH"] = str(folder / "packer.log")
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "CHECKPOINT_DISABLE": "1", **variables,
    }  # fmt: skip
    command = ["packer", "build", *arguments, *more, str(folder / "t.pkr.hcl")]
    # The sockets of Packer's plugins lie in TMPDIR, and a socket's path has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="p", dir="/tmp") as short:
        done = subprocess.run(
            command, cwd=folder, env={**environment, "TMPDIR": short}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=120, check=False,
        )  # fmt: skip
    return Path(folder / "packer.log").read_bytes() if which == "file" else done.stdout


def facts(log):
    """What a log tells: the run, the records by target and number (copies once), the number of damages."""
    events = [*parse.read([log])]
    report = packer_report(events)
    records = {(event.target, event.fields["seq"]) for event in events if isinstance(event, AgentRecord)}
    damages = {event.target for event in events if isinstance(event, DamagedRecord)}
    return report, records, damages


def units(folder):
    """The provisioners of the template."""
    return [("shell-local", f"{folder}/{name}") for name in ("first-step.sh", "second.sh", "third.sh")]


@pytest.mark.parametrize("form", FORMS)
def test_two_parallel_builds_read_alike_in_every_form(form, tmp_path):
    """Builds, results, provisioners in order, records with their builds: the same from every output mode."""
    project(tmp_path, ("source.null.one", "source.null.two"))
    report, records, damages = facts(log_of(tmp_path, form))
    (run,) = report.runs
    targets = {"my build.null.one", "my build.null.two"}
    assert {build.name for build in run.builds} == targets
    assert run.total_s is not None and run.total_s > 0
    for build in run.builds:
        assert build.result == "success"
        assert build.duration_s is not None
        assert [(unit.kind, unit.detail) for unit in build.provisioners] == units(tmp_path)
        assert [phase.name for phase in build.phases] == ["pause", "post_processor"]
        assert set(build.artifacts) == {"Did not export anything. This is the null builder"}
    assert records == {(target, seq) for target in targets for seq in (1, 2)}
    assert damages == targets
    assert report.version == ("1.6.6" if FORMS[form][1] and packer_version() == "1.6.6" else report.version)


def packer_version():
    """The version of the packer that is installed."""
    said = subprocess.run(["packer", "version"], stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout
    return said.split()[1].removeprefix("v").partition("+")[0]


@pytest.mark.parametrize("form", FORMS)
def test_a_failing_build_reads_alike_in_every_form(form, tmp_path):
    """The last provisioner fails: the result is failure, with packer's words, and nothing is lost before it."""
    project(tmp_path, failing=True)
    report, records, _ = facts(log_of(tmp_path, form))
    (run,) = report.runs
    (build,) = run.builds
    assert build.result == "failure"
    assert "3" in build.error
    assert [(unit.kind, unit.detail) for unit in build.provisioners] == units(tmp_path)
    assert len(records) == 2


@pytest.mark.parametrize("form", ["default", "no colour", "machine-readable", "merged"])
def test_builds_one_after_the_other(form, tmp_path):
    """`-parallel-builds=1`: still one run, in the order of the builds."""
    project(tmp_path, ("source.null.one", "source.null.two"))
    (run,) = facts(log_of(tmp_path, form, "-parallel-builds=1"))[0].runs
    assert len(run.builds) == 2
    assert {build.result for build in run.builds} == {"success"}


@pytest.mark.parametrize("form", ["default", "no colour", "timestamp-ui", "machine-readable", "merged"])
def test_two_runs_in_one_file(form, tmp_path):
    """A failed run and a good one, appended, stay two runs."""
    project(tmp_path, failing=True)
    first = log_of(tmp_path, form)
    project(tmp_path)
    report = facts(first + log_of(tmp_path, form))[0]
    assert [[build.result for build in run.builds] for run in report.runs] == [["failure"], ["success"]]


def test_a_template_that_is_wrong_tells_no_build(tmp_path):
    """No build begins: no build is invented."""
    (tmp_path / "t.pkr.hcl").write_text('build { sources = ["source.null.nothing"] }')
    report = facts(log_of(tmp_path, "merged"))[0]
    assert [build for run in report.runs for build in run.builds] == []
