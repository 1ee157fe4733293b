"""Packer under the wrapper is Packer alone: the bytes of its output and its exit status, on a terminal and without."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..live.screen import Screen
from .watched import WATCHED, Bench, bench, same, script

pytestmark = [pytest.mark.packer, pytest.mark.skipif(not shutil.which("packer"), reason="no packer here")]
ALONE = ("packer",)
PLACES = ("terminal", "pipes")
WIDE = 250  # columns: no line of Packer's is broken
Seen = tuple[int, list[bytes]]


@pytest.fixture(name="bench")
def a_bench(tmp_path: Path) -> Bench:
    """A template's folder."""
    made = bench(tmp_path)
    made.environ["TERM"] = "xterm-256color"
    return made


def seen(bench: Bench, command: list[str], place: str, environ: dict[str, str] | None = None) -> Seen:
    """Exit status and output of a command, without what differs between any two runs.

    On a terminal both streams are one; without, those of standard error stand behind.
    """
    environ = {**bench.environ, **(environ or {})}
    if place == "terminal":
        shown = Screen(command, bench.folder, environ, WIDE)
        return shown.end(20), same(shown.raw).splitlines(keepends=True)
    done = subprocess.run(
        ["timeout", "-s", "KILL", "20", *command], cwd=bench.folder, env=environ, stdin=subprocess.DEVNULL,
        capture_output=True,
    )  # fmt: skip
    code = done.returncode
    return (code if code >= 0 else 128 - code), same(done.stdout + done.stderr).splitlines(keepends=True)


ODD = r"""inline = [
      "printf 'a\\rb\\n\\n\\tc\\n'; sleep 0.1; echo oops >&2; sleep 0.1; printf '\\033[31mred\\033[0m\\n'",
      "head -c 100000 /dev/zero | tr '\\0' x"
    ]"""
FAILING = 'inline = ["echo one; sleep 0.1; echo two >&2; sleep 0.1; exit 3"]'
WORDS = {
    "colours": ("build", "."),
    "plain": ("build", "-color=false", "."),
    "timestamps": ("build", "-timestamp-ui", "."),
    "machine-readable": ("-machine-readable", "build", "."),
    "other flags": ("build", "-on-error=abort", "-parallel-builds=1", "-force", "."),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("steps", [(ODD,), (ODD, FAILING)], ids=["successful", "failing"])
@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS.keys())
def test_a_build_is_shown_as_alone(bench: Bench, words: tuple[str, ...], steps: tuple[str, ...], place: str) -> None:
    """In each form of Packer's output every byte and the exit status are those of Packer alone."""
    bench.template(*steps)
    alone = seen(bench, [*ALONE, *words], place)

    assert alone[0] == (FAILING in steps)
    assert seen(bench, [*WATCHED, *words], place) == alone


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", ["colours", "timestamps", "machine-readable"])
def test_parallel_builds_are_shown_as_alone(bench: Bench, form: str, place: str) -> None:
    """The whole lines of two builds, one of which fails, whatever their order."""
    bench.template('inline = ["seq 1 50", "test $PACKER_BUILD_NAME = one"]', sources="one two")
    status, lines = seen(bench, [*ALONE, *WORDS[form]], place)
    found = seen(bench, [*WATCHED, *WORDS[form]], place)

    assert status == 1
    assert (found[0], sorted(found[1])) == (status, sorted(lines))


LINES = {
    "stdin closed": '"$@" build . 0<&-',
    "stdout closed": '"$@" build . 1>&-',
    "stderr closed": '"$@" build . 2>&-',
    "stdout closed, colour off": '"$@" build -color=false . 1>&-',
    "20 open files": 'ulimit -n 20; "$@" build . 2>/dev/null',
    "22 open files": 'ulimit -n 22; "$@" build .',
    "stdout nowhere, more open": '"$@" build . 7>/dev/null 8</dev/null >/dev/null',
    "signals ignored": "trap '' HUP INT TSTP USR1; \"$@\" build .",
    "niced, umask": 'umask 0027; ulimit -c 0; ulimit -s 4096; nice -n 5 "$@" build .',
    "in the background": '"$@" build . & wait $!',
    "in a substitution": 'echo "$("$@" build . 2>&1)"; echo $?',
}
LIMITS = r"""inline = [
      "ulimit -a; umask; nice; grep -E 'Sig(Ign|Blk|Cgt)' /proc/self/status; readlink /proc/$$/fd/1", "exit 3"
    ]"""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
