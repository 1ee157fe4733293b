#!/bin/sh
# Compression on all threads for $1 seconds.
timeout "$1" xz -T0 -3 </dev/urandom >/dev/null || true
