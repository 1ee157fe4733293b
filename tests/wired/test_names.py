"""The name of a step, in a real packer: it reaches the sampler in every form that `wire --check` calls right."""

from __future__ import annotations

import os
import shutil

import pytest

from buildtel.wire import check
from buildtel.wire.template import read_folder

from .test_over_ssh import SSHD, Bench
from .test_over_ssh import bench as bench  # noqa: PLC0414 - a fixture

pytestmark = [
    pytest.mark.packer,
    pytest.mark.skipif(os.geteuid() != 0 or not SSHD or not shutil.which("packer"), reason="needs root, sshd, packer"),
]

HEAD = """
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
    execute_command = local.buildtel_install_command
  }
"""
STEP = """
  provisioner "shell" {
    execute_command  = %s
    environment_vars = ["BUILDTEL_STEP=%s", "OTHER=a b"]
    use_env_var_file = %s
    inline           = ["sleep 0.1"]
  }
"""
LAST = """
  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_finish_command
  }
}
"""
FORMS = {
    "default": ("local.buildtel_execute_command", False, True),
    "by sudo": ("local.buildtel_execute_command_sudo", False, True),
    "a pipe": ('"${local.buildtel_pre}echo pw | env {{ .Vars }} sh {{ .Path }}"', False, True),
    "su with variables": ('"${local.buildtel_pre}{{ .Vars }} su root -c {{ .Path }}"', False, True),
    "in a file": (
        '"chmod +x {{ .Path }}; . {{ .EnvVarFile }} && { ${local.buildtel_pre}{{ .Path }}; }"', True, True,
    ),
    "su": ('"${local.buildtel_pre}chmod +x {{ .Path }}; su root -c {{ .Path }}"', False, False),
    "in a file, read later": (
        '"${local.buildtel_pre}chmod +x {{ .Path }}; . {{ .EnvVarFile }} && {{ .Path }}"', True, False,
    ),
}  # fmt: skip


def test_the_name_reaches_the_sampler_where_the_check_says_so(bench: Bench) -> None:
    """Every step is measured; those without a name are the ones of which the check says it, and have the script's."""
    steps = [STEP % (command, name, str(file).lower()) for name, (command, file, _) in FORMS.items()]
    done = bench.build(template=HEAD + "".join(steps).replace("%", "%%") + LAST)
    found = [step.name if step.name in FORMS else None for step in done.document.steps]
    notes = [finding for finding in check.check(read_folder(bench.folder)) if "BUILDTEL_STEP" in finding.text]

    assert done.status == 0, done.output.decode()
    assert [(step.measured, step.exit_code) for step in done.document.steps] == [("exactly", 0)] * len(FORMS)
    assert found == [name if reaches else None for name, (_, _, reaches) in FORMS.items()]
    assert len(notes) == sum(not reaches for _, _, reaches in FORMS.values())
