#!/bin/sh
# Python that adds numbers for $1 seconds.
exec python3 -c 'import sys, time
end = time.time() + int(sys.argv[1])
while time.time() < end:
    sum(range(1000))' "$1"
