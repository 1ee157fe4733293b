"""Errors a user can fix; every other exception is a bug of buildtel."""


class BuildtelError(Exception):
    """An error that the user can fix: the message says what is wrong, where, and how to fix it.

    `exit_code` is what the process ends with: 1 for a failure, 2 for wrong usage.
    """

    exit_code = 1


class UsageError(BuildtelError):
    """The command line asks for something that does not exist."""

    exit_code = 2
