"""The optional lines that `wire` prints: the spool as a file, signed records. The check knows them for ours."""

import shutil
import subprocess
from pathlib import Path

import pytest

from buildtel.wire import builds, lines
from buildtel.wire.template import read_folder

from .test_check import OURS, found, shell, write

FIRST_SIGNED = lines.FIRST.replace("  }\n", lines.KEY + "  }\n")
STEP = shell(OURS)


@pytest.mark.parametrize(
    "provisioners",
    [(lines.FIRST, STEP, lines.SPOOL, lines.LAST), (FIRST_SIGNED, STEP, lines.LAST)],
    ids=["spool", "signed"],
)
def test_the_optional_lines_are_right_as_printed(tmp_path: Path, provisioners: tuple[str, ...]) -> None:
    """Neither measured as a step of the user's, nor numbered among them, nor found wrong."""
    write(tmp_path, *provisioners)

    assert found(tmp_path) == []
    template = read_folder(tmp_path)
    guide = lines.guide(template, builds.of_template(template))
    assert lines.SPOOL in guide
    assert lines.KEY in guide


@pytest.mark.packer
@pytest.mark.skipif(not shutil.which("packer"), reason="needs packer")
@pytest.mark.parametrize("key", ["", "a long random text"])
def test_packer_takes_them(tmp_path: Path, key: str) -> None:
    """Also the oldest packer that is supported, with a key and without."""
    source = 'ssh_host = "127.0.0.1"\nssh_username = "x"\nssh_password = "x"'
    write(tmp_path, FIRST_SIGNED, STEP, lines.SPOOL, lines.LAST, source=source)
    done = subprocess.run(
        ["packer", "validate", "-var", f"buildtel_key={key}", "."], cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr
