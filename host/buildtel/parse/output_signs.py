"""The table of output lines that show what a provisioner does, or why it fails.

A program that changes the words of such a line gives nothing, so each row names the program and the versions read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from buildtel.events import EVIDENCE, SignKind

LOCK: Final = "lock"
LONGEST_NAME, LONGEST_LINE = 200, 300  # characters
_SEARCHED_BYTES = 4096
_CHECKED_BYTES = 12  # of what a sign begins with


class Sign(NamedTuple):
    """A line that tells something.

    Attributes:
        kind: what it tells of, as in `OutputSign`.
        begins: what stands in it behind a colon and a space, in a log; the name of the build has both behind it.
        form: the whole of it; the group `name` is the name, else the text of the line is.
        source: the program and the versions that were read.
    """

    kind: SignKind
    begins: tuple[bytes, ...]
    form: re.Pattern[bytes]
    source: str


_STARS = rb" \*{3,}$"
_ANSIBLE = "ansible 2.0 to ansible-core 2.19: plugins/callback/default.py, utils/display.py (banner)"
_LIBC = "the C library: strerror, psignal; bash, dash; Go and Python, which print the same words"
_HELD = rb"Could not get lock \S+\. It is held by process (?P<pid>\d+)(?: \((?P<name>[^()]{0,200})\))?"
SIGNS = (
    Sign("play", (b"PLAY [",), re.compile(rb"^PLAY \[(?P<name>.*)\]" + _STARS), _ANSIBLE),
    Sign("task", (b"TASK [",), re.compile(rb"^TASK \[(?P<name>.*)\]" + _STARS), _ANSIBLE),
    Sign("handler", (b"RUNNING HANDLER [",), re.compile(rb"^RUNNING HANDLER \[(?P<name>.*)\]" + _STARS), _ANSIBLE),
    Sign("recap", (b"PLAY RECAP ",), re.compile(rb"^PLAY (?P<name>RECAP)" + _STARS), _ANSIBLE),
    Sign(LOCK, (b"Waiting for cache lock: ",), re.compile(rb"^Waiting for cache lock: " + _HELD), "apt 2.0 to 2.6"),
    Sign(LOCK, (b"E: Could not get lock ",), re.compile(rb"^E: " + _HELD), "the same, where apt does not wait"),
    Sign(
        LOCK, (b"E: Could not get lock ",), re.compile(rb"^E: Could not get lock \S+ - open \((?P<name>)"),
        "apt before 2.0: it does not say who holds the lock",
    ),
    Sign(
        LOCK, (b"dpkg: error: dpkg ",),
        re.compile(
            rb"^dpkg: error: dpkg [a-z ]*lock was locked by another process(?P<name>)(?: with pid (?P<pid>\d+))?"
        ),
        "dpkg 1.19 to 1.21: lib/dpkg/file.c",
    ),
    Sign(
        LOCK, (b"Another app is currently holding the yum lock",),
        re.compile(rb"^Another app is currently holding the yum lock(?P<name>); waiting for it to exit"),
        "yum 3.2 to 3.4: the lines behind it say who holds the lock",
    ),
    Sign(
        LOCK, (b"Waiting for process with pid ",),
        re.compile(rb"^Waiting for process(?P<name>) with pid (?P<pid>\d+) to finish"), "dnf 2 to 4: dnf/lock.py",
    ),
    Sign(
        EVIDENCE, (b"Killed", b"Kill process"),
        re.compile(
            rb"(?:^|: )Killed$|: line \d+: *\d+ Killed(?: |$)|: Killed signal terminated program|"
            rb"\bOut of memory: Kill(?:ed)? process \d"
        ),
        "bash 5, dash 0.5, gcc 12; Linux 2.6 to 6.12: mm/oom_kill.c",
    ),
    Sign(
        EVIDENCE, (b"No space left on device", b"no space left on device", b"failed to write (No space"),
        re.compile(rb"(?:^|[:\]] |\()[Nn]o space left on device"), _LIBC + "; dpkg",
    ),
    Sign(
        EVIDENCE, (b"Cannot allocate memory", b"cannot allocate memory"),
        re.compile(rb"(?:^|[:\]] )[Cc]annot allocate memory"), _LIBC,
    ),
    Sign(
        EVIDENCE, (b"Segmentation fault",), re.compile(rb"(?:^|: |: line \d+: *\d+ )Segmentation fault"), _LIBC,
    ),
)  # fmt: skip
# While a wait for a lock goes on these say no more than that, or who holds it.
_SAME_WAIT = re.compile(
    rb"^E: Unable to (?:lock|acquire the dpkg)|^N: Be aware that removing the lock|^Note: removing the lock file is|"
    rb"^ *(?:The other application is: (?P<name>.{1,200})$|Memory : |Started: |State  : )|^$"
)


def _starts() -> frozenset[bytes]:
    return frozenset(begin[:_CHECKED_BYTES] for sign in SIGNS for begin in sign.begins)


def _any(starts: frozenset[bytes]) -> bytes:
    return b"(?:%s)" % b"|".join(map(re.escape, sorted(starts)))


SIGN_STARTS = _starts()
# The same behind a colour, a number of an error, or a line and a process of bash; by the first byte.
SIGN_FORMS = {
    b"\x1b": rb"\x1b\[[0-9;]*m" + _any(SIGN_STARTS),
    b"[": rb"\[(?:[0-9;]*m|Errno [0-9]+\] )" + _any(SIGN_STARTS),
    b"l": rb"line [0-9]+: *[0-9]+ (?:Killed|Segm)",
}


def behind_colon(any_start: bytes, firsts: Iterable[bytes]) -> re.Pattern[bytes]:
    """What finds a colon and a space with a text behind them; it looks at the first byte before all else.

    Args:
        any_start: alternatives, each the start of a text.
        firsts: the first bytes of these texts.
    """
    firsts = sorted({*firsts, *SIGN_FORMS})
    forms = b"|".join((any_start, *SIGN_FORMS.values()))
    return re.compile(rb": (?=[%s])(?:%s)" % (re.escape(b"".join(firsts)), forms))


MAY_TELL = behind_colon(_any(SIGN_STARTS), {start[:1] for start in SIGN_STARTS})


def sign_of(text: bytes) -> tuple[SignKind, str] | None:
    """What a line of output tells: the kind and the name; None for a line that tells nothing.

    Args:
        text: the line without prefixes, colours and the build's name.
    """
    text = text[:_SEARCHED_BYTES].rstrip()
    for sign in SIGNS:
        found = sign.form.search(text)
        if found is not None:
            return sign.kind, _name(found, text)
    return None


def _name(found: re.Match[bytes], text: bytes) -> str:
    groups = found.groupdict()
    if "name" not in groups:
        return _shown(text)[:LONGEST_LINE]
    holder, pid = (_shown(groups.get(key) or b"") for key in ("name", "pid"))
    return (f"{holder} ({pid})" if holder and pid else holder or (pid and f"process {pid}"))[:LONGEST_NAME]


def holder_of(text: bytes) -> str | None:
    """Of a line while a wait for a lock goes on: who holds the lock, empty if it does not tell; None for other lines.

    Args:
        text: the line without prefixes, colours and the build's name.
    """
    found = _SAME_WAIT.search(text[:_SEARCHED_BYTES].rstrip())
    return None if found is None else _shown(found["name"] or b"")


def _shown(text: bytes) -> str:
    return text.decode("utf-8", "replace").strip()
