"""The library in a real packer: null builder, shell provisioners over SSH to a throw-away sshd on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from buildtel.job import Fold, JobDocument, Meta
from buildtel.parse import LogReader
from buildtel.wire import place

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
pytestmark = [
    pytest.mark.packer,
    pytest.mark.skipif(os.geteuid() != 0 or not SSHD or not shutil.which("packer"), reason="needs root, sshd, packer"),
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
    execute_command = local.buildtel_install_command
  }

  provisioner "shell" {
    execute_command  = local.buildtel_execute_command
    environment_vars = ["BUILDTEL_STEP=the first", "WORDS=a b"]
    inline           = ["echo \\"words: $WORDS, agent: $${BUILDTEL:-none}\\"", "sleep 1.2"]
  }

  provisioner "shell" {
    execute_command = local.buildtel_execute_command_sudo
    inline          = ["echo sudo $(id -u)", "printf unfinished"]
  }

  provisioner "shell" {
    execute_command  = "${local.buildtel_pre}%(own)s${local.buildtel_post}"
    inline           = ["exit 7"]
    valid_exit_codes = [7]
  }

  provisioner "shell" {
    inline = ["sleep 2.5"]
  }

  provisioner "shell" {
    execute_command = local.buildtel_execute_command
    script          = "${path.root}/last.sh"
    valid_exit_codes = [%(allowed)d]
  }

  dynamic "provisioner" {
    for_each = local.buildtel_last
    labels   = ["shell"]
    content {
      script          = provisioner.value.script
      execute_command = provisioner.value.execute_command
    }
  }
}
"""
OWN = r"echo pw | (read -r x; echo \"got $x\"; {{ .Vars }} sh {{ .Path }}) # a comment"


@dataclass(frozen=True)
class Done:
    """What a build printed, its exit status, and what the reader made of it."""

    output: bytes
    status: int
    document: JobDocument


@dataclass(frozen=True)
class Bench:
    """A template beside the library, and a machine to build on."""

    folder: Path
    port: int
    key: Path

    def build(self, *words: str, pty: bool = False, allowed: int = 3) -> Done:
        """One `packer build` of the template."""
        values = {"port": self.port, "key": self.key, "pty": str(pty).lower(), "allowed": allowed, "own": OWN}
        (self.folder / "t.pkr.hcl").write_text(TEMPLATE % values)
        done = subprocess.run(
            ["packer", "build", "-timestamp-ui", *words, "."], cwd=self.folder, stdin=subprocess.DEVNULL,
            env={**os.environ, "CHECKPOINT_DISABLE": "1"}, capture_output=True, timeout=120,
        )  # fmt: skip
        reader, fold = LogReader(), Fold()
        for event in [*reader.feed(done.stdout), *reader.close()]:
            fold.add(event)
        meta = Meta.model_validate({"collected_at": "2026-01-24T12:00:00Z"})
        return Done(done.stdout, done.returncode, fold.document(meta))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A wired template, and an sshd that only this test's key opens."""
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = tmp_path / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host\nAuthorizedKeysFile {tmp_path}/user.pub\n"
        "StrictModes no\nUsePAM no\nPidFile none\nSubsystem sftp internal-sftp\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen([str(SSHD), "-D", "-e", "-f", config], stderr=subprocess.DEVNULL)
    folder = tmp_path / "template"
    folder.mkdir()
    place.put(folder)
    (folder / "last.sh").write_text("#!/bin/sh\necho last\nexit 3\n")
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield Bench(folder, port, tmp_path / "user")
    server.terminate()
    server.wait()


@pytest.mark.parametrize("pty", [False, True], ids=["pipes", "a pty"])
def test_every_way_of_wiring_measures(bench: Bench, pty: bool):
    """Plain, sudo, own command between the pieces, not wired at all; over pipes and over a terminal."""
    done = bench.build(pty=pty)
    document = done.document
    exact = [step for step in document.steps if step.measured == "exactly"]

    assert done.status == 0, done.output[-3000:]
    assert b"words: a b, agent: /var/tmp/buildtel/buildtel_agent.py" in done.output
    assert b"got pw" in done.output
    assert [(step.name or "")[:12] for step in exact][::3] == ["the first", "./last.sh"]
    assert [(step.exit_code, step.status) for step in exact] == [
        (0, "success"), (0, "success"), (7, "failure"), (3, "failure"),
    ]  # fmt: skip
    assert [step.provisioner.index for step in exact if step.provisioner] == [1, 2, 3, 5]
    (build,) = document.packer.runs[0].builds
    assert [index for index, item in enumerate(build.provisioners) if item.own] == [0, 6]
    (unwired,) = [step for step in document.steps if step.measured == "from samples" and step.provisioner.index == 4]
    assert unwired.metrics["cpu_percent"] is not None
    assert document.integrity.model_dump(exclude={"records"}) == dict.fromkeys(
        ("duplicate", "missing", "damaged", "foreign", "recovered"), 0
    )
    assert document.clock["null.here"].error_s <= 2
    assert not Path("/var/tmp/buildtel").exists()


def test_switched_off_it_is_as_if_it_was_not_there(bench: Bench):
    """The same template, the variable false: no record, no environment, the same results."""
    done = bench.build("-var", "buildtel_enabled=false")

    assert done.status == 0, done.output[-3000:]
    assert b"BUILDTEL:" not in done.output
    assert b"words: a b, agent: none" in done.output
    assert not Path("/var/tmp/buildtel").exists()


def test_a_failing_step_fails_the_build_and_is_in_the_document(bench: Bench):
    """Its exit status reaches packer as it would unwrapped."""
    done = bench.build(allowed=0)
    subprocess.run(["sh", "/var/tmp/buildtel/buildtel_agent.py", "finish"], capture_output=True)
    last = done.document.steps[-1]

    assert done.status == 1
    assert b"exit status: 3" in done.output
    assert (last.name, last.exit_code, last.status) == ("./last.sh", 3, "failure")
    assert done.document.status == "failure"
