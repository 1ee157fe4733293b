"""Many more inputs than the tests take: `python -m tests.fuzz [--logs N] [--forged N] [--templates N] [--documents N]`.

Prints how many of each held, and the numbers of those that did not; exit status 1 if there are any.
"""

from __future__ import annotations

import argparse
import sys
import time

from .runs import RUNS, failure_of


def main() -> int:
    """Run as many of each kind as were asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first number")
    for name in RUNS:
        parser.add_argument(f"--{name}", type=int, default=0, metavar="N")
    args = parser.parse_args()
    broken = 0
    for name in RUNS:
        amount = getattr(args, name)
        begun = time.monotonic()
        for number in range(args.first, args.first + amount):
            failure = failure_of(name, number)
            if failure is not None:
                broken += 1
                print(failure, flush=True)
            if (number - args.first + 1) % 10_000 == 0:
                print(f"{name}: {number - args.first + 1} in {time.monotonic() - begun:.0f} s", flush=True)
        if amount:
            print(f"{name}: {amount} from {args.first} in {time.monotonic() - begun:.0f} s", flush=True)
    print(f"{broken} broken", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
