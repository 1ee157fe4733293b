"""The fold's parts by themselves: gaps, clocks, charts."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buildtel.events import When
from buildtel.measure.charts import Columns, chart
from buildtel.measure.guest_clock import BootClock, Bounds
from buildtel.measure.ledger import SequenceSet, TooMany, union
from buildtel.measure.series import MAX_KEPT, Samples, is_counter, unpack
from buildtel.timeline.provisioner_run import Moment, ProvisionerRun


@given(st.lists(st.integers(1, 30)))
def test_gaps_are_what_was_not_seen(numbers: list[int]) -> None:
    """In any order: new exactly once, and missing is what lies below the highest and never came."""
    seen = SequenceSet()
    new = [seen.add(number) for number in numbers]

    assert new.count(True) == len(set(numbers))
    assert seen.missing == max(numbers, default=0) - len(set(numbers))


def test_too_many_gaps_are_not_kept() -> None:
    """A process whose numbers are all apart ends in an error, not in memory."""
    seen = SequenceSet()
    with pytest.raises(TooMany):
        for number in range(1, 100_000, 2):
            seen.add(number)


def test_union_goes_down() -> None:
    """Objects under one key are joined at every level; of other values the later stands."""
    assert union({"c": {"disk": {"a": 1}}, "x": 1}, {"c": {"disk": {"b": 2}, "cpu": []}, "x": 2}) == {
        "c": {"disk": {"a": 1, "b": 2}, "cpu": []},
        "x": 2,
    }


@given(
    seed=st.integers(0, 10_000), ahead_s=st.floats(-1e6, 1e6), resolution_s=st.sampled_from([1.0, 0.001]),
    longest_s=st.floats(0, 5), announced=st.booleans(),
)  # fmt: skip
def test_the_offset_is_within_its_error(
    seed: int, ahead_s: float, resolution_s: float, longest_s: float, announced: bool
) -> None:
    """Whatever the delays, with an announcement the error holds; without one it does if one record was quick."""
    chance = random.Random(seed)
    clock, zero_s = BootClock("b"), 1e9
    for number in range(8):
        made_s = zero_s + 10 + number * 7 + chance.random()
        delay_s = longest_s * chance.random() if announced or number else 0.0
        grain = resolution_s
        arrived = When((made_s + delay_s) // grain * grain, grain, True)
        began = When((made_s - 2 * chance.random()) // grain * grain, grain, True) if announced else None
        m_ns = int((made_s - zero_s) * 1e9)
        unit = ProvisionerRun(number, "shell", "", Moment(number, began))
        clock.add(int((made_s + ahead_s) * 1e9), m_ns, number, arrived, unit)
    clock.settle(None)

    zero = clock.known.zero()
    assert zero is not None
    found, error_s = zero
    assert abs(found - zero_s) <= error_s + 1e-5


def test_contradicting_stamps_widen_the_error() -> None:
    """A stamp that says a record came before its provisioner makes the error larger, not the answer wrong."""
    bounds = Bounds()
    bounds.add(10.0, When(100.0, 1.0, True))
    bounds.announced(10.0, When(105.0, 1.0, True))

    zero = bounds.zero()
    assert zero is not None and zero[1] >= 4


def test_a_stepped_wall_clock_is_noticed() -> None:
    """NTP that sets the guest's clock by minutes changes neither the axis nor the durations."""
    clock = BootClock("b")
    clock.add(1_000_000_000_000, 10_000_000_000, 1, When(1000.0, 1.0, True), None)
    clock.add(1_310_000_000_000, 20_000_000_000, 2, When(1010.0, 1.0, True), None)

    assert clock.stepped_s == 300
    assert clock.host_s(20_000_000_000, 1_310_000_000_000) == pytest.approx(1010.5, abs=0.5)


def test_a_chart_has_shares_rates_and_levels() -> None:
    """CPU as a share of all ticks, bytes as MiB a second, memory as it was; the first point has no stretch before it."""  # noqa: E501
    columns = unpack({"m_ms": [5000, 1000, 2000], "cpu_busy": [100, 50, 0], "cpu_total": [900, 200, 400],
                      "memory_used_kb": [2048, 1024, -1024], "disk_write_sectors": [10, 4096, None]})  # fmt: skip

    assert chart(columns) == {
        "t_s": [0.0, 1.0, 3.0],
        "cpu_percent": [None, 25.0, 0.0],
        "memory_used_mb": [2.0, 3.0, 2.0],
        "disk_write_mbs": [None, 2.0, None],
    }


def test_a_counter_that_fell_gives_no_figure() -> None:
    """A device that was reset gives None at that point, never a negative or a huge figure."""
    columns: Columns = {"m_ms": [0, 1000, 2000], "net_rx_bytes": [5_000_000, 10, 1_048_586]}

    assert chart(columns)["net_rx_mbs"] == [None, None, 1.0]


@pytest.mark.parametrize(
    ("name", "known"),
    [("cpu.3", True), ("disk.vda.7", True), ("disk.nvme0.n1.7", True), ("psi.io.1", True), ("cpu", False),
     ("cpu.8", False), ("cpu.x.0", False), ("disk.0", False), ("m_ms", False), ("gpu.0", False), ("cpu.²", False)],
)  # fmt: skip
def test_columns_of_counters_are_known_by_name(name: str, known: bool) -> None:
    """Only names that stand for a number of `c` are columns of samples."""
    assert is_counter(name) == known


def test_samples_stay_bounded_and_keep_their_span() -> None:
    """However many points come, few are kept, from the first to nearly the last, in order."""
    samples = Samples()
    for start in range(0, 100_000, 500):
        times = list(range(start, start + 500, 5))
        samples.add({"m_ms": times, "cpu.0": list(times)})

    assert MAX_KEPT // 2 <= len(samples) <= MAX_KEPT
    assert samples.times_ms == sorted(set(samples.times_ms)) and samples.times_ms[0] == 0
    assert samples.times_ms[-1] > 99_000
    assert samples.columns["cpu.0"] == samples.times_ms


def test_counters_between_samples_are_in_proportion() -> None:
    """Half way between two samples the counters are half way; outside of them they are not known."""
    samples = Samples()
    samples.add({"m_ms": [1000, 3000], "vm.2": [10, 20], "net.eth0.0": [0, 100]})

    assert samples.counters_at(2000) == {"vm": [None, None, 15, None], "net": {"eth0": [50, None]}}
    assert samples.counters_at(999) is None and samples.counters_at(3001) is None
    assert samples.counters_at(1000) is not None


def test_a_column_that_begins_later_is_empty_before() -> None:
    """A disk that appears has no figures for the time before it was there."""
    samples = Samples()
    samples.add({"m_ms": [1, 2]})
    samples.add({"m_ms": [3, 4], "disk.vdb.4": [100, 2148]})

    columns = samples.chart_columns()
    assert columns["disk_write_sectors"] == [None, None, 0, 2048]
