#!/bin/sh
# A shell that counts for $LENGTH_S seconds, beside as many loops of others as there are CPUs.
for _ in $(seq "$(nproc)"); do
    (setsid timeout "$LENGTH_S" sh -c 'while :; do :; done' </dev/null >/dev/null 2>&1 &)
done
end=$(($(date +%s) + LENGTH_S))
while [ "$(date +%s)" -lt "$end" ]; do
    i=0
    while [ "$i" -lt 20000 ]; do i=$((i + 1)); done
done
