"""What a world is, and the forms in which a step of it runs."""

from __future__ import annotations

import functools
import os
import re
import subprocess
from dataclasses import dataclass

from ..conftest import ROOT

GUEST = "/var/tmp/buildtel/buildtel_agent.py"
KEPT = "/var/tmp/keep/agent.py"
RUN = "c0ffee-1"
SH = "#!/bin/sh -e"
# The step asks to be looked at: the whole tree of processes, with files, limits, signals and environment of each.
LOOK = "echo look >/opt/scripts/look; read -r _ </opt/scripts/looked"


@dataclass(frozen=True)
class World:
    """A machine and a step on it; every text is sh.

    Args:
        name: what is odd about it.
        step: the provisioner's script below its first line and a mark that it has begun.
        head: the script's first line, or "".
        before: makes the world, as root, before install.
        setup: makes the world, as root, between install and step.
        ours_before, ours: the same where buildtel is, for what lies in its own places.
        caller: runs "$@", which is the login shell with its command; for limits, open files, signals.
        wrap: words before the script in the command: `timeout 1 `.
        command: the user's execute_command after `chmod +x {{ .Path }}; `; WRAP stands where `wrap` goes.
        vars: what Packer puts for `{{ .Vars }}`.
        status: what the step ends with where buildtel is not: so that a world can't be vacuous. None: sshd's session
            is lost.
        own_exit: what the script itself ends with, where that is another number.
        who: `root` or `user`, who logs in.
        login: the login shell.
        env: the login shell's environment beside PATH, HOME, SHELL, USER.
        stdin: what stands on the step's stdin.
        stdio: `pipes`, or `pty` for a terminal.
        stall_s: so long nobody reads the step's stdout.
        look: whether the step asks to be looked at.
        forms: the forms that have a meaning here.
        measured: whether a *start* record is there in the end; None where it may be.
        left: what may stay after finish, a pattern for path or command line: what is not ours to remove.
        finish_says: a pattern of what finish must say.
        held_s: so much longer than without buildtel its stdout may be held.
        within_s: so much later than without buildtel the step may begin.
        accepted: a pattern of lines of stderr that are known and accepted.
        known: what is known to differ and accepted, for docs/unharmed.md.
    """

    name: str
    step: str = "echo out; echo err >&2; exit 4"
    head: str = SH
    before: str = ""
    setup: str = ""
    ours_before: str = ""
    ours: str = ""
    caller: str = ""
    wrap: str = ""
    command: str = "{{ .Vars }} WRAP{{ .Path }}"
    vars: str = "BUILDTEL_STEP='a step' PLAIN='x y' "
    status: int | None = 4
    own_exit: int | None = None
    who: str = "root"
    login: str = "/bin/bash"
    env: tuple[str, ...] = ()
    stdin: str = "line on stdin\n"
    stdio: str = "pipes"
    stall_s: float = 0
    look: bool = True
    forms: tuple[str, ...] = ("pre", "run", "sudo")
    measured: bool | None = True
    left: str = ""
    finish_says: str = ""
    held_s: float = 6.0
    within_s: float = 2.0
    accepted: str = ""
    known: str = ""

    def script(self) -> str:
        """The provisioner's script as Packer uploads it."""
        begun = ": >>/opt/scripts/begun 2>/dev/null || :"
        shell = not self.head or self.head.split()[0].endswith("sh")
        lines = (self.head, begun if shell else "", LOOK if self.look and shell else "", self.step)
        return "\n".join(line for line in lines if line) + "\n"


@functools.cache
def local(name: str) -> str:
    """A local of packer/buildtel.pkr.hcl, by Packer's own evaluation; "" where there is none."""
    done = subprocess.run(
        ["packer", "console", ROOT / "packer"], input=f"local.{name}\n", text=True, capture_output=True, timeout=60,
        env={**os.environ, "CHECKPOINT_DISABLE": "1"}, check=True,
    )  # fmt: skip
    return done.stdout.removesuffix("\n")


