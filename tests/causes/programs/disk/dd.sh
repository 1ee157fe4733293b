#!/bin/sh
# Direct writes of large blocks for $1 seconds, below the folder $2.
timeout "$1" sh -c 'while :; do dd if=/dev/zero of="$0" bs=16M count=16 oflag=direct status=none; done' "$2/dd.tmp"
rm -f "$2/dd.tmp"
