"""One axis for host and guest: what the log's stamps say about a guest's clock.

The host stamps each line when it arrives, so a record stamped `at` with grain `r` was made before
`at + r`: with the guest's monotonic clock `m`, the host time of the guest's zero lies before
`at + r - m`. And no record is made before its provisioner is announced: it lies after
`announced - m`. Every record of one boot narrows the interval; what is left is the error.
A record older than one that came before it may have come late, from a spool: it bounds from above only. So does one
of an old boot that arrives behind a new boot's first record.
The monotonic clock is used because the wall clock of a young VM is often stepped by NTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from buildtel.events import When

STEP_S = 0.5


@dataclass(slots=True)
class Bounds:
    """Where the host time of a guest's monotonic zero can lie."""

    latest_s: float | None = None
    earliest_s: float | None = None
    grain_s: float = 0.0

    def add(self, m_s: float, at: When, announced: When | None) -> None:
        """Narrow by one record made at `m_s`, arrived at `at`, in a provisioner announced before."""
        latest = at.unix_s + at.resolution_s - m_s
        if self.latest_s is None or latest < self.latest_s:
            self.latest_s, self.grain_s = latest, at.resolution_s
        if announced is not None and announced.zone_known == at.zone_known:
            earliest = announced.unix_s - m_s
            self.earliest_s = earliest if self.earliest_s is None else max(self.earliest_s, earliest)

    def shifted(self, by_s: float) -> Bounds:
        """The same on an axis that is `by_s` later."""
        latest = None if self.latest_s is None else self.latest_s + by_s
        earliest = None if self.earliest_s is None else self.earliest_s + by_s
        return Bounds(latest, earliest, self.grain_s)

    def narrow(self, other: Bounds) -> None:
        """Take in what other records of the same boot say."""
        if other.latest_s is not None and (self.latest_s is None or other.latest_s < self.latest_s):
            self.latest_s, self.grain_s = other.latest_s, other.grain_s
        if other.earliest_s is not None:
            known = self.earliest_s
            self.earliest_s = other.earliest_s if known is None else max(known, other.earliest_s)

    def zero(self) -> tuple[float, float] | None:
        """Host time of the guest's zero, and its error, in seconds; None without any stamp.

        The estimate trusts that the quickest record took less than the grain. The error does not,
        where an announcement bounds it; stamps that contradict each other widen it.
        """
        if self.latest_s is None:
            return None
        low = self.latest_s - self.grain_s
        if self.earliest_s is None:
            return (low + self.latest_s) / 2, self.grain_s
        if self.earliest_s > self.latest_s:
            return self.latest_s, self.earliest_s - self.latest_s + self.grain_s
        middle = (max(low, self.earliest_s) + self.latest_s) / 2
        return middle, max(self.latest_s - middle, middle - self.earliest_s)


@dataclass(slots=True)
class BootClock:
    """What all records of one boot say about its clocks: the authentic ones, or, `doubted`, only others."""

    boot: str | None
    doubted: bool = False
    records: int = 0
    first_m_ns: int = 0
    last_m_ns: int = 0
    first_line: int = 0  # 0 if it stood in no log
    first_t_ns: int = 0
    known: Bounds = field(default_factory=Bounds)
    unzoned: Bounds = field(default_factory=Bounds)
    wall_first_s: float = 0.0
    wall_low_s: float = 0.0
    wall_high_s: float = 0.0

    def is_before(self, m_ns: int, announced: When) -> bool:
        """True for a record that was made before its provisioner began: it was printed late, from a spool."""
        zero = (self.known if announced.zone_known else self.unzoned).zero()
        behind = self.records > 0 and m_ns < self.last_m_ns
        return behind and zero is not None and zero[0] + m_ns / 1e9 + zero[1] < announced.unix_s

    def add(self, t_ns: int, m_ns: int, line: int, at: When | None, announced: When | None) -> None:
        """Take one record in; `announced` is when its provisioner began, None if it came through none."""
        wall_s = (t_ns - m_ns) / 1e9
        if not self.records:
            self.first_m_ns = self.last_m_ns = m_ns
            self.first_line, self.first_t_ns = line, t_ns
            self.wall_first_s = self.wall_low_s = self.wall_high_s = wall_s
        behind = self.records > 0 and m_ns < self.last_m_ns
        self.records += 1
        self.first_m_ns, self.last_m_ns = min(self.first_m_ns, m_ns), max(self.last_m_ns, m_ns)
        self.wall_low_s, self.wall_high_s = min(self.wall_low_s, wall_s), max(self.wall_high_s, wall_s)
        if at is not None:
            (self.known if at.zone_known else self.unzoned).add(m_ns / 1e9, at, None if behind else announced)

    @property
    def stepped_s(self) -> float | None:
        """How far the guest's wall clock was set in this boot, None if it was not."""
        spread = self.wall_high_s - self.wall_low_s
        return spread if spread > STEP_S else None

    def host_s(self, m_ns: int, t_ns: int) -> float:
        """Host time of an instant: on the host's axis where it is known, else the guest's wall clock."""
        zero = self.known.zero()
        return t_ns / 1e9 if zero is None else zero[0] + m_ns / 1e9

    def log_s(self, m_ns: float) -> float | None:
        """The instant on the axis of the log's stamps, zone or not; None if the log has no times."""
        zero = self.known.zero() or self.unzoned.zero()
        return None if zero is None else zero[0] + m_ns / 1e9
