"""The agent's provisioners with sudo, in a real packer: what they install, measure and remove."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from zlib import crc32

import pytest

from buildtel.wire import copies

from ..killer import ours
from .bench import Source, collected, template
from .machine import start
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
    assert not list(Path("/dev/shm").glob(f"buildtel-{crc32(b'/var/tmp/buildtel'):08x}-*"))

SIGNED = """
  provisioner "shell" {
    script           = local.buildtel_agent
    execute_command  = local.buildtel_install_command_sudo
    environment_vars = local.buildtel_environment
    use_env_var_file = true
    remote_folder    = "/dev/shm"
  }

  provisioner "shell" {
    execute_command  = local.buildtel_execute_command_sudo
    environment_vars = ["BUILDTEL_STEP=as root"]
    inline           = ["exit 3"]
    valid_exit_codes = [3]
  }

  provisioner "shell" {
    execute_command  = "${local.buildtel_pre}chmod +x {{ .Path }}; env {{ .Vars }} {{ .Path }}"
    environment_vars = ["BUILDTEL_STEP=as the user"]
    inline           = ["sleep 0.2"]
  }

  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_finish_command_sudo
  }
"""


@pytest.mark.parametrize("user", ["fish", "csh"])
def test_a_users_install_by_sudo_with_a_key(tmp_path: Path, user: str) -> None:
    """Root's sampler measures and signs the steps of a user who may use sudo; nothing is left."""
    machine = start(tmp_path)
    try:
        copies.put(machine.folder)
        (machine.folder / "t.pkr.hcl").write_text(template(SIGNED, Source(machine.port, user)))
        before = machine.files()
        done = machine.packer("build", "-timestamp-ui", "-color=false", "-var", "buildtel_key=secret", ".")
        left = [path for path in machine.files() if path not in before and "buildtel" in path]
        processes = ours(space=Path(f"/proc/{machine.pid()}/ns/pid"))
    finally:
        machine.stop()
    log = tmp_path / "packer.log"
    log.write_bytes(done.stdout)
    document = collected(log, BUILDTEL_KEY="secret")

    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    found = [(step["name"], step["exit_code"], step["authentic"]) for step in document["steps"]]
    assert found == [("as root", 3, True), ("as the user", 0, True)]
    assert (left, processes, b"secret" in done.stdout) == ([], [], False)
