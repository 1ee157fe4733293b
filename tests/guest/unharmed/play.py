"""Plays a world in a form, with and without buildtel, and tells what differs."""

from __future__ import annotations

import functools
import json
import pickle
import re
import shlex
import subprocess
import sys
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..conftest import AGENT
from .world import INSTALLED, RUN, World, commands, local, rendered

STAGE = Path(__file__).with_name("stage.py")
SCRIPTS = "/opt/scripts"
SCENE = r"""
set -e
mount -t tmpfs none /dev/shm; mount -t tmpfs none /run; mount -t tmpfs none /var/tmp; chmod 1777 /var/tmp /dev/shm
mkdir -p /var/tmp/keep; cp AGENT /var/tmp/keep/agent.py
mount -t tmpfs none /root; mount -t tmpfs none /home; mkdir /home/step; chown WHO /home/step
mount -t tmpfs none /mnt; mkdir /mnt/scripts /mnt/sudoers; cp -a /etc/sudoers.d/. /mnt/sudoers/
echo 'nobody ALL=(ALL) NOPASSWD: ALL' >/mnt/sudoers/nobody; chmod 440 /mnt/sudoers/nobody
mount --bind /mnt/sudoers /etc/sudoers.d
mount -t tmpfs none /opt; mkdir -p /opt/scripts; mount --bind /mnt/scripts /opt/scripts
printf '%s' STEP >/opt/scripts/step.sh; chmod 777 /opt/scripts /opt/scripts/step.sh; chown WHO /opt/scripts/step.sh
mount -t tmpfs none /tmp; chmod 1777 /tmp
cp /var/tmp/keep/agent.py /tmp/uploaded.sh; chmod 755 /tmp/uploaded.sh
"""
# What every setup may use.
TOOLS = r"""
ro() { n=0; until mount -o remount,ro "$1" 2>/dev/null; do n=$((n + 1)); [ $n -lt 50 ] || exit 99; sleep 0.1; done; }
no_python() { for p in /usr/bin/python3* /usr/local/bin/python3*; do
    [ ! -f $p ] || mount --bind ${1-/dev/null} $p; done; }
life() { for p in /proc/[0-9]*; do
    tr '\0' ' ' 2>/dev/null <$p/cmdline | grep -q '^[^ ]*python.* life' && echo ${p#/proc/}; done; :; }
"""


@dataclass(frozen=True)
class Result:
    """What came of a world in a form: `faults` is empty where buildtel changed nothing."""

    world: str
    form: str
    python: bool
    faults: list[str]
    later_s: float | None = None
    records: list[dict[str, Any]] = field(default_factory=list)


def acted(world: World, command: str, *, install: bool, bare: bool, ours: bool) -> dict[str, Any]:
    """One play of the stage."""
    scene = SCENE.replace("AGENT", shlex.quote(str(AGENT))).replace("STEP", shlex.quote(world.script()))
    scene = scene.replace("WHO", "0:0" if world.who == "root" else "65534:65534")
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/home/step", "SHELL": world.login, "USER": "nobody"}
    env.update(word.split("=", 1) for word in world.env)
    before = ("no_python\n" if bare else "") + world.before + (world.ours_before if ours else "")
    asked = {
        "scene": scene + TOOLS + before + "\n:",
        "install": rendered(local("buildtel_install_command"), path="/tmp/uploaded.sh") if install else "",
        "setup": TOOLS + world.setup + (world.ours if ours else "") + "\n:",
        "step": rendered(command, world.vars, f"{SCRIPTS}/step.sh"),
        "finish": rendered(local("buildtel_finish_command")) if install else "",
        "who": world.who, "login": world.login, "env": list(env.items()), "stdin": world.stdin.encode(),
        "stdio": world.stdio, "stall_s": world.stall_s, "caller": world.caller,
    }  # fmt: skip
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "--propagation", "private",
         sys.executable, "-I", "-S", STAGE],
        input=pickle.dumps(asked), capture_output=True, timeout=200, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )  # fmt: skip
    if done.returncode or not done.stdout:
        return {"broken": f"stage: {done.returncode} {done.stderr.decode(errors='replace')[-2000:]}"}
    told: dict[str, Any] = pickle.loads(done.stdout)
    return told


@functools.lru_cache(maxsize=8)
def without(world: World, command: str) -> dict[str, Any]:
    """The play without buildtel."""
    return acted(world, command, install=False, bare=False, ours=False)


