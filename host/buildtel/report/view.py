"""The parts that a view is made of; every format can render each part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:  # builds of a store are listed without a document
    from buildtel.insight.stretches import Stretch


@dataclass(frozen=True, slots=True)
class Title:
    """What the view is about, and facts with their labels; `page_only`: on a page only, a terminal needs no title."""

    text: str
    status: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    page_only: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """A column: its name, whether figures stand in it, whether it may be cut where the terminal is narrow."""

    name: str
    right: bool = False
    flexible: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar in a table: as long as `part` is of `whole`; None: no bar."""

    part: float | None
    whole: float


Cell = str | Bar


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, and rows of as many cells, all safe to print; `legend` says what the columns hold."""

    heads: tuple[Head, ...]
    rows: Sequence[tuple[Cell, ...]]
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """One build of Packer's: its stretches on the time axis.

    `took` is the sum of its stretches, and Packer's own figure behind it where that is another. `span_s` is the length
    of its run's time axis, None without times; `cut` stretches were left out; `critical`: it ended last of several.
    `why` says how the build failed, beyond Packer's words in `error`; `output` has what the provisioner that failed
    printed last.
    """

    name: str
    result: str
    took: str
    error: tuple[str, ...]
    artifacts: tuple[tuple[str, ...], ...]
    span_s: float | None
    stretches: tuple[Stretch, ...]
    cut: int
    critical: bool = False
    why: tuple[str, ...] = ()
    output: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step: its figures by name, the metrics above their thresholds, what is odd about it, what Packer alone told.

    `grain_s` is the grain of the stamps that its duration was reckoned from, None where it is fine.
    """

    name: str
    machine: str
    status: str
    exit_code: int | None
    metrics: dict[str, float | int | None]
    marked: frozenset[str]
    remark: str | None
    grain_s: float | None = None
    of_packer: str | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps with as many of their figures as there is room for."""

    rows: tuple[StepRow, ...]


@dataclass(frozen=True, slots=True)
class Inside:
    """What ran in a step: its time line as a table, facts with their labels below it."""

    heading: str
    table: Table | None
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CauseRow:
    """The time of one cause: its name, its words, seconds, its share of the whole, what told it."""

    id: str
    words: str
    seconds: float
    percent: float
    told_by: str


@dataclass(frozen=True, slots=True)
class Causes:
    """What the wall time of a build was spent on: rows that add up to `total_s`; `is_whole`: each row is listed.

    `grain_s` is the grain of the log's stamps, None where it is finer than any figure.
    """

    build: str
    total_s: float
    rows: tuple[CauseRow, ...]
    grain_s: float | None = None
    is_whole: bool = False

    def counts(self, blocks: int) -> list[int]:
        """How many of `blocks` stand for each row: together all of them, the largest rests rounded up."""
        exact = [row.percent * blocks / 100 for row in self.rows]
        counts = [int(value) for value in exact]
        by_rest = sorted(range(len(exact)), key=lambda at: counts[at] - exact[at])
        for at in by_rest[: max(0, blocks - sum(counts))]:
            counts[at] += 1
        return counts


@dataclass(frozen=True, slots=True)
class Item:
    """A finding: how severe, where, what by which figures, what it would save, what would help, and what to know."""

    severity: str
    where: str
    words: str
    saves: str
    help: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Items:
    """What is worth a look, below a heading; `notes` are to know of more than one of them."""

    heading: str
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notes:
    """Sentences, each a point of a list; `heading` may be empty."""

    heading: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence by itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a build failed: a title, the lines that say why, and what the failed provisioner printed last."""

    title: str
    why: tuple[str, ...]
    output: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """What was checked, the result, and how to fix what is missing.

    Attributes:
        state: ok; warn: something will be missing; fail: something will not work.
        about: what was checked.
        said: the result in words.
        fix: how to fix it; empty if there is nothing to fix.
    """

    state: Literal["ok", "warn", "fail"]
    about: str
    said: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Checks:
    """Checks, each shown when it is known."""

    checks: Iterable[Check]


Part = Title | Table | Timeline | Steps | Inside | Causes | Items | Notes | Sentence | Reason | Checks


@dataclass(frozen=True, slots=True)
class Records:
    """What a spreadsheet gets: names of columns, and rows of as many values, None where one is not known."""

    names: Sequence[str]
    rows: Iterable[Sequence[Any]]


class View(Protocol):
    """What a command shows."""

    @property
    def narrowest(self) -> int:
        """The width in cells below which its lines do not go, however narrow the terminal."""

    def parts(self) -> Iterable[Part]:
        """What people read, in order."""

    def records(self) -> Records:
        """What a spreadsheet gets."""

    def data(self) -> Any:
        """What JSON has."""
