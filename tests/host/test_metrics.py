"""What each metric is called in words."""

from __future__ import annotations

import pytest

from buildtel.insight.comparison import NOTABLE
from buildtel.insight.thresholds import THRESHOLDS
from buildtel.metrics import COLUMNS, WORDS, figure, label_of, moved, with_unit
from buildtel_agent import METRICS


def test_each_metric_of_the_agent_has_words() -> None:
    """The registry's names, each once, and each with a help text."""
    assert sorted(words.name for words in WORDS) == sorted(metric.name for metric in METRICS)
    assert all(words.help for words in WORDS)


def test_columns_have_a_rank_of_their_own_and_words() -> None:
    """Which column leaves first on a narrow terminal is decided, and the legend says what each holds."""
    assert len({words.rank for words in COLUMNS}) == len(COLUMNS)
    assert all(words.head and words.about for words in COLUMNS)
    assert not [words.name for words in WORDS if words.rank is None and (words.about or words.page)]


def test_thresholds_and_comparison_name_metrics() -> None:
    """A threshold of a metric that nobody measures is never met."""
    named = {row.metric for row in THRESHOLDS} | set(NOTABLE)

    assert named <= {metric.name for metric in METRICS}
    assert not [name for name in NOTABLE if label_of(name) == name]


@pytest.mark.parametrize(
    ("name", "value", "texts"),
    [
        ("duration_s", 192.0, ("3:12", "3:12", "+3:12")),
        ("cpu_percent", 81.26, ("81.3", "81.3%", "+81.3")),
        ("disk_read_mb", -4.0, ("-4", "-4 MB", "-4")),
        ("queue_depth", None, ("-", "-", "-")),
        ("forks_per_s", 12.0, ("12", "12/s", "+12")),
        ("of a newer agent", 3, ("3", "3", "+3")),
    ],
)
def test_figures_with_their_units(name: str, value: float | None, texts: tuple[str, str, str]) -> None:
    """Alone, with the unit, and as a difference."""
    assert (figure(name, value), with_unit(name, value), moved(name, value)) == texts
