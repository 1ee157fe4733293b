"""Finds the agent and the Packer library in a checkout or an installed wheel.

In a checkout they are those of the checkout, so that edits count at once; in an installed wheel the
library is package data and the agent a module beside the package.
"""

from __future__ import annotations

from pathlib import Path

from buildtel.errors import BuildtelError

AGENT_NAME = "buildtel_agent.py"
LIBRARY_NAME = "buildtel.pkr.hcl"

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent.parent


def agent() -> Path:
    """The agent file that runs in guests and on the runner.

    Raises:
        BuildtelError: the installation lacks it.
    """
    return _first_file(_CHECKOUT / "guest" / AGENT_NAME, _PACKAGE.parent / AGENT_NAME)


def library() -> Path:
    """The HCL file that a template loads beside itself.

    Raises:
        BuildtelError: the installation lacks it.
    """
    return _first_file(_CHECKOUT / "packer" / LIBRARY_NAME, _PACKAGE / "_shipped" / "packer" / LIBRARY_NAME)


def _first_file(*candidates: Path) -> Path:
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise BuildtelError(
        f"this installation of buildtel lacks {candidates[-1].name} (looked for {candidates[-1]}). Install it again"
    )
