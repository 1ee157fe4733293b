"""Reads and writes documents on this machine's disk."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

from buildtel import files
from buildtel.errors import BuildtelError

MOST_IN_A_SECOND = 1000
LARGEST = 256 * 1024 * 1024


def write_new(folder: Path, stem: str, data: bytes) -> Path:
    """Writes the file `STEM.json`, with a number behind the stem if that exists; gives its path.

    Args:
        folder: an existing folder.
        stem: the name without `.json`.
        data: the document.

    Raises:
        BuildtelError: it can't be written.
    """
    paths = (folder / f"{stem}{f'_{copy}' if copy > 1 else ''}.json" for copy in range(1, MOST_IN_A_SECOND))
    try:
        for path in paths:
            if not path.exists() and files.create(str(path), data):
                return path
    except OSError as error:
        raise BuildtelError(f"can't write into {folder} ({error.strerror}). Set TELEMETRY_DIR") from error
    raise BuildtelError(f"{folder} has {MOST_IN_A_SECOND} documents of this second already. Try again")


def write_named(path: Path, data: bytes, job: str) -> None:
    """Writes a document to the file that the user named; replaces only an older document of the same job.

    Args:
        path: the file; also a terminal, a pipe or `/dev/null`.
        data: the document.
        job: the job's name.

    Raises:
        BuildtelError: something else stands there, or it can't be written.
    """
    check_named(path, job)
    if path.exists() and not path.is_file():
        _write_into(path, data)
        return
    write_over(path.resolve(), data)


def write_over(path: Path, data: bytes) -> None:
    """`data` as the file `path`, whole or not at all, whatever file stood there.

    Raises:
        BuildtelError: it can't be written.
    """
    try:
        files.replace(str(path), data)
    except OSError as error:
        raise BuildtelError(f"can't write {path}: {error.strerror}") from error


def write_report(path: Path, data: bytes, only_over: Callable[[Path], bool] | None = None) -> None:
    """Writes a report to the file that the user named; a report that is no JSON never replaces a job document.

    Args:
        path: the file; also a pipe or `/dev/null`.
        data: the report.
        only_over: which files may be replaced; None: all but documents.

    Raises:
        BuildtelError: something else stands there, or it can't be written.
    """
    if path.is_dir():
        raise BuildtelError(f"can't write {path}: it is a directory. Name a file in it")
    if not path.parent.is_dir():
        raise BuildtelError(f"can't write {path}: there is no directory {path.parent}. Create it")
    if path.exists() and not path.is_file():
        _write_into(path, data)
        return
    if only_over is not None and path.exists() and not only_over(path):
        raise BuildtelError(f"{path} exists and is no page of buildtel's. Remove it")
    if path.is_file() and _is_object(path) and not data.startswith(b"{"):
        raise BuildtelError(f"{path} may be a job document. Remove it, or name another file")
    write_over(path.resolve(), data)


def _is_object(path: Path) -> bool:
    """Whether a file begins as a document does."""
    with path.open("rb") as file:
        return file.read(64).lstrip().startswith(b"{")


def check_named(path: Path, job: str) -> None:
    """Check that a document of `job` may be written to `path`.

    Raises:
        BuildtelError: it may not.
    """
    from buildtel.job.load import job_of  # noqa: PLC0415  # the model costs: what only reads bytes does without

    if path.is_dir():
        raise BuildtelError(f"can't write {path}: it is a directory. Name a file in it")
    if not path.parent.is_dir():
        raise BuildtelError(f"can't write {path}: there is no directory {path.parent}. Create it")
    if not path.is_file() or path.stat().st_size == 0:
        return
    try:
        other = job_of(read_document(path), str(path))
    except BuildtelError:
        raise BuildtelError(f"{path} exists and is not a job document. Remove it, or name another file") from None
    if other != job:
        raise BuildtelError(f"{path} is a document of job {other!r}. Remove it, or name another file")


def read_document(path: Path) -> bytes:
    """The bytes of a document's file.

    Raises:
        BuildtelError: it can't be read, or is larger than any document.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise BuildtelError(f"can't read {path}: {error.strerror}") from error
    if len(data) > LARGEST:
        raise BuildtelError(f"{path}: not a job document: larger than {LARGEST // 1024**2} MB")
    return data


def is_regular(path: Path) -> bool:
    """True for a regular file that is not a link."""
    return stat.S_ISREG(path.lstat().st_mode)


def _write_into(path: Path, data: bytes) -> None:
    """Write to a terminal, a pipe or `/dev/null`."""
    try:
        with path.open("wb") as file:
            file.write(data)
    except OSError as error:
        raise BuildtelError(f"can't write {path}: {error.strerror}") from error
