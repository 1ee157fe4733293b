"""The library in a real packer: null builder, shell provisioners over SSH to a throw-away sshd on loopback."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from buildtel import parse
from buildtel.job import JobDocument, Meta
from buildtel.job.fold import Fold
from buildtel.job.model import Integrity
from buildtel.wire import copies

from ..killer import HOME, Killer
from ..waiting import wait_for
from .bench import INSTALL_SIGNED

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
    inline           = ["echo \\"words: $WORDS\\"", "sleep 1.2"]
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

    def build(self, *words: str, pty: bool = False, allowed: int = 3, template: str = TEMPLATE) -> Done:
        """One `packer build` of the template."""
        values = {"port": self.port, "key": self.key, "pty": str(pty).lower(), "allowed": allowed, "own": OWN}
        (self.folder / "t.pkr.hcl").write_text(template % values)
        done = subprocess.run(
            ["packer", "build", "-timestamp-ui", *words, "."], cwd=self.folder, stdin=subprocess.DEVNULL,
            env={**os.environ, "CHECKPOINT_DISABLE": "1"}, capture_output=True, timeout=120,
        )  # fmt: skip
        fold = Fold()
        for event in parse.read([done.stdout]):
            fold.add(event)
        meta = Meta(collected_at=datetime.fromisoformat("2026-01-24T12:00:00+00:00"))
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
    copies.put(folder)
    (folder / "last.sh").write_text("#!/bin/sh\necho last\nexit 3\n")
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    with Path(tempfile.gettempdir(), "pytest-of-var-tmp-buildtel").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one build at a time has /var/tmp/buildtel of this machine
        before = scripts()
        yield Bench(folder, port, tmp_path / "user")
        server.terminate()
        server.wait()
        for left in scripts() - before:  # Packer leaves that of a failed provisioner
            left.unlink()


def scripts() -> set[Path]:
    """Where Packer puts the scripts of provisioners."""
    return set(Path("/tmp").glob("script_*.sh"))


@pytest.mark.parametrize("pty", [False, True], ids=["pipes", "a pty"])
def test_every_way_of_wiring_measures(bench: Bench, pty: bool):
    """Plain, sudo, own command between the pieces, not wired at all; over pipes and over a terminal.

    The template allows the last two exit statuses.
    """
    done = bench.build(pty=pty)
    document = done.document
    exact = [step for step in document.steps if step.measured == "exactly"]

    assert done.status == 0, done.output[-3000:]
    assert b"words: a b" in done.output
    assert b"got pw" in done.output
    assert [(step.name or "")[:12] for step in exact][::3] == ["the first", "./last.sh"]
    assert [(step.exit_code, step.status) for step in exact] == [
        (0, "success"), (0, "success"), (7, "success"), (3, "success"),
    ]  # fmt: skip
    assert [step.provisioner.index for step in exact if step.provisioner] == [1, 2, 3, 5]
    (build,) = document.packer.runs[0].builds
    assert [index for index, item in enumerate(build.provisioners) if item.own] == [0, 6]
    (unwired,) = [step for step in document.steps if step.measured == "from samples" and step.provisioner.index == 4]
    assert unwired.metrics["cpu_percent"] is not None
    assert document.integrity == Integrity(records=document.integrity.records)
    assert document.clock["null.here"].error_s <= 2
    assert not Path("/var/tmp/buildtel").exists()


def test_switched_off_it_is_as_if_it_was_not_there(bench: Bench):
    """The same template, the variable false: no record, no environment, the same results."""
    done = bench.build("-var", "buildtel_enabled=false")

    assert done.status == 0, done.output[-3000:]
    assert b"BUILDTEL:" not in done.output
    assert b"words: a b" in done.output
    assert not Path("/var/tmp/buildtel").exists()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_build_whose_agents_are_killed_has_the_unwired_builds_result(bench: Bench, seed: int):
    """SIGKILL at random moments: every step ends as it would, and each provisioner and step is in the document."""
    killer = Killer(seed, 30)
    killer.start()
    done = bench.build()
    killer.end()
    if killer.killed["finish"]:  # what removes all can't do so when it is killed itself
        subprocess.run(["sh", f"{HOME}/buildtel_agent.py", "finish"], capture_output=True, timeout=60)
    is_clean = wait_for(lambda: not Path(HOME).exists())  # where its shell alone was killed, it goes on
    (build,) = done.document.packer.runs[0].builds

    assert done.status == 0, done.output[-3000:]
    assert killer.killed.total() >= 5
    assert b"words: a b" in done.output
    assert b"got pw" in done.output
    assert len(build.provisioners) == 7
    assert {step.provisioner.index for step in done.document.steps if step.provisioner} == {1, 2, 3, 4, 5}
    assert is_clean, [*Path(HOME).iterdir()]


SIGNED = (
    """
source "null" "here" {
  ssh_host             = "127.0.0.1"
  ssh_port             = %(port)d
  ssh_username         = "root"
  ssh_private_key_file = "%(key)s"
}

