#!/bin/sh
# Compression on one thread for $1 seconds.
timeout "$1" gzip -9 </dev/zero >/dev/null || true
