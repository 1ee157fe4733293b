#!/bin/sh
# A server at $FAR:$MUTE that takes the question and sends nothing, for $LENGTH_S seconds.
curl -s -m "$LENGTH_S" "http://$FAR:$MUTE/" || true
