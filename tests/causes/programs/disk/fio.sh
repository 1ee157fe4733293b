#!/bin/sh
# Random writes, each flushed, for $1 seconds, below the folder $2.
fio --name=w --filename="$2/fio.tmp" --size=256M --rw=randwrite --bs=64k --fsync=1 --runtime="$1" --time_based \
    --output=/dev/null
rm -f "$2/fio.tmp"
