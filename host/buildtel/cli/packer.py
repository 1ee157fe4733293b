"""`packer ARGS…`: Packer as ever, and at its end the account of every second."""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from buildtel.errors import BuildtelError, UsageError

NOT_FOUND = 127
HELP = frozenset(("-h", "-help", "--help"))
IMPATIENT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Our flags stand before Packer's words; those with a value take the next word.
FLAGS = {"--live": 1, "--job": 1, "--version": 1, "-o": 1, "--output": 1, "-q": 0, "--quiet": 0, "-h": 0, "--help": 0}


def wrapped(words: list[str]) -> list[str]:
    """`words` with a `--` between our flags and Packer's own words, some of which look like flags.

    A last word that lacks its value is Packer's: `buildtel-host packer --version` is.
    """
    at = 0
    while at < len(words):
        name, _, value = words[at].partition("=")
        step = 1 + (FLAGS.get(name, 0) if not value else 0)
        if name not in FLAGS or at + step > len(words):
            break
        at += step
    return words if words[at : at + 1] == ["--"] else [*words[:at], "--", *words[at:]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.usage = "buildtel-host packer [--live MODE] [--job NAME] [--version V] [-o FILE] [-q] build ..."
    parser.add_argument("words", metavar="ARGS", nargs="*", help="Packer's own words, as in `packer build .`")
    parser.add_argument(
        "--live", choices=("always", "auto", "never"), default="auto",
        help="a view of builds, phases and gauges below Packer's output; auto: on a terminal, not in a CI",
    )  # fmt: skip
    parser.add_argument("--job", metavar="NAME", help="the job's name (default: build)")
    parser.add_argument(
        "--version", metavar="V", help="the appliance's version (default: the CI's tag, git describe, or 0)"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="where the document goes (default: in $TELEMETRY_DIR)")
    parser.add_argument("-q", "--quiet", action="store_true", help="show no report, and say nothing but errors")


def run(args: argparse.Namespace) -> int:
    """Packer's own exit status, whatever becomes of the telemetry."""
    from buildtel.capture.packer import find_packer, subcommand

    packer = find_packer(os.environ)
    if packer is None:
        print("buildtel-host: no `packer` on the PATH: install Packer, or add its folder to the PATH", file=sys.stderr)
        return NOT_FOUND
    if args.output == "-":
        raise UsageError("packer -o FILE: standard output is Packer's: name a file")
    if not args.words:
        raise UsageError("packer ARGS: which command of Packer's? for example `buildtel-host packer build .`")
    command = ["packer", *args.words]
    if subcommand(args.words) != "build" or not HELP.isdisjoint(args.words):
        os.execv(packer, command)
    try:
        return _build(args, [packer, *args.words])
    except OSError as error:
        print(f"buildtel-host: can't run {packer}: {error.strerror}", file=sys.stderr)
        return NOT_FOUND - 1


def _build(args: argparse.Namespace, command: list[str]) -> int:
    from buildtel.capture.packer import Watched

    log = _log_path(args)
    if log is None:
        os.execv(command[0], command)
    if _is_live(args.live, os.environ):
        from buildtel.cli.live import Live

        watched = Live(args.job or "build").watched(command, log)
    else:
        watched = Watched(command, os.environ, log)
    _outlast()
    try:
        ended = watched.run()
    except OSError:
        Path(log).unlink(missing_ok=True)
        raise
    try:
        _account(args, log, ended.problem)
    except (BuildtelError, OSError) as error:
        print(f"buildtel-host: this build has no document: {error}; its log: {log}", file=sys.stderr)
    for number in IMPATIENT:
        signal.signal(number, signal.SIG_IGN)  # even Python's own end takes time
    return _as_packer(os.waitstatus_to_exitcode(ended.status))


def _outlast() -> None:
    """Let the signals that end Packer not end this process: the account of a cancelled build comes after it."""
    for number in IMPATIENT:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: None)


def _is_live(mode: str, environ: Mapping[str, str]) -> bool:
    """Whether there is a view: by default on a terminal that a person looks at."""
    if mode == "auto":
        return sys.stdout.isatty() and not environ.get("CI") and environ.get("TERM", "dumb") != "dumb"
    return mode == "always"


def _log_path(args: argparse.Namespace) -> str | None:
    """A new file for the log, beside where the document will be; None if there is no place for it."""
    from buildtel.capture.place import log_path

    try:
        return log_path(os.environ, args.job or "build")
    except BuildtelError as error:
        print(f"buildtel-host: this build is not measured: {error}", file=sys.stderr)
        return None


def _account(args: argparse.Namespace, log: str, problem: str | None) -> None:
    """The document and the report, on standard error: standard output is Packer's."""
    from buildtel.cli import collect

    if problem:
        print(f"buildtel-host: the log is not whole: {problem}", file=sys.stderr)
    if not args.quiet:
        print(f"log: {log}", file=sys.stderr)
    flags = {"--output": args.output, "--job": args.job, "--version": args.version}
    words = [word for flag, value in flags.items() if value is not None for word in (flag, value)]
    parser = argparse.ArgumentParser()
    collect.add_arguments(parser)
    with contextlib.redirect_stdout(sys.stderr):
        collect.run(parser.parse_args([*words, *(["--quiet"] if args.quiet else []), log]))


def _as_packer(code: int) -> int:
    """Packer's exit status; where a signal ended it, the same signal ends this process."""
    if code >= 0:
        return code
    sys.stdout.flush()
    sys.stderr.flush()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
    return 128 - code
