"""The schema of counters: what the agent reads, sends and sums up is what it says."""

from __future__ import annotations

from typing import Any

import pytest

import buildtel_agent as agent

from .conftest import PROC

CASES = sorted(path.name for path in PROC.iterdir() if (path / "stat").is_file())
DEVICES = {"device": ("x",), "resource": ("cpu", "memory", "io")}
BEFORE: dict[str, Any] = {
    name: dict.fromkeys(DEVICES[per], [1000] * len(fields)) if per else [1000] * len(fields)
    for name, (per, _, _, fields) in agent.COUNTERS.items()
    if name != "cpus"  # without it the sum of the ticks is not checked against the time
}
# Which columns of a step's series a number of the schema moves; the others move none.
SUMMED = {
    "cpu": {
        **{name: {"cpu_busy", "cpu_total"} for name in ("user", "nice", "system", "irq", "softirq")},
        "idle": {"cpu_total"},
        "iowait": {"cpu_total", "cpu_iowait"},
        "steal": {"cpu_busy", "cpu_total", "cpu_steal"},
    },
    "disk": {"read_sectors": {"disk_read_sectors"}, "written_sectors": {"disk_write_sectors"}},
    "net": {"rx_bytes": {"net_rx_bytes"}, "tx_bytes": {"net_tx_bytes"}},
    "psi": {"some_us": {"psi_cpu_us", "psi_memory_us", "psi_io_us"}},
}


def rows_of(counters: dict[str, Any]) -> list[tuple[str, list[int | None]]]:
    """Each list of numbers with its group."""
    return [
        (name, row)
        for name, found in counters.items()
        for row in (found.values() if isinstance(found, dict) else [found])
    ]


@pytest.mark.parametrize("case", CASES)
def test_what_is_read_has_the_shape_of_the_schema(case: str) -> None:
    """No group that it lacks, an object where a group is of devices, and as many numbers as it names."""
    counters = agent.Kernel(str(PROC / case), str(PROC / "no-sys")).counters()

    assert {name: isinstance(found, dict) for name, found in counters.items()} == {
        name: bool(agent.COUNTERS[name][0]) for name in counters
    }
    for name, row in rows_of(counters):
        _, _, least, fields = agent.COUNTERS[name]
        assert least <= len(row) <= len(fields), name


def test_names_units_and_kinds_are_told() -> None:
    """A name once in its group; a unit stands in the name where it has one; a kind of two."""
    for _, _, least, fields in agent.COUNTERS.values():
        assert len({field[0] for field in fields}) == len(fields) >= least
    for _, _, _, fields in agent.COUNTERS.values():
        for name, unit, kind, _, _ in fields:
            assert kind in ("counter", "gauge")
            assert name.endswith(f"_{unit.lower()}") or unit not in ("kB", "ms", "us", "bytes")


def test_metrics_are_made_of_what_is_read() -> None:
    """Each one's source is one of the schema's, but for the clock."""
    sources = {source.replace("*", resource) for _, source, *_ in agent.COUNTERS.values()
               for resource in ("cpu", "memory", "io")}  # fmt: skip

    assert {metric.source for metric in agent.METRICS} - {"CLOCK_BOOTTIME"} <= sources


@pytest.mark.parametrize(
    ("group", "at"), [(name, at) for name, row in BEFORE.items() for at in range(len(agent.COUNTERS[name][3]))]
)
def test_a_number_moves_its_own_columns_of_the_series(group: str, at: int) -> None:
    """And no other number's: what a step's chart shows is named by the schema."""
    per, _, _, fields = agent.COUNTERS[group]
    row = [1000 + 500 * (place == at) for place in range(len(fields))]
    after = {**BEFORE, group: dict.fromkeys(BEFORE[group], row) if per else row}
    grown = zip(agent.SERIES[1:], agent.growth(BEFORE, after, 10.0), strict=True)

    assert {name for name, value in grown if value} == SUMMED.get(group, {}).get(fields[at][0], set())
