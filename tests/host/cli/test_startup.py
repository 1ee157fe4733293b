"""Commands that read or write no document load nothing of what documents need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import json, sys
from buildtel.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
COMMANDS = {
    "list": ["list", "--store", "s"],
    "history": ["history", "--store", "s"],
    "upload of nothing": ["upload", "--store", "s"],
    "init": ["init", "job", "1"],
    "step": ["step", "start", "a"],
    "run": ["run", "true"],
    "doctor": ["doctor", "--store", "s"],
    "--help": ["--help"],
    "upload --help": ["upload", "--help"],
}
COSTLY = {"pydantic", "boto3", "paramiko", "hcl2", "buildtel.job.model"}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_command_without_a_document_loads_no_model(tmp_path: Path, words: list[str]) -> None:
    """Neither pydantic nor the model of a document, nor a library that only other commands use."""
    (tmp_path / "s").mkdir()
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TELEMETRY_DIR": str(tmp_path / "telemetry")}
    command = [sys.executable, "-c", CODE, *words]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path, stdin=subprocess.DEVNULL)

    assert not COSTLY & set(json.loads(done.stderr.splitlines()[-1]))
