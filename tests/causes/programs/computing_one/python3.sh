#!/bin/sh
# Python that adds numbers for $LENGTH_S seconds.
exec python3 -c 'import sys, time
end = time.time() + int(sys.argv[1])
while time.time() < end:
    sum(range(1000))' "$LENGTH_S"
