"""One sample of a machine on the host's time axis, with the figures that rules of causes ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from buildtel.job.model import Samples, Step

LONGEST_S = 90.0  # a sample over more than this says nothing of a second of it
_CHARTED = (
    "cpu_percent", "cpu_iowait_percent", "cpu_steal_percent", "psi_cpu_some_percent", "psi_memory_some_percent",
    "psi_io_some_percent", "psi_memory_full_percent", "psi_io_full_percent", "net_rx_mbs", "net_tx_mbs",
    "disk_read_mbs", "disk_write_mbs", "tasks_running",
)  # fmt: skip
# Of which only what is more than 0 tells something: a column without it is not looked at.
_RARE = (
    "oom_kills_per_s", "direct_scan_mbs", "refault_anon_mbs", "refault_file_mbs", "disk_flushes_per_s",
    "tcp_retransmitted_percent", "tcp_out_of_order_percent", "tcp_timeouts_per_s", "cgroup_throttled_percent",
    "beside_packers", "beside_machines",
)  # fmt: skip
# Figures of a whole step by the names that they have of a sample; further ones have one name.
_WHOLE = {
    "net_rx_rate_mbs": "net_rx_mbs", "net_tx_rate_mbs": "net_tx_mbs",
    "disk_read_rate_mbs": "disk_read_mbs", "disk_write_rate_mbs": "disk_write_mbs",
}  # fmt: skip


@dataclass(slots=True)
class Sample:
    """What a machine did from `start_ms` to `end_ms` (Unix milliseconds), in the figures of `causes.FIGURES`.

    `holder` is the command that held the lock for which a step waited, empty where none is known.
    """

    start_ms: int
    end_ms: int
    figures: dict[str, float]
    holder: str = ""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end_ms - self.start_ms) / 1000


def samples_of_step(step: Step, cpus: int | None) -> Iterator[Sample]:
    """The samples of a step; of one without a series, as in a guest without Python, the step is one sample.

    Args:
        step: of the machine.
        cpus: how many it has, None where not known.
    """
    if step.measured is not None:
        columns = step.series if step.series is not None else _of_ends(step)
        yield from samples_of(Samples(start_time=step.start_time, columns=columns), cpus)


def _of_ends(step: Step) -> dict[str, list[float | None]]:
    figures = {_WHOLE.get(name, name): value for name, value in step.metrics.items()}
    kept = {name: [None, figures[name]] for name in _CHARTED if name in figures}
    lasted_s, kills = step.metrics.get("duration_s"), step.metrics.get("oom_kills")
    if lasted_s and kills:
        kept["oom_kills_per_s"] = [None, kills / lasted_s]
    return {"t_s": [0.0, lasted_s], **kept} if kept else {}


def samples_of(samples: Samples, cpus: int | None) -> Iterator[Sample]:
    """The samples of a machine's whole life in one boot, in order of time.

    Args:
        samples: its columns in the document.
        cpus: how many it has, None where not known.
    """
    times = samples.columns.get("t_s", [])
    columns = samples.columns
    names = [*(name for name in _CHARTED if name in columns), *(name for name in _RARE if any(columns.get(name, ())))]
    charted = [(name, columns[name], name.endswith("_percent")) for name in names]
    always = {"no_psi": 1.0} if _lacks_psi(columns) else {}
    zero_ms = None if samples.start_time is None else round(samples.start_time * 1000)
    for at in range(1, len(times) if zero_ms is not None else 0):
        before_s, now_s = times[at - 1], times[at]
        if before_s is None or now_s is None or not 0 < now_s - before_s <= LONGEST_S:
            continue
        start_ms, end_ms = (zero_ms or 0) + round(before_s * 1000), (zero_ms or 0) + round(now_s * 1000)
        yield Sample(start_ms, end_ms, {**_figures(charted, at, cpus), **always})


def _lacks_psi(columns: Mapping[str, Sequence[float | None]]) -> bool:
    """Whether the kernel tells no pressure, and what of memory it tells in its place."""
    return "psi_memory_some_percent" not in columns and "direct_scan_mbs" in columns


def _figures(charted: list[tuple[str, list[float | None], bool]], at: int, cpus: int | None) -> dict[str, float]:
    """The figures of one sample, without those that its machine does not tell.

    A column has its name, its values (in a forged document too few), and whether it is a share: pressure is counted
    late, so that of a second there may be more than a second's.
    """
    found = {}
    for name, column, is_share in charted:
        value = column[at] if at < len(column) else None
        if value is not None:
            found[name] = 100.0 if is_share and value > 100 else value
    iowait = found.pop("cpu_iowait_percent", None)
    if cpus is not None and "cpu_percent" in found:
        found["busy_cpus"] = found["cpu_percent"] * cpus / 100
        found["idle_cpus_percent"] = 100 - found["cpu_percent"]
    received, sent = found.get("net_rx_mbs"), found.get("net_tx_mbs")
    if received is not None and sent is not None and received + sent > 0:
        found["sent_percent"] = 100 * sent / (received + sent)
    if cpus is not None and iowait is not None:
        found["iowait_cpus"] = iowait * cpus / 100
    if found.get("refault_file_mbs") and found.get("disk_read_mbs"):
        found["read_again_percent"] = min(100 * found["refault_file_mbs"] / found["disk_read_mbs"], 100.0)
    beside = found.pop("beside_packers", 0.0) + found.pop("beside_machines", 0.0)
    if beside:
        found["beside_builds"] = beside
    return found
