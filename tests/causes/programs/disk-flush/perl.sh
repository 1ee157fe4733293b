#!/bin/sh
# One small file after another, each flushed, for $LENGTH_S seconds, as dpkg writes its database.
mkdir "$FOLDER/flush"
perl -e 'use IO::Handle; my $end = time + $ARGV[0]; my $n = 0;
while (time < $end) {
    open(my $f, ">", "$ARGV[1]/new"); print $f "x" x 8192; $f->flush; $f->sync; close($f);
    rename("$ARGV[1]/new", "$ARGV[1]/" . $n++ % 100);
}' "$LENGTH_S" "$FOLDER/flush"
rm -r "$FOLDER/flush"
