"""Writes files atomically; imports little, because every `step` imports it."""

from __future__ import annotations

import os


def write_synced(path: str, data: bytes) -> None:
    """Write a new file and wait until the disk has it.

    Args:
        path: where; nothing may be there.
        data: its bytes.

    Raises:
        OSError: it can't be written; then no file is left.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        os.unlink(path)
        raise


def replace(path: str, data: bytes, mode: int | None = None) -> None:
    """Write a file, whatever file stood there.

    Args:
        path: where.
        data: its bytes.
        mode: its permissions; None for those that the umask gives.

    Raises:
        OSError: it can't be written; then what stood there stays.
    """
    aside = name_aside(path)
    write_synced(aside, data)
    try:
        if mode is not None:
            os.chmod(aside, mode)
        os.replace(aside, path)
    except OSError:
        os.unlink(aside)
        raise
    sync_folder(os.path.dirname(path))


def create(path: str, data: bytes) -> bool:
    """Write a file where none is.

    Args:
        path: where.
        data: its bytes.

    Returns:
        False if something stood there.

    Raises:
        OSError: it can't be written.
    """
    aside = name_aside(path)
    write_synced(aside, data)
    try:
        return link_new(aside, path)
    finally:
        os.unlink(aside)


def link_new(aside: str, path: str) -> bool:
    """Give a file a second name, unless something has it: then False.

    Args:
        aside: the existing file.
        path: the second name.
    """
    try:
        os.link(aside, path)
    except FileExistsError:
        return False
    sync_folder(os.path.dirname(path))
    return True


def name_aside(path: str) -> str:
    """A hidden, unused name in the folder of `path`."""
    folder, _, name = path.rpartition("/")
    return f"{folder}{'/' if '/' in path else ''}.{name[:200]}.{os.urandom(4).hex()}.tmp"


def sync_folder(folder: str) -> None:
    """Wait until the disk has the names in a folder, where its file system can."""
    handle = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError:  # some network file systems refuse to sync a folder
        pass
    finally:
        os.close(handle)
