#!/bin/sh
# Hashes on two processes for $1 seconds.
timeout "$1" openssl speed -multi "$(nproc)" -seconds 60 sha256 >/dev/null 2>&1 || true
