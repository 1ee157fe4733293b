"""Writes what was fetched of a machine into a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from buildtel import files
from buildtel.errors import BuildtelError


def write_spool(path: Path, blocks: Iterable[bytes], written: Callable[[int], None]) -> None:
    """Write a spool into a file; if the connection is lost, the file has what came before.

    Args:
        path: the file; an older one is replaced.
        blocks: the spool's bytes as they come.
        written: takes the file's size in bytes once it has its name.

    Raises:
        BuildtelError: it can't be written; or what `blocks` raises.
    """
    if path.exists() and not path.is_file():
        raise BuildtelError(f"can't write {path}: it is not a regular file. Choose another with -o")
    aside, size = Path(files.name_aside(str(path))), 0
    try:
        with aside.open("xb") as file:
            try:
                for block in blocks:
                    size += file.write(block)
            finally:
                if size:
                    aside.replace(path)
                    written(size)
    except OSError as error:
        raise BuildtelError(f"can't write {path}: {error.strerror or error}. Choose another file with -o") from error
    finally:
        aside.unlink(missing_ok=True)
