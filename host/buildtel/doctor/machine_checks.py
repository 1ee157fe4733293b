"""Checks of `doctor`: Python, Packer, git, folders, the kernel's files, the job in progress."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from buildtel.errors import BuildtelError
from buildtel.local import folders
from buildtel.local.begun import folders_with_steps
from buildtel.local.outbox import Outbox
from buildtel.report.view import Check
from buildtel.settings import state_folder
from buildtel_agent import Kernel, __version__

PACKER_WAIT_S = 20
OLDEST_PACKER = (1, 6, 0)
LEAST_FREE_MB = 100
PACKER_WORDS = re.compile(r"Packer v(\d+)\.(\d+)\.(\d+)")
NO_JOB = "no job in progress; `buildtel-host init JOB VERSION` or the first step starts one"
NO_DEVICE = "nothing to fix if the machine has none; in a container, measure on the host"
INSTALL_PACKER = "install HashiCorp's Packer, or put it first on PATH; only a machine that runs builds needs it"


def findings(environ: Mapping[str, str], proc: str) -> Iterable[Check]:
    """The checks of this machine.

    Args:
        environ: the environment.
        proc: where the kernel's files are, `/proc` as a rule.
    """
    yield Check("ok", "python", f"{platform.python_version()}, buildtel {__version__}")
    yield packer(environ)
    yield git()
    yield telemetry_folder(environ)
    yield job(environ)
    yield unfinished_jobs(environ)
    yield from kernel(proc)
    yield outbox(environ)


def packer(environ: Mapping[str, str]) -> Check:
    """Whether HashiCorp's Packer is installed and new enough for `-timestamp-ui`."""
    path = shutil.which("packer", path=environ.get("PATH"))
    if path is None:
        return Check("warn", "packer", "not found on PATH", INSTALL_PACKER)
    try:
        done = subprocess.run(
            [path, "version"], capture_output=True, text=True, errors="replace", timeout=PACKER_WAIT_S, check=False,
            stdin=subprocess.DEVNULL, env={**environ, "CHECKPOINT_DISABLE": "1"},
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return Check("warn", "packer", f"{path} can't be run", INSTALL_PACKER)
    found = PACKER_WORDS.search(done.stdout)
    if found is None:
        return Check("warn", "packer", f"{path} is a different program with the same name", INSTALL_PACKER)
    version = ".".join(found.groups())
    if tuple(map(int, found.groups())) < OLDEST_PACKER:
        said = f"{version} has no option -timestamp-ui"
        return Check("warn", "packer", said, "use 1.6.0 or newer, or a CI that adds times to log lines")
    return Check("ok", "packer", f"{version}, {path}")


def git() -> Check:
    """Whether git is installed: outside of a CI it gives commit and version."""
    path = shutil.which("git")
    if path is None:
        said = "not found: commit and version are known only in a CI"
        return Check("warn", "git", said, "install git, or give --version")
    return Check("ok", "git", path)


def telemetry_folder(environ: Mapping[str, str]) -> Check:
    """Whether documents can be written; the check leaves no file behind."""
    folder = Path(folders.telemetry_folder(environ))
    about, fix = "TELEMETRY_DIR", "free disk space, or set TELEMETRY_DIR to a directory that you own"
    place = folder if folder.exists() else next(parent for parent in folder.absolute().parents if parent.exists())
    try:
        if place == folder:
            folders.own_folder(str(folder))
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"x")
            file.flush()
        free_mb = shutil.disk_usage(place).free // 2**20
    except BuildtelError as error:
        return Check("fail", about, str(error), fix)
    except OSError as error:
        return Check("fail", about, f"{folder} can't be written: {error.strerror}", fix)
    if free_mb < LEAST_FREE_MB:
        return Check("warn", about, f"{folder} has only {free_mb} MB left", fix)
    later = "" if place == folder else "; it is created when it is needed"
    return Check("ok", about, f"{folder} can be written{later}")


def job(environ: Mapping[str, str]) -> Check:
    """Which job is in progress: runner steps belong to it."""
    if not Path(folders.job_folder(environ), folders.FACTS).exists():
        return Check("ok", "job", NO_JOB)
    from buildtel.local import current_job  # noqa: PLC0415  # the models: only where a job is in progress

    try:
        found = current_job.current(environ)
    except (BuildtelError, OSError) as error:
        return Check("fail", "job", str(error), "run `buildtel-host init JOB VERSION` again")
    if found is None:
        return Check("ok", "job", NO_JOB)
    meta = found[1].meta
    return Check("ok", "job", f"{meta.job} {meta.version} is in progress")


def unfinished_jobs(environ: Mapping[str, str]) -> Check:
    """Whether there are ended jobs that `finalize` was never called for."""
    about = "unfinished jobs"
    if not any(folders_with_steps(environ)):
        return Check("ok", about, "none")
    from buildtel.local import unfinished  # noqa: PLC0415  # likewise

    try:
        found = [f"{job.facts.meta.job} {job.facts.meta.version}" for job in unfinished.over(environ) if not job.is_own]
    except (BuildtelError, OSError) as error:
        return Check("warn", about, f"can't be read: {error}", "become the owner of the folder, or set TELEMETRY_DIR")
    if not found:
        return Check("ok", about, "none")
    said = f"{len(found)} ended without `finalize`: {', '.join(found[:5])}{', ...' if len(found) > 5 else ''}"
    return Check("warn", about, said, "run `buildtel-host upload`: it writes their documents and uploads them")


def kernel(proc: str) -> Iterable[Check]:
    """Which counters the kernel has: figures of a group that can't be read are missing in every step.

    Args:
        proc: where the kernel's files are.
    """
    counters = Kernel(proc).counters()
    fix = f"let this user read {proc}; in a container, mount the host's /proc and name it with --proc"
    missing = [name for name, key in (("stat", "cpu"), ("meminfo", "mem")) if not counters.get(key)]
    if missing:
        yield Check("fail", "/proc", f"{', '.join(f'{proc}/{name}' for name in missing)} can't be read", fix)
    else:
        yield Check("ok", "/proc", f"{proc}/stat and meminfo can be read")
    for about, key, name in (("disks", "disk", "diskstats"), ("network", "net", "net/dev")):
        found = counters.get(key)
        if found is None:
            yield Check("warn", about, f"{proc}/{name} can't be read: these figures will be missing", fix)
        elif not found:
            said = f"{proc}/{name} lists no hardware device: these figures will be missing"
            yield Check("warn", about, said, NO_DEVICE)
        else:
            yield Check("ok", about, ", ".join(sorted(found)))
    if counters.get("psi"):
        yield Check("ok", "pressure (PSI)", "on")
    else:
        fix = "boot a kernel 4.20 or newer with psi=1; all other figures work without it"
        yield Check("warn", "pressure (PSI)", "off: psi_* figures will be missing", fix)


def outbox(environ: Mapping[str, str]) -> Check:
    """Whether documents wait in the upload queue."""
    about, folder = "upload queue", state_folder() / "outbox"
    try:
        waiting = len(Outbox(folder).waiting()) if folder.is_dir() else 0
    except (BuildtelError, OSError) as error:
        return Check("warn", about, f"{folder} can't be read: {error}", "become its owner, or set XDG_STATE_HOME")
    if waiting:
        return Check("warn", about, f"{waiting} document(s) wait in {folder}", "run `buildtel-host upload` again")
    if not os.access(next(path for path in (folder, *folder.parents) if path.exists()), os.W_OK):
        return Check("warn", about, f"{folder} can't be written: documents could not wait there", "set XDG_STATE_HOME")
    return Check("ok", about, "empty")