def test_a_shells_line_does_what_it_does_alone(bench: Bench, line: str, place: str) -> None:
    """Closed and full files, few of them, limits and ignored signals reach Packer and its steps as without us."""
    bench.template(LIMITS)

    def result(prefix: tuple[str, ...]) -> Seen:
        status, lines = seen(bench, ["bash", "-c", line, "bash", *prefix], place)
        return status, [re.sub(rb"(?:pipe|socket):\[\d+\]", b"pipe", line) for line in lines]

    assert result(WATCHED) == result(ALONE)


HANGING = {
    "all closed": "0<&- 1>&- 2>&-",
    "stdin and stdout closed": "0<&- 1>&-",
    "stdout for reading only": "1</dev/null",
    "stdout full": ">/dev/full",
}


@pytest.mark.parametrize("files", HANGING.values(), ids=HANGING.keys())
def test_where_packer_hangs_alone_it_hangs(bench: Bench, files: str) -> None:
    """What it can't print stops Packer 1.6.6 for ever, after its first step began: we change nothing of it."""
    bench.template('inline = ["touch begun"]')

    def result(prefix: tuple[str, ...]) -> tuple[Seen, bool]:
        begun = bench.folder / "begun"
        begun.unlink(missing_ok=True)
        line = f'exec timeout -s KILL 2 "$@" build . {files}'
        return seen(bench, ["bash", "-c", line, "bash", *prefix], "pipes"), begun.exists()

    found = result(WATCHED)
    assert found == result(ALONE)
    assert found[0][0] == 128 + signal.SIGKILL


REAL = shutil.which("packer")
IN_MEMORY, PIPES = "debug log", "pipes"
SCRIPTS = {
    "no first line": ("", f'exec {REAL} "$@"', IN_MEMORY),
    "no exec": ("#!/bin/sh", f'{REAL} "$@"', IN_MEMORY),
    "a line before and after": ("#!/bin/sh", f'echo before; {REAL} "$@"; s=$?; echo after >&2; exit $s', IN_MEMORY),
    "another session": ("#!/bin/sh", f'exec setsid -w {REAL} "$@"', IN_MEMORY),
    "sudo": ("#!/bin/sh", f'exec sudo -n {REAL} "$@"', PIPES),
    "sudo with environment": ("#!/bin/sh", f'exec sudo -n -E {REAL} "$@"', IN_MEMORY),
    "runuser": ("#!/bin/sh", f'exec runuser -u nobody -- {REAL} "$@"', IN_MEMORY),
    "setpriv": ("#!/bin/sh", f'exec setpriv --reuid=65534 --regid=65534 --clear-groups {REAL} "$@"', IN_MEMORY),
    "env": ("#!/bin/sh", f'exec env -i PATH=/bin:/usr/bin HOME=/tmp CHECKPOINT_DISABLE=1 {REAL} "$@"', PIPES),
    "timeout": ("#!/bin/sh", f'exec timeout 60 {REAL} "$@"', IN_MEMORY),
}
NEEDS_ROOT = ("sudo", "runuser", "setpriv")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_in_packers_place_is_what_it_is_alone(bench: Bench, name: str, place: str) -> None:
    """Without a first line, around Packer, as another user, in another session: output, status, and a document."""
    tool = next((word for word in NEEDS_ROOT if word in name), None)
    if tool and (os.geteuid() != 0 or not shutil.which(tool)):
        pytest.skip(f"needs root and {tool}")
    bench.template('inline = ["echo one; sleep 0.2; id -u; exit 3"]')
    opened(bench.folder)
    first, text, read_from = SCRIPTS[name]
    environ = script(bench, text, first)
    environ.update(TMPDIR="/tmp", HOME="/nonexistent")

    assert seen(bench, [*WATCHED, "build", "."], place, environ) == seen(bench, [*ALONE, "build", "."], place, environ)
    packer = bench.document()["packer"]
    (build,) = packer["runs"][0]["builds"]
    assert (build["result"], packer["read_from"]) == ("failure", read_from)


def opened(folder: Path) -> None:
    """Let every user see the template."""
    folder.chmod(0o755)
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)


