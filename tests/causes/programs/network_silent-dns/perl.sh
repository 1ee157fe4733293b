#!/bin/sh
# A name server that does not answer, for $LENGTH_S seconds.
timeout "$LENGTH_S" perl -e 'use IO::Socket::INET;
my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => 53, Proto => "udp");
print $s "question"; $s->recv(my $answer, 512)' "$FAR" || true
