"""The view of checks: what was checked, the result, and how to fix what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, astuple, dataclass
from typing import Any

from buildtel.report.view import Check, Checks, Part, Records


@dataclass(frozen=True, slots=True)
class ChecksView:
    """Checks, each shown as soon as its result is known: a slow generator may yield them."""

    checks: Iterable[Check]
    narrowest: int = 0

    def parts(self) -> Iterator[Part]:
        """One part."""
        yield Checks(self.checks)

    def records(self) -> Records:
        """A row for each."""
        return Records(("state", "about", "said", "fix"), map(astuple, self.checks))

    def data(self) -> Any:
        """An object for each."""
        return [asdict(check) for check in self.checks]
