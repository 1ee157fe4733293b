"""Commands load nothing of what they do not use: no model without a document, no pydantic to write one."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from buildtel.cli import packer

CODE = """
import os, sys
from buildtel.cli import main
os._exit = sys.exit
try:
    main(sys.argv[1:])
except SystemExit:
    pass
finally:
    print(*sys.modules, file=sys.stderr)
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
LOG = "==> null.x: Connected to SSH!\nBuild 'null.x' finished after 3 seconds.\n"
WRITERS = {
    "packer": ["packer", "build", "."],
    "collect": ["collect", "a.log"],
    "collect over an older document": ["collect", "-o", "a.json", "a.log"],
    "finalize": ["finalize"],
    "live": ["live", "a.log"],
    "guest follow": ["guest", "follow", "127.0.0.1:1"],
}
COSTLY = {"pydantic", "boto3", "paramiko", "hcl2", "buildtel.job.model"}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_command_without_a_document_loads_no_model(tmp_path: Path, words: list[str]) -> None:
    """Neither pydantic nor the model of a document, nor a library that only other commands use."""
    (tmp_path / "s").mkdir()

    assert not COSTLY & loaded_by(words, tmp_path)


@pytest.mark.parametrize("words", WRITERS.values(), ids=WRITERS)
def test_making_and_writing_a_document_loads_no_pydantic(tmp_path: Path, words: list[str]) -> None:
    """Only what reads a document validates it."""
    program = tmp_path / "packer"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/a.log\n")
    program.chmod(0o755)
    (tmp_path / "a.log").write_text(LOG)
    loaded_by(["collect", "-q", "-o", "a.json", "a.log"], tmp_path)
    if words[0] == "finalize":
        loaded_by(["init", "build", "1"], tmp_path)
        loaded_by(["run", "true"], tmp_path)

    modules = loaded_by(words, tmp_path)
    assert "pydantic" not in modules and "pydantic_core" not in modules
    assert "buildtel.job.model" in modules or words[0] in ("live", "guest")


@pytest.mark.parametrize("words", [["build", "."], ["-q", "build", "-only=a", "."], ["--quiet", "--", "-v"], []])
def test_packer_without_our_flags_is_read_as_argparse_reads_it(words: list[str]) -> None:
    """The quick way gives the same arguments."""
    parser = argparse.ArgumentParser()
    packer.add_arguments(parser)

    assert vars(packer.simple(words)) == vars(parser.parse_args(packer.wrapped(words)))


@pytest.mark.parametrize("flag", ["--live=always", "--job=x", "--version=1", "--spool=x", "-o=x", "--output=x", "-h"])
def test_argparse_reads_our_other_flags(flag: str) -> None:
    """The quick way leaves them, also behind `-q`."""
    assert packer.simple(["-q", flag, "build", "."]) is None


def test_packer_starts_before_what_it_does_not_need_is_loaded(tmp_path: Path) -> None:
    """What only the report needs is loaded while Packer runs."""
    program = tmp_path / "packer"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    code = CODE.replace("os._exit = sys.exit", "from buildtel.capture import relay; relay.Relay._spawn = sys.exit")
    modules = loaded_by(["packer", "--live", "never", "build", "."], tmp_path, code)
    assert "argparse" in modules

    modules = loaded_by(["packer", "build", "."], tmp_path, code)
    assert "buildtel.capture.packer_process" in modules
    assert not modules & {"argparse", "pathlib", "shutil", "typing", "dataclasses", "json", "urllib.parse"}


def loaded_by(words: list[str], folder: Path, code: str = CODE) -> set[str]:
    """The modules that a command has loaded at its end."""
    env = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder), "TELEMETRY_DIR": str(folder / "telemetry")}
    command = [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=folder, stdin=subprocess.DEVNULL)
    return set(done.stderr.splitlines()[-1].split())
