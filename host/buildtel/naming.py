"""Names of the files and keys of a job; imports little, because the start of Packer waits for it."""

from __future__ import annotations

import re
from datetime import datetime, timezone

STAMP = "%Y%m%d_%H%M%S"
RESERVED = ("latest", "index")
LONGEST = 120
NOTHING = "%"
CUT = "%~"
PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-")


def escape(name: str) -> str:
    """`name` as one part of a key: letters, digits, `.`, `_`, `+` and `-` stand for themselves.

    The empty name is a lone `%`; a very long one is cut and told apart by a digest.
    """
    if not name:
        return NOTHING
    plain = "".join(chr(byte) if byte in PLAIN else f"%{byte:02X}" for byte in name.encode("utf-8", "replace"))
    if plain.startswith(".") or plain in RESERVED:
        plain = f"%{ord(plain[0]):02X}{plain[1:]}"
    if len(plain) <= LONGEST:
        return plain
    import hashlib  # noqa: PLC0415  # few names are as long, and Packer's start does not wait for it

    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16]
    return re.sub(r"%[0-9A-F]?$", "", plain[: LONGEST - 20]) + CUT + digest


def stamp(time: datetime) -> str:
    """`YYYYMMDD_HHMMSS` in UTC."""
    return time.astimezone(timezone.utc).strftime(STAMP)


def stem_of(job: str, time: datetime) -> str:
    """`JOB_YYYYMMDD_HHMMSS`: how the files of a job are named.

    Args:
        job: the job's name.
        time: the time of the build, in UTC.
    """
    return f"{escape(job)}_{stamp(time)}"
