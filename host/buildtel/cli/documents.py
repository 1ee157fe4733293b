"""Documents on this machine's disk: where they go, and how they get there whole."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from buildtel.errors import BuildtelError

MOST_IN_A_SECOND = 1000
LARGEST = 256 * 1024 * 1024


def telemetry_dir(path: Path) -> Path:
    """`path`, made for the user alone if it is not there.

    Raises:
        BuildtelError: it can't be made, is no directory, or belongs to somebody else.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
        owners = {found.st_uid, path.lstat().st_uid}
    except FileExistsError:
        raise BuildtelError(f"{path} is not a directory: set TELEMETRY_DIR to one") from None
    except OSError as error:
        raise BuildtelError(f"can't use {path}: {error.strerror}: set TELEMETRY_DIR to a directory of yours") from error
    if owners != {os.geteuid()}:
        raise BuildtelError(f"{path} belongs to somebody else: set TELEMETRY_DIR to a directory of yours")
    return path


def write_new(folder: Path, stem: str, data: bytes) -> Path:
    """The file `STEM.json` in `folder`, with a number behind the stem if that is taken.

    Raises:
        BuildtelError: it can't be written.
    """
    aside = _aside(folder / f".{stem}", data)
    try:
        for copy in range(1, MOST_IN_A_SECOND):
            path = folder / (f"{stem}.json" if copy == 1 else f"{stem}_{copy}.json")
            try:
                path.hardlink_to(aside)
            except FileExistsError:
                continue
            return path
    except OSError as error:
        raise BuildtelError(f"can't write into {folder}: {error.strerror}") from error
    finally:
        aside.unlink(missing_ok=True)
    raise BuildtelError(f"{folder} holds {MOST_IN_A_SECOND} documents of this second already")


def write_named(path: Path, data: bytes, job: str) -> None:
    """`data` as the file `path`; an older document of the same job is replaced, nothing else is.

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
    aside = _aside(path.parent / f".{path.name[:200]}", data)
    try:
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise BuildtelError(f"can't write {path}: {error.strerror}") from error


def check_named(path: Path, job: str) -> None:
    """Nothing, if a document of `job` may be written to `path`.

    Raises:
        BuildtelError: it may not.
    """
    from buildtel.job import load_document

    if path.is_dir():
        raise BuildtelError(f"can't write {path}: it is a directory: name a file in it")
    if not path.parent.is_dir():
        raise BuildtelError(f"can't write {path}: there is no directory {path.parent}")
    if not path.is_file() or path.stat().st_size == 0:
        return
    try:
        other = load_document(read_document(path), str(path)).job
    except BuildtelError:
        raise BuildtelError(f"{path} is there and is no job document: remove it or name another file") from None
    if other != job:
        raise BuildtelError(f"{path} is a document of job {other!r}: remove it or name another file")


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
    """True for a regular file that is no link."""
    return stat.S_ISREG(path.lstat().st_mode)


def _aside(path: Path, data: bytes) -> Path:
    """A synced file beside its later place."""
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise BuildtelError(f"can't write into {path.parent}: {error.strerror}") from error
    return aside


def _write_into(path: Path, data: bytes) -> None:
    """Write to what is no file: a terminal, a pipe, `/dev/null`."""
    try:
        with path.open("wb") as file:
            file.write(data)
    except OSError as error:
        raise BuildtelError(f"can't write {path}: {error.strerror}") from error
