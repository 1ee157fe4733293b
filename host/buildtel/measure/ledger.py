"""Keeps track of records: duplicates, gaps, and events that came in parts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from buildtel.events import AgentRecord
from buildtel.measure.drafts import MachineDraft
from buildtel.measure.record_fields import Record, as_far_as_it_goes
from buildtel.timeline.provisioner_run import ProvisionerRun

MAX_PROCESSES = 20_000
MAX_GAPS = 2_000
MAX_PENDING = 256


class TooMany(Exception):
    """More agent processes, or more gaps in one, than any build has."""


@dataclass(slots=True)
class SequenceSet:
    """The sequence numbers of one agent process, as disjoint ranges in order."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # inclusive

    def add(self, seq: int) -> bool:
        """True if `seq` is new.

        Raises:
            TooMany: the ranges are too many.
        """
        at = bisect_right(self.starts, seq) - 1
        if at >= 0 and seq <= self.ends[at]:
            return False
        grows = at >= 0 and self.ends[at] == seq - 1
        meets = at + 1 < len(self.starts) and self.starts[at + 1] == seq + 1
        if grows and meets:
            self.ends[at] = self.ends.pop(at + 1)
            self.starts.pop(at + 1)
        elif grows:
            self.ends[at] = seq
        elif meets:
            self.starts[at + 1] = seq
        elif len(self.starts) >= MAX_GAPS:
            raise TooMany
        else:
            self.starts.insert(at + 1, seq)
            self.ends.insert(at + 1, seq)
        return True

    def has(self, seq: int) -> bool:
        """True if `seq` was seen."""
        at = bisect_right(self.starts, seq) - 1
        return at >= 0 and seq <= self.ends[at]

    def each(self) -> Iterator[int]:
        """The numbers seen, in order."""
        for start, end in zip(self.starts, self.ends, strict=True):
            yield from range(start, end + 1)

    def __len__(self) -> int:
        """How many were seen."""
        return sum(end - start + 1 for start, end in zip(self.starts, self.ends, strict=True))

    @property
    def missing(self) -> int:
        """How many records lie before the last one known and were not seen."""
        if not self.ends:
            return 0
        return self.ends[-1] - len(self)


@dataclass(slots=True)
class PartialEvent:
    """An event of which some parts came, with where its first came.

    `machine` is None where Packer's target tells it.
    """

    first: Record
    event: AgentRecord
    unit: ProvisionerRun | None = None
    machine: MachineDraft | None = None
    parts: dict[int, Mapping[str, Any]] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The union of the parts; of an event that lacks some, what stands in it whole."""
        whole: dict[str, Any] = {}
        for number in sorted(self.parts):
            whole = union(whole, self.parts[number])
        return whole if self.whole else as_far_as_it_goes(whole)

    @property
    def whole(self) -> bool:
        """True if no part is missing."""
        return len(self.parts) == self.first.of


def union(left: Mapping[str, Any], right: Mapping[str, Any], depth: int = 4) -> dict[str, Any]:
    """Both objects' keys; where both have an object under a key, those two's union, `depth` levels down.

    Args:
        left: an object.
        right: another object; its values win.
        depth: how many levels down objects are joined.
    """
    whole = dict(left)
    for key, value in right.items():
        known = whole.get(key)
        if depth and isinstance(known, Mapping) and isinstance(value, Mapping):
            whole[key] = union(known, value, depth - 1)
        else:
            whole[key] = value
    return whole