def compare(world: World, form: str, *, python: bool) -> Result:
    """Play it with and without, and tell each difference."""
    plain, wired = commands(world, form)
    installed = form in INSTALLED
    bare = without(world, plain)
    with_us = acted(world, wired, install=installed, bare=not python, ours=True)
    if "broken" in bare or "broken" in with_us:
        return Result(world.name, form, python, [f"the world can't be made: {bare.get('broken') or with_us['broken']}"])
    faults = [
        *step_faults(world, bare["step"], with_us["step"], by_sh=form in ("run", "alone")),
        *left_faults(world, bare, with_us),
    ]
    later_s = later(bare["step"], with_us["step"])
    if later_s is not None and later_s > world.within_s:
        again = acted(world, wired, install=installed, bare=not python, ours=True)
        later_s = min(later_s, later(bare["step"], again.get("step", with_us["step"])) or 0)
        if later_s > world.within_s:
            faults.append(f"the step begins {later_s:.2f} s later")
    faults += [
        f"{part}: status {with_us[part]['status']}, hangs: {with_us[part]['hangs']}"
        for part in ("install", "finish")
        if installed and (with_us[part]["status"] != 0 or with_us[part]["hangs"])
    ]
    read = records(b"\n".join(with_us[part]["stdout"] for part in ("step", "finish") if part in with_us))
    faults += measured_faults(world, read, exit_of(world, form), python=python)
    if installed and world.finish_says and not re.search(world.finish_says, said(with_us["finish"])):
        faults.append(f"finish does not say {world.finish_says!r}: {said(with_us['finish'])[-300:]!r}")
    return Result(world.name, form, python, faults, later_s, read)


def said(part: dict[str, Any]) -> str:
    """All that a command wrote."""
    return (part["stdout"] + part["stderr"]).decode("utf-8", "replace")


def later(bare: dict[str, Any], wired: dict[str, Any]) -> float | None:
    """How much later the step begins, where both tell."""
    if bare["begun_s"] is None or wired["begun_s"] is None:
        return None
    return float(wired["begun_s"] - bare["begun_s"])


def step_faults(world: World, bare: dict[str, Any], wired: dict[str, Any], *, by_sh: bool) -> list[str]:
    """Status, streams, and what each look saw."""
    faults = []
    if bare["status"] != world.status:
        faults.append(f"vacuous: without buildtel the status is {bare['status']}, {bare['stderr'][-300:]!r}")
    pairs = {
        "status": (bare["status"], wired["status"]),
        "stdout": (theirs(bare["stdout"]), theirs(wired["stdout"])),
        "stderr": (complaint(bare["stderr"], world.accepted), complaint(wired["stderr"], world.accepted)),
        "hangs": (bare["hangs"], wired["hangs"]),
        "looks": (len(bare["looks"]), len(wired["looks"])),
        "begins": (bare["begun_s"] is None, wired["begun_s"] is None),
    }
    faults += [f"{name}: {short(one)} without, {short(two)} with" for name, (one, two) in pairs.items() if one != two]
    looks = zip(bare["looks"], wired["looks"], strict=False)
    faults += [fault for one, two in looks for fault in look_faults(one, two, by_sh=by_sh)]
    if (
        not bare["hangs"]
        and wired["held_s"] is not None
        and wired["held_s"] - bare["held_s"] > world.held_s + world.stall_s
    ):
        faults.append(f"stdout is held {wired['held_s']:.1f} s after the step")
    return faults


def look_faults(bare: list[dict[str, Any]], wired: list[dict[str, Any]], *, by_sh: bool) -> list[str]:
    """What differs between two trees of processes.

    `by_sh` says that a sh started the step: it keeps `_`, sets PWD, may count SHLVL, may drop functions.
    """
    if by_sh:
        bare, wired = ([_without_words_of_sh(process) for process in tree] for tree in (bare, wired))
    names = [[process["Name"] for process in tree] for tree in (bare, wired)]
    if names[0] != names[1]:
        return [f"processes: {names[0]} without, {names[1]} with"]
    bare, wired = ([_without_numbers(process) for process in tree] for tree in (bare, wired))
    return [
        f"{one['Name']}'s {key}: {difference(one[key], two[key])}"
        for one, two in zip(bare, wired, strict=True)
        for key in one
        if one[key] != two[key]
    ]


def difference(one: object, two: object) -> str:
    """Two values, of long ones only what differs."""
    if isinstance(one, dict) and isinstance(two, dict):
        one, two = ({key: value for key, value in mine.items() if other.get(key) != value}
                    for mine, other in ((one, two), (two, one)))  # fmt: skip
    if isinstance(one, list) and isinstance(two, list):
        one, two = ([word for word in mine if word not in other] for mine, other in ((one, two), (two, one)))
    return f"{short(one)} without, {short(two)} with"


def _without_numbers(process: dict[str, Any]) -> dict[str, Any]:
    """The `_` of ksh93 has a process id."""
    return {**process, "environment": [re.sub(r"^_=\*\d+\*", "_=", word) for word in process["environment"]]}


def _without_words_of_sh(process: dict[str, Any]) -> dict[str, Any]:
    kept = [word for word in process["environment"] if not re.match(r"_=[!-~]+$|SHLVL=|PWD=|BASH_FUNC_", word)]
    return {**process, "environment": kept}


