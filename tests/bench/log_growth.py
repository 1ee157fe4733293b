"""What our lines add to the log of a real build: the same build of 20 steps with buildtel and without it.

    .venv/bin/python -m tests.bench.log_growth      as root, with packer and sshd

Prints figures beside their bar; asserts nothing.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.wired.bench import Bench, Form

COMPILES = ("for n in $(seq 40); do head -c 300000 /dev/urandom | gzip -1 | sha256sum; done >/dev/null", "sleep 1")
UNPACKS = ("for n in $(seq 300); do echo $n >/tmp/u$n; done; sleep 2; rm /tmp/u*", "sync")
READS = ("sleep 2", "ls -R /usr/share/zoneinfo | sort | tail -n 1", "sleep 1")
KINDS = {"quick": (7, ("true",)), "reads": (6, READS), "compiles": (3, COMPILES), "unpacks": (3, UNPACKS),
         "half a minute": (1, ("sleep 33",))}  # fmt: skip
EVIDENCE = ("cmds", "inside", "own", "waits")  # fields of records that tell of commands


def records(log: bytes) -> Iterator[dict[str, Any]]:
    """The records in a log."""
    for line in log.splitlines():
        _, mark, text = line.partition(b"BUILDTEL:{")
        if mark:
            yield json.loads(b"{" + text)


def main() -> None:
    """As the module says."""
    forms = tuple(Form(f"{name} {n}", inline) for name, (count, inline) in KINDS.items() for n in range(count))
    with tempfile.TemporaryDirectory(prefix="buildtel-") as name, Bench(Path(name)) as bench:
        built = [bench.build("root", forms, wired=wired, finish=wired) for wired in (False, True)]
        plain, wired = (one.log.read_bytes() for one in built)
    ours = sum(len(line) for line in wired.splitlines(keepends=True) if b"BUILDTEL:{" in line)
    told = [found[key] for found in records(wired) for key in EVIDENCE if key in found]
    evidence = sum(len(json.dumps(fields, separators=(",", ":"))) for fields in told)
    sizes = {"records and blocks": len(wired) - len(plain), "records": ours, "accounts of commands": evidence}
    print(f"log of {len(forms)} steps without us {len(plain) / 1000:.1f} kB; what is added a step (bar 4 kB):")
    for part, size in sizes.items():
        print(f"  {part:22} {size / len(forms) / 1000:5.2f} kB")


if __name__ == "__main__":
    main()
