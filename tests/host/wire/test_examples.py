"""The shipped examples do what they say: they are wired, and Packer builds the one that needs no VM."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from buildtel.cli import main
from buildtel.wire import check, copies
from buildtel.wire.finding import NOTE
from buildtel.wire.template import read_folder

EXAMPLES = Path(__file__).parents[3] / "packer" / "examples"


def test_the_vm_example_is_measured_at_level_2(tmp_path: Path) -> None:
    """Wired, it has nothing wrong, and every shell provisioner is a step."""
    folder = tmp_path / "debian-qemu"
    shutil.copytree(EXAMPLES / "debian-qemu", folder)
    copies.put(folder)
    template = read_folder(folder)
    assert {finding.level for finding in check.check(template)} == {NOTE}
    measured, shells = check.measured_steps(template)
    assert measured == shells > 5


@pytest.mark.packer
def test_the_vm_example_is_valid_with_the_switch_on_or_off(tmp_path: Path) -> None:
    """The same template serves the wired and the unwired build."""
    folder = tmp_path / "debian-qemu"
    shutil.copytree(EXAMPLES / "debian-qemu", folder)
    copies.put(folder)
    for switch in ("true", "false"):
        variables = ["-var", f"image={tmp_path}", "-var", f"buildtel_enabled={switch}"]
        done = subprocess.run(
            ["packer", "validate", *variables, "."], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.packer
def test_the_local_example_gives_a_document_of_its_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real packer without VM or network: four steps in order, all successful, nothing left behind."""
    monkeypatch.setenv("TELEMETRY_DIR", str(tmp_path / "telemetry"))
    log, document = tmp_path / "packer.log", tmp_path / "job.json"
    folder = tmp_path / "cwd"
    folder.mkdir()
    command = ["packer", "build", "-timestamp-ui", "-color=false", str(EXAMPLES / "null-local")]
    with log.open("wb") as stream:
        subprocess.run(command, cwd=folder, stdout=stream, stderr=subprocess.STDOUT, check=True)
    assert list(folder.iterdir()) == []
    assert main(["collect", str(log), "-o", str(document)]) == 0
    steps = json.loads(document.read_text(encoding="utf-8"))["steps"]
    assert [(step["name"], step["exit_code"], step["status"]) for step in steps] == [
        ("write-128-mib", 0, "success"),
        ("compress", 0, "success"),
        ("wait-for-nothing", 0, "success"),
        ("clean-up", 0, "success"),
    ]


@pytest.mark.packer
def test_the_local_example_is_short_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four steps have some 80 lines of ours with their blocks, 12 without: a hello, a start and an end each."""
    ours = {}
    for block in ("true", "false"):
        monkeypatch.setenv("BUILDTEL_BLOCK", block)
        command = ["packer", "build", "-color=false", str(EXAMPLES / "null-local")]
        output = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout.decode()
        lines = [line.partition("null.appliance: ")[2] for line in output.splitlines()]
        ours[block] = [line for line in lines if line.startswith(("BUILDTEL:", "═", "─", "⏱", "  "))]
    events = [line.partition('"ev":"')[2].partition('"')[0] for line in ours["false"]]

    assert events == ["hello", "start", "end"] * 4
    assert len(ours["true"]) > 60
