#!/bin/sh
# A connection to the port $3, where nobody answers, for $1 seconds.
wget -q -T "$1" -t 1 -O /dev/null "http://127.0.0.1:$3/" || true
