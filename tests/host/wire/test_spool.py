"""The optional lines that `wire` prints: the spool as a file, signed records. The check knows them for ours."""

import shutil
import subprocess
from pathlib import Path

import pytest

from buildtel.wire import build_block, check, lines_to_add
from buildtel.wire.finding import WRONG
from buildtel.wire.template import read_folder

from .test_check import OURS, found, shell, write

FIRST_SIGNED = lines_to_add.FIRST.replace("  }\n", lines_to_add.KEY + "  }\n")
STEP = shell(OURS)


@pytest.mark.parametrize(
    "provisioners",
    [(lines_to_add.FIRST, STEP, lines_to_add.SPOOL, lines_to_add.LAST), (FIRST_SIGNED, STEP, lines_to_add.LAST)],
    ids=["spool", "signed"],
)
def test_the_optional_lines_are_right_as_printed(tmp_path: Path, provisioners: tuple[str, ...]) -> None:
    """Neither measured as a step of the user's, nor numbered among them, nor found wrong."""
    write(tmp_path, *provisioners)

    assert found(tmp_path) == []
    template = read_folder(tmp_path)
    guide = lines_to_add.guide(template, build_block.of_template(template))
    assert lines_to_add.SPOOL in guide
    assert lines_to_add.KEY in guide
    assert lines_to_add.QUIET in guide


@pytest.mark.packer
@pytest.mark.skipif(not shutil.which("packer"), reason="needs packer")
@pytest.mark.parametrize(
    ("variable", "status"),
    [
        ("buildtel_key=", 0),
        ("buildtel_key=a long random text", 0),
        ("buildtel_block=false", 0),
        ("buildtel_records=spool", 0),
        ("buildtel_records=nowhere", 1),
    ],
)
def test_packer_takes_them(tmp_path: Path, variable: str, status: int) -> None:
    """Also the oldest packer that is supported, with a key and without, quiet or not; it says what it does not know."""
    source = 'ssh_host = "127.0.0.1"\nssh_username = "x"\nssh_password = "x"'
    write(tmp_path, FIRST_SIGNED, STEP, lines_to_add.SPOOL, lines_to_add.LAST, source=source)
    done = subprocess.run(["packer", "validate", "-var", variable, "."], cwd=tmp_path, capture_output=True, text=True)
    said = " ".join((done.stdout + done.stderr).split())

    assert done.returncode == status, said
    assert ('buildtel_records is "log" or "spool"' in said) is bool(status)


QUIET = {
    "a download": ("spool", (lines_to_add.FIRST, STEP, lines_to_add.SPOOL, lines_to_add.LAST), False),
    "no download": ("spool", (lines_to_add.FIRST, STEP, lines_to_add.LAST), True),
    "a rescue only": (
        "spool",
        (
            lines_to_add.FIRST, STEP, lines_to_add.LAST,
            'error-cleanup-provisioner "shell" {\nscript = local.buildtel_agent\n'
            "execute_command = local.buildtel_rescue_command\n}\n",
        ),
        True,
    ),
    "in the log": ("log", (lines_to_add.FIRST, STEP, lines_to_add.LAST), False),
}  # fmt: skip


@pytest.mark.parametrize(("records", "provisioners", "is_wrong"), QUIET.values(), ids=QUIET)
@pytest.mark.parametrize("name", ["a.auto.pkrvars.hcl", "a.auto.pkrvars.json"])
def test_records_that_nothing_brings_out_are_wrong(
    tmp_path: Path, records: str, provisioners: tuple[str, ...], is_wrong: bool, name: str
) -> None:
    """A template whose variables say `spool` needs the download; the finding names the variable's place."""
    write(tmp_path, *provisioners)
    text = f'buildtel_block = false\nbuildtel_records = "{records}"\n'
    if name.endswith("json"):
        text = f'{{"buildtel_block": false,\n"buildtel_records": "{records}"}}'
    (tmp_path / name).write_text(text)
    wrong = [finding for finding in check.check(read_folder(tmp_path)) if finding.level == WRONG]

    assert [(finding.path.name, finding.line) for finding in wrong] == ([(name, 2)] if is_wrong else [])
    assert all("does not download local.buildtel_spool" in finding.text for finding in wrong)
