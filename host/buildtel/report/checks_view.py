"""The view of checks: what was looked at, how it stands, and the mend where something is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, astuple, dataclass
from typing import Any

from buildtel.report.view import Check, Checks, Part, Records


@dataclass(frozen=True, slots=True)
class ChecksView:
    """Checks, each shown when it is known: they may come from a generator that takes its time."""

    checks: Iterable[Check]
    narrowest: int = 0

    def parts(self) -> Iterator[Part]:
        """One part."""
        yield Checks(self.checks)

    def records(self) -> Records:
        """A row for each."""
        return Records(("state", "about", "said", "mend"), map(astuple, self.checks))

    def data(self) -> Any:
        """An object for each."""
        return [asdict(check) for check in self.checks]
