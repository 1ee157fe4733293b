"""How long builds took, one after the other."""

from __future__ import annotations

import pytest

from buildtel.insight.trend import Against, changes, newest, relative


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [(100, 150, 50.0), (100, 50, -50.0), (None, 1, None), (1, None, None), (0, 5, None), (3, 3, 0.0)],
)
def test_relative_differences(before: float | None, after: float | None, found: float | None) -> None:
    """Percent of what was before; unknown where nothing was."""
    assert relative(before, after) == found


def test_changes_are_against_the_older_build() -> None:
    """The newest comes first; the oldest has nothing to be compared with."""
    assert changes([150.0, 100.0, None, 50.0]) == [50.0, None, None, None]
    assert changes([]) == []


def test_the_newest_is_compared_with_the_median_of_whole_builds() -> None:
    """Failed ones count neither as newest nor among those before."""
    whole = [("success", 30.0), ("success", 20.0), ("failure", 1.0), ("unknown", 10.0), ("success", None)]

    assert newest(whole) == Against(30.0, 15.0, 2, 100.0)
    assert newest([("failure", 1.0), *whole]) is None
    assert newest(whole[:1]) is None
    assert newest([]) is None