build {
  sources = ["source.null.here"]
"""
    + INSTALL_SIGNED
    + """
  provisioner "shell" {
    execute_command = local.buildtel_execute_command
    inline = [
      "sleep 2.5",
      "echo key: $${BUILDTEL_KEY:-none}",
      "cat /proc/[0-9]*/cmdline | tr -c '[:print:]' ' ' | grep -c 'not-on-a-comman[d]-line' || true",
    ]
  }

  provisioner "shell" {
    execute_command = "${local.buildtel_pre}{{ .Vars }} sh {{ .Path }}${local.buildtel_post}"
    inline          = ["echo second"]
  }

  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_spool_command
  }

  provisioner "file" {
    direction   = "download"
    source      = local.buildtel_spool
    destination = "${path.root}/spool.jsonl"
  }

  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_finish_command
  }
}
"""
)
SECRET = "not-on-a-command-line"


def records_of(output: bytes) -> list[bytes]:
    """The records in a log or a spool, as they stand there."""
    return [
        b"BUILDTEL:" + line.partition(b"BUILDTEL:")[2].rstrip() for line in output.split(b"\n") if b"BUILDTEL:{" in line
    ]


def signed(record: bytes, key: str) -> bool:
    """Whether its `mac` is the key's."""
    body, _, rest = record.removeprefix(b"BUILDTEL:").rpartition(b',"mac":"')
    return rest[:32].decode() == hmac.new(key.encode(), body, hashlib.sha256).hexdigest()[:32]


def test_records_are_signed_and_the_spool_comes_out_whole(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """The key by the environment of the first provisioner alone; the spool by a file download before the last."""
    monkeypatch.setenv("PKR_VAR_buildtel_key", SECRET)  # the machine that is built is this one: not on packer's either
    done = bench.build("-color=false", template=SIGNED)
    logged = records_of(done.output)
    assert done.status == 0, done.output[-3000:]
    spooled = records_of((bench.folder / "spool.jsonl").read_bytes())
    rows = [len(json.loads(record[9:])["cols"]["m_ms"]) for record in spooled if b'"cols"' in record]

    assert done.status == 0, done.output[-3000:]
    assert b"key: none" in done.output
    assert b"here: 0\n" in done.output  # no command line had the key
    assert SECRET.encode() not in done.output
    assert len(logged) >= 6
    assert all(signed(record, SECRET) for record in logged + spooled)
    # All that was said up to the download: not the copy's own samples and the last goodbye.
    assert {r for r in logged if b'"ev":"start"' in r or b'"ev":"end"' in r} <= set(spooled)
    assert sum(rows) >= 3
    assert [step.status for step in done.document.steps if step.measured == "exactly"] == ["success", "success"]
    assert not Path("/var/tmp/buildtel").exists()
    assert not Path("/dev/shm/buildtel-spool.jsonl").exists()
    assert not [*Path("/dev/shm").glob("varfile*"), *Path("/dev/shm").glob("script_*")]


def test_without_a_key_the_same_lines_do_no_harm(bench: Bench):
    """And switched off, the download still finds a file: no build fails for want of telemetry."""
    plain = bench.build(template=SIGNED)
    off = bench.build("-var", "buildtel_enabled=false", template=SIGNED)
    Path("/dev/shm/buildtel-spool.jsonl").unlink()

    assert (plain.status, off.status) == (0, 0), (plain.output[-2000:], off.output[-2000:])
    assert b"<sensitive>" not in plain.output + off.output
    assert b"BUILDTEL:" not in off.output
    assert not any(b'"mac"' in record for record in records_of(plain.output))


ENVIRONMENT_FILE = (
    TEMPLATE[: TEMPLATE.index("build {")]
    + """
build {
  sources = ["source.null.here"]

  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command
  }

  provisioner "shell" {
    use_env_var_file = true
    execute_command  = local.buildtel_execute_command
    environment_vars = ["BUILDTEL_STEP=by its variables", "WORDS=a b"]
    inline           = ["echo \\"words: $WORDS\\""]
  }

  provisioner "shell" {
    use_env_var_file = true
    execute_command  = "${local.buildtel_pre}. {{ .EnvVarFile }} && sh {{ .Path }}${local.buildtel_post}"
    environment_vars = ["WORDS=c d"]
    inline           = ["echo \\"words: $WORDS\\""]
  }

  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_finish_command
  }
}
"""
)


def test_a_file_of_variables_is_read_by_either_command(bench: Bench):
    """What `wire --check` says of use_env_var_file is true: both steps are measured and have their variables."""
    done = bench.build(template=ENVIRONMENT_FILE)

    assert done.status == 0, done.output[-3000:]
    assert b"words: a b" in done.output and b"words: c d" in done.output
    exact = [step for step in done.document.steps if step.measured == "exactly"]
    assert [step.status for step in exact] == ["success", "success"]
    assert exact[0].name == "by its variables"


def test_a_failing_step_fails_the_build_and_is_in_the_document(bench: Bench):
    """Its exit status reaches packer as it would unwrapped."""
    done = bench.build(allowed=0)
    subprocess.run(["sh", "/var/tmp/buildtel/buildtel_agent.py", "finish"], capture_output=True)
    last = done.document.steps[-1]

    assert done.status == 1
    assert b"exit status: 3" in done.output
    assert (last.name, last.exit_code, last.status) == ("./last.sh", 3, "failure")
    assert done.document.status == "failure"
