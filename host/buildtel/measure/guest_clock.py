"""Estimates the offset between a guest's clock and the host's from the log's time stamps.

The host stamps each line when it arrives, so a record stamped `at` with grain `r` was made before
`at + r`: with the guest's monotonic clock `m`, the host time of the guest's zero lies before
`at + r - m`. And no record is made before its provisioner is announced: it lies after
`announced - m`. Every record of one boot narrows the interval; what is left is the error.
A record may also come late, below another provisioner than its own: what could not be written in place, or a spool. So
the bound from below is taken once all is read, of no record that those which came with it or after it prove to be made
before the announcement. (What came before it proves nothing: a machine that was paused.) A record of an old boot that
arrives behind a new boot's first one bounds from above only.
The monotonic clock is used because the wall clock of a young VM is often stepped by NTP.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field

from buildtel.events import When
from buildtel.timeline.provisioner_run import ProvisionerRun

STEP_S = 0.5
LATE_NS = 50_000_000  # records of one instant, by processes beside each other, come in any order
PACKERS_GRAIN_S = 1.0  # of the stamps that Packer itself gives its lines
STAMPED_LATE_S = 0.25  # who stamps Packer's lines as they arrive looks each 40 ms, later on a busy machine
MOST_EARLY = 32


@dataclass(slots=True)
class Bounds:
    """Where the host time of a guest's monotonic zero can lie."""

    latest_s: float | None = None
    earliest_s: float | None = None
    grain_s: float = 0.0

    def add(self, m_s: float, at: When) -> None:
        """Narrow by one record made at `m_s`, arrived at `at`."""
        latest = at.unix_s + at.resolution_s - m_s
        if self.latest_s is None or latest < self.latest_s:
            self.latest_s, self.grain_s = latest, at.resolution_s

    def announced(self, m_s: float, at: When) -> None:
        """Narrow by a record made at `m_s` in a provisioner that was announced at `at`."""
        earliest = at.unix_s - m_s
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
class Within:
    """What the records of one boot that came through one provisioner say: the earliest made, and the bound from above.

    Once all is read, `latest_s` is that of all records from there on, by whether their stamps have a zone.
    """

    unit: ProvisionerRun
    early_ns: list[int] = field(default_factory=list)
    latest_s: dict[bool, float] = field(default_factory=dict)

    def add(self, m_ns: int, at: When, behind: bool) -> None:
        """Take one record in, which was made `behind` what came before it or not.

        Args:
            m_ns: the record's monotonic time, in nanoseconds.
            at: the time of its line, None where there is none.
            behind: whether a record made later came before it.
        """
        if not behind and (len(self.early_ns) < MOST_EARLY or m_ns < self.early_ns[-1]):
            insort(self.early_ns, m_ns)
            del self.early_ns[MOST_EARLY:]
        latest = at.unix_s + at.resolution_s - m_ns / 1e9
        self.latest_s[at.zone_known] = min(latest, self.latest_s.get(at.zone_known, latest))

    def made_before(self, m_ns: int) -> bool:
        """Whether a record was made before its provisioner was announced: it came late.

        By no more than the announcement's own stamp may have come late that is not told.
        """
        at = self.unit.at
        latest_s = None if at is None else self.latest_s.get(at.zone_known)
        if at is None or latest_s is None:
            return False
        late_s = STAMPED_LATE_S if at.resolution_s < PACKERS_GRAIN_S else 0.0
        return latest_s + m_ns / 1e9 < at.unix_s - late_s


@dataclass(slots=True)
class BootClock:
    """What all records of one boot say about its clocks: the authentic ones, or, `doubted`, only others.

    `is_runners` says that it is the machine that Packer runs on, whose wall clock the log's stamps are by.
    """

    boot: str | None
    doubted: bool = False
    is_runners: bool = False
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
    within: dict[int, Within] = field(default_factory=dict)  # by the unit's identity, in the log's order

    def is_behind(self, m_ns: int) -> bool:
        """Whether a record that comes now was made well before one that came already."""
        return self.records > 0 and m_ns < self.last_m_ns - LATE_NS

    def add(self, t_ns: int, m_ns: int, line: int, at: When | None, unit: ProvisionerRun | None) -> None:
        """Take one record in; `unit` is the provisioner that it came through, None where that tells no time.

        Args:
            t_ns: the record's wall clock, in nanoseconds.
            m_ns: its monotonic time, in nanoseconds.
            line: its line in the log.
            at: the time of that line, None where there is none.
            unit: the provisioner that it came through, None where that tells no time.
        """
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
            (self.known if at.zone_known else self.unzoned).add(m_ns / 1e9, at)
            if unit is not None:
                self.within.setdefault(id(unit), Within(unit)).add(m_ns, at, behind)

    def settle(self, ahead_s: float | None) -> None:
        """Take the bounds from below, now that all is read.

        Args:
            ahead_s: how far stamps without a zone are ahead of UTC, None where they stay on an axis of their own.
        """
        later: dict[bool, float] = {}
        for within in reversed(self.within.values()):
            if ahead_s is not None and False in within.latest_s:
                within.latest_s[True] = min(within.latest_s.pop(False) - ahead_s, within.latest_s.get(True, 1e18))
            for known, latest_s in within.latest_s.items():
                later[known] = min(latest_s, later.get(known, latest_s))
            within.latest_s = dict(later)
            made_there = next((m_ns for m_ns in within.early_ns if not within.made_before(m_ns)), None)
            at = within.unit.at
            if at is not None and made_there is not None and not within.unit.saw_bye:
                (self.known if at.zone_known else self.unzoned).announced(made_there / 1e9, at)

    def came_late(self, m_ns: int, unit: ProvisionerRun) -> bool:
        """Whether a record that came through `unit` was made before it was announced.

        Args:
            m_ns: the record's monotonic time, in nanoseconds.
            unit: the provisioner that it came through.
        """
        within = self.within.get(id(unit))
        return within is not None and within.made_before(m_ns)

    @property
    def stepped_s(self) -> float | None:
        """How far the guest's wall clock was set in this boot, None if it was not."""
        spread = self.wall_high_s - self.wall_low_s
        return spread if spread > STEP_S else None

    def zero(self) -> tuple[float, float] | None:
        """As `Bounds.zero`; the runner's is exact, unless the stamps say that its records are of another machine."""
        zero = self.known.zero()
        if zero is not None and self.is_runners and abs(self.wall_first_s - zero[0]) <= zero[1]:
            return self.wall_first_s, 0.0
        return zero

    @property
    def error_s(self) -> float:
        """The error of `log_s`, at most the grain of Packer's own stamps; 0 without times."""
        zero = self.zero() or self.unzoned.zero()
        return 0.0 if zero is None else min(zero[1], PACKERS_GRAIN_S)

    def host_s(self, m_ns: int, t_ns: int) -> float:
        """Host time of an instant: on the host's axis where it is known, else the guest's wall clock.

        Args:
            m_ns: the monotonic time, in nanoseconds.
            t_ns: the wall clock, in nanoseconds.
        """
        zero = self.zero()
        return t_ns / 1e9 if zero is None else zero[0] + m_ns / 1e9

    def log_s(self, m_ns: float) -> float | None:
        """The instant on the axis of the log's stamps, zone or not; None if the log has no times."""
        zero = self.zero() or self.unzoned.zero()
        return None if zero is None else zero[0] + m_ns / 1e9
