#!/bin/sh
# An upload at the line's rate for $LENGTH_S seconds.
exec perl -e 'use IO::Socket::INET; my $end = time + $ARGV[0];
my $s = IO::Socket::INET->new("$ARGV[1]:$ARGV[2]"); print $s "POST / HTTP/1.0\r\n\r\n";
while (time < $end) { print $s "x" x 65536 }' "$LENGTH_S" "$FAR" "$WEB"
