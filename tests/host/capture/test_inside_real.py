"""Real Ansible and a real lock of apt's inside a provisioner, without an agent, with times of both kinds of log."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ...ansible import playbook_program
from .watched import BUILDTEL

pytestmark = [
    pytest.mark.packer,
    pytest.mark.skipif(not shutil.which("packer"), reason="no packer here"),
]
PLAYBOOK = """
- name: sleeps
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - {name: two, command: sleep 2, notify: three}
    - {name: one, command: sleep 1}
  handlers:
    - {name: three, command: sleep 3}
"""
# What Ansible says itself of its times, as profile_tasks takes them: a task lasts until the next begins.
CALLBACK = """
import os, time
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME = 2.0, "aggregate", "begins"

    def begin(self, *_, **__):
        with open(os.environ["BEGINS"], "a") as file:
            file.write(f"{time.time()}\\n")

    v2_playbook_on_task_start = v2_playbook_on_handler_task_start = v2_playbook_on_stats = begin
"""
HOLD = """
import fcntl, os, sys, time
file = open(sys.argv[1], "w")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
while not os.path.exists(sys.argv[2]):
    time.sleep(0.05)
time.sleep(6)
fcntl.lockf(file, fcntl.LOCK_UN)
print(time.time(), flush=True)
"""


@pytest.fixture(scope="module")
def ansible() -> str:
    """The program of ansible-core from PyPI, installed once."""
    return str(playbook_program())


def parts(folder: Path, command: str, way: str, **environ: str) -> list[dict[str, Any]]:
    """What the document of a build has of the inside of its one provisioner, which runs `command`."""
    (folder / "t.pkr.hcl").write_text(
        'source "null" "one" { communicator = "none" }\n'
        'build {\n  sources = ["source.null.one"]\n'
        f'  provisioner "shell-local" {{ inline = [{json.dumps(command)}] }}\n}}\n'
    )
    known = {"PATH": os.environ["PATH"], "HOME": str(folder), "CHECKPOINT_DISABLE": "1", "LANG": "C.UTF-8", **environ}
    known |= {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), "TELEMETRY_DIR": str(folder / "telemetry")}
    words = ("packer", "build", "-timestamp-ui", ".") if way == "log" else (*BUILDTEL, "packer", "build", ".")
    done = subprocess.run(words, cwd=folder, env=known, capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    if way == "log":
        (folder / "p.log").write_bytes(done.stdout)
        subprocess.run([*BUILDTEL, "collect", "-q", "p.log"], cwd=folder, env=known, check=True)
    (path,) = (folder / "telemetry").glob("*.json")
    (build,) = json.loads(path.read_bytes())["packer"]["runs"][0]["builds"]
    (unit,) = build["provisioners"]
    return unit["parts"]


@pytest.mark.parametrize("way", ["log", "packer"])
def test_tasks_of_ansible_have_its_own_times(tmp_path: Path, ansible: str, way: str) -> None:
    """Each within a second of what Ansible says, the grain of the log's stamps; nearer under `buildtel-host packer`."""
    (tmp_path / "play.yml").write_text(PLAYBOOK)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "begins.py").write_text(CALLBACK)
    begins = tmp_path / "begins"
    told = parts(
        tmp_path, f"{ansible} -i localhost, -e ansible_python_interpreter={sys.executable} play.yml", way,
        BEGINS=str(begins), ANSIBLE_CALLBACK_PLUGINS=str(tmp_path / "plugins"), ANSIBLE_FORCE_COLOR="1",
    )  # fmt: skip
    at = [float(line) for line in begins.read_text().split()]
    own_s = [after - before for before, after in pairwise(at)]
    lengths_s = [part["ended_at"] - part["started_at"] for part in told[1:-1]]

    assert [(part["kind"], part["name"]) for part in told] == [
        ("play", "sleeps"), ("task", "two"), ("task", "one"), ("handler", "three"), ("recap", "RECAP"),
    ]  # fmt: skip
    most_s = 1.05 if way == "log" else 0.5
    assert all(abs(ours - own) <= most_s for ours, own in zip(lengths_s, own_s, strict=True)), (lengths_s, own_s)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("apt-get"), reason="needs root and apt")
@pytest.mark.parametrize("way", ["log", "packer"])
def test_a_wait_for_apts_lock_names_who_holds_it(tmp_path: Path, way: str) -> None:
    """From apt's first line on the wait, a second after its begin, until apt has the lock: it asks each second."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "state" / "status").touch()
    lock, begun = tmp_path / "state" / "lock-frontend", tmp_path / "begun"
    options = (
        f"-o Dir::State={tmp_path}/state -o Dir::State::status={tmp_path}/state/status -o Dir::Cache={tmp_path}/cache"
    )
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock), str(begun)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        told = parts(tmp_path, f"touch {begun}; apt-get {options} -o DPkg::Lock::Timeout=60 -y autoremove", way)
        released_s = float(holder.stdout.readline())

    assert [(part["kind"], part["name"].partition(" (")[2]) for part in told] == [("lock", f"{holder.pid})")]
    assert -1 <= told[0]["ended_at"] - released_s <= 3
    assert begun.stat().st_mtime <= told[0]["started_at"] <= released_s
