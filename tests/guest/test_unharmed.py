"""The charter's first line: a wrapped build behaves exactly as the unwrapped one, whatever is missing or broken.

Each case runs in a mount and PID namespace of its own, with the very commands of packer/buildtel.pkr.hcl as Packer
itself evaluates them, once wrapped and once not.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from dataclasses import dataclass

import pytest

from .conftest import AGENT, ROOT, records

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare"),
    pytest.mark.skipif(not shutil.which("packer"), reason="needs packer, which evaluates the HCL"),
]
PYTHON = "/usr/bin/python3"


@functools.cache
def local(name: str) -> str:
    """A local of packer/buildtel.pkr.hcl, by Packer's own evaluation."""
    done = subprocess.run(
        ["packer", "console", ROOT / "packer"], input=f"local.{name}\n", text=True, capture_output=True, timeout=60,
        env={**os.environ, "CHECKPOINT_DISABLE": "1"}, check=True,
    )  # fmt: skip
    return done.stdout.removesuffix("\n")


def rendered(command: str) -> str:
    """What Packer makes of an execute_command."""
    values = {"Vars": "BUILDTEL_STEP='a step' PLAIN='x y' ", "Path": "/scripts/step.sh", "PackerRunUUID": "c0ffee-1"}
    return re.sub(r"\{\{ \.(\w+) \}\}", lambda match: values[match[1]], command)


DEFAULT = "chmod +x {{ .Path }}; {{ .Vars }} {{ .Path }}"
SUDO = "chmod +x {{ .Path }}; sudo -n env {{ .Vars }} {{ .Path }}"
OWN = 'echo pw | (read -r word; echo "got $word"; {{ .Vars }} {{ .Path }}) # a comment at the end'
SHAPES = {
    "default": (DEFAULT, lambda: local("buildtel_execute_command")),
    "sudo": (SUDO, lambda: local("buildtel_execute_command_sudo")),
    "pieces": (DEFAULT, lambda: local("buildtel_pre") + DEFAULT + local("buildtel_post")),
    "own-pieces": (OWN, lambda: local("buildtel_pre") + OWN + local("buildtel_post")),
}

SCENE = r"""
set -e
ro() { n=0; until mount -o remount,ro "$1" 2>/dev/null; do n=$((n + 1)); [ $n -lt 50 ] || exit 99; sleep 0.1; done; }
mount -t tmpfs none /dev/shm; mount -t tmpfs none /run; mount -t tmpfs none /var/tmp; chmod 1777 /var/tmp /dev/shm
mkdir -p /var/tmp/keep; cp "$AGENT" /var/tmp/keep/agent.py
mount -t tmpfs none /tmp; chmod 1777 /tmp
mount -t tmpfs none /mnt; mkdir /mnt/scripts /mnt/sudoers; cp -a /etc/sudoers.d/. /mnt/sudoers/
echo 'nobody ALL=(ALL) NOPASSWD: ALL' >/mnt/sudoers/nobody; chmod 440 /mnt/sudoers/nobody
mount --bind /mnt/sudoers /etc/sudoers.d
mount -t tmpfs none /opt; mkdir -p "$SCRIPTS"; mount --bind /mnt/scripts "$SCRIPTS"
printf '%s\n' "$STEP" >"$SCRIPTS/step.sh"; chmod 777 "$SCRIPTS" "$SCRIPTS/step.sh"
as() { if [ "$WHO" = root ]; then "$@"; else setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; fi; }
cd /
[ -z "$BARE" ] || for p in /usr/bin/python3* /usr/local/bin/python3*; do [ ! -f $p ] || mount --bind /dev/null $p; done
as sh /var/tmp/keep/agent.py install c0ffee-1 >/dev/null 2>&1
set +e
eval "$SETUP"
printf 'line on stdin\n' | as env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin SHELL="$LOGIN" "$LOGIN" -c "$COMMAND"
"""


@dataclass(frozen=True)
class Case:
    """A world and a step: `status` is what the unwrapped command must give, so that a case can't be vacuous."""

    name: str
    step: str = "echo out; echo err >&2; exit 0"
    setup: str = ""
    status: int = 0
    who: str = "root"
    login: str = "/bin/bash"
    measured: bool | None = True
    shapes: tuple[str, ...] = tuple(SHAPES)


