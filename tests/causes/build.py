"""A wired build on a machine of its own, with commands that make causes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from buildtel.job import JobDocument
from buildtel.job.load import load_document
from buildtel.wire import copies

from ..wired.machine import Machine, start
from .injected import SECONDS, Injected
from .servers import servers

SOURCE = """
source "null" "here" {{
  ssh_host             = "127.0.0.1"
  ssh_port             = {port}
  ssh_username         = "root"
  ssh_private_key_file = "{key}"
}}

build {{
  sources = ["source.null.here"]

  provisioner "shell" {{
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command
  }}
{steps}
  provisioner "shell" {{
    script          = local.buildtel_agent
    execute_command = local.buildtel_finish_command
  }}
}}
"""
STEP = """
  provisioner "shell" {{
    execute_command  = local.buildtel_execute_command
    environment_vars = ["BUILDTEL_STEP={name}"]
    script           = "${{path.root}}/{file}"
  }}
"""


def built(folder: Path, chosen: Sequence[Injected], seconds: int = SECONDS) -> JobDocument:
    """The document of a build whose steps make these causes, one after another.

    Args:
        folder: an empty folder.
        chosen: what makes them; the step has its name.
        seconds: how long each lasts.
    """
    machine = start(folder)
    try:
        with servers(machine.folder) as (full, mute):
            return _built(machine, folder, chosen, (seconds, full, mute))
    finally:
        machine.stop()


def _built(machine: Machine, folder: Path, chosen: Sequence[Injected], words: tuple[int, int, str]) -> JobDocument:
    copies.put(machine.folder)
    steps, (seconds, full, mute) = [], words
    for at, injected in enumerate(chosen):
        arguments = f"set -- {seconds} /mnt/build {full} {mute}"
        (machine.folder / f"{at}.sh").write_text(f"{arguments}\n{injected.script.read_text()}")
        steps.append(STEP.format(name=injected.name, file=f"{at}.sh"))
    text = SOURCE.format(port=machine.port, key=machine.key, steps="".join(steps))
    (machine.folder / "t.pkr.hcl").write_text(text)
    target = folder / "document"
    environment = {**os.environ, "TELEMETRY_DIR": str(target), "CHECKPOINT_DISABLE": "1"}
    program = [Path(sys.executable).with_name("buildtel-host"), "packer", "--live=never", "build", "."]
    subprocess.run(program, cwd=machine.folder, env=environment, stdin=subprocess.DEVNULL, check=True,
                   capture_output=True, timeout=60 + 5 * seconds * len(chosen))  # fmt: skip
    (document,) = target.glob("**/*.json")
    return load_document(document.read_bytes(), document.name)
