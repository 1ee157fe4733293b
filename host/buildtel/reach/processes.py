"""Ends programs that run beside a connection."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress

END_S = 2.0


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program that leads a session of its own, and all that it started there."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