# The sampler of a life has its name a moment after `install` is over; where it is missed, nothing can be remounted.
CALM = "n=0; until [ -n \"$BARE\" ] || pkill -9 -f 'agent.pyc life' || [ $n -ge 99 ]; do n=$((n + 1)); sleep .1; done; "
PLACES = "for d in /dev/shm /run /var/tmp /tmp; do "
FILL = PLACES + "mount -o remount,size=1m $d; cat /dev/zero >$d/full 2>/dev/null; done"
SH = "#!/bin/sh -e\n"
CASES = [
    Case("plain", SH + "echo out; echo err >&2; read -r a || a=none; echo \"stdin $a, $PLAIN, $BUILDTEL_STEP\""),
    Case("fails", SH + "echo out; exit 3", status=3),
    Case("status-255", SH + "exit 255", status=255),
    Case("unfinished line", SH + "printf unfinished"),
    Case("no agent file", SH + "echo out; exit 4", "rm -r /var/tmp/buildtel", status=4, measured=False),
    Case("agent is a directory", SH + "exit 4",
         "rm /var/tmp/buildtel/buildtel_agent.py; mkdir /var/tmp/buildtel/buildtel_agent.py", status=4, measured=False),
    Case("agent is empty", SH + "exit 4", "for f in /var/tmp/buildtel/*; do : >$f; done", status=4, measured=False),
    Case("agent unreadable for the user", SH + "exit 4", "chmod 700 /var/tmp/buildtel; chown root /var/tmp/buildtel",
         status=4, who="nobody", measured=False, shapes=("default", "pieces")),
    Case("no python", SH + "exit 4",
         "rm -f /var/tmp/buildtel/interpreter; for p in /usr/bin/python3* /usr/local/bin/python3*; "
         "do [ -f $p ] && mount --bind /dev/null $p; done", status=4),
    Case("python can't be started", SH + "exit 4",
         f"mount --bind /bin/false {PYTHON}; cp /bin/false /var/tmp/interp; "
         "echo /var/tmp/interp >/var/tmp/buildtel/interpreter", status=4),
    Case("python hangs up at once", SH + "exit 4",
         "printf '#!/bin/sh\\nkill -9 $$\\n' >/var/tmp/interp; chmod +x /var/tmp/interp; "
         "echo /var/tmp/interp >/var/tmp/buildtel/interpreter", status=4, measured=None),
    Case("compiled copy for another python", SH + "exit 4", "echo garbage >/var/tmp/buildtel/agent.pyc", status=4),
    Case("full disks", SH + "echo out; exit 4", FILL, status=4, measured=None),
    Case("read-only /tmp", SH + "exit 4", CALM + "ro /tmp", status=4),
    Case("everything read-only", SH + "exit 4",
         CALM + PLACES + "ro $d; done", status=4, measured=None),
    Case("noexec /var/tmp", SH + "exit 4", "mount -o remount,noexec /var/tmp; mount -o remount,noexec /tmp", status=4),
    Case("script on a noexec place", SH + "exit 4", "mount -o remount,bind,noexec $SCRIPTS", status=126),
    Case("script is missing its interpreter", "#!/no/such/shell\necho never", status=127),
    Case("user without sudo", SH + "echo $(id -u); exit 4", who="nobody", status=4,
         shapes=("default", "pieces", "own-pieces")),
    Case("user with sudo", SH + "echo $(id -u); exit 4", who="nobody", status=4, shapes=("sudo",)),
    Case("prints 100 MB", SH + "head -c 104857600 /dev/zero | tr '\\0' 'x' | fold -w 4095",
         shapes=("default", "pieces")),
    Case("closes its stdout", SH + "exec >&-; echo lost 2>/dev/null || true; sleep 0.2; exit 5", status=5),
    Case("closes stdin, stdout and stderr", SH + "exec <&- >&- 2>&-; sleep 0.2; exit 5", status=5),
    Case("killed", SH + "kill -9 $$", status=137),
    Case("terminated", SH + "kill -TERM $$", status=143),
    Case("kills the sampler", SH + "pkill -9 -f 'agent.pyc (sampler|life)' || :; exit 6", status=6, measured=None),
    Case("stops the sampler", SH + "pkill -STOP -f 'agent.pyc sampler' || :; exit 6", status=6),
    Case("wipes /tmp and the agent", SH + "rm -rf /tmp/* /var/tmp/buildtel /dev/shm/*; exit 6", status=6,
         measured=None),
    Case("bash script without #!", "a=(1 2 3); echo ${#a[@]}; exit 7", status=7, shapes=("default", "pieces")),
    Case("sh script without #!, dash as login shell", "echo ${BASH_VERSION-none}; exit 7", status=7, login="/bin/dash"),
    Case("leaves a process behind", SH + "(sleep 0.5; echo late) & exit 0"),
    Case("big environment", SH + "head -c 100000 /dev/zero | tr '\\0' x | wc -c"),
    Case("login shell is busybox", SH + "exit 4", "ln -s /bin/busybox /run/ash", status=4, login="/run/ash"),
]  # fmt: skip


