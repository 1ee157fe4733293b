"""What can go wrong in a way that a user can mend; everything else is our bug."""


class BuildtelError(Exception):
    """A problem of the user's world: says what is wrong, where, and the mend.

    `exit_code` is what the process ends with: 1 for a failure, 2 for wrong usage.
    """

    exit_code = 1


class UsageError(BuildtelError):
    """The command line asks for something that does not exist."""

    exit_code = 2
