"""README and docs tell the truth: their commands are run here, their links lead somewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from .conftest import ROOT

README = ROOT / "README.md"
DOCUMENTS = sorted([README, ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
TEMPLATE = """
source "null" "appliance" {
  communicator = "none"
}
build {
  sources = ["source.null.appliance"]
  provisioner "shell-local" {
    inline = ["echo built"]
  }
}
"""


def commands(document: Path) -> list[str]:
    """The indented lines of a document that are a command of a shell."""
    lines = re.findall(r"^    (\S.*)$", document.read_text(), flags=re.M)
    return [line for line in lines if re.match(r"(sh|buildtel-host|packer|python3?|make|git|\.venv)\b", line)]


OWN_TEST = {
    "sh packer/examples/try.sh": "tests/house/test_first_screen.py",
    "sh tests/all.sh": ".ci/run",
}


@pytest.mark.packer
@pytest.mark.skipif(not shutil.which("packer"), reason="no packer on this machine")
def test_the_readmes_commands_work_in_the_order_shown(installed: Path, tmp_path: Path):
    """A newcomer types them one after the other."""
    script = [line for line in commands(README) if line not in OWN_TEST and "-m venv" not in line]
    assert len(script) >= 6
    (tmp_path / "appliance").mkdir()
    (tmp_path / "appliance" / "appliance.pkr.hcl").write_text(TEMPLATE)
    environment = {
        **os.environ, "PATH": f"{installed}:{os.environ['PATH']}", "CHECKPOINT_DISABLE": "1", "HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path / "data"), "TELEMETRY_DIR": str(tmp_path / "telemetry"),
    }  # fmt: skip
    for line in script:
        done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr


def test_commands_with_a_test_of_their_own_have_it():
    """The first screen's two are too long for this file."""
    for command, test in OWN_TEST.items():
        assert command in commands(README)
        assert command in (ROOT / test).read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_that_are_there(document: Path):
    """A moved file takes its links with it."""
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", document.read_text())
    assert [link for link in links if "://" not in link and not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_places_exist(document: Path):
    """A path in backquotes below the project's top folders is a path of the project."""
    named = re.findall(r"`((?:host|guest|packer|tests|docs|fixtures)/[\w./-]+)`", document.read_text())
    assert [path for path in named if not (ROOT / path.rstrip("/")).exists()] == []


@pytest.mark.parametrize("name", ["format.md", "diagnosis.md"])
def test_the_generated_tables_are_current(name: str):
    """Counters, metrics, causes and rules stand in the documents as the code has them; `make schema` writes them."""
    spec = spec_from_file_location("tables", ROOT / "docs" / "tables.py")
    tables = module_from_spec(spec)
    spec.loader.exec_module(tables)

    assert tables.text(name) == (ROOT / "docs" / name).read_text()
    assert set(re.findall(r"<!-- (\w+): ", tables.text(name))) == set(tables.TABLES[name])


def test_every_target_of_the_makefile_has_a_word_of_help():
    """`make` lists what a contributor does."""
    text = (ROOT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.*)$", text, flags=re.M)[1].split()
    assert [target for target in targets if not re.search(rf"^{target}:.*## \S", text, flags=re.M)] == []
