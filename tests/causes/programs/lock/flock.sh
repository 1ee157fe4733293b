#!/bin/sh
# A lock that another process holds for $LENGTH_S seconds, below the folder $FOLDER.
flock "$FOLDER/flock.lock" sleep "$LENGTH_S" &
sleep 0.3
flock "$FOLDER/flock.lock" true
wait
rm -f "$FOLDER/flock.lock"
