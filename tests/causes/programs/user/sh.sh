#!/bin/sh
# A question at a terminal that nobody answers, for $LENGTH_S seconds.
sleep "$LENGTH_S" | script -qec "timeout --foreground $LENGTH_S sh -c 'read answer'" /dev/null >/dev/null || true
