#!/bin/sh
# A lock that another process holds for $1 seconds, below the folder $2.
flock "$2/flock.lock" sleep "$1" &
sleep 0.3
flock "$2/flock.lock" true
wait
rm -f "$2/flock.lock"
