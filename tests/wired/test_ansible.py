"""Real Ansible by Packer's own provisioner: its tasks by its output, its commands by the whole-life sampler."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import buildtel_agent as agent
from buildtel.job.load import load_document

from ..ansible import playbook_program
from ..host.capture.watched import BUILDTEL
from .bench import FINISH, INSTALL
from .test_over_ssh import TEMPLATE, Bench, bench, pytestmark  # noqa: F401  # the fixture and the marks

PLAYBOOK = """
- name: a machine
  hosts: all
  gather_facts: false
  tasks:
    - {name: sleeps, command: sleep 2}
    - {name: packs, shell: head -c 40000000 /dev/urandom | %(folder)s/ev-packs | wc -c}
    - {name: sums, shell: head -c 1600000000 /dev/zero | %(folder)s/ev-sums}
"""
MINE = {"ev-packs": "/bin/gzip", "ev-sums": "/usr/bin/sha512sum"}  # names that nobody else on this machine has
# Packer 1.6.6 has an SSH server between itself and Ansible, whose key is of a kind that OpenSSH 9 refuses unasked.
OLD_KEYS = "-o HostKeyAlgorithms=+ssh-rsa -o PubkeyAcceptedAlgorithms=+ssh-rsa"
ANSIBLE = """
  provisioner "ansible" {
    command            = "%s"
    skip_version_check = true
    playbook_file      = "${path.root}/play.yml"
    user               = "root"
    sftp_command       = "/usr/lib/openssh/sftp-server -e"
    ansible_env_vars   = ["ANSIBLE_NOCOLOR=1", "ANSIBLE_LOCAL_TEMP=${path.root}/ansible"]
    extra_arguments    = [
      "--ssh-extra-args", %s, "--scp-extra-args", %s, "--sftp-extra-args", %s,
      "-e", "ansible_python_interpreter=%s",
    ]
  }
"""
HEAD = TEMPLATE[: TEMPLATE.index("build {")] + 'build {\n  sources = ["source.null.here"]\n'


@pytest.fixture
def document(bench: Bench) -> Path:  # noqa: F811
    """What a watched build makes of a wired template whose one provisioner of the user's plays the book."""
    try:
        agent.Tasks().close()
    except OSError:
        pytest.skip("this kernel tells nothing of tasks")
    (bench.folder / "play.yml").write_text(PLAYBOOK % {"folder": bench.folder})
    for name, program in MINE.items():
        shutil.copy(program, bench.folder / name)
    keys = json.dumps(OLD_KEYS)
    block = ANSIBLE % (playbook_program(), keys, keys, keys, sys.executable)
    values = {"port": bench.port, "key": bench.key, "pty": "false"}
    (bench.folder / "t.pkr.hcl").write_text(HEAD % values + INSTALL + block + FINISH + "}\n")
    telemetry = bench.folder / "telemetry"
    done = subprocess.run(
        [*BUILDTEL, "packer", "--live=never", "build", "."], cwd=bench.folder, capture_output=True, timeout=120,
        env={**os.environ, "CHECKPOINT_DISABLE": "1", "TELEMETRY_DIR": str(telemetry)}, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    (path,) = telemetry.glob("*.json")
    return path


def test_a_play_has_its_tasks_and_its_commands(document: Path):
    """Nobody wired it: the tasks are of its output, the commands of what the machine's sampler heard."""
    found = load_document(document.read_bytes(), document.name)
    (step,) = [step for step in found.steps if step.provisioner and step.provisioner.index == 1]
    parts = found.packer.runs[0].builds[0].provisioners[1].parts
    commands = {row.name: row for row in step.commands}

    assert [(part.kind, part.name) for part in parts] == [
        ("play", "a machine"), ("task", "sleeps"), ("task", "packs"), ("task", "sums"), ("recap", "RECAP"),
    ]  # fmt: skip
    assert 2 <= parts[1].ended_at - parts[1].started_at <= 10
    assert step.accounts_from == "intervals"
    assert [commands[name].count for name in MINE] == [1, 1]
    assert min(commands[name].cpu_s for name in MINE) > 0.3
    assert found.integrity.missing == 0

    for form in ("table", "markdown"):
        words = [*BUILDTEL, "report", "--format", form, document]
        shown = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "100"})
        assert all(word in shown.stdout for word in ("task packs", "task sums", step.commands[0].name))
