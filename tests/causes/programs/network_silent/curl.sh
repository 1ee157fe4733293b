#!/bin/sh
# A connection to a port, $3, whose queue is full, so that nobody answers, for $1 seconds.
curl -s -m "$1" "http://127.0.0.1:$3/" || true
