#!/bin/sh
# An upload at the line's rate for $LENGTH_S seconds.
head -c 1000000000 /dev/zero | curl -s -m "$LENGTH_S" -T - "http://$FAR:$WEB/put" || true
