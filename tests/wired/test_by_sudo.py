"""The agent's provisioners with sudo, in a real packer: what they install, measure and remove."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from .test_over_ssh import SSHD, Bench
from .test_over_ssh import bench as bench  # noqa: PLC0414 - a fixture

pytestmark = [
    pytest.mark.packer,
    pytest.mark.skipif(
        os.geteuid() != 0 or not SSHD or not shutil.which("packer") or not shutil.which("sudo"),
        reason="needs root, sshd, sudo, packer",
    ),
]

TEMPLATE = """
source "null" "here" {
  ssh_host             = "127.0.0.1"
  ssh_port             = %(port)d
  ssh_username         = "root"
  ssh_private_key_file = "%(key)s"
  ssh_pty              = %(pty)s
}

build {
  sources = ["source.null.here"]

  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command_sudo
  }

  provisioner "shell" {
    execute_command  = "SUDO"
    environment_vars = ["BUILDTEL_STEP=the step"]
    inline           = ["exit 3"]
    valid_exit_codes = [3]
  }

  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_finish_command_sudo
  }
}
"""
WITHOUT_PASSWORD = "${local.buildtel_execute_command_sudo}"
REFUSED = "${local.buildtel_execute_command}"


@pytest.mark.parametrize("refuses", [False, True], ids=["sudo works", "sudo refuses"])
def test_install_and_finish_by_sudo(bench: Bench, refuses: bool) -> None:
    """A step is measured with its exit status, and nothing stays; where sudo refuses, as the plain ones do."""
    template = TEMPLATE.replace("SUDO", REFUSED if refuses else WITHOUT_PASSWORD)
    if refuses:  # a sudo that asks for a password, which -n does not
        library = bench.folder / "buildtel.pkr.hcl"
        library.write_text(library.read_text().replace("sudo -n ", "/bin/false sudo "))
    done = bench.build(template=template)

    assert done.status == 0, done.output.decode()
    assert [(step.name, step.exit_code, step.status) for step in done.document.steps] == [("the step", 3, "success")]
    assert done.document.packer is not None
    assert [unit.own for unit in done.document.packer.runs[0].builds[0].provisioners] == [True, False, True]
    assert not Path("/var/tmp/buildtel").exists()
    assert not list(Path("/dev/shm").glob("buildtel-*"))
