"""Accounts of commands in a real build: a wired step, one that nobody wired, an upload; what a report says of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import buildtel_agent as agent

from .test_over_ssh import TEMPLATE, Bench, bench, pytestmark  # noqa: F401  # the fixture and the marks

BUILD = (
    TEMPLATE[: TEMPLATE.index("build {")]
    + """
build {
  sources = ["source.null.here"]

  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command
  }

  provisioner "shell" {
    execute_command = local.buildtel_execute_command
    inline = [
      "sleep 0.6", "for n in $(seq 300); do /bin/true; done",
      "head -c 20000000 /dev/urandom | gzip > /var/tmp/x.gz", "rm /var/tmp/x.gz; sleep 0.4",
    ]
  }

  provisioner "shell" {
    inline = ["sleep 1.5", "for n in $(seq 400); do /bin/echo; done >/dev/null", "sleep 2"]
  }

  provisioner "file" {
    source      = "${path.root}/big"
    destination = "/var/tmp/buildtel-test-big"
  }

  provisioner "shell" {
    inline = ["rm /var/tmp/buildtel-test-big", "sleep 1.2"]
  }

  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_finish_command
  }
}
"""
)


@pytest.fixture
def done(bench: Bench):  # noqa: F811
    """The build, its upload large enough to take a second or so."""
    try:
        agent.Tasks().close()
    except OSError:
        pytest.skip("this kernel tells nothing of tasks")
    with (bench.folder / "big").open("wb") as file:
        file.truncate(300 << 20)
    found = bench.build(template=BUILD)
    assert found.status == 0, found.output[-3000:]
    return found


def test_a_build_has_the_commands_of_every_provisioner(done, tmp_path: Path):
    """The wired step exactly, with its time line; the others by the seconds in which they ran."""
    steps = {step.provisioner.index: step for step in done.document.steps if step.provisioner}
    wired, unwired = steps[1], steps[2]
    own = {row.name: row for row in wired.commands}
    line = [(row.name, row.count) for row in wired.inside]

    assert (wired.accounts_from, wired.commands_lost) == ("taskstats", 0)
    assert own["true"].count == 300
    assert own["gzip"].cpu_s > 0.3
    assert [name for name, _ in line if name == "sleep"] == ["sleep", "sleep"]
    assert sum(count for name, count in line if name.startswith("true")) >= 300
    assert wired.metrics["own_cpu_s"] >= own["gzip"].cpu_s
    assert unwired.accounts_from == "intervals"
    assert {row.name: row.count for row in unwired.commands}["echo"] == 400
    assert done.document.integrity.missing == 0

    assert any(row.name in ("scp", "sftp-server", "sshd") for row in steps[3].commands)
    for form in ("table", "markdown"):
        shown = report(done, tmp_path, form)
        assert "× true" in shown
        assert "(machine " in shown


def report(done, folder: Path, form: str) -> str:
    """A report of the build's document."""
    (folder / "d.json").write_text(done.document.to_json())
    host = Path(sys.executable).with_name("buildtel-host")
    told = subprocess.run([host, "report", "--format", form, folder / "d.json"], capture_output=True,
                          env={"COLUMNS": "100"})  # fmt: skip
    assert told.returncode == 0, told.stderr
    return told.stdout.decode()
