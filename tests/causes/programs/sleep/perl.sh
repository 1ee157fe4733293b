#!/bin/sh
# A loop that looks each half second, for $LENGTH_S seconds.
exec perl -e 'my $end = time + $ARGV[0]; while (time < $end) { sleep 1; }' "$LENGTH_S"
