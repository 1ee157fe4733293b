#!/bin/sh
# Random reads past the cache, for $LENGTH_S seconds.
fio --name=r --filename="$FOLDER/fio.tmp" --size=256M --rw=randread --bs=4k --direct=1 --runtime="$LENGTH_S" \
    --time_based --output=/dev/null
rm -f "$FOLDER/fio.tmp"
