# The Python part. Charter: it never harms the build, leaves nothing behind, tells the truth, is small.
# It imports nothing that costs: see docs/architecture.md, "What a start costs".
import sys

if sys.version_info < (3, 6):
    raise SystemExit(1)  # the sh part then records by itself

import _signal
import posix
import select
import time
from zlib import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Collection, Iterable, Iterator

__version__ = "0.2.0"
PROTOCOL = 1
RECORD_BYTES = 3500  # one write(2) below PIPE_BUF, with room for Packer's prefix and colours
BEAT_S = 30.0
SERIES_POINTS = 60
FLUSH_ROWS = 120
AT_ONCE_MS = 20
INSTALL_DIR = "/var/tmp/buildtel"  # survives a reboot, unlike /tmp and /run, and may be noexec
SPOOL_ROOTS = ("/dev/shm", "/run", "/var/tmp", "/tmp")  # a tmpfs where one can be had
MB = 1048576.0
LATER = b""  # the parts that are loaded later, compiled, in the agent that `install` leaves


def load_later() -> "None":
    """Loads the parts of this agent that a step's first milliseconds do not need, where they are not loaded yet."""
    global LATER
    if LATER:
        from marshal import loads

        compiled, LATER = LATER, b""
        exec(loads(compiled), globals())


