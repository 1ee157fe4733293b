"""Finds the build that a command line names: a file, or a build in the store."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from buildtel.store import Store
    from buildtel.store.find import Found


class BuildResolver:
    """Finds the builds that a command line names; opens the store only if one of them is not a file."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._store: Store | None = None

    def build(self, which: str, job: str) -> Found:
        """The build that a command line names; says on stderr if a version has more than one.

        Args:
            which: a file, `latest`, `^N`, a version, or one build of a version.
            job: the job whose builds a store is searched for.

        Raises:
            BuildtelError: there is none.
        """
        from buildtel.store.find import Found, find

        path = Path(which)
        if which != "latest" and (path.is_file() or which.endswith(".json")):
            from buildtel.job import load_document
            from buildtel.local.documents import read_document

            return Found(which, load_document(read_document(path), which))
        found = find(self._opened(), job, which)
        if (found.builds_of_version or 0) > 1:
            from buildtel.text import safe

            number, name = found.builds_of_version, safe(found.name)
            print(f"{number} builds of {which!r}, this is {name}. `buildtel-host list` shows all", file=sys.stderr)
        return found

    def _opened(self) -> Store:
        from buildtel.cli.stores import check_place, open_store

        if self._store is None:
            check_place(self._args)
            self._store = open_store(self._args)
        return self._store
