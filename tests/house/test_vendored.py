"""What of others is in the tree is what it says it is, and the wheel says so, too."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from .conftest import ROOT

FOLDER = ROOT / "host" / "buildtel" / "page" / "vendor" / "uplot"


def check(script: Path) -> subprocess.CompletedProcess[str]:
    """Run the check of a copy of the script beside the files."""
    return subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)


def test_the_library_is_as_its_source_says(tmp_path: Path):
    """A changed file, and a file of another version, are found without network."""
    copy = tmp_path / "host" / "buildtel" / "page" / "vendor" / "uplot"
    shutil.copytree(FOLDER, copy)
    script = shutil.copy(ROOT / "host" / "vendor.py", tmp_path / "host" / "vendor.py")
    assert check(Path(script)).returncode == 0

    with (copy / "uPlot.iife.min.js").open("a") as file:
        file.write(" ")
    done = check(Path(script))
    assert done.returncode == 1 and "uPlot.iife.min.js: changed" in done.stdout


def test_the_wheel_names_what_it_holds_of_others(wheel: Path):
    """The licence and a bill of materials are in its metadata, the files in the package."""
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        (sbom,) = (json.loads(file.read(name)) for name in names if ".dist-info/sboms/" in name)

    assert [part["purl"] for part in sbom["components"]] == ["pkg:npm/uplot@1.6.32"]
    assert any(name.endswith("licenses/host/buildtel/page/vendor/uplot/LICENSE") for name in names)
    assert {"buildtel/page/vendor/uplot/uPlot.iife.min.js", "buildtel/page/templates/job.html"} <= set(names)
