"""When a figure is worth a look."""

from __future__ import annotations

from typing import Any

import pytest

from buildtel.insight.thresholds import THRESHOLDS, exceeded


def test_very_short_steps_are_no_bottlenecks() -> None:
    """Below a second the kernel's ticks are chance: no mark, no line among the bottlenecks."""
    busy = {"cpu_percent": 100.0, "disk_util_percent": 100.0}

    assert exceeded({**busy, "duration_s": 0.99}) == []
    assert [row.metric for row in exceeded({**busy, "duration_s": 1.0})] == list(busy)


def test_the_wait_of_a_few_operations_is_no_bottleneck() -> None:
    """One slow write of twenty makes no slow disk; where their number is not known it is marked."""
    slow = {"duration_s": 20.0, "await_ms": 24.6}

    assert exceeded({**slow, "disk_read_ops": 4, "disk_write_ops": 45}) == []
    for known in ({}, {"disk_read_ops": 4}, {"disk_read_ops": 4, "disk_write_ops": 46}):
        assert [row.metric for row in exceeded({**slow, **known})] == ["await_ms"]


@pytest.mark.parametrize("row", THRESHOLDS, ids=lambda row: row.metric)
def test_each_threshold_marks_what_is_above_it(row: Any) -> None:
    """A figure at the threshold is not marked, one above it is, an unknown one never."""
    assert exceeded({row.metric: row.limit}) == []
    assert exceeded({row.metric: row.limit + 0.1}) == [row]
    assert exceeded({row.metric: None}) == []
