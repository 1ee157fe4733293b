"""`make minio`: where no server can be built the tests go on, and one line says what will be missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import ROOT


def built(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """The script in a checkout of its own, where no server is found."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "minio", folder / ".ci")
    settings = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **environ}
    return subprocess.run(["sh", ".ci/minio"], cwd=folder, env=settings, capture_output=True, text=True, timeout=60)


def test_without_go_it_says_so_and_the_tests_go_on(tmp_path: Path) -> None:
    """Status 0, one line, nothing written."""
    done = built(tmp_path, GO=str(tmp_path / "go"))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "minio: no Go here, the tests on MinIO will be skipped\n"
    assert not (tmp_path / ".cache").exists()


@pytest.mark.skipif(not shutil.which("go", path=f"{os.environ['PATH']}:/usr/local/go/bin"), reason="needs Go")
def test_without_a_network_it_says_what_went_wrong(tmp_path: Path) -> None:
    """Go's own last words, status 0."""
    go = str(shutil.which("go", path=f"{os.environ['PATH']}:/usr/local/go/bin"))
    done = built(tmp_path, GO=go, GOPROXY="off", GOFLAGS="-modcacherw", GOTOOLCHAIN="local")
    assert done.returncode == 0
    assert "the tests on MinIO will be skipped: " in done.stderr and "GOPROXY=off" in done.stderr
    assert not (tmp_path / ".cache/bin/minio").exists()


def test_a_server_that_is_there_is_not_built_again(tmp_path: Path) -> None:
    """Not a word."""
    server = tmp_path / ".cache" / "bin" / "minio"
    server.parent.mkdir(parents=True)
    server.write_text("")
    server.chmod(0o755)
    done = built(tmp_path, GO="/bin/false")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
