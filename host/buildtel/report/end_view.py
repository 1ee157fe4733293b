"""The view that ends a run of `buildtel-host packer`: what took longer than usual, and the first finding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from buildtel.insight.findings import findings
from buildtel.insight.usual import Slower, Usual
from buildtel.job import JobDocument
from buildtel.report.diagnosis_parts import item_of
from buildtel.report.view import Notes, Part, Records
from buildtel.text import duration

MOST_SLOWER = 3


@dataclass(frozen=True, slots=True)
class EndView:
    """Sentences, one of them at least."""

    sentences: tuple[str, ...]
    narrowest: int = 0

    def parts(self) -> Iterator[Part]:
        """One part."""
        yield Notes("In short", self.sentences)

    def records(self) -> Records:
        """A row for each."""
        return Records(("said",), [(text,) for text in self.sentences])

    def data(self) -> Any:
        """All of them."""
        return list(self.sentences)


def end_sentences(document: JobDocument, usual: Usual) -> Iterator[str]:
    """What took longer than usual, where it is known what is usual, and the first finding; safe to print.

    Args:
        document: the document of the run.
        usual: what the job's last builds tell, without this one.
    """
    if usual.is_known:
        yield _slower(usual.slower(document), is_one=_builds(document) <= 1)
    for finding in findings(document)[:1]:
        item = item_of(finding)
        yield f"Finding ({item.severity}): {item.where}: {item.words}. Try: {item.help}"


def _builds(document: JobDocument) -> int:
    return sum(len(run.builds) for run in document.packer.runs) if document.packer else 0


def _slower(found: list[Slower], *, is_one: bool) -> str:
    """What took longer than usual, the most first; `is_one`: there is one build, which needs no name."""
    if not found:
        return "Nothing took longer than usual."
    words = [
        f"{one.name if is_one else f'{one.build}, {one.name}'} took {duration(one.seconds)} ({one.usual})"
        for one in found[:MOST_SLOWER]
    ]
    rest = [f"{len(found) - MOST_SLOWER} more"] if len(found) > MOST_SLOWER else []
    return f"Slower than usual: {'; '.join([*words, *rest])}."
