#!/bin/sh
# Compression on one thread for $LENGTH_S seconds, beside loops of others on all CPUs but one.
for _ in $(seq "$(($(nproc) - 1))"); do
    (setsid timeout "$LENGTH_S" sh -c 'while :; do :; done' </dev/null >/dev/null 2>&1 &)
done
timeout "$LENGTH_S" gzip -9 </dev/zero >/dev/null || true
