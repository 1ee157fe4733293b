#!/bin/sh
# A server at $FAR:$MUTE that takes the question and sends nothing, for $LENGTH_S seconds.
wget -q -T "$LENGTH_S" -t 1 -O /dev/null "http://$FAR:$MUTE/" || true
