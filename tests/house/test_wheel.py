"""What users install is what was tested."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .conftest import ROOT


def test_the_wheel_brings_agent_and_library(installed: Path, tmp_path: Path):
    """`wire` from an installed wheel lays down the very files of the checkout, each with a last line of its own."""
    (tmp_path / "t.pkr.hcl").write_text('source "null" "x" {\n}\nbuild {\n  sources = ["null.x"]\n}\n')
    subprocess.run([installed / "buildtel-host", "wire", tmp_path], check=True, capture_output=True, cwd=tmp_path)

    for shipped in (ROOT / "guest" / "buildtel_agent.py", ROOT / "packer" / "buildtel.pkr.hcl"):
        *content, last = (tmp_path / shipped.name).read_bytes().splitlines(keepends=True)
        assert b"".join(content) == shipped.read_bytes()
        assert last.startswith(b"# buildtel ")


def test_the_program_says_the_agents_version(installed: Path, tmp_path: Path):
    """One version, also where only the wheel is."""
    import buildtel_agent

    done = subprocess.run([installed / "buildtel-host", "--version"], check=True, capture_output=True, cwd=tmp_path)
    assert done.stdout.decode().split() == ["buildtel-host", buildtel_agent.__version__]


def test_help_and_version_load_no_heavy_library(installed: Path, tmp_path: Path):
    """A start-up budget: what a command does not use it does not import."""
    script = (
        "import sys; from buildtel.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(sorted({'pydantic', 'rich', 'hcl2', 'boto3', 'paramiko', 'jinja2'} & set(sys.modules)), file=sys.stderr)"
    )
    for words in (["--help"], ["--version"], ["collect", "--help"], ["wire", "--help"]):
        done = subprocess.run([installed / "python", "-c", script, *words], capture_output=True, cwd=tmp_path)
        assert done.stderr.strip() == b"[]", words
