#!/bin/sh
# A connection to a port, $FULL, whose queue is full, so that nobody answers, for $LENGTH_S seconds.
curl -s -m "$LENGTH_S" "http://$FAR:$FULL/" || true
