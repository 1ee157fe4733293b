#!/bin/sh
# Reads of large blocks past the cache, for $LENGTH_S seconds.
dd if=/dev/zero of="$FOLDER/read.tmp" bs=1M count=200 oflag=direct status=none
timeout "$LENGTH_S" sh -c 'while :; do dd if="$0" of=/dev/null bs=4M iflag=direct status=none; done' "$FOLDER/read.tmp"
rm -f "$FOLDER/read.tmp"
