"""The same build with buildtel and without it, each on a machine of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from buildtel.wire import copies

from ..guest.unharmed.play import BLOCKS, checked
from .machine import Machine, start

DEFAULT = "chmod +x {{ .Path }}; {{ .Vars }} {{ .Path }}"


@dataclass(frozen=True)
class Form:
    """A provisioner: `command` is the user's execute_command, None Packer's own; `more` stands beside it.

    `named` says whether its name can reach the sampler: not where the command has no `{{ .Vars }}`.
    """

    name: str
    inline: tuple[str, ...]
    command: str | None = None
    more: str = ""
    kind: str = "shell"
    exit: int = 0
    named: bool = True


SOURCE = """
source "null" "%(name)s" {
  ssh_host             = "127.0.0.1"
  ssh_port             = %(port)d
  ssh_username         = "%(user)s"
  ssh_private_key_file = "/mnt/build/%(key)s"
}
"""


@dataclass(frozen=True)
class Source:
    """A null builder: where it logs in, as whom, its name, and the key's file in the template's folder."""

    port: int
    user: str = "root"
    name: str = "here"
    key: str = "key"


def template(blocks: str, *sources: Source) -> str:
    """A template with these provisioners for these builders."""
    heads = "".join(SOURCE % vars(source) for source in sources)
    names = ", ".join(f'"source.null.{source.name}"' for source in sources)
    return f"{heads}\nbuild {{\n  sources = [{names}]\n{blocks}}}\n"


FINISH = """
  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_finish_command
  }
"""
INSTALL_SIGNED = """
  provisioner "shell" {
    script           = local.buildtel_agent
    execute_command  = local.buildtel_install_command
    environment_vars = local.buildtel_environment
    use_env_var_file = true
    remote_folder    = "/dev/shm"
  }
"""
INSTALL = """
  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command
  }
"""


UPLOADED = re.compile(r"packer-shell\d+|script_\d+\.sh|varfile_\d+\.sh|packer-sh\w+")


def statuses(form: Form) -> tuple[str, ...]:
    """What a step's status in the document may be: a status that Packer allows is told by the agent or by Packer."""
    if form.more.startswith("valid_exit_codes"):
        return "failure", "success"
    return ("failure" if form.exit else "success",)


def hcl(text: str) -> str:
    """A string of HCL2."""
    return json.dumps(text).replace("${", "$${")


def provisioner(form: Form, *, wired: bool) -> str:
    """A form as a block of a template."""
    words = [f"BUILDTEL_STEP={form.name}", "WORDS=a 'b' \"c\""]
    command = form.command or DEFAULT
    text = hcl(command)
    if wired:
        text = '"${local.buildtel_pre}' + text[1:-1] + '${local.buildtel_post}"'
    if form.kind == "shell-local":
        text = f'["/bin/sh", "-c", {text}]'
    execute = f"    execute_command  = {text}\n" if wired or form.command else ""
    return (
        f'\n  provisioner "{form.kind}" {{\n{execute}    environment_vars = {hcl_list(words)}\n'
        f"    inline           = {hcl_list(list(form.inline))}\n    {form.more}\n  }}\n"
    )


def hcl_list(words: list[str]) -> str:
    """A list of strings of HCL2."""
    return f"[{', '.join(hcl(word) for word in words)}]"


@dataclass
class Built:
    """A finished build on a machine."""

    status: int
    log: Path
    lines: Counter[tuple[str, str]]
    machine: Machine


class Bench:
    """Builds below a folder; its machines end with it."""

    def __init__(self, folder: Path) -> None:
        """Takes a folder that is empty."""
        self.folder = folder
        self.machines: list[Machine] = []

    def __enter__(self) -> Bench:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stops the machines."""
        for machine in self.machines:
            machine.stop()

    def build(
        self,
        user: str,
        forms: tuple[Form, ...],
        *,
        wired: bool,
        finish: bool = False,
        meanwhile: Callable[[Machine], None] | None = None,
    ) -> Built:
        """One build; `meanwhile` is called when its machine is there."""
        folder = self.folder / f"{len(self.machines)}"
        folder.mkdir()
        machine = start(folder)
        self.machines.append(machine)
        if wired:
            copies.put(machine.folder)
        blocks = "".join(provisioner(form, wired=wired) for form in forms)
        blocks = INSTALL + blocks + FINISH * finish if wired else blocks
        (machine.folder / "t.pkr.hcl").write_text(template(blocks, Source(machine.port, user)))
        if meanwhile:
            meanwhile(machine)
        done = machine.packer("build", "-timestamp-ui", "-color=false", ".")
        log = folder / "packer.log"
        log.write_bytes(done.stdout + done.stderr)
        return Built(done.returncode, log, lines(done.stdout.decode()), machine)


def lines(output: str) -> Counter[tuple[str, str]]:
    """What each of Packer's two kinds of lines says, without stamps, records, blocks, and our own provisioner."""
    said: dict[str, list[str]] = {"==>": [], "   ": []}
    other = []
    for line in output.splitlines():
        text = re.sub(r"^[-0-9T:Z]{20}: ", "", line)
        text = text if "BUILDTEL:{" in text else UPLOADED.sub("SCRIPT", text)  # records have names of commands
        match = re.match(r"(==>|   ) null\.here: ?(.*)", text)
        if match and not re.search("buildtel_agent|buildtel: agent .* installed", text):
            said[match[1]] += [] if checked(match[2].encode()) else [match[2]]
        elif not match:
            other.append(re.sub(r"after [\d.]+ \w+( [\d.]+ \w+)*", "after", text))
    told = [
        (kind, text) for kind, texts in said.items() for text in BLOCKS.sub("", "\n".join([*texts, ""])).split("\n")
    ]
    return Counter((kind, text.rstrip()) for kind, text in [*told, *(("", text) for text in other)] if text.strip())


def collected(log: Path, *words: str | Path, **environ: str) -> dict[str, Any]:
    """The document that `collect` makes of a log, with these variables."""
    document = log.with_suffix(".json")
    program = Path(sys.executable).with_name("buildtel-host")
    done = subprocess.run(
        [program, "collect", log, *words, "-o", document], capture_output=True, text=True, stdin=subprocess.DEVNULL,
        env={**os.environ, "TELEMETRY_DIR": str(log.parent / "telemetry"), **environ}, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(document.read_text())
    return read
