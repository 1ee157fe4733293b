"""The styles of a terminal; the only module that knows escape sequences."""

from __future__ import annotations

import io
from collections.abc import Callable

from buildtel.report.cells import Line
from buildtel.report.formats import Output

COLOURS = {"success": "green", "failure": "bold red", "cancelled": "yellow", "cancellation": "yellow"}
SEVERITIES = {"severe": "bold red", "high": "red", "moderate": "yellow", "low": ""}
COLOURS_OF_CAUSES = {
    "computing_all": "green", "computing_some": "green", "computing_one": "dark_green", "disk": "magenta",
    "memory": "red", "lock": "red", "starved_steal": "bright_red", "starved_runner": "bright_red",
    "starved_memory": "bright_red", "emulated": "bright_red", "starved_throttled": "bright_red",
    "starved_beside": "bright_red", "network_loss": "red", "network_line": "blue", "network_slow": "bright_blue",
    "network_silent": "red", "network_remote": "bright_magenta", "daemon": "bright_magenta", "sleep": "bright_yellow",
    "network_out": "blue", "boot_ssh": "cyan", "transfer": "bright_cyan", "user": "yellow", "pause": "yellow",
    "packer": "bright_black", "unknown": "white",
}  # fmt: skip


def styled(out: Output) -> Callable[[Line], str]:
    """What makes a text of a line, its newline included: with its styles where the output shows them."""
    if not out.styled:
        return lambda line: "".join(text for text, _ in line) + "\n"
    from rich.console import Console  # noqa: PLC0415  # a third of a second
    from rich.text import Text  # noqa: PLC0415

    drawn = io.StringIO()  # not the output itself: rich would answer a closed pipe with exit status 1
    console = Console(
        file=drawn, width=out.width, no_color=None if out.coloured else True, force_terminal=True, legacy_windows=False
    )

    def text_of(line: Line) -> str:
        drawn.seek(0)
        drawn.truncate()
        console.print(Text.assemble(*line), soft_wrap=True, highlight=False)
        return drawn.getvalue()

    return text_of
