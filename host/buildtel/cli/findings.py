"""What the doctor finds, as checks: all is well, something will be missing, something will not work."""

from __future__ import annotations

from buildtel.report.view import Check


def ok(about: str, said: str) -> Check:
    """All is well."""
    return Check("ok", about, said)


def warn(about: str, said: str, mend: str) -> Check:
    """Something will be missing."""
    return Check("warn", about, said, mend)


def fail(about: str, said: str, mend: str) -> Check:
    """Something will not work."""
    return Check("fail", about, said, mend)
