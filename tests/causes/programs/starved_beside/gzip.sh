#!/bin/sh
# Compression on one thread for $LENGTH_S seconds, beside as many loops of others as there are CPUs.
for _ in $(seq "$(nproc)"); do
    (setsid timeout "$LENGTH_S" sh -c 'while :; do :; done' </dev/null >/dev/null 2>&1 &)
done
timeout "$LENGTH_S" gzip -9 </dev/zero >/dev/null || true
