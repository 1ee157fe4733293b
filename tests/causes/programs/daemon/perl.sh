#!/bin/sh
# A daemon behind a Unix socket in $FOLDER that thinks for $LENGTH_S seconds; the program has no timeout of its own.
timeout "$LENGTH_S" perl -e 'use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new($ARGV[0]); <$s>' "$FOLDER/mute.sock" || true
