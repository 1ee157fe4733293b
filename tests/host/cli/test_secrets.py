"""Secrets planted wherever text comes from, and searched in all that leaves the machine; with real Packer."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import PROGRAM, Home

TEMPLATE = """
source "null" "one" {
  communicator = "none"
}
build {
  sources = ["source.null.one"]
  provisioner "shell-local" {
    environment_vars = ["API_TOKEN=secret-of-template"]
    inline = [
      "echo token $API_TOKEN", "echo env $RUNNER_SECRET", "echo git https://secret-user:x@host/x",
      "echo + OTHER_PASSWORD=secret-assigned", "echo id secret-77",
      "echo 'TASK [use '$API_TOKEN'] *****'", "echo kept", "exit 3",
    ]
  }
}
"""
LINES = [
    "token <redacted>", "env <redacted>", "git https://<redacted>@host/x", "+ OTHER_PASSWORD=<redacted>",
    "id <redacted>", "TASK [use <redacted>] *****", "kept",
]  # fmt: skip
ENVIRON = {"RUNNER_SECRET": "secret-of-runner", "CHECKPOINT_DISABLE": "1"}
packer = pytest.mark.skipif(not shutil.which("packer"), reason="no packer here")


def run(home: Home, *words: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """A command on GitHub Actions, with the runner's secret in its environment."""
    summary = str(home.path / "summary.md")
    return home.run(*words, **{**ENVIRON, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": summary, **environ})


def leaving(home: Home) -> dict[str, bytes]:
    """All that leaves the machine: documents, records, the store's objects, each form of the report, the summary."""
    (path,) = home.documents()
    run(home, "upload")
    found = {str(file): file.read_bytes() for file in home.store.rglob("*") if file.is_file()}
    found |= {str(file): file.read_bytes() for file in (path, *home.telemetry.glob("*.jsonl.gz"))}
    for form in ("table", "json", "csv", "markdown"):
        done = run(home, "report", "--format", form, str(path))
        found[form] = done.stdout + done.stderr
    found["summary"] = (home.path / "summary.md").read_bytes()
    return {name: gzip.decompress(data) if name.endswith(".gz") else data for name, data in found.items()}


@packer
@pytest.mark.packer
@pytest.mark.parametrize("way", ["packer", "collect", "finalize"])
def test_no_secret_leaves(home: Home, way: str) -> None:
    """Those of template, environment, URL, assignment and expression are hidden; in names of steps, too."""
    (home.path / "a.pkr.hcl").write_text(TEMPLATE)
    if way != "packer":
        run(home, "init", "job", "1")
        run(home, "run", "step secret-of-runner", "--", "true")
    if way == "packer":
        done = run(home, "packer", "--redact", r"secret-\d+", "build", ".")
        assert done.returncode == 1
    else:
        log = subprocess.run(
            ["packer", "build", "."], cwd=home.path, env={**home.environ, **ENVIRON, "PACKER_LOG": "1"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        ).stdout  # fmt: skip
        (home.path / "p.log").write_bytes(log)
        done = run(home, way, "--redact", r"secret-\d+", "p.log")
        assert done.returncode == 0, done.stderr
    found = leaving(home)

    assert [name for name, data in found.items() if b"secret-" in data] == []
    said = done.stderr.partition(b"document: ")[2]
    assert b"\n::error title=null.one failed::" in said and b"secret-" not in said
    document = json.loads(home.documents()[-1].read_bytes())
    (provisioner,) = document["packer"]["runs"][0]["builds"][0]["provisioners"]
    # Where Packer merges its two streams, its words on the failure may overtake the last lines.
    output = provisioner["output"]
    assert output == (LINES if way == "packer" else LINES[: len(output)]) and output
    assert way != "packer" or [part["name"] for part in provisioner["parts"]] == ["use <redacted>"]
    assert f"| {output[-1]}".encode() in found["table"]
    assert f"\n    {output[-1]}\n".encode() in found["markdown"]
    assert way == "packer" or "step <redacted>" in [step["name"] for step in document["steps"]]


FAILED = (
    "null.one: output will be in this color.\n\n==> null.one: Running local shell script: /tmp/x\n"
    "    null.one: ::add-mask::masked-word\n    null.one: it is masked-word\n"
    "==> null.one: Provisioning step had errors: Running the cleanup provisioner, if present...\n"
    "Build 'null.one' errored after 1 second: Script of masked-word exited with non-zero exit status: 3\n"
)


def test_errors_are_redacted_and_output_can_be_left_out(home: Home) -> None:
    """What `::add-mask::` names is hidden in the error; `--no-output` keeps no lines; the file has `redact`, too."""
    (home.path / "p.log").write_text(FAILED)
    folder = home.path / ".config" / "buildtel"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("redact = ['exited with [a-z-]+']\n")
    first = home.run("collect", "-q", "p.log", "-o", "with.json")
    second = home.run("collect", "-q", "--no-output", "p.log", "-o", "without.json")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr

    (build,) = json.loads((home.path / "with.json").read_bytes())["packer"]["runs"][0]["builds"]
    assert build["error"] == "Script of <redacted> <redacted> exit status: 3"
    assert build["provisioners"][0]["output"] == ["::add-mask::<redacted>", "it is <redacted>"]
    (build,) = json.loads((home.path / "without.json").read_bytes())["packer"]["runs"][0]["builds"]
    assert "output" not in build["provisioners"][0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("redact = 'x'", "is no list of texts"), ("redact = [1]", "is no list of texts"),
        ("redact = ['x(']", "is no regular"),
    ],
)
def test_a_wrong_setting_is_said(home: Home, text: str, words: str) -> None:
    """One line names the file or the expression; nothing is written."""
    (home.path / "p.log").write_text(FAILED)
    folder = home.path / ".config" / "buildtel"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(text)
    done = home.run("collect", "-q", "p.log")

    assert done.returncode == 2
    assert words in done.stderr.decode() and done.stderr.count(b"\n") == 1
    assert home.documents() == []


@packer
@pytest.mark.packer
def test_a_wrong_expression_is_said_before_packer_begins(home: Home) -> None:
    """Exit status 2, and no build."""
    (home.path / "a.pkr.hcl").write_text(TEMPLATE)
    done = subprocess.run(
        [*PROGRAM, "packer", "--redact", "x(", "build", "."], cwd=home.path, env=home.environ, capture_output=True
    )

    assert (done.returncode, done.stdout) == (2, b"")
    assert b"--redact 'x(' is no regular expression" in done.stderr
    assert not list(Path(home.path).glob("telemetry/*"))
