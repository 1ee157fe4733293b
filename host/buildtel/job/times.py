"""Puts the times of a whole log on one axis: time zones learned late, stamps from a later copy."""

from __future__ import annotations

from buildtel.events import When
from buildtel.job.fold_state import FoldState, Span
from buildtel.measure.guest_clock import BootClock, Bounds


def settle_times(folded: FoldState) -> None:
    """Give every event of Packer's and every clock of `folded` its time on one axis.

    Stamps without a zone stay on an axis of their own where the log has no others; else they are shifted by the zone
    that was learned, or not used if none fits.
    """
    folded.timeline.settle(lambda moment: _resolved(moment.at or folded.later_stamps.get(moment.line), folded))
    for _, machine in folded.measured.machines():
        for clock in machine.boots.values():
            _settle_clock(clock, folded)
    for _, machine in folded.runner.machines() if folded.runner is not None else ():
        for clock in machine.boots.values():
            clock.settle(None)
    for at in folded.later_stamps.values():
        folded.span.add(at)
    _settle_span(folded.span, folded)


def _resolved(at: When | None, folded: FoldState) -> When | None:
    if at is None or at.zone_known or not folded.is_mixed:
        return at
    if folded.ahead_s is None:
        return None
    return When(at.unix_s - folded.ahead_s, at.resolution_s, True)


def _settle_clock(clock: BootClock, folded: FoldState) -> None:
    if folded.is_mixed:
        if folded.ahead_s is not None:
            clock.known.narrow(clock.unzoned.shifted(-folded.ahead_s))
        clock.unzoned = Bounds()
    clock.settle(folded.ahead_s if folded.is_mixed else None)


def _settle_span(span: Span, folded: FoldState) -> None:
    if not folded.is_mixed:
        return
    first, last = span.first.pop(False, None), span.last.pop(False, None)
    if folded.ahead_s is not None and first is not None and last is not None:
        for time_s in (first - folded.ahead_s, last - folded.ahead_s):
            span.add(When(time_s, 1.0, True))
