"""What a command of a step waited for, in words."""

from __future__ import annotations

from buildtel.text import safe

# Kinds of waits in words; `{}` is who holds a lock, or the kernel's function.
WAITS = {
    "lock": "for a lock held by {}", "silent": "for an answer that did not come", "remote": "for a server",
    "user": "for the user", "daemon": "for a local daemon", "sleep": "asleep", "other": "in {}",
}  # fmt: skip


def wait_in_words(kind: str, holder: str) -> str:
    """What a command waited for: `for a lock held by unattended-upgr`.

    Args:
        kind: the wait's kind (docs/format.md, 2).
        holder: who holds the lock, or the kernel's function; empty where that is not known.
    """
    return WAITS.get(kind, "{}").replace("{}", safe(holder) or "?")
