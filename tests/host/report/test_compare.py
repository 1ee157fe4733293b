"""Two documents side by side, as text and as data."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from rich.cells import cell_len

from buildtel.insight.comparison import compare
from buildtel.report.comparison_view import ComparisonView
from buildtel.report.formats import rendered

from ..insight.test_comparison import OLD, OLD_NEXT, made, old
from ..job.test_document import ORIGINAL
from ..job.test_fold import read
from ..samples import log, qemu_build


def test_two_old_files_at_80_columns() -> None:
    """Metadata of both, the largest change first, steps that came and went, the totals."""
    text = rendered(ComparisonView(compare(old(OLD), old(OLD_NEXT), "0.10.1", "0.10.2")), "table", 80)
    steps = text[text.index("\nstep  ") + 1 :].splitlines()

    assert re.search(r"^duration +45:12 +35:00 +-10:12  -23%$", text, re.M)
    assert steps[:5] == [
        "step            before   after   change      %  what else changed",
        "packer_build     41:40   33:20    -8:20   -20%  read MB +135",
        "restore_cache     1:36       -  removed",
        "compress_image       -  20.5 s    added",
        "upload_image      1:00  55.0 s   -5.0 s  -8.3%",
    ]
    assert steps[5].startswith("  before, after: how long it took")
    assert "net_rx_mb on runner" in text and "slowest step   packer_build (41:40)" in text
    assert "most disk I/O  packer_build (25615 MB)" in text


def test_what_moved_beside_the_time_is_said() -> None:
    """The figures that changed most, in relation to what they were, and no noise."""
    step = {"name": "s", "duration_s": 5.0, "disk_write_mb": 100, "net_rx_mb": 50, "cpu_percent": 50, "await_ms": 1.0}
    other = {**step, "disk_write_mb": 400, "net_rx_mb": 100, "cpu_percent": 51, "await_ms": 1.5}
    text = rendered(ComparisonView(compare(made([step]), made([other]), "a", "b")), "table", 100)

    assert "write MB +300, rx MB +50" in text and "CPU %" not in text.split("what else")[1]


def test_equal_documents_have_no_differences() -> None:
    """A build compared with itself: every difference known is zero."""
    document = read(log(qemu_build()))
    data = ComparisonView(compare(document, document, "a", "a")).data()

    found = {change["difference"] for pair in data["steps"] for change in pair["changes"]}
    assert found <= {0.0, None} and data["total"]["difference"] == 0.0


HOSTILE = ["\x1b]0;t\x07", "a\nb", "x" * 3000, "漢字🐧" * 50, "[bold]x[/]", "a|b<img src=x>`", "", "\u202e"]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("width", [80, 200])
def test_no_name_breaks_a_comparison(name: str, width: int) -> None:
    """No control character, no line too wide, nothing that Markdown acts on."""
    step = {**ORIGINAL["steps"][0], "name": name, "machine": name}
    packer = {"runs": [{"builds": [{"name": name, "phases": [{"name": "boot", "text": name}]}]}]}
    hostile = made([step, {**step, "machine": "m"}], job=name, version=name, runner=name, git_sha=name, packer=packer)
    comparison = compare(hostile, old(OLD), name, name)

    text = rendered(ComparisonView(comparison), "table", width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    for form in ("table", "markdown", "csv"):
        assert all(char.isprintable() or char == "\n" for char in rendered(ComparisonView(comparison), form, width))
    assert "<img" not in rendered(ComparisonView(comparison), "markdown", width)


def test_data_has_every_figure() -> None:
    """CSV has a line for each figure of each step; JSON the same with its facts."""
    comparison = compare(old(OLD), old(OLD_NEXT), "a", "b")
    rows = list(csv.DictReader(io.StringIO(rendered(ComparisonView(comparison), "csv", 80))))
    data = json.loads(rendered(ComparisonView(comparison), "json", 80))

    assert rows[0]["part"] == "job" and float(rows[0]["difference"]) == pytest.approx(-612.194)
    (wrote,) = [row for row in rows if (row["part"], row["name"], row["metric"]) == (
        "step", "restore_cache", "disk_write_mb")]  # fmt: skip
    assert (wrote["state"], wrote["before"], wrote["after"], wrote["difference"]) == ("removed", "15300", "", "")
    assert data["before"]["run_number"] == "41" and len(data["steps"]) == 4


def test_more_steps_than_anyone_reads() -> None:
    """The table ends with how many it leaves out; the data has all."""
    steps = [{"name": f"s{number}", "duration_s": float(number)} for number in range(100)]
    comparison = compare(made(steps), made([]), "a", "b")

    assert "and 40 that changed less" in rendered(ComparisonView(comparison), "table", 80)
    assert len(ComparisonView(comparison).data()["steps"]) == 100
