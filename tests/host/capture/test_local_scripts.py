"""Local scripts of a real Packer that measure a step by `buildtel-host run`: reports tell each of them once."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from .watched import BUILDTEL

pytestmark = [pytest.mark.packer, pytest.mark.skipif(not shutil.which("packer"), reason="no packer here")]
RUN = f"{shlex.join(BUILDTEL)} run"
# Of the three scripts the first is one step, the second has a step in little of its time, the third two.
SCRIPTS = (
    f"{RUN} compile -- sleep 3",
    f"{RUN} little -- sleep 0.2; sleep 4",
    f"{RUN} one -- sleep 1; {RUN} two -- sleep 1",
)


def test_a_script_that_is_one_step_is_one_row(tmp_path: Path) -> None:
    """In the table of `report`, in `compare` and on the page; the document has both."""
    units = "".join(f'  provisioner "shell-local" {{ inline = [{json.dumps(script)}] }}\n' for script in SCRIPTS)
    source = 'source "null" "one" { communicator = "none" }\n'
    (tmp_path / "t.pkr.hcl").write_text(f'{source}build {{\n  sources = ["source.null.one"]\n{units}}}\n')
    known = {**os.environ, "HOME": str(tmp_path), "CHECKPOINT_DISABLE": "1", "COLUMNS": "120"}
    known["TELEMETRY_DIR"] = str(tmp_path / "telemetry")

    def told(*words: str) -> str:
        done = subprocess.run([*BUILDTEL, *words], cwd=tmp_path, env=known, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    told("packer", "--live=never", "-q", "build", ".")
    (path,) = (tmp_path / "telemetry").glob("*.json")
    names = [step["name"] for step in json.loads(path.read_bytes())["steps"]]
    first, *others = [name for name in names if "packer-shell" in name]
    assert len(others) == 2

    steps = told("report", str(path)).partition("\nStep ")[2].partition("\n\n")[0]
    rows = [line.split()[0] for line in steps.splitlines()[1:] if not line.startswith(" ")]
    expected = ["packer", "compile", others[0], "little", others[1], "one", "two"]
    assert sorted(row[-6:] for row in rows) == sorted(name[-6:] for name in expected)
    compared = told("compare", str(path), str(path)).partition("\nstep ")[2].partition("\n\n")[0]
    assert compared.count("packer-shell") == 2 and "\ncompile " in compared
    page = told("report", str(path), "--format", "html")
    assert others[0] in page and first not in page
