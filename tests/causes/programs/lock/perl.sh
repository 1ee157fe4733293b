#!/bin/sh
# Perl's flock on a file that another process holds for $LENGTH_S seconds, below the folder $FOLDER.
flock "$FOLDER/perl.lock" sleep "$LENGTH_S" &
sleep 0.3
perl -e 'open(my $f, ">>", $ARGV[0]); flock($f, 2);' "$FOLDER/perl.lock"
wait
rm -f "$FOLDER/perl.lock"
