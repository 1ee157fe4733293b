"""The flags of commands that make documents: what is hidden in them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from buildtel.redact import Redactor


def add_redaction(parser: argparse.ArgumentParser) -> None:
    """Declare `--redact` and `--no-output`."""
    parser.add_argument(
        "--redact", metavar="REGEX", action="append", default=[],
        help="hide what this expression matches in errors, output lines and names, in addition to known secrets "
        "(repeatable; docs/security.md)",
    )  # fmt: skip
    parser.add_argument("--no-output", action="store_true", help="keep no lines of the output of provisioners")


def redactor_of(args: argparse.Namespace, secrets: Iterable[str] = ()) -> Redactor:
    """What hides secrets, by the flags, the configuration file and the environment.

    Args:
        args: parsed arguments, those of `add_redaction` among them.
        secrets: values that are known besides.

    Raises:
        UsageError: an expression is no regular expression, or the configuration file is wrong.
    """
    from buildtel.settings import read_redactor

    return read_redactor(os.environ, args.redact, secrets, keeps_output=not args.no_output)
