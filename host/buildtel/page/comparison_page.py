"""The page of two compared builds: their time lines above each other on one axis, then what changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from buildtel.insight.cause_account import cause_accounts
from buildtel.insight.stretches import build_stretches
from buildtel.job import JobDocument
from buildtel.page.axis import Axis
from buildtel.page.bars import Group
from buildtel.page.details import Detail, details_of
from buildtel.page.entries import entries_of
from buildtel.page.groups import axis_of, groups_of
from buildtel.report.comparison_view import ComparisonView
from buildtel.report.view import Part, Title


@dataclass(frozen=True, slots=True)
class ComparisonPage:
    """All that the template of two builds needs; without times there is no axis."""

    title: str
    axis: Axis | None
    groups: tuple[Group, ...]
    details: tuple[Detail, ...]
    parts: tuple[Part, ...]
    strips: tuple[()] = ()

    @property
    def data(self) -> dict[str, Any]:
        """What the page's script gets."""
        return {"span": 0.0 if self.axis is None else self.axis.span_s, "machines": []}


def comparison_page(view: ComparisonView) -> ComparisonPage:
    """The page of two builds; each begins where the axis does."""
    sides = [_Side(name, document) for name, document in zip(("before", "after"), view.documents or (), strict=False)]
    spans = [side.axis.span_s for side in sides if side.axis is not None]
    axis = Axis(0.0, max(spans)) if spans else None
    parts = list(view.parts())
    titles = [part.text for part in parts if isinstance(part, Title)]
    return ComparisonPage(
        title=titles[0],
        axis=axis,
        groups=tuple(group for side in sides for group in side.groups(axis)),
        details=tuple(detail for side in sides for detail in side.details),
        parts=tuple(part for part in parts if not isinstance(part, Title)),
    )


class _Side:
    """One of the two builds."""

    def __init__(self, name: str, document: JobDocument) -> None:
        self._name = name
        self._builds, self._accounts = build_stretches(document), cause_accounts(document)
        self.axis = axis_of(document, self._builds)
        self._zero_s = 0.0 if self.axis is None else self.axis.zero_s
        self._entries = entries_of(document, self._builds, self._zero_s, name)
        self.details = details_of(document, self._accounts, self._entries, self._zero_s)

    def groups(self, axis: Axis | None) -> list[Group]:
        """Its lanes, on an axis as long as the longer of the two."""
        if axis is None or self.axis is None:
            return []
        own = Axis(self._zero_s, axis.span_s)
        found = groups_of(self._accounts, self._builds, self._entries, own)
        return [replace(group, name=f"{self._name}: {group.name}") for group in found]
