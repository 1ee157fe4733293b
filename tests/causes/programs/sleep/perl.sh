#!/bin/sh
# A loop that looks each half second, for $1 seconds.
exec perl -e 'my $end = time + $ARGV[0]; while (time < $end) { sleep 1; }' "$1"
