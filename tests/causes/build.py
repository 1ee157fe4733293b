"""A wired build on a machine of its own, with commands that make causes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from buildtel.job import JobDocument
from buildtel.job.load import load_document
from buildtel.wire import copies

from ..wired.machine import Machine, start
from .boots import booting
from .group import group
from .injected import SECONDS, Injected
from .line import RATE_MBS, line
from .servers import servers

FILES = 200  # of a folder that Packer uploads
SOURCE = """
source "null" "here" {{
  ssh_host             = "{address}"
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


def built(folder: Path, chosen: Sequence[Injected], boot: str = "", seconds: int = SECONDS) -> JobDocument:
    """The document of a build whose provisioners make these causes, one after another.

    Args:
        folder: an empty folder.
        chosen: what makes them; a step has its name, a provisioner's place is `1 + chosen.index(...)`.
        boot: how the machine lets Packer wait for SSH (`boots.BOOTS`); it does not without a name.
        seconds: how long each lasts.
    """
    with ExitStack() as stack:
        near, grouped = stack.enter_context(line()), stack.enter_context(group())
        machine = stack.enter_context(started(folder, near.near, (*grouped, *near.within)))
        ports = stack.enter_context(servers(machine.folder, near.far))
        _put(machine, chosen, {"LENGTH_S": str(seconds), "FOLDER": "/mnt/build", "FAR": near.far, **ports})
        if boot:
            stack.enter_context(booting(boot, machine, near, seconds))
        return _built(machine, folder, 60 + 5 * seconds * len(chosen))


def built_outside(folder: Path, step: Injected) -> JobDocument:
    """The document of a build of one step on a machine that has this machine's network.

    Args:
        folder: an empty folder.
        step: what the build does.
    """
    with started(folder) as machine:
        _put(machine, [step], {"FOLDER": "/mnt/build"})
        return _built(machine, folder, 300)


@contextmanager
def started(folder: Path, *where: Any) -> Iterator[Machine]:
    """A machine, as `machine.start` makes it, until it is no longer needed."""
    machine = start(folder, *where)
    try:
        yield machine
    finally:
        machine.stop()


def _put(machine: Machine, chosen: Sequence[Injected], known: dict[str, str]) -> None:
    """The template and what it needs, in the machine's folder."""
    copies.put(machine.folder)
    units = []
    head = "export " + " ".join(f"{name}={value}" for name, value in known.items())
    for at, injected in enumerate(chosen):
        text = injected.source.read_text()
        if injected.is_step:
            first, rest = text.split("\n", 1)
            (machine.folder / f"{at}.sh").write_text(f"{first}\n{head}\n{rest}")
            units.append(STEP.format(name=injected.name, file=f"{at}.sh"))
        else:
            units.append(text.replace("LENGTH_S", known["LENGTH_S"]))
    text = SOURCE.format(address=machine.address, port=machine.port, key=machine.key, steps="".join(units))
    (machine.folder / "t.pkr.hcl").write_text(text)
    size = RATE_MBS * int(known.get("LENGTH_S", 0)) << 20
    (machine.folder / "big").write_bytes(bytes(size))
    (machine.folder / "many").mkdir()
    for number in range(FILES):
        (machine.folder / "many" / str(number)).write_bytes(bytes(size // FILES))


def _built(machine: Machine, folder: Path, timeout_s: int) -> JobDocument:
    target = folder / "document"
    environment = {**os.environ, "TELEMETRY_DIR": str(target), "CHECKPOINT_DISABLE": "1"}
    program = [Path(sys.executable).with_name("buildtel-host"), "packer", "--live=never", "build", "."]
    done = subprocess.run(program, cwd=machine.folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=timeout_s)  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    (document,) = target.glob("**/*.json")
    return load_document(document.read_bytes(), document.name)
