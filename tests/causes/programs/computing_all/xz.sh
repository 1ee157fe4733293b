#!/bin/sh
# Compression on all threads for $LENGTH_S seconds.
timeout "$LENGTH_S" xz -T0 -3 </dev/urandom >/dev/null || true
