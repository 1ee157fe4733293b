#!/bin/sh
# Python that adds numbers for $LENGTH_S seconds, beside loops of others on all CPUs but one.
for _ in $(seq "$(($(nproc) - 1))"); do
    (setsid timeout "$LENGTH_S" sh -c 'while :; do :; done' </dev/null >/dev/null 2>&1 &)
done
exec python3 -c 'import sys, time
end = time.time() + int(sys.argv[1])
while time.time() < end:
    sum(range(1000))' "$LENGTH_S"
