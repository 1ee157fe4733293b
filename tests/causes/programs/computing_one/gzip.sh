#!/bin/sh
# Compression on one thread for $LENGTH_S seconds.
timeout "$LENGTH_S" gzip -9 </dev/zero >/dev/null || true
