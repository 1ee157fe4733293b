"""Draws the state of a running build below the scrolling output.

The cursor always rests where Packer's output goes on: the view is drawn below it and erased before the next
output. While a line of the output is unfinished (a prompt, a progress bar) there is no view.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from rich.cells import cell_len, set_cell_size

from buildtel.live.board import Board, BuildLine, Gauges
from buildtel.live.busiest import Busiest
from buildtel.text import duration, safe
from buildtel_agent import metrics

EVERY_S = 0.5
MOST_BUILDS = 8
FEWEST_ROWS = 8
FEWEST_COLUMNS = 20
ROWS_LEFT = 4  # for Packer's output
INDENT = " " * 4
DIM, PLAIN, BOLD = "\x1b[2m", "\x1b[0m", "\x1b[1m"
ERASE = b"\x1b[J"
GAUGES = (
    ("cpu", "cpu_percent", "%"), ("mem", "memory_used_mb", "M"), ("io", "psi_io_some_percent", "%"),
)  # fmt: skip


class View:
    """Writes output through, and the board below it.

    Args:
        fd: the terminal.
        board: what is under way.
        runner: gives the runner's newest counters.
        busiest: gives what runs for Packer on this machine, and how far it has read a file.
        write: writes all of some bytes to a file.
    """

    def __init__(
        self, fd: int, board: Board, runner: Callable[[], Mapping[str, Any]], busiest: Busiest,
        write: Callable[[int, bytes], None],
    ) -> None:  # fmt: skip
        self._fd, self._board, self._runner, self._busiest, self._write_all = fd, board, runner, busiest, write
        self.drawn_s = 0.0
        self._shown = False
        self._whole_line = True
        self._runner_gauges = Gauges(0.0, 0, {})
        self._colour = not os.environ.get("NO_COLOR")

    def write(self, fd: int, data: bytes) -> None:
        """Write Packer's output, above the view.

        Args:
            fd: the file that it goes to, stdout or stderr.
            data: the bytes.
        """
        self.erase()
        self._write_all(fd, data)
        self._whole_line = data.endswith(b"\n")

    def draw(self, now_s: float) -> float:
        """Draw what is under way; gives the seconds until the next time."""
        self.drawn_s = now_s
        columns, rows = _size(self._fd)
        has_room = self._whole_line and rows >= FEWEST_ROWS and columns >= FEWEST_COLUMNS
        lines = self.rows(now_s, columns, rows - ROWS_LEFT) if has_room else []
        text = "".join(f"\r\n{line}" for line in lines) + f"\x1b[{len(lines)}A\r" if lines else ""
        before = ERASE if self._shown else b""
        if before or text:
            self._write_all(self._fd, before + text.encode("utf-8", "replace"))  # at once: it does not flicker
        self._shown = bool(lines)
        return EVERY_S

    def erase(self) -> None:
        """Leave no trace of the view."""
        if self._shown:
            self._write_all(self._fd, ERASE)
            self._shown = False

    def rows(self, now_s: float, width: int, most: int) -> list[str]:
        """The lines of the view: what a build does within its phase or provisioner only where there is room for all.

        Args:
            now_s: the time, seconds of the monotonic clock.
            width: cells in a line, at most.
            most: lines, at most.
        """
        builds = list(self._board.builds.values())
        running = [build for build in builds if build.result is None]
        shown = (running + [build for build in builds if build.result is not None])[: min(MOST_BUILDS, most - 2)]
        names = min(max((cell_len(safe(build.name)) for build in shown), default=0), width // 4)
        rest = [self._dim(f" and {len(builds) - len(shown)} more builds", width)] if len(builds) > len(shown) else []
        rest.append(self._machine(now_s, names, width))
        lines = [(self._build(build, names, now_s, width), self._more(build, now_s, width)) for build in shown]
        told = [line for pair in lines for line in pair if line]
        return [*(told if len(told) + len(rest) <= most else [first for first, _ in lines]), *rest]

    def _more(self, build: BuildLine, now_s: float, width: int) -> str:
        """What goes on within what a build does, and how long that usually takes; empty where nothing is known."""
        usual = self._board.usual_of(build) if build.result is None else None
        took_s = now_s - build.since_s
        is_late = usual is not None and usual.is_passed_by(took_s)
        words = [] if usual is None else [f"{usual}, now {duration(took_s)}" if is_late else str(usual)]
        inside = build.inside(now_s, self._busiest.read_so_far) if build.result is None else ""
        text = "; ".join([*([inside] if inside else []), *words])
        return self._dim(f"{INDENT}{text}", width) if text else ""

    def _build(self, build: BuildLine, names: int, now_s: float, width: int) -> str:
        name = set_cell_size(safe(build.name), names)
        if build.result is not None:
            took_s = None if build.over_s is None else build.over_s - self._board.started_s
            return self._dim(f" {name}  {build.result} after {duration(took_s)}", width)
        times = f"{duration(now_s - build.since_s):>7}"
        gauges = _gauge_text("guest", build.gauges.figures if build.gauges else {})
        if build.gauges and gauges and now_s - build.gauges.heard_s >= 60:
            gauges += f" ({duration(now_s - build.gauges.heard_s)} ago)"
        return self._row(name, safe(build.doing), times, gauges, width)

    def _row(self, name: str, doing: str, times: str, gauges: str, width: int) -> str:
        """One line: what does not fit is left out, the gauges first."""
        room = width - 1
        fixed = 1 + cell_len(name) + 2 + 2 + cell_len(times)
        tail = f"  {gauges}" if gauges and room - fixed - cell_len(gauges) - 2 >= 16 else ""
        doing = set_cell_size(doing, max(min(room - fixed - cell_len(tail), 48), 4))
        text = set_cell_size(f" {name}  {doing}  {times}{tail}", room).rstrip()
        bold = f"{BOLD}{name}{PLAIN}" if self._colour else name
        return text.replace(name, bold, 1) if name.strip() else text

    def _machine(self, now_s: float, names: int, width: int) -> str:
        counters = self._runner()
        m_ns = int(now_s * 1e9)
        if counters is not self._runner_gauges.counters:
            before, self._runner_gauges = self._runner_gauges, Gauges(now_s, m_ns, counters)
            seconds = now_s - before.heard_s
            self._runner_gauges.figures = metrics(dict(before.counters), dict(counters), seconds) if before.m_ns else {}
        total = f"total {duration(now_s - self._board.started_s)}"
        gauges = _gauge_text("host", self._runner_gauges.figures)
        busiest = safe(self._busiest.words(now_s))
        words = [total, *([gauges] if gauges else []), *([f"runs {busiest}"] if busiest else [])]
        return self._dim(f" {set_cell_size('', names)}  {'  '.join(words)}", width)

    def _dim(self, text: str, width: int) -> str:
        cut = set_cell_size(text, width - 1).rstrip()
        return f"{DIM}{cut}{PLAIN}" if self._colour else cut


def _gauge_text(whose: str, figures: Mapping[str, float | int]) -> str:
    known = [f"{label} {figures[metric]:.0f}{unit}" for label, metric, unit in GAUGES if metric in figures]
    return " ".join([whose, *known]) if known else ""


def _size(fd: int) -> tuple[int, int]:
    try:
        columns, rows = os.get_terminal_size(fd)
    except OSError:
        return 80, 24
    return columns or 80, rows or 24
