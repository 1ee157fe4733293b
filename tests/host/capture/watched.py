"""A real Packer on the null builder, alone and under `buildtel-host packer`."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

BUILDTEL = (sys.executable, "-c", "import sys; from buildtel.cli import main; sys.exit(main())")
WATCHED = (*BUILDTEL, "packer", "--live=never", "--quiet")
VARYING = (
    (rb"packer-shell\d+", b"packer-shell"),
    (rb"\d+ (?:minutes?|seconds?|milliseconds?|microseconds?)", b"N"),
    (rb"after N(?: N)*", b"after N"),
    (rb"\b1[0-9]{9},", b"EPOCH,"),
    (rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", b"TIME"),
    (rb"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", b"TIME"),
)  # fmt: skip


@dataclass(frozen=True)
class Bench:
    """A folder with a template, and the environment of its builds."""

    folder: Path
    environ: dict[str, str]

    def template(self, *provisioners: str, sources: str = "one", after: str = "") -> None:
        """Write the template: provisioners of type shell-local, by their arguments."""
        names = sources.split()
        blocks = "".join(f'source "null" "{name}" {{ communicator = "none" }}\n' for name in names)
        steps = "".join(f'  provisioner "shell-local" {{\n    {text}\n  }}\n' for text in provisioners)
        post = f'  post-processor "shell-local" {{ inline = ["{after}"] }}\n' if after else ""
        sourced = ", ".join(f'"source.null.{name}"' for name in names)
        (self.folder / "t.pkr.hcl").write_text(f"{blocks}build {{\n  sources = [{sourced}]\n{steps}{post}}}\n")

    def run(self, *words: str, prefix: tuple[str, ...] = WATCHED, **options: Any) -> subprocess.CompletedProcess[bytes]:
        """Packer's words under the wrapper (or, with another prefix, without it)."""
        settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        environ = {**self.environ, **settings.pop("env", {})}
        return subprocess.run([*prefix, *words], cwd=self.folder, env=environ, timeout=120, check=False, **settings)

    def start(self, *words: str, prefix: tuple[str, ...] = WATCHED, **options: Any) -> subprocess.Popen[bytes]:
        """The same, under way, in a process group of its own."""
        environ = {**self.environ, **options.pop("env", {})}
        return subprocess.Popen(
            [*prefix, *words], cwd=self.folder, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, **{"start_new_session": True, **options},
        )  # fmt: skip

    @property
    def telemetry(self) -> Path:
        """Where the wrapper keeps things."""
        return Path(self.environ["TELEMETRY_DIR"])

    def document(self) -> dict[str, Any]:
        """The one document that was made."""
        (path,) = self.telemetry.glob("*.json")
        found: dict[str, Any] = json.loads(path.read_bytes())
        return found

    def log(self) -> Path:
        """The one log that was kept."""
        (path,) = self.telemetry.glob("*.packer.log")
        return path


def script(bench: Bench, text: str, first: str = "#!/bin/bash") -> dict[str, str]:
    """An environment in which `packer` is a shell script."""
    path = bench.folder / "bin" / "packer"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{first}\n{text}\n".lstrip("\n"))
    path.chmod(0o755)
    return {"PATH": f"{path.parent}:{bench.environ['PATH']}"}


def bench(folder: Path) -> Bench:
    """A bench in a fresh folder."""
    template = folder / "template"
    template.mkdir()
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PACKER", "GITHUB", "BUILDTEL"))},
        "TELEMETRY_DIR": str(folder / "telemetry"),
        "CHECKPOINT_DISABLE": "1",
        "TMPDIR": short_folder(),
    }
    return Bench(template, environ)


@cache
def short_folder() -> str:
    """A temporary folder in which scripts have names that fit into 80 columns; it goes at the end."""
    folder = tempfile.mkdtemp(prefix="", dir="/tmp")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def same(output: bytes) -> bytes:
    """Output without what differs between any two runs: timings and ids."""
    for pattern, shown in VARYING:
        output = re.sub(pattern, shown, output)
    return output


def builds(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The builds of the only run."""
    (run,) = document["packer"]["runs"]
    found: list[dict[str, Any]] = run["builds"]
    return found


def check_account(build: dict[str, Any]) -> None:
    """Nothing twice, nothing left over, to the millisecond."""
    edge = round(build["started_at"] * 1000)
    for part in build["account"]:
        assert round(part["started_at"] * 1000) == edge
        edge = round(part["ended_at"] * 1000)
    assert edge == round(build["ended_at"] * 1000)


def unattributed_s(build: dict[str, Any]) -> float:
    """What nothing explains."""
    return sum(part["duration_s"] for part in build["account"] if part["name"] == "unattributed")
