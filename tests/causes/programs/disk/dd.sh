#!/bin/sh
# Direct writes of large blocks for $LENGTH_S seconds, below the folder $FOLDER.
timeout "$LENGTH_S" sh -c 'while :; do dd if=/dev/zero of="$0" bs=16M count=16 oflag=direct status=none; done' "$FOLDER/dd.tmp"
rm -f "$FOLDER/dd.tmp"
