"""Many more inputs than the tests take: `python -m tests.fuzz [--logs N] [--forged N] [--templates N] [--documents N]`.

Prints how many of each held, and the numbers of those that did not; exit status 1 if there are any.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from multiprocessing import get_context

from .runs import RUNS, failure_of, reference

CHUNK = 100
TOLD_EVERY = 10_000


def main() -> int:
    """Run as many of each kind as were asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first number")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="processes at once")
    for name in RUNS:
        parser.add_argument(f"--{name}", type=int, default=0, metavar="N")
    args = parser.parse_args()
    reference()  # once, before the processes part
    broken = 0
    for name in RUNS:
        numbers = range(args.first, args.first + getattr(args, name))
        for failure in failures(name, numbers, args.jobs) if numbers else ():
            broken += 1
            print(failure, flush=True)
    print(f"{broken} broken", flush=True)
    return 1 if broken else 0


def failures(name: str, numbers: range, jobs: int) -> Iterator[str]:
    """What went wrong in these runs of a kind; tells how far it is."""
    begun = time.monotonic()
    with get_context("fork").Pool(jobs) as pool:
        for done, failure in enumerate(pool.imap(partial(failure_of, name), numbers, CHUNK), 1):
            if failure is not None:
                yield failure
            if done % TOLD_EVERY == 0 or done == len(numbers):
                print(f"{name}: {done} from {numbers[0]} in {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
