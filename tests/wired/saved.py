"""Makes the saved logs of real builds by this agent anew: `python -m tests.wired.saved [NAME...]`, as root.

Each is Packer's own output, over SSH to a throw-away sshd. `AGENTS` go to fixtures/agents under the agent's version and
the commit that changed the agent last, `BUILDS` to fixtures/wired.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import buildtel_agent as agent
from buildtel.wire import copies

from .bench import FINISH, INSTALL, INSTALL_SIGNED, Form, Source, provisioner, template
from .machine import Machine, start

ROOT = Path(__file__).parents[2]
GUEST = "/var/tmp/buildtel/buildtel_agent.py"
KEY = "5f4dcc3b5aa765d61d8327deb882cf99c0ffee00c0ffee00"
COMPUTE = "python3 -c 'import time; e = time.time() + %d\nwhile time.time() < e: sum(range(9999))'"
COMPRESS = "head -c %d /dev/urandom | gzip -1 >/tmp/x.gz"
INNER = f"sh {GUEST} run --step inner -- sh -c 'exit 4' || true"
STEPS = (
    Form("a named step", (f"sh {GUEST} mark halfway", COMPRESS % 300_000_000, "sleep 1", INNER)),
    Form("", ("printf unfinished",), "chmod +x {{ .Path }}; sudo -n env {{ .Vars }} {{ .Path }}"),
    Form("", ("exit 7",), "chmod +x {{ .Path }}; ({{ .Vars }} {{ .Path }})", "valid_exit_codes = [7]"),
)
UNWIRED = '\n  provisioner "shell" {\n    inline = ["sleep 2"]\n  }\n'
UPLOAD = '\n  provisioner "file" {\n    source      = "/mnt/build/key"\n    destination = "/root/uploaded"\n  }\n'
WAITS = (
    Form("sleeps", ("sleep 3",)),
    Form("computes", (COMPUTE % 3,)),
    Form("waits for a lock", ("flock /tmp/lock sleep 3 >/dev/null 2>&1 &", "sleep 0.2", "flock /tmp/lock true")),
    Form("compresses", (COMPRESS % 200_000_000, "sync")),
)
SHELL_LOOP = "end=$(($(date +%s) + 25)); while [ $(date +%s) -lt $end ]; do :; done"
BY_SH = (Form("forks", (SHELL_LOOP,)), Form("compresses", (COMPRESS % 2_000_000_000,)))
HOLDS = (Form("leaves a process", ("echo begun", "sleep 8 &")), WAITS[0])
FAILS_FIRST = Form(
    "fails at first", ("sleep 2", "test -e /tmp/tried || { touch /tmp/tried; exit 1; }"), more="max_retries = 2"
)
PAUSED = Form("after a pause", ("sleep 1", COMPUTE % 2), more='pause_before = "2s"')
FAILS = Form("fails", ("sleep 2", "echo 'E: Unable to locate package nosuch' >&2", "exit 100"))


@dataclass(frozen=True)
class Saved:
    """A build to save: its provisioners as blocks of a template, the names of its sources, the words for Packer."""

    blocks: str
    words: str = "-timestamp-ui -color=false"
    names: tuple[str, ...] = ("debian",)
    has_python: bool = True


def wired(*forms: Form) -> str:
    """The blocks of measured provisioners."""
    return "".join(provisioner(form, wired=True) for form in forms)


AGENTS = {
    "": Saved(INSTALL + wired(*STEPS) + UNWIRED + FINISH),
    "-by-sh": Saved(INSTALL + wired(*STEPS) + UNWIRED + FINISH, has_python=False),
    "-signed": Saved(
        INSTALL_SIGNED + wired(*STEPS) + UNWIRED + FINISH, f"-timestamp-ui -color=false -var buildtel_key={KEY}"
    ),
}
BUILDS = {
    "waits": Saved(INSTALL + wired(*WAITS) + UPLOAD + FINISH),
    "held": Saved(INSTALL + wired(*HOLDS) + FINISH),
    "by-sh": Saved(INSTALL + wired(*BY_SH) + FINISH, has_python=False),
    "parallel": Saved(INSTALL + wired(*WAITS[:2]) + UPLOAD + FINISH, "-machine-readable", ("one", "two")),
    "retried-and-paused": Saved(INSTALL + wired(FAILS_FIRST, PAUSED) + FINISH, "-color=true -timestamp-ui"),
    "failed": Saved(INSTALL + wired(WAITS[0], FAILS) + FINISH, "-color=false -timestamp-ui"),
}


def made(saved: Saved, folder: Path) -> bytes:
    """The output of a build; each of its sources has a machine of its own."""
    machines = []
    try:
        for name in saved.names:
            (folder / name).mkdir()
            machines.append(start(folder / name))
        built = machines[0]
        copies.put(built.folder)
        sources = []
        for name, one in zip(saved.names, machines, strict=True):
            sources.append(Source(one.port, name=name, key=f"key-{name}"))
            shutil.copy(one.key, built.folder / f"key-{name}")
        (built.folder / "t.pkr.hcl").write_text(template(saved.blocks, *sources))
        for one in machines if not saved.has_python else ():
            hide_python(one)
        return built.packer("build", *saved.words.split(), ".").stdout
    finally:
        for one in machines:
            one.stop()


def hide_python(machine: Machine) -> None:
    """Leaves the machine without one that the agent could find."""
    for path in Path("/usr/bin").glob("python3*"):
        if not path.is_symlink():
            subprocess.run(machine.enter("mount", "--bind", "/dev/null", str(path)), check=True)


def main(*names: str) -> None:
    """Writes those of these names, or all."""
    commit = subprocess.run(["git", "log", "-1", "--format=%h", "--", "guest/buildtel_agent.py"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.strip()  # fmt: skip
    rows = {f"agents/{agent.__version__}-{commit}{suffix}": saved for suffix, saved in AGENTS.items()}
    rows |= {f"wired/{name}": saved for name, saved in BUILDS.items()}
    for name, saved in rows.items():
        if not names or name in names:
            with tempfile.TemporaryDirectory() as folder:
                (ROOT / "fixtures" / f"{name}.log").write_bytes(made(saved, Path(folder)))


if __name__ == "__main__":
    main(*sys.argv[1:])
