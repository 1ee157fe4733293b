"""The results of `doctor`: ok, warning, failure."""

from __future__ import annotations

from buildtel.report.view import Check


def ok(about: str, said: str) -> Check:
    """A check that passed.

    Args:
        about: what was checked.
        said: the result in words.
    """
    return Check("ok", about, said)


def warn(about: str, said: str, fix: str) -> Check:
    """A warning: something will be missing.

    Args:
        about: what was checked.
        said: the result in words.
        fix: how to fix it.
    """
    return Check("warn", about, said, fix)


def fail(about: str, said: str, fix: str) -> Check:
    """A failure: something will not work.

    Args:
        about: what was checked.
        said: the result in words.
        fix: how to fix it.
    """
    return Check("fail", about, said, fix)
