#!/bin/sh
# A file read again and again, each time out of the cache, for $LENGTH_S seconds.
dd if=/dev/zero of="$FOLDER/cat.tmp" bs=1M count=200 conv=fsync status=none
end=$(($(date +%s) + LENGTH_S))
while [ "$(date +%s)" -lt "$end" ]; do
    dd if="$FOLDER/cat.tmp" iflag=nocache count=0 status=none
    cat "$FOLDER/cat.tmp" >/dev/null
done
rm -f "$FOLDER/cat.tmp"