def rendered(
    command: str, variables: str = "BUILDTEL_STEP='a step' PLAIN='x y' ", path: str = "/scripts/step.sh"
) -> str:
    """What Packer makes of an execute_command."""
    values = {"Vars": variables, "Path": path, "PackerRunUUID": RUN}
    return re.sub(r"\{\{ \.(\w+) \}\}", lambda match: values[match[1]], command)


DEFAULT = "chmod +x {{ .Path }}; {{ .Vars }} {{ .Path }}"
CHMOD = "chmod +x {{ .Path }}; "
OWN = 'echo pw | (read -r word; echo "got $word"; {{ .Vars }} WRAP{{ .Path }}) # a comment at the end'
HEREDOC = "sudo -n sh -s <<'EOF'\n%s{{ .Vars }} WRAP{{ .Path }}\nEOF"
# buildtel_pre and buildtel_post of 0.2.0, which lie beside templates.
OLDER_PRE = (
    f"exec 8<&0 9>&1; sh '{GUEST}' lead --run '{RUN}' </dev/null 2>/dev/null 8<&- | "
    "{ read -r BUILDTEL_PARENT __bt_pid __bt_status BUILDTEL; export BUILDTEL BUILDTEL_PARENT; (\n"
)
OLDER_POST = (
    '\n) <&8 >&9 8<&- 9>&-; __bt_rc=$?; { { [ "$__bt_pid" -gt 0 ] && echo "$__bt_rc" >"$__bt_status"; '
    f'kill -CONT "$__bt_pid"; }} || sh \'{GUEST}\' trail \'\' "$BUILDTEL_PARENT" "$__bt_status" "$__bt_rc" '
    f"--run '{RUN}' </dev/null >&9; }} 2>/dev/null; exit \"$__bt_rc\"; }}"
)
FORMS = {
    "pre": "Packer's default command after `buildtel_pre`",
    "run": "`sh agent run -- SCRIPT` in it",
    "sudo": "`buildtel_pre`, then sudo",
    "own": "`buildtel_pre`, then a pipe into a subshell, and a comment",
    "alone": "`run` of an agent that nobody installed",
    "inside": "`buildtel_pre` within `sudo sh -s`",
    "words": "the words that templates of before have before the script",
    "pieces": "the two pieces that templates of before have around a command",
}
INSTALLED = ("pre", "run", "sudo", "own", "inside", "words", "pieces")
ALL = ("pre", "run", "sudo", "own", "alone", "inside")
BEFORE = ("words", "pieces")


def commands(world: World, form: str) -> tuple[str, str]:
    """A form's execute_command in a world: without buildtel and with it."""
    pre, post = local("buildtel_pre"), local("buildtel_post")
    user = CHMOD + world.command
    plain, wired = {
        "pre": lambda: (user, pre + user + post),
        "sudo": lambda: _sudo(world, pre, post),
        "run": lambda: (user, _run(user, GUEST)),
        "alone": lambda: (user, _run(user, KEPT)),
        "own": lambda: (CHMOD + OWN, pre + CHMOD + OWN + post),
        "inside": lambda: (CHMOD + HEREDOC % "", CHMOD + HEREDOC % pre),
        "words": lambda: (user, user.replace("WRAP", f"WRAP$(sh '{GUEST}' pre '{RUN}' 2>/dev/null) ")),
        "pieces": lambda: (user, OLDER_PRE + user + OLDER_POST),
    }[form]()
    return plain.replace("WRAP", world.wrap), wired.replace("WRAP", world.wrap)


def _sudo(world: World, pre: str, post: str) -> tuple[str, str]:
    user = CHMOD + world.command.replace("env {{ .Vars }}", "{{ .Vars }}").replace(
        "{{ .Vars }}", "sudo -n env {{ .Vars }}"
    )
    return user, pre + user + post


def _run(user: str, agent: str) -> str:
    return user.replace("WRAP{{ .Path }}", f"WRAPsh {agent} run --step 'a step' --run {RUN} -- {{{{ .Path }}}}")
