#!/bin/sh
# A daemon behind a Unix socket in $2 that thinks for $1 seconds; the program has no timeout of its own.
timeout "$1" perl -e 'use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new($ARGV[0]); <$s>' "$2/mute.sock" || true
