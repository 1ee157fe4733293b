#!/bin/sh
# A download at the line's rate for $LENGTH_S seconds.
timeout "$LENGTH_S" wget -q -t 1 -O /dev/null "http://$FAR:$WEB/fast" || true
