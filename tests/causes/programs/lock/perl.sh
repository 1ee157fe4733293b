#!/bin/sh
# Perl's flock on a file that another process holds for $1 seconds, below the folder $2.
flock "$2/perl.lock" sleep "$1" &
sleep 0.3
perl -e 'open(my $f, ">>", $ARGV[0]); flock($f, 2);' "$2/perl.lock"
wait
rm -f "$2/perl.lock"
