"""What `buildtel-host packer` prints last: what took longer than usual, and the first finding."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from .watched import BUILDTEL, Bench, bench

pytestmark = [pytest.mark.packer, pytest.mark.skipif(not shutil.which("packer"), reason="no packer here")]
PACKER = (*BUILDTEL, "packer")
LOOP = "inline = [\"timeout 7 sh -c 'while :; do :; done' || true\"]"


@pytest.fixture(name="bench")
def a_bench(tmp_path: Path) -> Bench:
    """A template's folder."""
    made = bench(tmp_path)
    made.environ.update({"CI": "", "COLUMNS": "200", "XDG_DATA_HOME": str(tmp_path / "data")})
    return made


def last_words(bench: Bench, *words: str, sleeps_s: float) -> list[str]:
    """The sentences, but for a finding, of a build whose first provisioner sleeps so long, the second 2.2 s."""
    bench.template(f'inline = ["sleep {sleeps_s}"]', 'inline = ["sleep 2.2"]')
    told = bench.run(*words, "build", ".", prefix=PACKER).stderr.decode().splitlines()
    if "In short" not in told:
        return []
    assert told[told.index("In short") - 1] == ""
    sentences = [line[4:] for line in told[told.index("In short") + 1 :] if line.startswith("  - ")]
    return [sentence for sentence in sentences if not sentence.startswith("Finding (")]


def test_what_took_longer_than_usual_is_said_last(bench: Bench) -> None:
    """By the documents on this machine; the first build has none, and its own is never among them."""
    assert last_words(bench, sleeps_s=2.2) == []
    assert last_words(bench, sleeps_s=2.2) == ["Nothing took longer than usual."]
    (slower,) = last_words(bench, sleeps_s=5.5)
    assert re.fullmatch(
        r"Slower than usual: shell-local /tmp/\S+ took 5\.\d s \(usually 2\.\d s(?: to [23]\.\d s)?\)\.", slower
    )


def test_the_store_tells_what_is_usual_where_this_machine_has_no_documents(bench: Bench) -> None:
    """As on a runner of a CI: the build before ran elsewhere, and its document was uploaded."""
    assert last_words(bench, sleeps_s=2.2) == []
    done = subprocess.run([*BUILDTEL, "upload"], env=bench.environ, cwd=bench.folder, capture_output=True)
    assert done.returncode == 0, done.stderr
    bench.environ["TELEMETRY_DIR"] += "2"
    (slower,) = last_words(bench, sleeps_s=5.5)
    assert re.search(r" took 5\.\d s \(2\.\d s last time\)\.$", slower)


def test_a_store_that_does_not_answer_costs_the_build_nothing(bench: Bench) -> None:
    """An endpoint that accepts and says nothing: no word of it, and no second of waiting."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        bench.environ["MINIO_ENDPOINT"] = f"http://127.0.0.1:{server.getsockname()[1]}"
        bench.environ.update({"MINIO_ACCESS_KEY": "a", "MINIO_SECRET_KEY": "b"})
        began_s = time.monotonic()
        assert last_words(bench, sleeps_s=2.2) == []
        assert time.monotonic() - began_s < 4.4 + 5


def test_the_first_finding_is_said_last(bench: Bench) -> None:
    """That of `diagnose`, with what to try."""
    bench.template(LOOP)
    told = bench.run("build", ".", prefix=PACKER).stderr.decode()
    assert "In short" in told
    (finding,) = [line for line in told.splitlines() if line.startswith("  - Finding (")]
    (path,) = Path(bench.environ["TELEMETRY_DIR"]).glob("*.json")
    diagnosed = subprocess.run([*BUILDTEL, "diagnose", path], env=bench.environ, capture_output=True).stdout.decode()
    first = next(line for line in diagnosed.splitlines() if ": shell-local" in line)
    assert first.strip().split(":")[0] == finding.partition("(")[2].partition(")")[0]
    assert "Try: " in finding


def test_a_quiet_run_says_nothing(bench: Bench) -> None:
    """Neither a report nor its end."""
    bench.template('inline = ["true"]')
    done = bench.run("-q", "build", ".", prefix=PACKER)
    assert (done.returncode, done.stderr) == (0, b"")
    assert bench.document()["status"] == "success"