def left_faults(world: World, bare: dict[str, Any], wired: dict[str, Any]) -> list[str]:
    """Files and processes that are there afterwards in one play only."""
    faults = []
    allowed = re.compile(world.left or r"(?!)")
    for path in sorted(bare["tree"].keys() | wired["tree"].keys()):
        one, two = bare["tree"].get(path), wired["tree"].get(path)
        if path == "/tmp/uploaded.sh" or one == two or allowed.search(path):
            continue
        faults.append(f"file {path}: {one} without, {two} with")
    written = [theirs(play.get("written", b"")) for play in (bare, wired)]
    if written[0] != written[1]:
        faults.append(f"stdout's file: {short(written[0])} without, {short(written[1])} with")
    ours = re.compile(r"/var/tmp/(buildtel|keep)/|buildtel_agent")
    for when, mine in (("step", re.compile(f"{ours.pattern}|{allowed.pattern}")), ("finish", allowed)):
        one, two = ([line for line in play[f"left by {when}"] if not mine.search(line)] for play in (bare, wired))
        if one != two:
            faults.append(f"processes after {when}: {short(one)} without, {short(two)} with")
    return faults[:12]


def exit_of(world: World, form: str) -> int | None:
    """The exit status that a record must have, where it is known: a `run` is told what the script ends with."""
    if form not in ("run", "alone"):
        return world.status
    return world.own_exit if world.own_exit is not None else None if world.wrap else world.status


def measured_faults(world: World, read: list[dict[str, Any]], status: int | None, *, python: bool) -> list[str]:
    """Whether the step's records are there, and say its status."""
    starts = [record for record in read if record["ev"] == "start"]
    ends = [record for record in read if record["ev"] == "end"]
    if world.measured is None:
        return []
    if bool(starts) is not world.measured:
        return [f"measured: {bool(starts)}, where {world.measured} is expected"]
    wrong = [record["exit"] for record in ends if None not in (record["exit"], status) and record["exit"] != status]
    if wrong:
        return [f"exit status {wrong} in the record, {status} is true"]
    return ["no end in the records"] if world.measured and python and not ends else []


RECORD = re.compile(rb"(?P<before>\n?)(?:(?<=\n)|^)(?P<record>BUILDTEL:\{[^\n]*\})\n")
BLOCKS = re.compile(
    "═{71}\n⏱️  \\[[^\n]*\\] START: [^\n]*\n─{71}\n|─{71}\n⏱️  \\[[^\n]*\\] END: [^\n]*\n\n(?:  [A-Z][^\n]*\n)*═{71}\n"
)


def theirs(stdout: bytes) -> str:
    """The step's own output: without records, and without our blocks, wherever they stand."""
    if len(stdout) > 10_000_000:  # a pattern over 100 MB of x would only cost time
        whole = b"x" * 4095
        stdout = b"\n".join([line for line in stdout.split(b"\n") if line != whole] + [b"%d" % stdout.count(whole)])
    text = RECORD.sub(_nothing_of_ours, stdout)
    return BLOCKS.sub("", text.decode("utf-8", "surrogateescape"))


def _nothing_of_ours(match: re.Match[bytes]) -> bytes:
    """What is left of a line: a beat and an end bring the line feed before them, in case a line is unfinished."""
    record = checked(match["record"])
    if record is None:
        return match[0]
    return b"" if record["ev"] in ("end", "beat") else match["before"]


def checked(line: bytes) -> dict[str, Any] | None:
    """A record whose check sum is right."""
    body = line.removeprefix(b"BUILDTEL:")
    cut = body.rfind(b',"crc"')
    if body == line or cut < 0 or f'"{zlib.crc32(body[:cut]):08x}"'.encode() not in body[cut:]:
        return None
    record: dict[str, Any] = json.loads(body)
    return record


def complaint(stderr: bytes, accepted: str = "") -> str:
    """What stderr says, but for which shell says it on which line, and its word on a killed child."""
    text = stderr.decode("utf-8", "surrogateescape")
    text = re.sub(r"^\S+: (line )?\d+: ((Killed|Terminated).*)?", "", text, flags=re.M)
    lines = [line for line in text.splitlines() if not re.match(r"(\d+ )?(Killed|Terminated)", line.strip())]
    lines = [re.sub(r"^.*?(/opt/scripts/step.sh).*$", r"can't run \1", line) for line in lines if line.strip()]
    lines = [line for line in lines if not (accepted and re.search(accepted, line))]
    return "\n".join(line for line in lines if not re.match(r"\d+ Done ", line.strip()))


def records(output: bytes) -> list[dict[str, Any]]:
    """The records in an output whose check sum is right; the same one may come twice."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for line in output.split(b"\n"):
        record = checked(line)
        if record is not None and record.get("run") in (RUN, None):
            found.setdefault((record["sid"], record["seq"], record.get("part")), record)
    return list(found.values())


def short(value: object) -> str:
    """A value in one line of a report."""
    text = repr(value)
    return text if len(text) < 200 else f"{text[:100]} … {text[-60:]}"
