#!/bin/sh
# A server at $4 that takes the question and sends nothing, for $1 seconds.
wget -q -T "$1" -t 1 -O /dev/null "http://$4/" || true
