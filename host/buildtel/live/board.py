"""The state of a running build: the timeline so far, and since when each build does its current work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from buildtel.events import AgentRecord, Event
from buildtel.insight.usual import Key, Range, Usual, phase_key, provisioner_key
from buildtel.live.in_guest import words_of_beat
from buildtel.live.under_way import part_under_way, with_bytes, words_of
from buildtel.timeline.builds import BuildDraft, PhaseDraft, Timeline
from buildtel.timeline.provisioner_run import Moment, PartDraft, ProvisionerRun
from buildtel_agent import metrics


@dataclass(slots=True)
class Gauges:
    """A machine's counters as last heard of, and the figures since the time before."""

    heard_s: float
    m_ns: int
    counters: Mapping[str, Any]
    figures: dict[str, float | int] = field(default_factory=dict)


@dataclass(slots=True)
class BuildLine:
    """One build of the timeline with what only the view needs.

    Attributes:
        build: what Packer says of it.
        what: what was under way when it was looked at last: its first message stands for nothing in particular.
        since_s: since when, in seconds of the monotonic clock.
        step: the name of the step that its guest began in it.
        in_guest: what its guest told of that step last, in words.
        part: what goes on within it; `part_since_s` is since when, `part_told_s` when something was told of it last.
        over_s: when the build was over, by the same clock.
        gauges: its guest's.
    """

    build: BuildDraft
    since_s: float
    what: PhaseDraft | ProvisionerRun | Moment | None = None
    step: str | None = None
    in_guest: str = ""
    part: PartDraft | None = None
    part_since_s: float = 0.0
    part_told_s: float = 0.0
    over_s: float | None = None
    gauges: Gauges | None = None

    @property
    def name(self) -> str:
        """Packer's name of it."""
        return self.build.name

    @property
    def result(self) -> str | None:
        """Packer's word on the build, None while it runs."""
        return self.build.ends[-1].result if self.build.ends else None

    @property
    def doing(self) -> str:
        """What the build does, in words; empty where Packer says nothing of it."""
        if isinstance(self.what, PhaseDraft):
            return self.what.text or self.what.name
        if isinstance(self.what, ProvisionerRun):
            return f"{self.what.kind} {self.step or self.what.detail}".strip()
        return "starts" if self.what is None else ""

    def inside(self, now_s: float, read_so_far: Callable[[int], int | None] = lambda _: None) -> str:
        """What goes on within that, in words; empty where nothing tells.

        Args:
            now_s: the time, seconds of the monotonic clock.
            read_so_far: gives how far Packer has read a file of a size, in bytes.
        """
        by_log = self._by_log(self.part, read_so_far, now_s) if self.part else ""
        return "; ".join(words for words in (by_log, self.in_guest) if words)

    def _by_log(self, part: PartDraft, read_so_far: Callable[[int], int | None], now_s: float) -> str:
        drawn = with_bytes(part, read_so_far)
        return words_of(drawn, self.part_since_s, self.part_told_s if drawn is part else now_s, now_s)

    @property
    def key(self) -> Key | None:
        """What names that in all runs."""
        if isinstance(self.what, PhaseDraft):
            return phase_key(self.build.name, self.what.name, self.what.text)
        if isinstance(self.what, ProvisionerRun):
            return provisioner_key(self.build.name, self.what.index, self.what.kind)
        return None

    def look(self, now_s: float) -> None:
        """See what is under way now (s, monotonic)."""
        what = self.build.under_way or self.build.began
        if what is not self.what:
            self.what, self.since_s, self.step, self.in_guest = what, now_s, None, ""
        part = part_under_way(what)
        if part is not self.part:
            self.part, self.part_since_s = part, now_s
        self.part_told_s = now_s
        if self.build.ends and self.over_s is None:
            self.over_s, self.gauges = now_s, None


class Board:
    """Takes events as they come; `usual` gives how long phases take in other builds of the job, as far as is known."""

    def __init__(self, now_s: float, usual: Callable[[], Usual] = Usual) -> None:
        self.started_s = now_s
        self._usual = usual
        self.builds: dict[str, BuildLine] = {}
        self._timeline = Timeline()

    def take(self, events: Iterable[Event], now_s: float) -> None:
        """Add what the log said just now.

        Args:
            events: the new events, in order.
            now_s: the time, seconds of the monotonic clock.
        """
        for event in events:
            self._timeline.add(event)
            build = self._timeline.build(getattr(event, "target", None))
            if build is None:
                continue
            line = self.builds.get(build.name)
            if line is None or line.build is not build:
                line = self.builds[build.name] = BuildLine(build, self.started_s)
            line.look(now_s)
            if isinstance(event, AgentRecord):
                _hear(line, event, now_s)

    def usual_of(self, line: BuildLine) -> Range | None:
        """How long what the build does usually takes; None if that is not known (yet)."""
        return None if line.key is None else self._usual().range(line.key)


def _hear(line: BuildLine, event: AgentRecord, now_s: float) -> None:
    """Take in what the guest of a build tells: the name of a step that begins, what it does, and its counters."""
    counters, m_ns = event.fields.get("c"), event.fields.get("m")
    name = event.fields.get("name")
    kind = event.fields.get("ev")
    if kind == "start" and isinstance(name, str) and name:
        line.step = name
    if kind in ("start", "beat", "end"):
        line.in_guest = words_of_beat(event.fields) if kind == "beat" else ""
    if not isinstance(counters, dict) or not isinstance(m_ns, int):
        return
    before, line.gauges = line.gauges, Gauges(now_s, m_ns, counters)
    if before is None:
        return
    try:
        line.gauges.figures = metrics(dict(before.counters), counters, (m_ns - before.m_ns) / 1e9)
    except (TypeError, AttributeError, ValueError, LookupError, ArithmeticError):
        return  # an invalid record; the document will say so