@pytest.mark.parametrize("place", ["on the terminal", "to a file"])
def test_what_stays_in_the_background_goes_on_as_alone(bench: Bench, place: str) -> None:
    """A process that a shell-local leaves behind holds nobody up, and writes later to where it writes alone."""
    target = "/dev/tty" if place == "on the terminal" else "late"
    bench.template(f'inline = ["(sleep 1; echo late >{target}) </dev/null >/dev/null 2>&1 & echo begun"]')

    def result(prefix: tuple[str, ...]) -> tuple[int, list[str]]:
        late = bench.folder / "late"
        late.unlink(missing_ok=True)
        line = f"{shlex.join([*prefix, 'build', '-color=false', '.'])}; echo over $?; sleep 2"
        shown = Screen(["bash", "-c", line], bench.folder, bench.environ, WIDE)
        status = shown.end()
        kept = late.read_text().split() if late.exists() else []
        return status, [line for line in shown.everything() if line.startswith(("over", "late"))] + kept

    found = result(WATCHED)
    assert found == result(ALONE)
    assert found == (0, ["over 0", "late"])


@pytest.mark.parametrize("keys", [b"\x03", b"\x1c"], ids=["INT", "QUIT"])
def test_a_key_is_a_signal_once(bench: Bench, keys: bytes) -> None:
    """Ctrl-C and Ctrl-backslash typed into a shell's foreground job: the status is that of Packer alone."""
    bench.template('inline = ["sleep 4"]')

    def status(prefix: tuple[str, ...]) -> int:
        shown = Screen([*prefix, "build", "-color=false", "."], bench.folder, bench.environ, WIDE)
        shown.look(lambda lines: any("Running local" in line for line in lines))
        shown.type(keys)
        return shown.end()

    assert status(WATCHED) == status(ALONE)


PASSWORD = secrets.token_hex(8)
AS_USER = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")  # the programs under test may be root's


@pytest.fixture(name="user")
def a_user_with_a_password() -> Iterator[str]:
    """A user of this machine who may run `id` by sudo, with a password; gone after the test."""
    if os.geteuid() != 0 or not all(shutil.which(tool) for tool in ("sudo", "useradd", "chpasswd", "setpriv")):
        pytest.skip("needs root, sudo, useradd and setpriv")
    name = f"buildtel-{secrets.token_hex(4)}"
    rule = Path(f"/etc/sudoers.d/{name}")
    subprocess.run(["useradd", "--no-create-home", "--shell", "/bin/sh", name], check=True)
    try:
        subprocess.run(["chpasswd"], input=f"{name}:{PASSWORD}\n", text=True, check=True)
        rule.touch(mode=0o440)
        rule.write_text(f"{name} ALL=(root) PASSWD: /usr/bin/id\n")
        yield name
    finally:
        rule.unlink(missing_ok=True)
        Path(f"/run/sudo/ts/{name}").unlink(missing_ok=True)
        subprocess.run(["userdel", "--force", name], check=False, capture_output=True)


def test_sudos_ticket_counts_in_a_shell_local(bench: Bench, user: str) -> None:
    """A password given on this terminal before is not asked for again in a step; on another terminal it would be."""
    bench.template('inline = ["echo as $(sudo -n id -u) of $(id -u)"]')
    opened(bench.folder)
    bench.environ.update(TMPDIR="/tmp", HOME="/nonexistent")
    bench.telemetry.mkdir()
    number = pwd.getpwnam(user).pw_uid
    os.chown(bench.telemetry, number, -1)
    words = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *AS_USER]

    def result(prefix: tuple[str, ...], before: str) -> list[str]:
        line = f"{before} {shlex.join([*prefix, 'build', '-color=false', '.'])}; echo over $?"
        shown = Screen([*words, "bash", "-c", line], bench.folder, bench.environ, WIDE)
        shown.end(20)
        return [line for line in shown.everything() if "null.one: as " in line or line.startswith("over")]

    ticket = f"echo {PASSWORD} | sudo -S -p '' id >/dev/null;"
    found = result(WATCHED, ticket)
    assert found == result(ALONE, ticket)
    assert found == [f"    null.one: as 0 of {number}", "over 0"]
    assert bench.document()["packer"]["read_from"] == "debug log"
    assert result(WATCHED, "") != found