def play(case: Case, command: str, *, bare: bool = False) -> tuple[int, bytes, bytes]:
    """Exit status as sshd tells it (128 + n for a signal), stdout, stderr; `bare` machines have no Python."""
    scripts = "/opt/scripts"
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "--propagation", "private",
         "sh", "-c", SCENE],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "AGENT": str(AGENT), "STEP": case.step, "SETUP": case.setup,
             "WHO": case.who, "LOGIN": case.login, "SCRIPTS": scripts, "BARE": "yes" if bare else "",
             "COMMAND": rendered(command).replace("/scripts/", f"{scripts}/")},
        capture_output=True, timeout=120,
    )  # fmt: skip
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return status, done.stdout, done.stderr


BLOCKS = re.compile(
    "═{71}\n⏱️  \\[[^\n]*\\] START: [^\n]*\n─{71}\n|─{71}\n⏱️  \\[[^\n]*\\] END: [^\n]*\n\n(?:  [A-Z][^\n]*\n)*═{71}\n"
)


def theirs(stdout: bytes) -> str:
    """The step's own output: without records, and without our blocks, wherever they stand."""
    if len(stdout) > 10_000_000:  # a pattern over 100 MB of x would only cost time
        whole = b"x" * 4095
        stdout = b"\n".join([line for line in stdout.split(b"\n") if line != whole] + [b"%d" % stdout.count(whole)])
    text = re.sub(rb'\nBUILDTEL:{"v":1,"ev":"(end|beat)"[^\n]*\n', b"", stdout)
    text = re.sub(rb"(?m)^BUILDTEL:[^\n]*\n", b"", text).decode()
    return BLOCKS.sub("", text)


def complaint(stderr: bytes) -> str:
    """What stderr says, but for which shell says it on which line, and its word on a killed child."""
    text = re.sub(r"^\S+: (line )?\d+: ((Killed|Terminated).*)?", "", stderr.decode(), flags=re.M)
    lines = [line for line in text.splitlines() if not re.match(r"(\d+ )?(Killed|Terminated)", line.strip())]
    lines = [re.sub(r"^.*?(/opt/scripts/step.sh).*$", r"can't run \1", line) for line in lines if line.strip()]
    return "\n".join(line for line in lines if not re.match(r"\d+ Done ", line.strip()))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_wrapped_is_as_unwrapped(case, shape):
    """Status, stdout, stderr are the same; and the step is measured where it can be."""
    compare(case, shape, bare=False)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_without_python_too(case, shape):
    """The same worlds where install found no Python: start and end come from the sh part."""
    read = compare(case, shape, bare=True)

    assert not [record for record in read if record["ev"] in ("beat", "samples") or record.get("python")]


PLATFORM_PYTHON = Case(
    "only RHEL's platform-python", SH + "exit 4",
    "rm -f /var/tmp/buildtel/interpreter; mkdir /mnt/all /mnt/bin; mount --bind /usr/bin /mnt/all; "
    "ln -s /mnt/all/* /mnt/bin/; rm /mnt/bin/python3*; mount -t tmpfs none /usr/libexec; "
    "cp -L /usr/bin/python3 /usr/libexec/platform-python; mount --bind /mnt/bin /usr/bin; "
    "for p in /usr/local/bin/python3*; do [ -f $p ] && mount --bind /dev/null $p; done", status=4,
)  # fmt: skip


@pytest.mark.parametrize("shape", ["default", "pieces"])
def test_the_platform_python_of_rhel_is_found(shape):
    """Where no `python3` is, the one that the system's own tools use measures: its records have what sh can't tell."""
    (end,) = [record for record in compare(PLATFORM_PYTHON, shape, bare=False) if record["ev"] == "end"]

    assert end["cost"]["rss_kb"] > 0


def compare(case, shape, *, bare):
    """Plays a case wrapped and not, asserts that they are the same, and gives the wrapped one's records."""
    if shape not in case.shapes:
        pytest.skip("this shape has no meaning for the case")
    if shape == "sudo" and not shutil.which("sudo"):
        pytest.skip("no sudo on this machine")
    if case.login == "/run/ash" and not shutil.which("busybox"):
        pytest.skip("no busybox on this machine")
    plain, wrapped = SHAPES[shape]
    status, stdout, stderr = play(case, plain)
    status_wrapped, stdout_wrapped, stderr_wrapped = play(case, wrapped(), bare=bare)

    assert status == case.status, (stdout[:2000], stderr[:2000])
    assert (status_wrapped, theirs(stdout_wrapped), complaint(stderr_wrapped)) == (
        status, theirs(stdout), complaint(stderr)
    )  # fmt: skip
    read = records(b"\n".join(line for line in stdout_wrapped.split(b"\n") if not line.startswith(b"xxxx")))
    events = [record["ev"] for record in read]
    if case.measured is not None:
        assert ("end" in events) is case.measured, stdout_wrapped[:3000]
    ends = [record for record in read if record["ev"] == "end"]
    if case.measured and ends and case.status not in (126, 127):
        assert ends[-1]["exit"] == case.status
    return read
