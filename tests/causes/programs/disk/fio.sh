#!/bin/sh
# Random writes, each flushed, for $LENGTH_S seconds, below the folder $FOLDER.
fio --name=w --filename="$FOLDER/fio.tmp" --size=256M --rw=randwrite --bs=64k --fsync=1 --runtime="$LENGTH_S" --time_based \
    --output=/dev/null
rm -f "$FOLDER/fio.tmp"
