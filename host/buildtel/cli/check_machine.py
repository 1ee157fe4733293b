"""This machine: Python, Packer, git, the folder of documents, the kernel's files, the job under way."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from buildtel.cli.findings import fail, ok, warn
from buildtel.errors import BuildtelError
from buildtel.report.view import Check
from buildtel_agent import Kernel, __version__

PACKER_WAIT_S = 20
OLDEST_PACKER = (1, 6, 0)
LEAST_FREE_MB = 100
PACKER_WORDS = re.compile(r"Packer v(\d+)\.(\d+)\.(\d+)")
INSTALL_PACKER = "install HashiCorp's packer, or put it first on PATH; only the machine that builds needs it"


def findings(environ: Mapping[str, str], proc: str) -> Iterable[Check]:
    """All that can be said of this machine."""
    yield ok("python", f"{platform.python_version()}, buildtel {__version__}")
    yield packer(environ)
    yield git()
    yield telemetry_folder(environ)
    yield job(environ)
    yield unfinished_jobs(environ)
    yield from kernel(proc)
    yield outbox(environ)


def packer(environ: Mapping[str, str]) -> Check:
    """Whether HashiCorp's Packer is there, and new enough to stamp its lines."""
    path = shutil.which("packer", path=environ.get("PATH"))
    if path is None:
        return warn("packer", "not found on PATH", INSTALL_PACKER)
    try:
        done = subprocess.run(
            [path, "version"], capture_output=True, text=True, errors="replace", timeout=PACKER_WAIT_S, check=False,
            stdin=subprocess.DEVNULL, env={**environ, "CHECKPOINT_DISABLE": "1"},
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return warn("packer", f"{path} can't be run", INSTALL_PACKER)
    found = PACKER_WORDS.search(done.stdout)
    if found is None:
        return warn("packer", f"{path} is another program of that name", INSTALL_PACKER)
    version = ".".join(found.groups())
    if tuple(map(int, found.groups())) < OLDEST_PACKER:
        return warn("packer", f"{version} knows no -timestamp-ui", "use 1.6.0 or newer, or a CI that stamps its lines")
    return ok("packer", f"{version}, {path}")


def git() -> Check:
    """Whether commit and version can be told outside of a CI."""
    path = shutil.which("git")
    if path is None:
        return warn("git", "not found: commit and version are known in a CI only", "install git, or name --version")
    return ok("git", path)


def telemetry_folder(environ: Mapping[str, str]) -> Check:
    """Whether documents can be written; nothing is left behind."""
    from buildtel.local import folders

    folder = Path(folders.telemetry_folder(environ))
    about, mend = "TELEMETRY_DIR", "set TELEMETRY_DIR to a directory of yours, on a disk with room"
    place = folder if folder.exists() else next(parent for parent in folder.absolute().parents if parent.exists())
    try:
        if place == folder:
            folders.own_folder(str(folder))
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"x")
            file.flush()
        free_mb = shutil.disk_usage(place).free // 2**20
    except BuildtelError as error:
        return fail(about, str(error), mend)
    except OSError as error:
        return fail(about, f"{folder} can't be written: {error.strerror}", mend)
    if free_mb < LEAST_FREE_MB:
        return warn(about, f"{folder} has only {free_mb} MB left", mend)
    return ok(about, f"{folder} can be written" + ("" if place == folder else ", and is made when it is needed"))


def job(environ: Mapping[str, str]) -> Check:
    """Whether runner steps would be kept: they belong to the job that `init` began."""
    from buildtel.local import current_job

    try:
        found = current_job.current(environ)
    except (BuildtelError, OSError) as error:
        return fail("job", str(error), "run `buildtel-host init JOB VERSION` again")
    if found is None:
        return ok("job", "none under way: `buildtel-host init JOB VERSION` begins one, or the first step")
    meta = found[1].meta
    return ok("job", f"{meta.job} {meta.version} is under way")


def unfinished_jobs(environ: Mapping[str, str]) -> Check:
    """Whether jobs that are over never reached `finalize`."""
    from buildtel.local import unfinished

    about = "unfinished jobs"
    try:
        found = [f"{job.facts.meta.job} {job.facts.meta.version}" for job in unfinished.over(environ) if not job.is_own]
    except (BuildtelError, OSError) as error:
        return warn(about, f"can't be read: {error}", "make the folder yours, or set TELEMETRY_DIR")
    if not found:
        return ok(about, "none")
    said = f"{len(found)} never reached `finalize`: {', '.join(found[:5])}{', ...' if len(found) > 5 else ''}"
    return warn(about, said, "run `buildtel-host upload`: it makes documents of them and delivers them")


def kernel(proc: str) -> Iterable[Check]:
    """What the kernel tells: a group that can't be read is missing in every step."""
    counters = Kernel(proc).counters()
    mend = f"let this user read {proc}; in a container mount the host's and name it with --proc"
    gone = [name for name, key in (("stat", "cpu"), ("meminfo", "mem")) if not counters.get(key)]
    if gone:
        yield fail("/proc", f"{', '.join(f'{proc}/{name}' for name in gone)} can't be read", mend)
    else:
        yield ok("/proc", f"{proc}/stat and meminfo can be read")
    for about, key, name in (("disks", "disk", "diskstats"), ("network", "net", "net/dev")):
        found = counters.get(key)
        if found is None:
            yield warn(about, f"{proc}/{name} can't be read: these figures will be missing", mend)
        elif not found:
            said = f"{proc}/{name} has none that is real: these figures will be missing"
            yield warn(about, said, "nothing to mend on a machine without; in a container measure the host")
        else:
            yield ok(about, ", ".join(sorted(found)))
    if counters.get("psi"):
        yield ok("pressure (PSI)", "on")
    else:
        mend = "boot with psi=1 on a kernel from 4.20 on; all other figures are there without it"
        yield warn("pressure (PSI)", "off: psi_* figures will be missing", mend)


def outbox(environ: Mapping[str, str]) -> Check:
    """Whether documents wait for a store that was away."""
    from buildtel.local.outbox import Outbox
    from buildtel.settings import state_folder

    folder: Path = state_folder() / "outbox"
    try:
        waiting = len(Outbox(folder).waiting()) if folder.is_dir() else 0
    except (BuildtelError, OSError) as error:
        return warn("undelivered", f"{folder} can't be read: {error}", "make it yours, or set XDG_STATE_HOME")
    if waiting:
        return warn("undelivered", f"{waiting} document(s) wait in {folder}", "run `buildtel-host upload` again")
    where = folder if os.access(next(p for p in (folder, *folder.parents) if p.exists()), os.W_OK) else None
    if where is None:
        return warn("undelivered", f"{folder} can't be written: nothing could wait there", "set XDG_STATE_HOME")
    return ok("undelivered", "nothing waits")
