"""What is under way now: each build's phase and since when, from the events of the log as it grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from buildtel.events import (
    AgentRecord,
    BuildBegan,
    BuildFinished,
    BuildSeen,
    Event,
    PhaseStarted,
    ProvisionerFinished,
    ProvisionerStarted,
    SshWait,
)
from buildtel.live.usual import Key, Usual, phase_key, provisioner_key
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
    """One build: what it does, since when (s, monotonic), what that is called in other runs; its end."""

    name: str
    doing: str = "starts"
    since_s: float = 0.0
    key: Key | None = None
    result: str | None = None
    took_s: float | None = None
    provisioners: int = 0
    gauges: Gauges | None = None


class Board:
    """Takes events as they come; `usual` tells how long a phase takes in other builds of the job."""

    def __init__(self, now_s: float, usual: Usual | None = None) -> None:
        self.started_s = now_s
        self.usual = usual or Usual()
        self.builds: dict[str, BuildLine] = {}
        self._takers: dict[type[Event], Callable[[BuildLine, Any, float], None]] = {
            PhaseStarted: self._phase,
            ProvisionerStarted: self._provisioner,
            ProvisionerFinished: lambda line, _event, now_s: _begin(line, "", now_s),
            SshWait: self._connected,
            BuildBegan: lambda line, _event, now_s: _begin(line, "", now_s),
            BuildFinished: self._finished,
            AgentRecord: self._record,
        }

    def take(self, events: Iterable[Event], now_s: float) -> None:
        """Take in what the log said just now (s, monotonic)."""
        for event in events:
            target = getattr(event, "target", None)
            if target is None or (type(event) not in self._takers and not isinstance(event, BuildSeen)):
                continue
            line = self.builds.get(target)
            if line is None:
                line = self.builds[target] = BuildLine(target, since_s=self.started_s)
            taker = self._takers.get(type(event))
            if taker is not None:
                taker(line, event, now_s)

    def usual_s(self, line: BuildLine) -> float | None:
        """How long what the build does takes in other runs; None if that is not known (yet)."""
        return None if line.key is None else self.usual.seconds(line.key)

    def _phase(self, line: BuildLine, event: PhaseStarted, now_s: float) -> None:
        _begin(line, event.text or event.name, now_s, phase_key(line.name, event.name, event.text))

    def _provisioner(self, line: BuildLine, event: ProvisionerStarted, now_s: float) -> None:
        key = provisioner_key(line.name, line.provisioners, event.kind)
        line.provisioners += 1
        _begin(line, f"{event.kind} {event.detail}".strip(), now_s, key)

    def _connected(self, line: BuildLine, event: SshWait, now_s: float) -> None:
        if event.connected:
            _begin(line, "", now_s)

    def _finished(self, line: BuildLine, event: BuildFinished, now_s: float) -> None:
        line.result, line.took_s = event.result, now_s - self.started_s
        line.gauges = None

    def _record(self, line: BuildLine, event: AgentRecord, now_s: float) -> None:
        counters, m_ns = event.fields.get("c"), event.fields.get("m")
        name = event.fields.get("name")
        if event.fields.get("ev") == "start" and isinstance(name, str) and name:
            kind, _, _detail = line.doing.partition(" ")
            line.doing = f"{kind} {name}".strip()
        if not isinstance(counters, dict) or not isinstance(m_ns, int):
            return
        before, line.gauges = line.gauges, Gauges(now_s, m_ns, counters)
        if before is None:
            return
        try:
            line.gauges.figures = metrics(dict(before.counters), counters, (m_ns - before.m_ns) / 1e9)
        except (TypeError, AttributeError, ValueError, LookupError, ArithmeticError):
            return  # what no agent writes; the collected document says so


def _begin(line: BuildLine, doing: str, now_s: float, key: Key | None = None) -> None:
    line.doing, line.since_s, line.key = doing, now_s, key
