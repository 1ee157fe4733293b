"""The lines that a user adds to a template by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from buildtel import shipped
from buildtel.wire.build_block import Build
from buildtel.wire.template import Template, declared, same_expression, shipped_names

FIRST = """\
  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command
  }
"""

LAST = """\
  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_finish_command
  }
"""

STEP = """\
    environment_vars = ["BUILDTEL_STEP=a-name"]   # optional: the step's name
    execute_command  = local.buildtel_execute_command
"""

STEP_SUDO = """\
    execute_command  = local.buildtel_execute_command_sudo
"""

STEP_OWN = """\
    execute_command  = "${local.buildtel_pre}YOUR COMMAND"
"""

KEY = """\
    environment_vars = local.buildtel_environment
    use_env_var_file = true
    remote_folder    = "/dev/shm"
"""

SPOOL = """\
  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_spool_command
  }
  provisioner "file" {
    direction   = "download"
    source      = local.buildtel_spool
    destination = "buildtel-spool.jsonl"
  }
"""

QUIET = """\
  buildtel-host packer --spool buildtel-spool.jsonl \\
    build -var buildtel_block=false -var buildtel_records=spool ...
"""

SHELL_LOCAL = """\
To measure what its shell-local provisioners run on this machine, copy the agent
beside the template:

  cp {agent} {folder}

and write each command in this form:

  provisioner "shell-local" {{
    inline = ["sh '${{path.root}}/buildtel_agent.py' run --step NAME -- COMMAND"]
  }}
"""

_PIECES = """\
Add to {build}, before all other provisioners:

{first}
and after all others:

{last}
"""

_STEPS = f"""\
That is level 1: the VM is measured over its whole life, and the figures are
attributed to each provisioner. For exact figures of a shell provisioner
(level 2), add to it:

{STEP}
or, where the script needs root:

{STEP_SUDO}
or, where it has an execute_command already, keep that behind one piece:

{STEP_OWN}
Optional, before that last provisioner: all samples, as a file beside the log:

{SPOOL}
Optional, for a short log: no block around each step, and with those two
provisioners only the records of failing steps:

{QUIET}
Optional, with the variable buildtel_key set, in the first provisioner: signed
records:

{KEY}
"""

_SUDO = """\
This template uses sudo ({where}). buildtel's two provisioners can, too:

    execute_command = local.buildtel_install_command_sudo   # in the first
    execute_command = local.buildtel_finish_command_sudo    # in the last

Then root measures, which adds: every command that ends, with its time, reads
and writes, also in provisioners that you do not wire (else only what a look
now and then sees, in wired ones); the exact exit status of every step (else
Linux before 6.15 tells it only of some, the others have what Packer prints);
steps that run as other users; reads and writes of all processes. buildtel
raises no rights by itself: these two lines do, where sudo asks for no password.

"""

_PASTE = """\
Packer loads {file} alone, without a library beside it.
Paste these lines into it, outside of any block:

{library}
"""

_END = """\
Then build {what}:

  buildtel-host packer build {path}

and check what is measured:

  buildtel-host wire --check {path}
"""

_FOLDER = """\
`packer build one-file.pkr.hcl` would not load buildtel.pkr.hcl: to build one file
alone, use `buildtel-host wire one-file.pkr.hcl`.
"""


def guide(template: Template, builds: Sequence[Build]) -> str:
    """The text that tells which lines to add to a template.

    The lines are the same for all builds, or given for each build where guests differ.

    Args:
        template: the template as it is.
        builds: its builds.
    """
    wired = [build for build in builds if build.measurable]
    if any(build.unmeasurable for build in wired):
        pieces = "".join(_pieces(f"the build at {build.block.place}", _only(build)) for build in wired)
    else:
        pieces = _pieces("the build block" if len(wired) == 1 else "each build block", ())
    sudo = next((f"{p.block.path.name}:{line}" for b in wired for p in b.provisioners if (line := p.sudo_line)), None)
    pieces += "" if sudo is None else _SUDO.format(where=sudo)
    what, path = ("the file", template.path) if template.file else ("the folder", template.folder)
    paste = "" if _stands_alone(template) else _PASTE.format(file=template.path.name, library=pasted())
    folder = "" if template.file else "\n" + _FOLDER
    return pieces + _STEPS + paste + _END.format(what=what, path=path) + folder


def _stands_alone(template: Template) -> bool:
    """Whether nothing must be pasted: a folder has the library, a file may have its lines already."""
    there = {name: text for name, *_, text in declared(template.blocks)}
    ours = shipped_names().items()
    return template.file is None or all(same_expression(there.get(name, ""), text) for name, text in ours)


def shell_local(folder: Path) -> str:
    """How to measure commands that run on this machine, without any guest."""
    return SHELL_LOCAL.format(agent=quote(str(shipped.agent())), folder=quote(str(folder)))


def pasted() -> str:
    """The library without its comments, for a file that Packer loads alone; formatted as `packer fmt` does."""
    text = re.sub(r"^[ ]*#.*\n", "\n", shipped.library().read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = re.sub(r"\n{3,}", "\n\n", text)
    return text.replace("{\n\n", "{\n").lstrip("\n")


def _pieces(build: str, only: tuple[str, ...]) -> str:
    return _PIECES.format(build=build, first=_with_only(FIRST, only), last=_with_only(LAST, only))


def _with_only(piece: str, only: tuple[str, ...]) -> str:
    """A piece that runs for these sources only; unchanged without sources."""
    names = ", ".join(f'"{name}"' for name in only)
    return piece.replace("  }\n", f"    only            = [{names}]\n  }}\n") if only else piece


def _only(build: Build) -> tuple[str, ...]:
    return tuple(source.name for source in build.measurable) if build.unmeasurable else ()
