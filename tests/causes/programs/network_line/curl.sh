#!/bin/sh
# A download at the line's rate for $LENGTH_S seconds.
curl -s -m "$LENGTH_S" -o /dev/null "http://$FAR:$WEB/fast" || true
