"""How far a process of Packer's has read a file that it uploads: the place in the open file, by /proc."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from buildtel_agent import read_file

LEAST_BYTES = 1 << 20  # of a smaller file many may be open that are as large
_LONGEST = 4096


def read_so_far(processes: Iterable[int], size_bytes: int) -> int | None:
    """The bytes that were read of the one open file of a size; what is read may still wait to be sent.

    Args:
        processes: the ids of those that may have it open.
        size_bytes: its size.

    Returns:
        None where no such file is open, or several are, or the file is small.
    """
    if size_bytes < LEAST_BYTES:
        return None
    found = {place for pid in processes for place in _places(Path(f"/proc/{pid}"), size_bytes)}
    return found.pop() if len(found) == 1 else None


def _places(process: Path, size_bytes: int) -> Iterator[int]:
    """The places in the files of that size that a process has open; none of one that we may not see."""
    try:
        numbers = [file.name for file in (process / "fd").iterdir() if _is_of(file, size_bytes)]
    except OSError:
        return
    for number in numbers:
        told = read_file(f"{process}/fdinfo/{number}", _LONGEST).split()  # `pos: 1234`, then further lines
        if len(told) > 1 and told[1].isdigit():
            yield int(told[1])


def _is_of(file: Path, size_bytes: int) -> bool:
    return file.is_file() and file.stat().st_size == size_bytes
